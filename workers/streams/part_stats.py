"""Measures a stream by its parts: frames and bits per second, key-frame interval."""

from collections import deque
from dataclasses import dataclass

from workers.ffmpeg.fmp4 import Fragment


@dataclass(frozen=True, slots=True)
class _Seen:
    arrived_at: float
    duration: float
    frames: int
    size: int


class PartStats:
    """Figures over the parts that arrived in the last `window_seconds`."""

    def __init__(self, window_seconds: float) -> None:
        self._window = window_seconds
        self._seen: deque[_Seen] = deque()
        self._last_key_start: float | None = None
        self.key_frame_interval_seconds: float | None = None
        self.last_arrival: float | None = None

    def add(self, fragment: Fragment, start: float, arrived_at: float) -> None:
        """Count a part; `start` and `arrived_at` in seconds since 1970."""
        self.last_arrival = arrived_at
        self._seen.append(_Seen(arrived_at, fragment.duration, fragment.frames, len(fragment.data)))
        while arrived_at - self._seen[0].arrived_at > self._window and len(self._seen) > 1:
            self._seen.popleft()
        if fragment.is_key:
            if self._last_key_start is not None:
                self.key_frame_interval_seconds = round(start - self._last_key_start, 3)
            self._last_key_start = start

    def fps(self, silent_seconds: float = 0.0) -> float | None:
        """Frames per second over the window; 0 if nothing arrived for longer than the window."""
        span = sum(item.duration for item in self._seen)
        if not span or self._is_over(silent_seconds):
            return 0.0 if self._seen else None
        return round(sum(item.frames for item in self._seen) / span, 2)

    def bitrate_kbps(self, silent_seconds: float = 0.0) -> float | None:
        """Kilobits per second over the window, audio included."""
        span = sum(item.duration for item in self._seen)
        if not span or self._is_over(silent_seconds):
            return 0.0 if self._seen else None
        return round(sum(item.size for item in self._seen) * 8 / span / 1000, 1)

    def _is_over(self, silent_seconds: float) -> bool:
        """Whether the stream has stopped, by its own rhythm: a camera may send one picture in many seconds."""
        longest = max((item.duration for item in self._seen), default=0.0)
        return silent_seconds > max(self._window, 3 * longest)
