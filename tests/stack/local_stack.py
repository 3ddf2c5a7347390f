"""`make run` in a temporary folder, on free ports: for measuring what a restart of it costs."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from gateway.testing.ports import free_block, free_port, give_back

from .stack import ROOT, find_worker_bin

START_SECONDS = 120
#: Shorter holes are none: the next part was on its way.
_NOTICEABLE_MS = 200
_PORT_BLOCK = 200


@dataclass(frozen=True)
class Hole:
    """Footage that is missing, in seconds since 1970."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


class LocalStack:
    """The program behind `make run`, after its set-up, with the demo cameras. `close` stops it and deletes its data.

    `lines` are the lines of its output so far, each with its time (seconds since 1970).
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="vas-local-"))
        self.lines: list[tuple[float, str]] = []
        ingest, source, webrtc = free_block(_PORT_BLOCK), free_block(_PORT_BLOCK), free_block(2)
        self._blocks = [(ingest, _PORT_BLOCK), (source, _PORT_BLOCK), (webrtc, 2)]
        settings = {
            "VAR_DIR": self.folder / "var", "DATABASE_URL": f"sqlite:///{self._database}", "PORT": free_port(),
            "SFU_PORT": free_port(), "SFU_WEBRTC_PORT": webrtc, "SFU_WORKERS": 2, "DEMO_RTSP_PORT": free_port(),
            "SFU_INGEST_PORTS": f"{ingest}-{ingest + _PORT_BLOCK - 1}",
            "SFU_SOURCE_PORTS": f"{source}-{source + _PORT_BLOCK - 1}",
            "MEDIASOUP_WORKER_BIN": find_worker_bin(), "PYTHONPATH": ROOT, "TIME_ZONE": "UTC",
        }  # fmt: skip
        kept = {name: os.environ[name] for name in ("HOME", "LANG", "PATH", "TMPDIR") if name in os.environ}
        self._env = kept | {name: str(value) for name, value in settings.items()}
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> LocalStack:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _database(self) -> Path:
        return self.folder / "var/vas.db"

    def start(self) -> None:
        """Start it; returns at once."""
        self._process = subprocess.Popen(
            [sys.executable, ROOT / "deploy/local/stack.py"],
            cwd=ROOT, env=self._env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True, text=True,
        )  # fmt: skip
        threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True).start()

    def stop(self) -> None:
        """Stop it as Ctrl-C does, and wait for its end."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)

    def close(self) -> None:
        """Stop it, and delete its folder. May be called twice."""
        self.stop()
        while self._blocks:
            give_back(*self._blocks.pop())
        subprocess.run(["rm", "-rf", self.folder], check=False)

    def wait_recorded(self, cameras: int, since: float) -> None:
        """Wait until this many cameras have footage of later than `since`. Raises TimeoutError."""
        deadline = time.monotonic() + START_SECONDS
        query = "SELECT count(DISTINCT recording_id) FROM segments WHERE start_ms + duration_ms > ?"
        while True:
            with contextlib.suppress(sqlite3.Error):
                if self._query(query, int(since * 1000))[0][0] >= cameras:
                    return
            if time.monotonic() > deadline:
                tail = "\n".join(line for _, line in self.lines[-40:])
                raise TimeoutError(f"not {cameras} cameras are recorded after {START_SECONDS} s:\n{tail}")
            time.sleep(0.1)

    def holes(self, since: float) -> dict[str, list[Hole]]:
        """The holes in the footage of each camera that end after `since`, by the name of the camera."""
        found = {}
        for name, recording in self._query(
            "SELECT d.name, r.id FROM recordings r JOIN devices d ON d.id = r.device_id ORDER BY d.name"
        ):
            rows = self._query(
                "SELECT start_ms, start_ms + duration_ms FROM segments WHERE recording_id = ? ORDER BY 1", recording
            )
            pairs = itertools.pairwise(rows)
            holes = [Hole(a[1] / 1000, b[0] / 1000) for a, b in pairs if b[0] - a[1] > _NOTICEABLE_MS]
            found[name] = [hole for hole in holes if hole.end > since]
        return found

    def _query(self, sql: str, *values: object) -> list[tuple]:
        with contextlib.closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True, timeout=5)) as connection:
            return connection.execute(sql, values).fetchall()

    def _read(self, output) -> None:
        for line in output:
            self.lines.append((time.time(), line.rstrip()))
