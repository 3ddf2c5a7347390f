"""Cameras with negligible cost: 1080p25, 4 Mbps, a fixed key-frame interval, in a separate process."""

import contextlib
import json
import subprocess
import sys
from typing import Any

from .machine import ROOT


class CameraFleet:
    """`count` cameras of bench/camera_server.py. Raises RuntimeError when it does not start."""

    def __init__(self, count: int, gop_seconds: float = 2.0) -> None:
        self._arguments = ["--count", str(count), "--gop-seconds", str(gop_seconds)]
        self.urls: list[str] = []
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> "CameraFleet":
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.camera_server", *self._arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.urls = self._read()["urls"]
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        self._process.kill()
        self._process.wait(5)
        self._process.stdout.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def read_dropped(self) -> int:
        """Return the number of pictures so far that a client did not receive in time."""
        self._process.stdin.write("statistics\n")
        self._process.stdin.flush()
        return self._read()["dropped"]

    def _read(self) -> dict[str, Any]:
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the benchmark's cameras have exited; see their message on stderr")
        return json.loads(line)
