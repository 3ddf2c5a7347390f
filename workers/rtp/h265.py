"""H.265 from RTP (RFC 7798): single NAL units, AP and FU; decoding order numbers are skipped."""

from workers.rtp.h265_sets import NAL_PPS, NAL_SPS, NAL_VPS, PictureSet, SequenceSet
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
from workers.rtp.units import TrackDescription

_AUD, _FILLER, _PREFIX_SEI = 35, 38, 39
_AP, _FU = 48, 49
_KEYS = range(16, 22)
_IDR = (19, 20)
_SETS = (NAL_VPS, NAL_SPS, NAL_PPS)
#: NAL types that, behind a picture, begin the next access unit (7.4.2.4.4).
_BEGINNING = frozenset({32, 33, 34, 35, 39, 41, 42, 43, 44})
_START = (b"\0\0\1", b"\0\0\0\1")


class H265Assembler(NalAssembler):
    """Access units of H.265."""

    def __init__(self, track: TrackDescription) -> None:
        super().__init__(track)
        difference = str(track.parameters.get("sprop-max-don-diff") or "0").strip()
        has_order_numbers = difference.isdecimal() and int(difference[:9]) > 0
        self._order = 2 if has_order_numbers else 0
        #: The highest picture order count since the last key unit.
        self._highest = 0

    def append(self, payload: bytes) -> bool:
        """See NalAssembler."""
        fragments = self._fragments
        if fragments is None or len(payload) < 3 or payload[0] & 0x7E != _FU << 1:
            return False
        header = payload[2]
        if header & 0x80:
            return False
        fragments.append(payload[3:])
        self._size += len(payload) + PIECE_BYTES
        if self._size > MAX_UNIT_BYTES:
            self._overflow()
        elif header & 0x40:
            self._close_fragments()
        return True

    def look(self, payload: bytes) -> int:
        """See NalAssembler."""
        end = len(payload)
        if end < 3 or payload[0] & 1 or payload[1] & 0xF8:
            return NEUTRAL
        kind, at = payload[0] >> 1 & 0x3F, 2 + self._order
        if kind == _FU:
            if not payload[2] & 0x80:
                return CONTINUES if payload[2] & 0x3F < 32 else NEUTRAL
            if payload[2] & 0x3F == 0 and not payload[1] & 7:
                return BEGINS  # fragments of Annex B
            kind, at = payload[2] & 0x3F, 3 + self._order
        elif kind == _AP:
            at = 4 + self._order
            kind = payload[at] >> 1 & 0x3F if at < end else 63
            at += 2
        elif kind == 0 and payload.startswith(_START):
            at = payload.index(b"\1") + 1
            kind = payload[at] >> 1 & 0x3F if at < end else 63
            at += 2
        if kind < 32:
            if at >= end:
                return NEUTRAL
            return BEGINS if payload[at] & 0x80 else CONTINUES
        return BEGINS if kind in _BEGINNING else NEUTRAL

    def push(self, payload: bytes) -> None:
        """See NalAssembler."""
        if len(payload) < 3 or payload[0] & 1 or payload[1] & 0xF8:
            return  # too short, or of another layer
        kind = payload[0] >> 1 & 0x3F
        if kind == _FU:
            self._push_fragment(payload)
            return
        if self._fragments is not None:
            self._close_fragments()
        if kind == _AP:
            self._split_lengths(payload, 2 + self._order, before=1 if self._order else 0)
        elif self._order and not payload.startswith(_START):
            self._split(payload[:2] + payload[4:])
        else:
            self._split(payload)

    def _push_fragment(self, payload: bytes) -> None:
        header = payload[2]
        if header & 0x80:
            kind = header & 0x3F
            self._begin_fragments(
                bytes((payload[0] & 0x81 | kind << 1, payload[1])),
                payload[3 + self._order :],
            )
            if kind < 32:
                self.has_picture = True
        elif self._fragments is None:
            self.is_damaged = self.is_damaged or header & 0x3F < 32
        elif self._grow(len(payload)):
            self._fragments.append(payload[3:])
        if header & 0x40 and self._fragments is not None:
            self._close_fragments()

    def _add(self, nal: bytes) -> None:
        if len(nal) < 3 or nal[0] & 0x81 or nal[1] & 0xF8 or not nal[1] & 7:
            return  # of another layer, or none
        kind = nal[0] >> 1
        if kind < 32:
            self._keep(nal)
            self.has_picture = True
            if nal[2] & 0x80:
                self._read_slice(nal, kind)
        elif kind in _SETS:
            self._keep_set(nal)
        elif kind < 41 and kind not in (_AUD, _FILLER):
            if kind == _PREFIX_SEI and not self.has_key_units and not self.has_recovery_points:
                self.has_recovery_points = is_recovery_point(nal[2:])
            self._keep(nal)

    def _read_slice(self, nal: bytes, kind: int) -> None:
        """Read the header of a picture's first slice (7.3.6.1).

        B slices alone prove nothing: encoders without reordering use them too. Such a picture counts as a B-frame if
        one that was sent before it is shown after it.
        """
        try:
            bits = read_slice_bits(nal, 2)
            bits.flag()
            if kind in _KEYS:
                bits.flag()
                self.is_key = True
                self._pps_id = bits.number(63)
            if kind in _IDR:
                self._highest = 0
                return
            pps: PictureSet | None = self.sets.pps.get(bits.number(63) if self._pps_id is None else self._pps_id)
            sps: SequenceSet | None = self.sets.sps
            if pps is None or sps is None:
                return
            bits.skip(pps.extra_bits)
            is_b = bits.number(2) == 0
            bits.skip(pps.has_output_flag + 2 * sps.has_separate_planes)
            order = bits.take(sps.order_bits)
        except InvalidParameterSet:
            return
        ahead = (order - self._highest) % (1 << sps.order_bits)
        if kind in _KEYS or ahead < 1 << sps.order_bits - 1:
            self._highest = order
        else:
            self.is_b_frame = is_b
