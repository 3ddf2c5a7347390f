"""The payloads of a video track as access units: where a picture begins and ends, whatever stamps and markers say."""

from collections.abc import Callable
from typing import Any

from workers.rtp.h264 import H264Assembler
from workers.rtp.h265 import H265Assembler
from workers.rtp.jpeg import JpegAssembler
from workers.rtp.mpeg4 import Mpeg4Assembler
from workers.rtp.nal_units import BEGINS, CONTINUES, NEUTRAL
from workers.rtp.taker_feed import TakerFeed
from workers.rtp.units import VIDEO, CodecData, MediaUnit, SourceError, TrackDescription

ASSEMBLERS: dict[str, Callable[[TrackDescription], Any]] = {
    "h264": H264Assembler,
    "hevc": H265Assembler,
    "mjpeg": JpegAssembler,
    "mpeg4": Mpeg4Assembler,
}

#: Two units never have the same time.
_LEAST_STEP = 0.001
#: So many units without a marker: the camera sends none.
_UNMARKED = 2
#: So many units in a row whose only marker is at their end: the camera's markers are believed again.
_WELL_MARKED = 100
#: A picture whose end is in doubt is complete if nothing follows for so long.
_SETTLE_SECONDS = 0.2

# What is known of the camera's markers.
_UNKNOWN, _TRUSTED, _LYING = range(3)
# What is missing of a unit: nothing, something before its picture, some of its picture.
_NONE, _DOUBTFUL, _BROKEN = range(3)


class VideoTrack:
    """Ends a unit with its marker, at once, if the camera's markers can be believed; otherwise when the next begins.

    The first unit of a session is held until the next packet shows whether its marker was at the end of a picture. A
    payload that can only go on with a picture belongs to the one before it, whatever its stamp.
    """

    def __init__(self, track: TrackDescription, clock: Any, emit: Callable[[MediaUnit], None], feed: TakerFeed) -> None:
        if track.codec not in ASSEMBLERS:
            raise SourceError("unsupported_codec", f"the camera sends '{track.codec}', which cannot be read")
        self.assembler = ASSEMBLERS[track.codec](track)
        self.problem: str | None = None
        self.units = 0
        self.damaged_units = 0
        self._clock, self._emit, self._feed = clock, emit, feed
        self._announced: CodecData | None = None
        self._markers = _UNKNOWN
        self._well_marked = 0
        self._unmarked = 0
        # The unit that is being collected.
        self._has_begun = False
        self._is_open = False
        self._damage = _NONE
        self._is_marked = False
        self._marks = 0
        self._timestamp = 0
        self._arrived = 0.0
        self._time = 0.0
        self._last_arrived = 0.0
        self._last_time = float("-inf")

    @property
    def codec_data(self) -> CodecData | None:
        """See TrackReceiver."""
        return self.assembler.codec_data

    @property
    def has_recovery_points(self) -> bool:
        """See TrackReceiver."""
        return self.assembler.has_recovery_points and not self.assembler.has_key_units

    def lose(self) -> None:
        """Packets before the next one are missing: the unit may lack its end, unless it is known to have it."""
        if self._is_open and self._is_marked and self.assembler.is_whole:
            self._end()
        if self._is_open:
            self._damage = _BROKEN if self.assembler.has_picture else _DOUBTFUL
        self._is_marked = False

    def take(self, payload: bytes, marker: bool, timestamp: int, arrived: float) -> None:
        """Take the next payload."""
        is_of_unit = self._is_open and timestamp == self._timestamp
        if not payload:
            if marker and is_of_unit:
                self._mark()
            return
        # Most packets are a fragment in the middle of a NAL unit, which `append` takes.
        if not is_of_unit or self._is_marked or not self.assembler.append(payload):
            self._push(payload, timestamp, arrived)
        self._last_arrived = arrived
        if self._feed.taker is not None:
            self._feed.take(payload, self._time, marker and self.assembler.is_whole)
        if marker:
            self._mark()
        else:
            self._is_marked = False

    def _push(self, payload: bytes, timestamp: int, arrived: float) -> None:
        """Add a payload to the unit, or begin the next with it."""
        assembler = self.assembler
        if self._is_open and assembler.is_damaged:
            self._damage = _BROKEN
        place = assembler.look(payload)
        if not self._is_open:
            if place == NEUTRAL and self._has_begun:
                return  # what may follow a picture, such as filler: no unit of its own
            self._begin(place, timestamp, arrived)
        elif place == CONTINUES and (timestamp == self._timestamp or not self._damage):
            if self._is_marked:
                self._find_lie()
            if self._damage or not assembler.can_continue:
                self._damage = _BROKEN
        elif timestamp != self._timestamp or (place == BEGINS and (assembler.has_picture or self._damage == _BROKEN)):
            self._end()
            self._begin(place, timestamp, arrived)
        elif place == BEGINS and self._damage:
            self._damage = _NONE
            assembler.clear()
        if not self._damage:
            assembler.push(payload)

    def settle(self, now: float) -> None:
        """See TrackReceiver."""
        is_held = self._is_open and (self._is_marked or self._feed.holds_back)
        if is_held and self.assembler.is_whole and now - self._last_arrived >= _SETTLE_SECONDS:
            self._end()

    def flush(self) -> None:
        """See TrackReceiver."""
        if self._is_open:
            if not self.assembler.is_whole or not (self._is_marked or self._feed.holds_back):
                self._damage = _BROKEN
            self._end()

    def _begin(self, place: int, timestamp: int, arrived: float) -> None:
        """The next payload is the first of a unit."""
        is_same = timestamp == self._timestamp
        if place == CONTINUES and is_same and self._markers == _TRUSTED and self._is_marked:
            self._find_lie()
        # The time of a unit that was dropped serves the next with its stamp.
        if not is_same or not self._damage:
            time = self._clock.place(timestamp, arrived)
            self._time = time if time != self._last_time else time + _LEAST_STEP
            self._last_time = self._time
        self._is_open = self._has_begun = True
        self._damage = _BROKEN if place == CONTINUES else _NONE
        self._is_marked = False
        self._marks = 0
        self._timestamp = timestamp
        self._arrived = self._last_arrived = arrived

    def _mark(self) -> None:
        """The last payload bore the marker."""
        if not self.assembler.is_whole and not self._damage:
            return  # in the middle of a NAL unit, or on parameter sets: it ends nothing
        self._marks += 1
        self._is_marked = True
        if self._markers == _TRUSTED:
            self._end()

    def _find_lie(self) -> None:
        """A picture went on behind a marker."""
        self._markers = _LYING
        self._well_marked = 0
        self._feed.holds_back = True

    def _end(self) -> None:
        """End the unit: give it, or count it as damaged."""
        self._is_open = False
        self._feed.end_unit()
        assembler = self.assembler
        was_damaged = self._damage
        if not was_damaged:
            self._judge_markers()
        data = None if was_damaged else assembler.finish()
        if was_damaged or assembler.is_damaged:  # `finish` may find that it cannot be decoded
            self.damaged_units += 1
        elif assembler.has_picture:
            self.units += 1
        if data is not None:
            self._give(data)
        assembler.clear()

    def _give(self, data: bytes) -> None:
        assembler = self.assembler
        unit = MediaUnit(VIDEO, self._time, data, assembler.is_key, self._arrived, 0.0, assembler.is_b_frame)
        unit.timestamp = self._timestamp
        now = assembler.codec_data
        if now is not self._announced:
            if now != self._announced:
                unit.codec_data = now
                self._feed.announce(now)
            self._announced = now
        self._emit(unit)

    def _judge_markers(self) -> None:
        """Learn from a unit without losses whether the camera's markers are right."""
        if not self.assembler.has_picture:
            return
        if self._markers == _LYING:
            self._well_marked = self._well_marked + 1 if self._is_marked and self._marks == 1 else 0
            if self._well_marked >= _WELL_MARKED:
                self._markers = _TRUSTED
                self._feed.holds_back = False
        elif self._is_marked:
            self._markers = _TRUSTED
            self._unmarked = 0
            self._feed.holds_back = False
        else:
            self._unmarked += 1
            self._feed.holds_back = self._unmarked >= _UNMARKED


__all__ = ["ASSEMBLERS", "VideoTrack"]
