"""The times of the pictures that FFmpeg was fed, by which the first picture of a part is put right.

FFmpeg's MP4 muxer presents the first sample of a fragment when the last one before it should have ended. It does not
know when that is if it had to end a fragment because of the sound, with no further picture there yet.
"""

from collections import deque

from gateway.mp4.boxes import U32, InvalidMedia
from gateway.mp4.retiming import move_first_sample, read_presentation
from workers.ffmpeg.fmp4 import Fragment, InitSegment, parse_fragment

_MAX_TIMES = 10_000
#: Times of one picture are equal up to the rounding of two clocks.
_SAME_SECONDS = 0.000_5


class FedTimes:
    """Times in seconds of the media, of one FFmpeg process, in decoding order."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=_MAX_TIMES)

    def add(self, seconds: float) -> None:
        """A picture was fed."""
        self._times.append(seconds)

    def correct(self, fragment: Fragment, init: InitSegment) -> Fragment:
        """The next part, with the right time of its first picture."""
        times, count = self._times, fragment.frames
        if not count or init.video is None:
            return fragment
        if len(times) >= count and abs(times[0] - fragment.start) < _SAME_SECONDS:
            self._forget(count)
            return fragment
        try:
            return self._correct(fragment, init)
        except InvalidMedia:
            return fragment

    def _correct(self, fragment: Fragment, init: InitSegment) -> Fragment:
        track = init.video
        ticks = read_presentation(fragment.data[: U32.unpack_from(fragment.data)[0]], track)
        presented = [tick / track.timescale for tick in ticks]
        # All but the first are right.
        index = self._find(presented[1]) - 1 if len(presented) > 1 else self._find(presented[0]) if presented else -1
        if len(presented) == 1 and index < 0:
            index = 0
        if not 0 <= index < len(self._times):
            return fragment
        late = self._times[index] - presented[0]
        self._forget(index + len(presented))
        if abs(late) < _SAME_SECONDS:
            return fragment
        return parse_fragment(move_first_sample(fragment.data, track, round(late * track.timescale)), init)

    def _find(self, seconds: float) -> int:
        found = (at for at, time in enumerate(self._times) if abs(time - seconds) < _SAME_SECONDS)
        return next(found, -1)

    def _forget(self, count: int) -> None:
        for _ in range(min(count, len(self._times))):
            self._times.popleft()
