"""The payloads of a track of sound as frames with a capture time."""

from collections.abc import Callable
from typing import Any

from workers.rtp.audio import depacketizer_for
from workers.rtp.taker_feed import TakerFeed
from workers.rtp.units import AUDIO, CodecData, MediaUnit, TrackDescription


class AudioTrack:
    """Passes payloads of sound through its depacketizer."""

    damaged_units = 0

    def __init__(self, track: TrackDescription, clock: Any, emit: Callable[[MediaUnit], None], feed: TakerFeed):
        self._depacketizer = depacketizer_for(track)
        self._clock, self._emit, self._feed = clock, emit, feed
        self._rate = max(1, track.clock_rate)
        self._timestamp: int | None = None
        self._time = 0.0
        self._announced: CodecData | None = None
        self.units = 0

    @property
    def codec_data(self) -> CodecData | None:
        """See TrackReceiver."""
        return self._depacketizer.codec_data if self._depacketizer is not None else None

    @property
    def problem(self) -> str | None:
        """See TrackReceiver."""
        return self._depacketizer.problem if self._depacketizer is not None else "its codec is not supported"

    def lose(self) -> None:
        """Packets before the next one are missing."""
        self._timestamp = None
        if self._depacketizer is not None:
            self._depacketizer.reset()

    def take(self, payload: bytes, marker: bool, timestamp: int, arrived: float) -> None:
        """Take the next payload."""
        if not payload:
            return
        if timestamp != self._timestamp:
            self._timestamp = timestamp
            self._time = self._clock.place(timestamp, arrived)
        self._feed.take(payload, self._time, True)
        if self._depacketizer is None:
            return
        for ticks, frame in self._depacketizer.take(payload):
            self._timestamp = None  # only the packets of one frame share their place
            data = self._depacketizer.codec_data
            if data is None:
                return
            unit = MediaUnit(AUDIO, self._time + ticks / self._rate, frame, True, arrived)
            unit.timestamp = timestamp + ticks
            unit.duration = self._depacketizer.frame_ticks / self._rate
            if data is not self._announced:
                unit.codec_data = data if data != self._announced else None
                self._announced = data
                self._feed.announce(data)
            self.units += 1
            self._emit(unit)

    def settle(self, now: float) -> None:
        """See TrackReceiver; sound is never held."""

    def flush(self) -> None:
        """See TrackReceiver; sound is never held."""
