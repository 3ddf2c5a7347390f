"""A jobs worker as the Procfile starts it, in a process group of its own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from gateway.config import Config
from gateway.streams.messages import Messages
from tests.stack import procfs
from workers.ffmpeg.reencode import JOB_MARK

ROOT = Path(__file__).resolve().parents[3]


class JobsWorker:
    """Runs until `kill` or `stop`; `log` is its log file."""

    def __init__(self, config: Config, log: Path, **settings: object) -> None:
        values = {
            "DATABASE_URL": config.database_url,
            "REDIS_URL": config.redis_url,
            "SECRET_KEY": config.secret_key,
            "SFU_SECRET": config.sfu_secret,
            "VAR_DIR": config.var_dir,
            "RECORDINGS_DIR": config.recordings_dir,
            "EXPORTS_DIR": config.exports_dir,
            "JOB_THREADS": 4,
            **settings,
        }
        env = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "PYTHONUNBUFFERED": "1"}
        self.messages = Messages.connect(config)
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "workers", "jobs"],
                cwd=ROOT,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=env | {name: str(value) for name, value in values.items()},
                start_new_session=True,
            )

    def kill(self) -> None:
        """Send SIGKILL to the whole process group."""
        self._signal(signal.SIGKILL)

    def stop(self) -> int:
        """Send SIGTERM to the whole process group, as a platform does; return the exit code."""
        return self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> int:
        if self._process.poll() is None:
            os.killpg(self._process.pid, number)
        return self._process.wait(25)


def encoders_of(job_id: str) -> list[int]:
    """The process ids of the job's running FFmpeg processes."""
    return procfs.find_by_environment(JOB_MARK, job_id)
