"""H.264 from RTP (RFC 6184): single NAL units, STAP, MTAP and FU; decoding order numbers are skipped."""

from workers.rtp.bits import Bits
from workers.rtp.h264_sets import NAL_PPS, NAL_SPS, SequenceSet
from workers.rtp.nal_units import (
    BEGINS,
    CONTINUES,
    MAX_UNIT_BYTES,
    NEUTRAL,
    PIECE_BYTES,
    InvalidParameterSet,
    NalAssembler,
    is_recovery_point,
    read_slice_bits,
)

_IDR, _SEI, _AUD, _FILLER = 5, 6, 9, 12
_STAP_A, _STAP_B, _MTAP16, _MTAP24, _FU_A, _FU_B = range(24, 30)
#: NAL types that, behind a picture, begin the next access unit (7.4.1.2.3).
_BEGINNING = frozenset({6, 7, 8, 9, 14, 15, 16, 17, 18})
#: Where the first NAL unit of an aggregation packet is.
_FIRST_UNIT = {_STAP_A: 3, _STAP_B: 5, _MTAP16: 8, _MTAP24: 9}
#: NAL types whose slice header begins with first_mb_in_slice.
_PICTURES = (1, 2, _IDR)
_FU = (_FU_A, _FU_B)
_START = (b"\0\0\1", b"\0\0\0\1")


class H264Assembler(NalAssembler):
    """Access units of H.264."""

    _field: tuple[int, int] | None = None

    def clear(self) -> None:
        """Drop the unit."""
        super().clear()
        self._field = None

    def append(self, payload: bytes) -> bool:
        """See NalAssembler."""
        fragments = self._fragments
        if fragments is None or len(payload) < 2 or payload[0] & 0x1F != _FU_A:
            return False
        header = payload[1]
        if header & 0x80:
            return False
        fragments.append(payload[2:])
        self._size += len(payload) + PIECE_BYTES
        if self._size > MAX_UNIT_BYTES:
            self._overflow()
        elif header & 0x40:
            self._close_fragments()
        return True

    def look(self, payload: bytes) -> int:
        """See NalAssembler."""
        kind, at = payload[0] & 0x1F, 0
        if kind in _FU:
            if len(payload) < 2:
                return NEUTRAL
            if not payload[1] & 0x80:
                return CONTINUES if payload[1] & 0x1F in _PICTURES else NEUTRAL
            kind, at = payload[1] & 0x1F, 1 if kind == _FU_A else 3
            if kind == 0:
                return BEGINS  # fragments of Annex B
        elif kind >= _STAP_A:
            at = _FIRST_UNIT.get(kind, 0)
            kind = payload[at] & 0x1F if at < len(payload) else 0
        elif kind == 0 and payload.startswith(_START):
            at = payload.index(b"\1") + 1
            kind = payload[at] & 0x1F if at < len(payload) else 0
        if kind in _PICTURES:
            if at + 1 >= len(payload):
                return NEUTRAL
            if not payload[at + 1] & 0x80:
                return CONTINUES
            return BEGINS if self._field is None or not self._is_second_field(kind, payload[at:]) else NEUTRAL
        if kind in (3, 4):
            return CONTINUES
        return BEGINS if kind in _BEGINNING else NEUTRAL

    def push(self, payload: bytes) -> None:
        """See NalAssembler."""
        kind = payload[0] & 0x1F
        if kind in _FU:
            self._push_fragment(payload, kind)
            return
        if self._fragments is not None:
            self._close_fragments()
        if kind < _STAP_A:
            self._split(payload)
        elif kind == _STAP_A:
            self._split_lengths(payload, 1)
        elif kind == _STAP_B:
            self._split_lengths(payload, 3)
        elif kind in (_MTAP16, _MTAP24):
            self._split_lengths(payload, 3, between=3 if kind == _MTAP16 else 4)

    def _push_fragment(self, payload: bytes, kind: int) -> None:
        if len(payload) < 2:
            return
        header = payload[1]
        if header & 0x80:
            at = 2 if kind == _FU_A else 4
            self._begin_fragments(bytes((payload[0] & 0xE0 | header & 0x1F,)), payload[at:])
            if header & 0x1F in _PICTURES:
                self.has_picture = True
        elif self._fragments is None:
            self.is_damaged = self.is_damaged or header & 0x1F in _PICTURES
        elif self._grow(len(payload)):
            self._fragments.append(payload[2:])
        if header & 0x40 and self._fragments is not None:
            self._close_fragments()

    def _add(self, nal: bytes) -> None:
        kind = nal[0] & 0x1F if nal else 0
        if kind in _PICTURES:
            self._add_slice(nal, kind)
        elif kind in (NAL_SPS, NAL_PPS):
            self._keep_set(nal)
        elif kind == _SEI:
            if not self.has_key_units and not self.has_recovery_points and is_recovery_point(nal[1:]):
                self.has_recovery_points = True
            self._keep(nal)
        elif 0 < kind < 24 and kind not in (_AUD, _FILLER):
            self._keep(nal)

    def _add_slice(self, nal: bytes, kind: int) -> None:
        if len(nal) < 2:
            return
        self._keep(nal)
        self.has_picture = True
        if not nal[1] & 0x80:  # not the first slice of its picture
            return
        # slice_type, an Exp-Golomb number behind the bit of first_mb_in_slice: B is 1 ("010") and 6 ("00111").
        following = nal[1] & 0x7F
        if following >> 4 == 2 or following >> 2 == 7:
            self.is_b_frame = True
        sps: SequenceSet | None = self.sets.sps
        if kind == _IDR:
            self.is_key = True
            self._pps_id = _read_pps_id(nal)
        if sps is not None and not sps.is_frame_only and self._field is None:
            self._field = self._read_field(nal, sps)

    def _is_second_field(self, kind: int, nal: bytes) -> bool:
        """Whether a slice belongs to the other field of the frame whose first field the unit holds."""
        sps: SequenceSet | None = self.sets.sps
        if sps is None or self._field is None:
            return False
        field = self._read_field(nal, sps)
        return field is not None and field[0] == self._field[0] and field[1] != self._field[1]

    @staticmethod
    def _read_field(nal: bytes, sps: SequenceSet) -> tuple[int, int] | None:
        """frame_num and bottom_field_flag of a field's slice; None for a frame."""
        try:
            bits = _skip_to_frame_number(nal)
            if sps.has_separate_planes:
                bits.skip(2)
            number = bits.take(sps.frame_number_bits)
            return (number, bits.flag()) if bits.flag() else None
        except InvalidParameterSet:
            return None


def _skip_to_frame_number(nal: bytes) -> Bits:
    bits = read_slice_bits(nal, 1)
    for _ in range(3):
        bits.number()
    return bits


def _read_pps_id(nal: bytes) -> int | None:
    try:
        bits = read_slice_bits(nal, 1)
        bits.number()
        bits.number()
        return bits.number(255)
    except InvalidParameterSet:
        return None
