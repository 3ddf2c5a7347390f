"""The RTP packets of one track (RFC 3550) as access units with a capture time, and as payloads for a direct output."""

import struct
from collections.abc import Callable
from typing import Protocol

from gateway.outputs import PacketTaker
from workers.rtp.audio_track import AudioTrack
from workers.rtp.taker_feed import TakerFeed
from workers.rtp.units import AUDIO, CodecData, MediaUnit, TrackDescription
from workers.rtp.video_track import VideoTrack

_HEADER = struct.Struct("!BBHII")
#: A larger step of the sequence number is a restart of the camera, not a loss.
_MAX_LOSS = 3000
#: A smaller step back is a packet that came twice or too late.
_MAX_LATE = 100
#: So many packets in a row that jump, or repeat the number before: the camera does not count.
_NOT_COUNTING = 30


class Clock(Protocol):
    """Maps RTP time to capture time."""

    def place(self, timestamp: int, arrived: float) -> float:
        """The capture time of an access unit, for its unwrapped RTP time."""


class TrackReceiver:
    """Takes the RTP packets of one track in order; gives access units, and passes payloads on at once.

    `codec_data` are the latest known: those of the SDP if they suffice, until the camera sends others in band. Units
    are given from the first one on that they describe. Counters: `packets` and `bytes` (of payload) that were taken,
    `foreign_packets` of another payload type, `invalid_packets`, `late_packets` that came twice or too late,
    `lost_packets` by the sequence numbers, `restarts` of the numbering, `units` that were complete and `damaged_units`
    that were dropped.
    """

    def __init__(self, track: TrackDescription, clock: Clock, emit: Callable[[MediaUnit], None]) -> None:
        """Raises SourceError for video that cannot be read."""
        self.track = track
        self.packets = self.bytes = 0
        self.foreign_packets = self.invalid_packets = self.late_packets = self.lost_packets = self.restarts = 0
        self._feed = TakerFeed(track.kind, track.codec)
        build = AudioTrack if track.kind == AUDIO else VideoTrack
        self._media: AudioTrack | VideoTrack = build(track, clock, emit, self._feed)
        if self._media.codec_data is not None:
            self._feed.announce(self._media.codec_data)
        self._take = self._media.take
        self._payload_type = track.payload_type
        self._takes_extension = hasattr(getattr(self._media, "assembler", None), "extension")
        self._expected = -1
        self._ssrc = -1
        self._is_counting = True
        self._strange_in_row = 0
        self._strange_at = -9
        self._raw_time = -1
        self._timestamp = 0

    @property
    def taker(self) -> PacketTaker | None:
        """The output that takes payloads; may be set at any time. One that raises is removed (`on_taker_error`)."""
        return self._feed.taker

    @taker.setter
    def taker(self, taker: PacketTaker | None) -> None:
        self._feed.set(taker)

    @property
    def on_taker_error(self) -> Callable[[PacketTaker, Exception], None] | None:
        """Called with a taker that raised, and its exception."""
        return self._feed.on_error

    @on_taker_error.setter
    def on_taker_error(self, listener: Callable[[PacketTaker, Exception], None] | None) -> None:
        self._feed.on_error = listener

    @property
    def codec_data(self) -> CodecData | None:
        """See the class."""
        return self._media.codec_data

    @property
    def units(self) -> int:
        """Complete units so far, also those that no codec data describe."""
        return self._media.units

    @property
    def damaged_units(self) -> int:
        """Units that were dropped because packets of them are missing."""
        return self._media.damaged_units

    @property
    def has_recovery_points(self) -> bool:
        """Whether the camera refreshes its picture without key frames (recovery points, and no key unit so far)."""
        return getattr(self._media, "has_recovery_points", False)

    @property
    def problem(self) -> str | None:
        """Why a track of sound gives no units (yet), as the end of a sentence."""
        return self._media.problem

    def receive(self, packet: bytes, arrived: float) -> None:
        """Take the next packet, which arrived at this time of the monotonic clock."""
        size = len(packet)
        if size < 12:
            self.invalid_packets += 1
            return
        first, second, sequence, raw_time, ssrc = _HEADER.unpack_from(packet)
        if first == 0x80:
            payload = packet[12:]
        else:
            found = self._read_header(packet, first, size)
            if found is None:
                return
            payload = found
        if (sequence != self._expected or ssrc != self._ssrc) and not self._judge(sequence, ssrc, second & 0x7F):
            return
        self._expected = sequence + 1 & 0xFFFF
        if second & 0x7F != self._payload_type:
            self.foreign_packets += 1
            return
        if raw_time != self._raw_time:
            step = raw_time - self._raw_time & 0xFFFFFFFF
            self._timestamp += (step if step < 0x80000000 else step - 0x100000000) if self._raw_time >= 0 else raw_time
            self._raw_time = raw_time
        self.packets += 1
        self.bytes += len(payload)
        self._take(payload, second >= 0x80, self._timestamp, arrived)

    def unwrap(self, raw_time: int) -> int | None:
        """The RTP time of a sender report, counted on from that of the last packet; None before the first."""
        if self._raw_time < 0:
            return None
        step = raw_time - self._raw_time & 0xFFFFFFFF
        return self._timestamp + (step if step < 0x80000000 else step - 0x100000000)

    def settle(self, now: float) -> None:
        """Give a picture that is held because its end is in doubt, if nothing has followed it for a while.

        Call it now and then; without, such a picture is given when the next one begins.
        """
        self._media.settle(now)

    def flush(self) -> None:
        """The session has ended: give the last unit if it is complete."""
        self._media.flush()

    def _read_header(self, packet: bytes, first: int, size: int) -> bytes | None:
        """The payload of a packet with padding, extension or contributing sources; None if it is no RTP packet."""
        start, end = 12 + 4 * (first & 0x0F), size
        if first & 0xC0 == 0x80 and first & 0x10:
            words = int.from_bytes(packet[start + 2 : start + 4], "big")
            if self._takes_extension:
                self._media.assembler.extension = packet[start : start + 4 + 4 * words]
            start += 4 + 4 * words
        if first & 0x20:
            end -= packet[-1]
        if first & 0xC0 != 0x80 or start > end or (first & 0x20 and not packet[-1]):
            self.invalid_packets += 1
            return None
        return packet[start:end]

    def _judge(self, sequence: int, ssrc: int, payload_type: int) -> bool:
        """Judge a packet that is not the next of its source; False if it must be skipped."""
        is_foreign = payload_type != self._payload_type
        if ssrc != self._ssrc:
            if is_foreign:
                self.foreign_packets += 1
                return False
            is_first, self._ssrc = self._ssrc < 0, ssrc
            self._is_counting = True
            if is_first:
                self._media.lose()
            else:
                self._restart()
            return True
        if not self._is_counting:
            return True
        ahead = sequence - self._expected & 0xFFFF
        if ahead < _MAX_LOSS:
            self.lost_packets += ahead
            self._media.lose()
            self._feed.lost(ahead)
            return True
        if is_foreign:
            self.foreign_packets += 1
            return False
        is_late = ahead >= 0x10000 - _MAX_LATE
        if not is_late or ahead == 0xFFFF:
            # A jump, or the number of the packet before: once it is a restart or a packet that came twice.
            self._strange_in_row = self._strange_in_row + 1 if self.packets == self._strange_at else 1
            self._strange_at = self.packets if is_late else self.packets + 1
            self._is_counting = self._strange_in_row < _NOT_COUNTING
        if is_late and self._is_counting:
            self.late_packets += 1
            return False
        self._restart()
        return True

    def _restart(self) -> None:
        self.restarts += 1
        self._media.lose()
        self._feed.lost(1)
