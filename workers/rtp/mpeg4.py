"""MPEG-4 part 2 from RTP (RFC 6416, ISO/IEC 14496-2): the payloads of a picture, one behind the other."""

from workers.rtp.bits import Bits, InvalidParameterSet, read_rate
from workers.rtp.nal_units import BEGINS, CONTINUES, MAX_UNIT_BYTES, NEUTRAL
from workers.rtp.units import CodecData, TrackDescription

_LAYERS = range(0x20, 0x30)
_MAX_CONFIG = 4096
_PROFILES = {0: "Simple Profile", 15: "Advanced Simple Profile"}


class Mpeg4Assembler:
    """Pictures of MPEG-4 part 2. The configuration comes from the SDP's `config`, or in band."""

    has_recovery_points = False
    has_key_units = False

    def __init__(self, track: TrackDescription) -> None:
        self.codec_data: CodecData | None = None
        try:
            config = bytes.fromhex(str(track.parameters.get("config") or "")[: 2 * _MAX_CONFIG])
        except ValueError:
            config = b""
        self._set_config(config)
        self.clear()

    @property
    def is_whole(self) -> bool:
        """Whether a picture is there."""
        return self.has_picture

    @property
    def can_continue(self) -> bool:
        """Whether there is something that a payload can go on with."""
        return bool(self._pieces)

    def clear(self) -> None:
        """Drop the unit."""
        self.has_picture = False
        self.is_damaged = False
        self.is_key = False
        self.is_b_frame = False
        self._pieces: list[bytes] = []
        self._size = 0

    def append(self, payload: bytes) -> bool:
        """See NalAssembler."""
        return False

    def look(self, payload: bytes) -> int:
        """See NalAssembler."""
        if len(payload) < 4 or not payload.startswith(b"\0\0\1"):
            return CONTINUES if self.has_picture or not self._pieces else NEUTRAL
        return BEGINS

    def push(self, payload: bytes) -> None:
        """See NalAssembler."""
        self._size += len(payload) + 64
        if self._size > MAX_UNIT_BYTES:
            self.is_damaged = True
            self._pieces = []
        else:
            self._pieces.append(payload)
            self.has_picture = self.has_picture or b"\0\0\1\xb6" in payload

    def finish(self) -> bytes | None:
        """The picture's data; None without a picture or without a configuration."""
        data = b"".join(self._pieces)
        at = data.find(b"\0\0\1\xb6")
        if self.is_damaged or not 0 <= at < len(data) - 4:
            return None
        kind = data[at + 4] >> 6
        self.is_key, self.is_b_frame = kind == 0, kind == 2
        has_config = self._set_config(data[: data.find(b"\0\0\1\xb3") if 0 <= data.find(b"\0\0\1\xb3") < at else at])
        if self.codec_data is None:
            return None
        if self.is_key:
            self.has_key_units = True
        return data if has_config or not self.is_key else self.codec_data.extra_data + data

    def _set_config(self, config: bytes) -> bool:
        """Take a configuration; False if it is none."""
        if self.codec_data is not None and config == self.codec_data.extra_data:
            return True
        if not config or len(config) > _MAX_CONFIG:
            return False
        try:
            found = _parse_config(config)
        except InvalidParameterSet:
            return False
        if found is not None:
            self.codec_data = found
        return found is not None


def _parse_config(config: bytes) -> CodecData | None:
    """Read the visual object layer (6.2.3); None without one."""
    at = config.find(b"\0\0\1")
    while at >= 0 and not (at + 4 < len(config) and config[at + 3] in _LAYERS):
        at = config.find(b"\0\0\1", at + 3)
    if at < 0:
        return None
    sequence = config.find(b"\0\0\1\xb0")
    level = config[sequence + 4] if 0 <= sequence < len(config) - 4 else None
    # Start codes are not escaped in MPEG-4: no emulation prevention.
    bits = Bits(config[at + 4 :].replace(b"\0\0\3", b"\0\0\3\3"))
    bits.skip(9)
    if bits.flag():
        bits.skip(7)
    if bits.take(4) == 15:
        bits.skip(16)
    has_b_frames: bool | None = None
    if bits.flag():
        bits.skip(2)
        has_b_frames = not bits.flag()
        if bits.flag():
            bits.skip(79)
    if bits.take(2) != 0:
        raise InvalidParameterSet("an MPEG-4 layer that is not rectangular")
    bits.flag()
    resolution = bits.take(16)
    bits.flag()
    fps = None
    if bits.flag():
        fps = read_rate(bits.take(max(1, (resolution - 1).bit_length())), resolution)
    bits.flag()
    width = bits.take(13)
    bits.flag()
    height = bits.take(13)
    if not width or not height:
        raise InvalidParameterSet("an MPEG-4 layer without a size")
    profile = _PROFILES.get(level >> 4) if level is not None else None
    return CodecData("mpeg4", config, (), width, height, profile, "yuv420p", fps, has_b_frames)
