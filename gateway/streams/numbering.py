"""HLS numbering of the parts on the media bus: media and discontinuity sequence numbers (RFC 8216, 4.3.3.2 and 3)."""

import time
from dataclasses import replace

from gateway.media import Part

#: An HLS segment ends before a key part once it has this length, and before any part that would make it longer than
#: the maximum.
SEGMENT_SECONDS = 1.0
MAX_SEGMENT_SECONDS = 4.0


class SegmentNumbering:
    """Assigns each part its media sequence number and discontinuity sequence number. Both never decrease.

    An empty bus (of a restarted Redis) knows neither. Both then start at the present Unix time in seconds: as no
    segment is shorter than a second, that is higher than any number assigned before.
    """

    def __init__(self) -> None:
        self._last: Part | None = None
        self._segment_start = 0.0

    def continue_from(self, part: Part | None) -> None:
        """Continue after the newest part on the bus, which an earlier owner has numbered."""
        if part is not None and (self._last is None or part.position > self._last.position):
            self._last, self._segment_start = part, part.start

    def number(self, part: Part) -> Part:
        """Return the part with its numbers. Call once for each part, in order."""
        last = self._last
        if last is None or not last.segment:
            now = int(time.time())
            segment, discontinuity = now, now
        else:
            segment, discontinuity = last.segment, last.discontinuity
            is_new_run = part.run != last.run
            length = part.start - self._segment_start
            if (
                is_new_run
                or (part.is_key and length >= SEGMENT_SECONDS - 0.05)
                or (length + part.duration > MAX_SEGMENT_SECONDS)
            ):
                segment += 1
            discontinuity += is_new_run
        if last is None or segment != last.segment:
            self._segment_start = part.start
        self._last = replace(part, segment=segment, discontinuity=discontinuity)
        return self._last
