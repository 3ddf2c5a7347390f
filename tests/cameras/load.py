"""LoadCameras: many cheap 1080p cameras for benches. They play one encoded loop from memory."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path


class LoadCameras:
    """`count` cameras (1080p25, 4 Mbps, H.264 High without B-frames) in a separate process, on a free port.

        with LoadCameras(count=30, gop_seconds=2) as cameras:
            cameras.urls        # 30 URLs
            cameras.pid         # to exclude their cost from measurements

    Each has its own phase: key frames are spread over time, and a viewer's first picture is the next key frame.
    Raises RuntimeError when the process does not start.
    """

    def __init__(self, count: int, gop_seconds: float = 2.0, bitrate_kbps: int = 4000, port: int = 0) -> None:
        self.urls: list[str] = []
        self._arguments = ["--count", str(count), "--gop-seconds", str(gop_seconds)]
        self._arguments += ["--bitrate-kbps", str(bitrate_kbps), "--port", str(port)]
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> LoadCameras:
        command = [sys.executable, "-m", f"{__package__}.load_server", *self._arguments]
        folder = Path(__file__).parents[__package__.count(".") + 1]
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        line = self._process.stdout.readline()
        if not line:
            self.close()
            raise RuntimeError("the load cameras ended before they listened; their message is on stderr")
        self.urls = json.loads(line)["urls"]
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def close(self) -> None:
        """End the process; may be called twice."""
        if self._process is None:
            return
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        self._process.kill()
        self._process.communicate()
        self._process = None
