"""Watches the FFmpeg processes of a device, to check that there are never two."""

import threading
import time

from gateway.testing import procfs

#: The variable that identifies every FFmpeg process of a device (workers/ffmpeg/process.py).
DEVICE_MARK = "VAS_DEVICE_ID"
_SAMPLE_SECONDS = 0.03


def ffmpeg_pids(device_id: str) -> list[int]:
    """The ids of a device's living FFmpeg processes on this machine."""
    return procfs.find_by_environment(DEVICE_MARK, device_id)


class FfmpegWatch:
    """Repeatedly counts the FFmpeg processes of a device, in a thread, during the `with` block."""

    def __init__(self, device_id: str) -> None:
        self._device_id = device_id
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="ffmpeg watch", daemon=True)
        self.most_at_once = 0
        self.samples = 0
        self.pids: list[int] = []
        #: Wall clock and process ids of each time at which there were two or more.
        self.doubles: list[tuple[float, list[int]]] = []

    def __enter__(self) -> "FfmpegWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(5)

    def _watch(self) -> None:
        while not self._end.wait(_SAMPLE_SECONDS):
            pids = ffmpeg_pids(self._device_id)
            self.samples += 1
            self.most_at_once = max(self.most_at_once, len(pids))
            self.pids += [pid for pid in pids if pid not in self.pids]
            if len(pids) > 1:
                self.doubles.append((time.time(), pids))
