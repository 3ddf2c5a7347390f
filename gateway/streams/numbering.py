"""HLS numbering of the parts on the media bus: media and discontinuity sequence numbers (RFC 8216, 4.3.3.2 and 3)."""

import math
import time
from collections.abc import Callable
from dataclasses import replace

from gateway.media import Part

#: An HLS segment ends before a key part once it has this length, and before any part that would make it longer than
#: the maximum.
SEGMENT_SECONDS = 1.0
MAX_SEGMENT_SECONDS = 4.0
#: Key frames of cameras are not exactly timed.
_JITTER_SECONDS = 0.05


class SegmentNumbering:
    """Assigns each part its media sequence number and discontinuity sequence number. Both never decrease.

    An empty bus (of a restarted Redis) knows neither. Both then start at the present Unix time in seconds. Numbers
    therefore never grow faster than time does: key frames at shorter intervals than a second would end segments too
    early, so now and then one of them is passed over.

    `min_start()` returns a Unix time that is not later than now, for a clock that may be behind; it is called when the
    bus is empty.
    """

    def __init__(self, min_start: Callable[[], float] = lambda: 0.0) -> None:
        self._min_start = min_start
        self._last: Part | None = None
        self._segment_start = 0.0
        self._first: Part | None = None

    def continue_from(self, part: Part | None) -> None:
        """Continue after the newest part on the bus, which an earlier owner has numbered."""
        if part is not None and (self._last is None or part.position > self._last.position):
            self._last, self._segment_start = part, part.start
            self._first = part if part.segment else None

    def number(self, part: Part) -> Part:
        """Return the part with its numbers. Call once for each part, in order."""
        last = self._last
        if last is None or not last.segment:
            now = int(max(time.time(), self._min_start()))
            segment, discontinuity = now, now
        else:
            segment, discontinuity = last.segment, last.discontinuity
            is_new_run = part.run != last.run
            length = part.start - self._segment_start
            if (
                is_new_run
                or (part.is_key and length >= SEGMENT_SECONDS - _JITTER_SECONDS and segment < self._highest(part))
                or (length + part.duration > MAX_SEGMENT_SECONDS)
            ):
                segment += 1
            discontinuity += is_new_run
        if last is None or segment != last.segment:
            self._segment_start = part.start
        self._last = replace(part, segment=segment, discontinuity=discontinuity)
        if self._first is None or part.start < self._first.start:
            # Numbers are compared with the time since this part; a clock that was set back begins anew.
            self._first = self._last
        return self._last

    def _highest(self, part: Part) -> int:
        """The highest number that a segment which begins with this part may have."""
        if self._first is None or part.start < self._first.start:
            return self._last.segment if self._last else 0
        return self._first.segment + math.floor(part.start - self._first.start + _JITTER_SECONDS)
