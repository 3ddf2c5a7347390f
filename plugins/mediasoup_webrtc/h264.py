"""Packs the H.264 of cameras into RTP payloads that every WebRTC player accepts (RFC 6184), packet by packet.

mediasoup takes an SPS for a key frame, and forwards nothing to a viewer before one. So parameter sets are taken out of
the stream, and put in as one packet before each picture at which a decoder may start, and only there.
"""

import re
from itertools import chain

_SLICE, _IDR, _SEI, _SPS, _PPS, _DELIMITER, _STAP_A, _FU_A = 1, 5, 6, 7, 8, 9, 24, 28
_VCL = frozenset(range(1, 6))
_START_CODE = b"\0\0\1"
_START_CODES = re.compile(b"\0{2,}\1")
_I_SLICES = frozenset((2, 4, 7, 9))
_RECOVERY_POINT = 6

#: Limits against cameras that send what they like.
_MAX_SET_BYTES = 4096
_MAX_SETS = 64
_MAX_PREFIX_BYTES = 16_384


class H264Packetizer:
    """Cuts the payloads of a camera into payloads of at most `limit` bytes.

    Bytes are passed on as they come: a fragment never waits for the end of its NAL unit, only for the next fragment.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._sps: dict[int, bytes] = {}
        self._pps: dict[int, bytes] = {}
        #: NAL units before the first slice of a picture: they are sent with it.
        self._prefix: list[bytes] = []
        self._prefix_bytes = 0
        self._has_own_sps = self._is_recovery_point = self._has_slice = False
        # The NAL unit whose fragments arrive: its header, what is not sent of it yet, and whether its start was sent.
        self._header: int | None = None
        self._rest = b""
        self._is_started = self._is_collected = False

    def set_parameter_sets(self, units: tuple[bytes, ...]) -> None:
        """Use these from the next key frame on, instead of all earlier ones."""
        if not units:
            return
        self._sps.clear()
        self._pps.clear()
        for unit in units:
            if unit:
                self._remember(unit)

    def resync(self) -> None:
        """Packets are missing before the next one: give up the NAL unit whose fragments were arriving."""
        self._header, self._rest = None, b""

    def end_unit(self) -> None:
        """The next payload belongs to another access unit."""
        self._has_own_sps = self._is_recovery_point = self._has_slice = False

    def pack(self, payload: bytes) -> list[bytes]:
        """Return the payloads to send for one payload of the camera; none for an unusable one."""
        if len(payload) < 2:
            return []
        kind = payload[0] & 0x1F
        if kind == _FU_A:
            return self._pack_fragment(payload)
        self.resync()
        if kind == _STAP_A:
            return self._pack_units(_units_of(payload))
        # A NAL unit contains no start code: where there is one, a camera sends Annex B in RTP.
        if _START_CODE in payload:
            return self._pack_units(_split(payload))
        return self._pack_unit(payload)

    # ---- whole NAL units ---------------------------------------------------------------------------------------

    def _pack_units(self, units: list[bytes]) -> list[bytes]:
        return list(chain.from_iterable(self._pack_unit(unit) for unit in units))

    def _pack_unit(self, unit: bytes) -> list[bytes]:
        kind = unit[0] & 0x1F if unit else 0
        if not 0 < kind < _STAP_A:
            return []
        if kind in _VCL:
            before = self._before_slice(kind, unit[1:9])
            return before + self._cut(unit) if before else self._cut(unit)
        if kind in (_SPS, _PPS):
            is_new = self._remember(unit)
            self._has_own_sps |= kind == _SPS
            if not (is_new and kind == _PPS):
                return []
        elif kind == _DELIMITER:
            return []
        elif kind == _SEI:
            self._is_recovery_point |= len(unit) > 1 and unit[1] == _RECOVERY_POINT
        if self._has_slice:
            return self._cut(unit)
        self._prefix_bytes += len(unit)
        if self._prefix_bytes <= _MAX_PREFIX_BYTES and len(self._prefix) < _MAX_SETS:
            self._prefix.append(unit)
        return []

    def _before_slice(self, kind: int, start: bytes) -> list[bytes]:
        """What belongs before the first slice of a picture: parameter sets if a decoder may start here, and SEI."""
        if self._has_slice:
            return []
        self._has_slice = True
        can_start = kind == _IDR or (
            self._has_own_sps and (self._is_recovery_point or (kind == _SLICE and _slice_type(start) in _I_SLICES))
        )
        units, self._prefix, self._prefix_bytes = self._prefix, [], 0
        if can_start:
            sets = [*self._sps.values(), *self._pps.values()]
            units = sets + [unit for unit in units if unit[0] & 0x1F != _PPS]
        return self._aggregate(units) if units else []

    def _aggregate(self, units: list[bytes]) -> list[bytes]:
        """Pack small NAL units into as few payloads as possible (STAP-A)."""
        payloads: list[bytes] = []
        group: list[bytes] = []
        size = 1

        def close() -> None:
            if len(group) == 1:
                payloads.append(group[0])
            elif group:
                importance = max(unit[0] & 0x60 for unit in group)
                parts = [len(unit).to_bytes(2, "big") + unit for unit in group]
                payloads.append(bytes((importance | _STAP_A,)) + b"".join(parts))

        for unit in units:
            if group and size + 2 + len(unit) > self._limit:
                close()
                group, size = [], 1
            if len(unit) > self._limit:
                payloads += self._cut(unit)
                continue
            group.append(unit)
            size += 2 + len(unit)
        close()
        return payloads

    def _cut(self, unit: bytes) -> list[bytes]:
        """A whole NAL unit, in fragments if it is too large; the state of the one that arrives is not touched."""
        if len(unit) <= self._limit:
            return [unit]
        indicator, kind, room = unit[0] & 0xE0 | _FU_A, unit[0] & 0x1F, self._limit - 2
        starts = range(1, len(unit), room)
        flags = [0x80, *[0] * (len(starts) - 2), 0x40]
        return [bytes((indicator, kind | flag)) + unit[at : at + room] for at, flag in zip(starts, flags, strict=True)]

    # ---- fragments ---------------------------------------------------------------------------------------------

    def _pack_fragment(self, payload: bytes) -> list[bytes]:
        flags = payload[1]
        kind = flags & 0x1F
        is_end = bool(flags & 0x40)
        before: list[bytes] = []
        if len(payload) == 2 and not is_end:
            return []
        if flags & 0x80:
            if not 0 < kind < _STAP_A:
                self.resync()
                return []
            is_set = kind in (_SPS, _PPS)
            self._open(payload[0] & 0xE0 | kind, is_collected=is_set or is_end)
            if kind in _VCL and not is_end:
                before = self._before_slice(kind, payload[2:10])
        elif self._header is None:
            return []
        if self._is_collected:
            return self._collect(payload[2:], is_end=is_end)
        if _START_CODE in payload:
            return before + self._pack_annex_b(payload[2:], is_end=is_end)
        if not self._rest and 2 < len(payload) <= self._limit:
            # It fits as it is. Its flags are ours: the camera's may lie.
            flags = self._header & 0x1F | (0 if self._is_started else 0x80) | (0x40 if is_end else 0)
            self._is_started = True
            payloads = [payload if flags == payload[1] else bytes((payload[0], flags)) + payload[2:]]
        else:
            payloads = self._fragment(payload[2:], is_end=is_end)
        if is_end:
            self.resync()
        return before + payloads if before else payloads

    def _open(self, header: int, *, is_collected: bool) -> None:
        self._header, self._rest, self._is_started, self._is_collected = header, b"", False, is_collected

    def _collect(self, data: bytes, *, is_end: bool) -> list[bytes]:
        """Collect the fragments of a parameter set, which is not sent where it stands."""
        self._rest += data
        if not is_end and len(self._rest) <= _MAX_SET_BYTES:
            return []
        unit = bytes((self._header or 0,)) + self._rest
        self.resync()
        return self._pack_units(_split(unit)) if len(unit) > 1 else []

    def _fragment(self, data: bytes, *, is_end: bool) -> list[bytes]:
        """Send what is there of the NAL unit in packets of full size; without its end, the remainder waits."""
        if self._rest:
            data = self._rest + data
            self._rest = b""
        header = self._header or 0
        indicator, kind = header & 0xE0 | _FU_A, header & 0x1F
        room, at, left = self._limit - 2, 0, len(data)
        if is_end and not self._is_started and left <= room:
            return [bytes((header,)) + data] if data else []
        payloads = []
        while left > room:
            payloads.append(bytes((indicator, kind if self._is_started else kind | 0x80)) + data[at : at + room])
            self._is_started = True
            at += room
            left -= room
        if is_end:
            payloads.append(bytes((indicator, kind | 0x40)) + data[at:])
        else:
            self._rest = data[at:]
        return payloads

    def _pack_annex_b(self, data: bytes, *, is_end: bool) -> list[bytes]:
        """NAL units with start codes between them, which a camera has cut without regard to their borders."""
        first, *others = _split(data, keep_empty=True)
        payloads = self._fragment(first, is_end=True)
        self.resync()
        last = b"" if is_end or not others else others.pop()
        payloads += self._pack_units(others)
        kind = last[0] & 0x1F if last else 0
        if 0 < kind < _STAP_A:
            self._open(last[0], is_collected=kind in (_SPS, _PPS))
            if kind in _VCL:
                payloads += self._before_slice(kind, last[1:9])
            payloads += (self._collect if self._is_collected else self._fragment)(last[1:], is_end=False)
        return payloads

    # ---- parameter sets ----------------------------------------------------------------------------------------

    def _remember(self, unit: bytes) -> bool:
        """Keep a parameter set by its id; returns whether it is new or differs from the one before."""
        kind = unit[0] & 0x1F
        sets = self._sps if kind == _SPS else self._pps if kind == _PPS else None
        number = _read_exp_golomb(unit[4:12] if kind == _SPS else unit[1:9])
        if sets is None or number is None or len(unit) > _MAX_SET_BYTES:
            return False
        if sets.get(number) == unit or (number not in sets and len(sets) >= _MAX_SETS):
            return False
        sets[number] = unit
        return True


def _units_of(payload: bytes) -> list[bytes]:
    """The NAL units of a STAP-A; the last may be cut off."""
    units, at = [], 1
    while at + 2 < len(payload):
        size = payload[at] << 8 | payload[at + 1]
        unit = payload[at + 2 : at + 2 + size]
        units += _split(unit) if _START_CODE in unit else [unit]
        at += 2 + size
    return units


def _split(data: bytes, *, keep_empty: bool = False) -> list[bytes]:
    """Split Annex B at its start codes."""
    units = _START_CODES.split(data)
    cut = [unit.rstrip(b"\0") for unit in units[:-1]]
    return [unit for unit in [*cut, units[-1]] if unit or keep_empty]


def _read_exp_golomb(data: bytes, count: int = 1) -> int | None:
    """Read the last of `count` ue(v) values (H.264, 9.1); None if the data is too short."""
    bits = int.from_bytes(data, "big")
    at = len(data) * 8
    value = None
    for _ in range(count):
        length = at - (bits & ((1 << at) - 1)).bit_length()
        at -= 2 * length + 1
        if at < 0:
            return None
        value = (bits >> at & ((1 << (length + 1)) - 1)) - 1
    return value


def _slice_type(start: bytes) -> int | None:
    """The type of a slice from the bytes after the header of its NAL unit."""
    return _read_exp_golomb(start, 2)
