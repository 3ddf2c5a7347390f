"""Places parts on the wall clock, and measures the stream: frames and bits per second, key-frame interval."""

from collections import deque
from dataclasses import dataclass

from workers.ffmpeg.fmp4 import Fragment

#: The rate at which the media clock is corrected towards the wall clock: 500 ppm is not visible in playback.
_DRIFT = 0.0005
#: Media time and wall time that differ by more than this belong to different runs.
_JUMP_SECONDS = 5.0
#: Number of consecutive parts that must disagree, none closer than the one before: parts that are late, but less and
#: less so, were held back by a slow network.
_JUMP_PARTS = 3
_CATCHING_UP_SECONDS = 0.1
#: No network delays parts this long: a part further off is placed at its arrival, whatever its own time is.
_ABSURD_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Seen:
    arrived_at: float
    duration: float
    frames: int
    size: int


class PartClock:
    """The timeline of one run: the wall clock of its first part, continued by the durations of the media.

    Cameras' own clocks are often wrong and not used; media durations are right, but drift by some ppm, which is
    corrected gently so that the order and length of parts never jump.
    """

    def __init__(self, window_seconds: float) -> None:
        self._window = window_seconds
        self._seen: deque[_Seen] = deque()
        self._anchor: float | None = None
        self._disagreeing = 0
        self._last_error = 0.0
        #: Lasting difference in seconds between the camera's time and the machine's; None while there is none.
        self.clock_offset_seconds: float | None = None
        self._last_key_start: float | None = None
        self.key_frame_interval_seconds: float | None = None
        self.last_arrival: float | None = None

    def place(self, fragment: Fragment, arrived_at: float) -> float:
        """Return the wall clock of the fragment's start.

        A part arrives when its last frame has arrived, so it started its own duration earlier. Once
        `clock_offset_seconds` is set the run should end: either the machine's clock has been set, or the camera has
        restarted its time stamps.
        """
        if self._anchor is None:
            self._anchor = arrived_at - fragment.duration - fragment.start
        start = self._anchor + fragment.start
        error = arrived_at - (start + fragment.duration)
        if abs(error) > _JUMP_SECONDS:
            is_catching_up = abs(error) < self._last_error - _CATCHING_UP_SECONDS
            self._disagreeing = 1 if is_catching_up else self._disagreeing + 1
            if self._disagreeing >= _JUMP_PARTS:
                self.clock_offset_seconds = error
            if abs(error) > _ABSURD_SECONDS:
                start = arrived_at - fragment.duration
        else:
            self._disagreeing = 0
            self.clock_offset_seconds = None
            limit = _DRIFT * fragment.duration
            self._anchor += max(-limit, min(limit, error))
        self._last_error = abs(error)
        self._measure(fragment, start, arrived_at)
        return start

    def reset(self) -> None:
        """Start a new run with the next part: its time is the time of its arrival."""
        self._anchor = None
        self._disagreeing = 0
        self._last_error = 0.0
        self._last_key_start = None
        self.clock_offset_seconds = None

    def fps(self, silent_seconds: float = 0.0) -> float | None:
        """Frames per second over the window; 0 if nothing arrived for longer than the window."""
        span = sum(item.duration for item in self._seen)
        if not span or silent_seconds > self._window:
            return 0.0 if self._seen else None
        return round(sum(item.frames for item in self._seen) / span, 2)

    def bitrate_kbps(self, silent_seconds: float = 0.0) -> float | None:
        """Kilobits per second over the window, audio included."""
        span = sum(item.duration for item in self._seen)
        if not span or silent_seconds > self._window:
            return 0.0 if self._seen else None
        return round(sum(item.size for item in self._seen) * 8 / span / 1000, 1)

    def _measure(self, fragment: Fragment, start: float, arrived_at: float) -> None:
        self.last_arrival = arrived_at
        self._seen.append(_Seen(arrived_at, fragment.duration, fragment.frames, len(fragment.data)))
        while arrived_at - self._seen[0].arrived_at > self._window and len(self._seen) > 1:
            self._seen.popleft()
        if fragment.is_key:
            if self._last_key_start is not None:
                self.key_frame_interval_seconds = round(start - self._last_key_start, 3)
            self._last_key_start = start
