"""PeerProgram: the process of a peer, with a temporary folder, free ports, and a log that its errors quote."""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import requests

from tests.stack import free_block, give_back

START_SECONDS = 60
_ASK_SECONDS, _RETRY_SECONDS = 5, 0.3
_LOG_CHARACTERS = 2000


def find_program(variable: str) -> str | None:
    """Return the absolute path in this environment variable; None if it is unset or names no program."""
    path = os.path.abspath(os.environ.get(variable, ""))
    return path if os.path.isfile(path) and os.access(path, os.X_OK) else None


def read_version(command: list[str]) -> str:
    """Run a command that prints a version, and return the version; `unknown` if there is none."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10, stdin=subprocess.DEVNULL)
    found = re.search(r"\d+\.\d+\.\d+", done.stdout + done.stderr)
    return found[0] if found else "unknown"


class PeerProgram:
    """Base of the peers: starts one process that leaves nothing behind. `close` may be called twice."""

    name = ""
    can_record = False

    def __init__(self) -> None:
        self.folder: Path | None = None
        self._process: subprocess.Popen | None = None
        self._blocks: list[tuple[int, int]] = []

    def pids(self) -> list[int]:
        """Return the ids of all its processes."""
        return [] if self._process is None else [self._process.pid]

    def read_recorded_mb(self) -> float:
        """Return the size of its recordings so far in MB; 0 for a peer that records nothing."""
        if self.folder is None:
            return 0.0
        return sum(path.stat().st_size for path in self.folder.rglob("*.mp4")) / 1e6

    def close(self) -> None:
        """Stop the process; delete its folder."""
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
            self._process.kill()
            self._process.wait(5)
            self._process = None
        while self._blocks:
            give_back(*self._blocks.pop())
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None

    def take_ports(self, count: int = 1) -> int:
        """Return the first of `count` free ports in a row, which are free again after `close`."""
        first = free_block(count)
        self._blocks.append((first, count))
        return first

    def make_folder(self) -> Path:
        """Make the temporary folder of configuration, log and recordings."""
        self.folder = Path(tempfile.mkdtemp(prefix="vas-peer-"))
        return self.folder

    def launch(self, command: Sequence[str], count: int, has_media: Callable[[int], bool]) -> None:
        """Run the command; return when `has_media` is true of each camera, counted from 1.

        Raises RuntimeError with the end of the log, when the process ends or too much time passes.
        """
        try:
            with (self.folder / "peer.log").open("wb") as log:
                self._process = subprocess.Popen(
                    command,
                    cwd=self.folder,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            self._await_media(count, has_media)
        except BaseException:
            self.close()
            raise

    def ask(self, method: str, url: str, **options: Any) -> Any:
        """Send a request to the peer's API; return the answer's JSON. Raises requests.RequestException."""
        answer = requests.request(method, url, timeout=_ASK_SECONDS, **options)
        answer.raise_for_status()
        return answer.json()

    def _await_media(self, count: int, has_media: Callable[[int], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        missing = set(range(1, count + 1))
        while missing:
            if self._process.poll() is not None or time.monotonic() > deadline:
                log = (self.folder / "peer.log").read_text(errors="replace")
                raise RuntimeError(
                    f"{self.name} does not show cameras {sorted(missing)}; its log ends with\n{log[-_LOG_CHARACTERS:]}"
                )
            with contextlib.suppress(requests.RequestException, KeyError, TypeError):
                missing = {number for number in missing if not has_media(number)}
            time.sleep(_RETRY_SECONDS)
