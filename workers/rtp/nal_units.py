"""Access units from NAL units: what the payload formats of H.264 and H.265 have in common."""

from workers.rtp.bits import Bits, InvalidParameterSet
from workers.rtp.parameter_sets import ParameterSets, split_start_codes
from workers.rtp.units import CodecData, TrackDescription

#: What a payload says of its place: it goes on with a picture, it can begin one, or neither.
CONTINUES, BEGINS, NEUTRAL = range(3)

#: A larger access unit is dropped.
MAX_UNIT_BYTES = 16 * 1024 * 1024
#: What the objects of a piece take beside its bytes, for the bound of memory.
PIECE_BYTES = 64


class NalAssembler:
    """Collects the NAL units of one access unit. Subclasses know the NAL header and the slice header of their codec."""

    def __init__(self, track: TrackDescription) -> None:
        self.sets = ParameterSets(track.codec)
        self.sets.add_from_sdp(track.parameters)
        self.has_recovery_points = False
        self.has_key_units = False
        self.clear()

    @property
    def codec_data(self) -> CodecData | None:
        """Those of the last key unit, or of the SDP."""
        return self.sets.codec_data

    @property
    def is_whole(self) -> bool:
        """Whether a picture is there and no fragment open."""
        return self.has_picture and self._fragments is None

    @property
    def can_continue(self) -> bool:
        """Whether there is something that a payload can go on with."""
        return self.has_picture or self._fragments is not None

    def clear(self) -> None:
        """Drop the unit."""
        self.has_picture = False
        self.is_damaged = False
        self.is_key = False
        self.is_b_frame = False
        self._pps_id: int | None = None
        self._unit_sets: list[bytes] = []
        self._pieces: list[bytes] = []
        self._fragments: list[bytes] | None = None
        self._size = 0

    def append(self, payload: bytes) -> bool:
        """Add a payload if it is a further fragment of the NAL unit that is open; a short cut for `look` and `push`."""
        raise NotImplementedError

    def look(self, payload: bytes) -> int:
        """CONTINUES, BEGINS or NEUTRAL; for what cannot be read, NEUTRAL."""
        raise NotImplementedError

    def push(self, payload: bytes) -> None:
        """Add a payload to the unit; sets `is_damaged` if it cannot be complete."""
        raise NotImplementedError

    def finish(self) -> bytes | None:
        """The unit's data; None without a picture or without codec data. The facts stay until `clear`."""
        if self._fragments is not None:
            self._close_fragments()  # a camera that does not set the end bit
        if not self.has_picture or not self._pieces or self.is_damaged:
            return None
        if self.is_key:
            self.has_key_units = True
            self.sets.use(self._pps_id)
        elif self.sets.codec_data is None:
            self.sets.use(None)
        elif self.sets.is_superseded:
            self.is_damaged = True
            return None
        data = self.sets.codec_data
        if data is None:
            return None
        if self.is_key:
            lacking = [nal for nal in data.parameter_sets if nal not in self._unit_sets]
            if lacking:
                self._pieces[:0] = [piece for nal in lacking for piece in (len(nal).to_bytes(4, "big"), nal)]
        return b"".join(self._pieces)

    def _grow(self, count: int) -> bool:
        self._size += count + PIECE_BYTES
        if self._size > MAX_UNIT_BYTES:
            self._overflow()
            return False
        return True

    def _overflow(self) -> None:
        self.is_damaged = True
        self._pieces, self._unit_sets, self._fragments = [], [], None

    def _begin_fragments(self, header: bytes, piece: bytes) -> None:
        if self._fragments is not None:
            self._close_fragments()
        if self._grow(len(piece)):
            self._fragments = [header, piece]

    def _close_fragments(self) -> None:
        fragments, self._fragments = self._fragments, None
        self._split(b"".join(fragments or ()))

    def _split(self, nal: bytes) -> None:
        """Add bytes that hold one NAL unit, or several between start codes."""
        if b"\0\0\1" in nal:
            for piece in split_start_codes(nal):
                self._add(piece)
        else:
            self._add(nal)

    def _split_lengths(self, payload: bytes, at: int, *, before: int = 0, between: int = 0) -> None:
        """Add the NAL units of an aggregation packet from `at`: each after its length in 2 bytes.

        `before` bytes stand before each further length, `between` bytes between length and NAL unit.
        """
        end = len(payload)
        while at + 2 <= end:
            size = payload[at] << 8 | payload[at + 1]
            at += 2 + between
            if not size or at + size > end:
                self.is_damaged = self.is_damaged or bool(size)
                return
            self._split(payload[at : at + size])
            at += size + before

    def _keep(self, nal: bytes) -> None:
        if self._grow(len(nal)):
            self._pieces += (len(nal).to_bytes(4, "big"), nal)

    def _keep_set(self, nal: bytes) -> None:
        if self.sets.add(nal):
            self._unit_sets.append(nal)
            self._keep(nal)

    def _add(self, nal: bytes) -> None:
        raise NotImplementedError


def is_recovery_point(content: bytes) -> bool:
    """Whether SEI messages (without the NAL header) hold a recovery point (payload type 6)."""
    at, end = 0, min(len(content), 4096)
    while at + 1 < end and content[at] != 0x80:
        kind = size = 0
        while at < end and content[at] == 0xFF:
            kind, at = kind + 255, at + 1
        if at >= end:
            return False
        kind, at = kind + content[at], at + 1
        while at < end and content[at] == 0xFF:
            size, at = size + 255, at + 1
        if at >= end:
            return False
        if kind == 6:
            return True
        at += 1 + size + content[at]
    return False


def read_slice_bits(nal: bytes, header: int) -> Bits:
    """The bits of a slice header, which is much shorter than what is read."""
    return Bits(nal[header : header + 40])


__all__ = [
    "BEGINS",
    "CONTINUES",
    "MAX_UNIT_BYTES",
    "NEUTRAL",
    "PIECE_BYTES",
    "InvalidParameterSet",
    "NalAssembler",
    "is_recovery_point",
    "read_slice_bits",
]
