"""The whole product in a temporary folder, from the Procfile's own lines, on free ports."""

import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, TypeVar

import requests

from gateway.testing import procfs
from gateway.testing.api import ApiClient, ApiProblem
from gateway.testing.checkout import ROOT, find_worker_bin
from gateway.testing.ports import free_block, free_port, give_back
from gateway.testing.processes import ManagedProcess, ProcessKeeper
from gateway.testing.redis_server import RedisServer

READY_SECONDS = 60.0
#: Lines of the Procfile whose processes use others.
_WORKERS = ("stream", "record", "outputs", "analytics", "plugins", "snapshot")
#: Components that must be ok before a product counts as started.
READY = ("database", "redis", "sfu", "stream_slots", "record_slots", "snapshot_slots")
#: Number of ports of each kind for RTP; a device with sound takes four.
_PORT_BLOCK = 320
_TAIL_LINES = 25

T = TypeVar("T")


class ProductError(AssertionError):
    """A condition was not met in time; the message ends with the tails of the logs."""


class Product:
    """The running product. `close` stops it, and raises ProductError if it leaves a process behind.

        with Product(stall_seconds=3) as product:
            device = product.add_device("door", "rtsp://127.0.0.1:8600/door")
            product.wait_for_state(device["id"], "running")

    Keyword arguments are settings in lower case; they override the defaults here. All are given as in the environment
    (numbers and texts), such as `sfu_workers` and `stream_slots`.
    """

    def __init__(self, **settings: Any) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="vas-stack-"))
        self.folder.chmod(0o755)
        self.redis = self._build_redis()
        self.port = free_port()
        self.sfu_port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.sfu_url = f"http://127.0.0.1:{self.sfu_port}"
        self.api = ApiClient(self.url)
        self.lines = read_procfile(ROOT / "Procfile")
        self.env = self._build_environment(settings)
        self._keeper: ProcessKeeper | None = None

    def install(self, entry_point: EntryPoint, *folders: Path) -> None:
        """Install a plugin before the start, without a package manager: its module is in one of `folders`."""
        site = self.folder / "site"
        information = site / f"vas_trial_{entry_point.name}-1.0.dist-info"
        information.mkdir(parents=True)
        name = f"vas-trial-{entry_point.name}"
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        points = f"[{entry_point.group}]\n{entry_point.name} = {entry_point.value}\n"
        (information / "entry_points.txt").write_text(points)
        known = [word for word in self.env.get("PYTHONPATH", "").split(os.pathsep) if word]
        paths = dict.fromkeys([*known, str(ROOT), str(site), *map(str, folders)])
        self.env["PYTHONPATH"] = os.pathsep.join(paths)

    # ---- life --------------------------------------------------------------------------------------------------

    def __enter__(self) -> "Product":
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start everything; returns when the service is ready and a stream worker is running."""
        self.redis.start()
        self._start_database()
        self._release()
        self._keeper = ProcessKeeper(ROOT)
        for name in self.lines:
            if name != "release":
                self._start(name, name)
        self.wait_until(self.is_ready, READY_SECONDS, "the service is ready")

    def close(self) -> None:
        """Stop everything; may be called twice."""
        left = []
        if self._keeper is not None:
            keeper, self._keeper = self._keeper, None
            # Processes that watch others end first, processes that others need end last.
            streams = [name for name in keeper.names if name.startswith(_WORKERS)]
            left = keeper.close([["clock", "web", "jobs", *streams], ["sfu"]])
            others = [name for name in keeper.names if name not in {"clock", "web", "jobs", "sfu", *streams}]
            assert not others, f"the Procfile has processes that Product does not know how to stop: {others}"
        self.redis.stop()
        self._stop_database()
        left += [(pid, "ffmpeg") for pid in procfs.find_by_environment("VAS_STACK", self.folder.name)]
        for pid, _ in left:
            if procfs.is_alive(pid):
                os.kill(pid, signal.SIGKILL)
        while self._blocks:
            give_back(*self._blocks.pop())
        if os.environ.get("KEEP_STACK_LOGS") != "1":
            shutil.rmtree(self.folder, ignore_errors=True)
        if left:
            raise ProductError(f"processes were left behind: {left}")

    def is_ready(self) -> bool:
        """Whether the API answers, the SFU is healthy and a stream worker offers slots."""
        try:
            if requests.get(f"{self.url}/api/v1/health/ready", timeout=3).status_code != 200:
                return False
            components = requests.get(f"{self.url}/api/v1/health", timeout=5).json()["components"]
        except (requests.RequestException, ValueError):
            return False
        return all(components[name]["status"] == "ok" for name in READY)

    # ---- processes ---------------------------------------------------------------------------------------------

    def process(self, name: str) -> ManagedProcess:
        """A process by its name in the Procfile."""
        return self._keeper.find(name)

    def running_pid(self, name: str) -> int:
        """The id of a process, which must be running."""
        pid = self.process(name).pid
        assert pid is not None, f"{name} does not run"
        return pid

    def log(self, name: str) -> str:
        """The whole log of a process, over its restarts."""
        path = self._log_path(name)
        return path.read_text(errors="replace") if path.exists() else ""

    def log_tails(self) -> str:
        """The last lines of every log."""
        names = sorted(path.stem for path in self.folder.glob("*.log"))
        return "\n".join(
            f"---- {name} ----\n" + "\n".join(self.log(name).splitlines()[-_TAIL_LINES:]) for name in names
        )

    # ---- devices -----------------------------------------------------------------------------------------------

    def add_device(self, name: str, url: str, **fields: Any) -> dict[str, Any]:
        """POST a device, which starts at once unless `start_mode` says otherwise; returns the API's answer."""
        return self.api.post("/devices", {"name": name, "source_url": url, "start_mode": "always", **fields})

    def set_options(self, plugin: str, values: Mapping[str, Any], *, device_id: str | None = None) -> None:
        """Set the options of a plugin for the installation, or for a device."""
        path = f"/devices/{device_id}/plugins/{plugin}" if device_id else f"/plugins/{plugin}/options"
        self.api.put(path, {"values": dict(values)})

    def stream(self, device_id: str) -> dict[str, Any]:
        """The stream as the API shows it."""
        return self.api.get(f"/streams/{device_id}")

    def wait_for_state(
        self, device_id: str, state: str, timeout: float = 30, *, reason: str | None = None
    ) -> dict[str, Any]:
        """Wait until the stream is in `state`, with this reason code if given; returns the stream."""
        seen: dict[str, Any] = {}

        def look() -> bool:
            seen.update(self.stream(device_id))
            code = (seen.get("reason") or {}).get("code")
            return seen["observed"] == state and (reason is None or code == reason)

        try:
            self.wait_until(look, timeout, f"device {device_id} is {state} {reason or ''}")
        except ProductError as error:
            raise ProductError(f"{error}\nit is {seen}") from None
        return seen

    def wait_until(self, predicate: Callable[[], T], timeout: float, message: str) -> T:
        """Poll until `predicate` returns something true, and return that; while the API is away it counts as false."""
        deadline = time.monotonic() + timeout
        problem = ""
        while True:
            try:
                if result := predicate():
                    return result
                problem = ""
            except (requests.RequestException, ApiProblem) as error:
                problem = f" ({error})"
            if time.monotonic() > deadline:
                raise ProductError(f"not within {timeout:g} s: {message}{problem}\n{self.log_tails()}")
            time.sleep(0.05)

    # ---- inside ------------------------------------------------------------------------------------------------

    def _build_redis(self) -> RedisServer:
        folder = self.folder / "redis"
        folder.mkdir()
        return RedisServer(folder)

    def _database_url(self) -> str:
        return f"sqlite:///{self.folder}/vas.db"

    def _start_database(self) -> None:
        """Nothing for SQLite."""

    def _stop_database(self) -> None:
        """Nothing for SQLite."""

    def _build_environment(self, settings: dict[str, Any]) -> dict[str, str]:
        workers = int(settings.get("sfu_workers", 2))
        ingest, source, webrtc = free_block(_PORT_BLOCK), free_block(_PORT_BLOCK), free_block(workers)
        self._blocks = [(ingest, _PORT_BLOCK), (source, _PORT_BLOCK), (webrtc, workers)]
        values: dict[str, Any] = {
            "DATABASE_URL": self._database_url(),
            "REDIS_URL": self.redis.url,
            "VAR_DIR": self.folder / "var",
            "RECORDINGS_DIR": self.folder / "recordings",
            "EXPORTS_DIR": self.folder / "exports",
            "CAPTURES_DIR": self.folder / "captures",
            "HOST": "127.0.0.1",
            "PORT": self.port,
            "WEB_THREADS": 8,
            "SECRET_KEY": secrets.token_hex(16),
            "SFU_SECRET": secrets.token_hex(16),
            "SFU_HOST": "127.0.0.1",
            "SFU_PORT": self.sfu_port,
            "MEDIASOUP_WS_URL": f"ws://127.0.0.1:{self.sfu_port}",
            "SFU_WORKERS": workers,
            "SFU_WEBRTC_PORT": webrtc,
            "SFU_INGEST_PORTS": f"{ingest}-{ingest + _PORT_BLOCK - 1}",
            "SFU_SOURCE_PORTS": f"{source}-{source + _PORT_BLOCK - 1}",
            "MEDIASOUP_WORKER_BIN": find_worker_bin() or "",
            "ALLOW_LOOPBACK_SOURCES": 1,
            "STREAM_SLOTS": 16,
            "RECORD_SLOTS": 16,
            # Tests of recording switch it on; the others stay light.
            "RECORDING_MODE": "off",
            "UI_DIR": ROOT / "ui/dist",
            "PYTHONUNBUFFERED": 1,
            "NO_COLOR": 1,
            # A mark that identifies every process of this stack.
            "VAS_STACK": self.folder.name,
        } | {name.upper(): value for name, value in settings.items()}
        own = {name: str(value) for name, value in values.items()}
        inherited = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR", "TZ") if name in os.environ}
        # The environment of this Python has the packages, and with them gunicorn.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        return {**inherited, "PATH": path, **own}

    def _release(self) -> None:
        done = subprocess.run(
            ["sh", "-c", self.lines["release"]],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"release failed: {done.stdout}{done.stderr}"

    def _start(self, name: str, kind: str, settings: dict[str, Any] | None = None) -> None:
        env = self.env | {key.upper(): str(value) for key, value in (settings or {}).items()}
        self._keeper.start(name, self.lines[kind], env, self._log_path(name))

    def _log_path(self, name: str) -> Path:
        return self.folder / f"{name}.log"


def read_procfile(path: Path) -> dict[str, str]:
    """The lines of a Procfile by their names."""
    lines = {}
    for line in path.read_text().splitlines():
        if match := re.match(r"([A-Za-z0-9_-]+):\s*(\S.*)", line):
            lines[match[1]] = match[2]
    return lines
