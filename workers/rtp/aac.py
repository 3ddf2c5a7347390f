"""AAC in RTP: RFC 3640 (mpeg4-generic), RFC 6416 (LATM), and what cameras send in place of them."""

from collections.abc import Iterator, Mapping

from workers.rtp.aac_config import (
    MAX_FRAME_BYTES,
    AacConfig,
    Bits,
    InvalidConfig,
    build_config,
    channels_of_frame,
    parse_config,
    read_adts,
    read_config,
)
from workers.rtp.depacketizer import AudioDepacketizer
from workers.rtp.units import TrackDescription

#: Frames in a row that prove a configuration which the camera did not announce.
_PROOFS = 8
_DEFAULT_FRAME = 1024


class AacDepacketizer(AudioDepacketizer):
    """What both formats share: the configuration, as announced or as the frames prove it."""

    def __init__(self, track: TrackDescription, config: AacConfig | None) -> None:
        super().__init__()
        self._clock_rate = track.clock_rate
        self._proofs = 0
        self._proved = 0
        self.frame_ticks = _DEFAULT_FRAME
        self._announce(config)

    def _announce(self, config: AacConfig | None) -> None:
        """Begin with a configuration, or with none."""
        self._config = config
        if config is None:
            self.problem = "the camera announces AAC without a valid configuration"
        elif not config.is_playable:
            self.problem = f"the camera announces AAC of the profile '{config.profile}', which players do not know"
        else:
            self._use(config)

    def _use(self, config: AacConfig) -> None:
        self._config = config
        self.problem = None
        self.frame_ticks = round(config.frame_length * self._clock_rate / config.sample_rate)
        if self.codec_data is None or self.codec_data.extra_data != config.data:
            self.codec_data = config.codec_data()

    def _accept(self, frame: bytes) -> bytes | None:
        """The frame without an ADTS header; None while it is not known how to decode it."""
        if frame[:1] == b"\xff" and (found := read_adts(frame)) is not None:
            config, start, end = found
            if self.codec_data is None and config.is_playable:
                self._use(config)
            frame = frame[start:end]
        elif self._proofs < _PROOFS:
            self._prove(frame)
        return frame if self.codec_data is not None and frame else None

    def _prove(self, frame: bytes) -> None:
        """Find configurations that are missing, or that have other channels than the frames."""
        rate = self._config.sample_rate if self._config is not None else self._clock_rate
        channels = channels_of_frame(frame, rate)
        self._proofs = self._proofs + 1 if channels and channels == self._proved else int(bool(channels))
        self._proved = channels
        if self._proofs < _PROOFS:
            return
        is_other = self.codec_data is not None and self.codec_data.profile == "LC"
        is_other = is_other and self.codec_data.channels in (1, 2) and self.codec_data.channels != channels
        if self.codec_data is None or is_other:
            self._use(build_config(rate, channels))


class GenericDepacketizer(AacDepacketizer):
    """RFC 3640, with any lengths of the fields of an AU header."""

    def __init__(self, track: TrackDescription) -> None:
        super().__init__(track, _read_announced(track.parameters))
        named = track.parameters
        is_named = "sizelength" in named or "constantsize" in named
        self._size_bits = _number(named, "sizelength", 0 if is_named else 13)
        self._index_bits = _number(named, "indexlength", 0 if is_named else 3)
        self._delta_bits = _number(named, "indexdeltalength", 0 if is_named else 3)
        self._constant_size = _number(named, "constantsize", 0, MAX_FRAME_BYTES)
        self._offset_bits = tuple(_number(named, name, 0) for name in ("ctsdeltalength", "dtsdeltalength"))
        self._flag_bits = _number(named, "randomaccessindication", 0, 1) + _number(named, "streamstateindication", 0)
        self._extra_bits = _number(named, "auxiliarydatasizelength", 0)
        fields = (self._size_bits, self._index_bits, self._delta_bits, *self._offset_bits, self._flag_bits)
        self._has_headers = any(fields)
        self._is_common = fields == (13, 3, 3, 0, 0, 0) and not self._extra_bits
        self._begun: bytearray = bytearray()
        self._begun_size = 0

    def reset(self) -> None:
        self._begun_size = 0
        self._begun.clear()

    def take(self, payload: bytes) -> list[tuple[int, bytes]]:
        try:
            return [
                (index * self.frame_ticks, frame)
                for index, data in self._split(payload)
                if (frame := self._accept(data)) is not None
            ]
        except InvalidConfig:
            self.reset()
            return []

    def _split(self, payload: bytes) -> Iterator[tuple[int, bytes]]:
        """The frames of a packet with their numbers."""
        if payload[:1] == b"\xff" and read_adts(payload) is not None:
            yield from enumerate(_split_adts(payload))
            return
        headers, at = self._read_headers(payload)
        size = len(payload)
        if len(headers) == 1 and headers[0][1] > size - at:
            yield from self._join(payload[at:], headers[0][1])
            return
        self.reset()
        for index, length in headers:
            if not length or length > size - at:
                return
            yield index, payload[at : at + length]
            at += length

    def _read_headers(self, payload: bytes) -> tuple[list[tuple[int, int]], int]:
        """Number and size of each frame, and the offset of the first one."""
        if not self._has_headers:
            step = self._constant_size or len(payload)
            return [(index, step) for index in range(len(payload) // max(step, 1))], 0
        if len(payload) < 3:
            return [], 0
        count_bits = payload[0] << 8 | payload[1]
        at = 2 + (count_bits + 7) // 8
        if at > len(payload):
            return [], 0
        if self._is_common:
            words = range(2, 2 + count_bits // 16 * 2, 2)
            found = [(payload[word] << 5 | payload[word + 1] >> 3, payload[word + 1] & 7) for word in words]
        else:
            found = self._read_any_headers(Bits(payload[2:at]), count_bits)
            if self._extra_bits:
                size = Bits(payload[at : at + 5]).take(self._extra_bits)
                at += (self._extra_bits + size + 7) // 8
        headers, index = [], -1
        for size, delta in found:
            index += 1 + (delta if headers else 0)
            headers.append((index, size))
        return headers, at

    def _read_any_headers(self, bits: Bits, end: int) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        while bits.at < end:
            before = bits.at
            size = bits.take(self._size_bits) if self._size_bits else self._constant_size
            delta = bits.take(self._delta_bits if found else self._index_bits)
            for length in self._offset_bits:
                if length and bits.take(1):
                    bits.take(length)
            bits.take(self._flag_bits)
            found.append((size, delta))
            if bits.at == before:
                break
        return found

    def _join(self, data: bytes, size: int) -> Iterator[tuple[int, bytes]]:
        """Put a fragment behind those before it; yield the frame when it is complete."""
        if size != self._begun_size:
            self.reset()
            if size > MAX_FRAME_BYTES:
                return
            self._begun_size = size
        self._begun += data
        if len(self._begun) >= size:
            frame = bytes(self._begun[:size])
            self.reset()
            yield 0, frame


class LatmDepacketizer(AacDepacketizer):
    """RFC 6416, with the StreamMuxConfig in the SDP or in band."""

    def __init__(self, track: TrackDescription) -> None:
        self._subframes = 1
        self._fixed_size = 0
        self._begun = b""
        self._plain = 0
        text = track.parameters.get("config", "")
        self._is_in_band = track.parameters.get("cpresent", "0" if text else "1").strip() != "0"
        try:
            config = self._read_mux(Bits(_from_hex(text)))
        except InvalidConfig:
            config = None
        super().__init__(track, config)

    def reset(self) -> None:
        self._begun = b""

    def take(self, payload: bytes) -> list[tuple[int, bytes]]:
        data = self._begun + payload
        self._begun = b""
        found = self._read(data)
        if found is None:
            # An element may be spread over packets; its own lengths say where it ends.
            if len(data) <= MAX_FRAME_BYTES:
                self._begun = data
            return []
        frames = [frame for item in found if (frame := self._accept(item)) is not None]
        return [(index * self.frame_ticks, frame) for index, frame in enumerate(frames)]

    def _read(self, data: bytes) -> list[bytes] | None:
        """The frames of a payload; None if more must come. Cameras also send the other form than they announce."""
        is_plain = _fills_exactly(data, self._subframes, self._fixed_size)
        self._plain = self._plain + 1 if is_plain else 0
        if self._is_in_band:
            if is_plain and (self.codec_data is None or self._plain > _PROOFS):
                return self._read_frames(data, 0, is_single=False)
        elif is_plain or (self.codec_data is not None and not self._begins_with_config(data)):
            return self._read_frames(data, 0, is_single=False)
        try:
            return self._read_with_config(data)
        except InvalidConfig:
            return []

    def _begins_with_config(self, data: bytes) -> bool:
        if not data or data[0] & 0x80:
            return False
        known = self._subframes, self._fixed_size
        try:
            bits = Bits(data, 1)
            self._is_in_band = self._read_mux(bits).is_playable
        except InvalidConfig:
            pass
        if not self._is_in_band:
            self._subframes, self._fixed_size = known
        return self._is_in_band

    def _read_with_config(self, data: bytes) -> list[bytes] | None:
        """An AudioMuxElement with muxConfigPresent (ISO/IEC 14496-3, 1.7.3.2)."""
        bits = Bits(data)
        if not bits.take(1):
            config = self._read_mux(bits)
            if config.is_playable:
                self._use(config)
            elif self.codec_data is None:
                self._announce(config)
        at = bits.at
        if at % 8 and bits.left:
            return self._read_frames(bits.cut(at, 8 * len(data)), 0, is_single=True)
        return self._read_frames(data, at // 8, is_single=True)

    def _read_frames(self, data: bytes, at: int, *, is_single: bool) -> list[bytes] | None:
        """The frames of one AudioMuxElement or several, whose lengths stand before them (PayloadLengthInfo)."""
        frames: list[bytes] = []
        while at < len(data):
            for _ in range(self._subframes):
                size, at = (self._fixed_size, at) if self._fixed_size else _read_length(data, at)
                if size > MAX_FRAME_BYTES:
                    return frames
                if at + size > len(data):
                    return frames if len(frames) >= self._subframes else None
                if size:
                    frames.append(data[at : at + size])
                at += size
            if is_single:
                break
        return frames

    def _read_mux(self, bits: Bits) -> AacConfig:
        """StreamMuxConfig (ISO/IEC 14496-3, 1.7.3.2); raises InvalidConfig for more than one layer of sound."""
        version = bits.take(1)
        if version and bits.take(1):
            raise InvalidConfig("a reserved version of LATM")
        if version:
            _read_latm_value(bits)
        bits.take(1)
        subframes = bits.take(6) + 1
        if bits.take(4) or bits.take(3):
            raise InvalidConfig("several programs or layers")
        if version:
            length = _read_latm_value(bits)
            start = bits.at
            if length > bits.left:
                raise InvalidConfig("it ends too early")
            config = read_config(bits)
            if bits.at - start > length:
                raise InvalidConfig("it is longer than it says")
            bits.at = start + length
        else:
            config = read_config(bits)
        kind = bits.take(3)
        if kind == 0:
            bits.take(8)
            size = 0
        elif kind == 1:
            size = bits.take(9) + 20
        else:
            raise InvalidConfig(f"frames of length type {kind}")
        if bits.left and bits.take(1):
            # The length of other data, which follows the frames.
            _read_latm_value(bits) if version else _skip_other_length(bits)
        if bits.left and bits.take(1):
            bits.take(8)
        self._subframes, self._fixed_size = subframes, size
        return config


def _read_announced(parameters: Mapping[str, str]) -> AacConfig | None:
    try:
        return parse_config(_from_hex(parameters.get("config", "")))
    except InvalidConfig:
        return None


def _from_hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text[:512])
    except ValueError as error:
        raise InvalidConfig("it is not hexadecimal") from error


def _number(parameters: Mapping[str, str], name: str, default: int, limit: int = 32) -> int:
    text = parameters.get(name, "").strip()
    return min(int(text), limit) if text.isascii() and text.isdigit() and len(text) < 10 else default


def _split_adts(data: bytes) -> Iterator[bytes]:
    while (found := read_adts(data)) is not None and found[2] <= len(data):
        yield data[: found[2]]
        data = data[found[2] :]


def _fills_exactly(data: bytes, subframes: int, fixed_size: int) -> bool:
    """Whether a payload is one element without a StreamMuxConfig before it: its lengths add up to its size."""
    if fixed_size:
        return len(data) == fixed_size * subframes
    at = 0
    for _ in range(subframes):
        size, at = _read_length(data, at)
        at += size
    return at == len(data)


def _read_length(data: bytes, at: int) -> tuple[int, int]:
    """A length, as a sum of bytes of which all but the last are 255, and the offset after it."""
    size = 0
    while at < len(data):
        size += data[at]
        at += 1
        if data[at - 1] != 255:
            break
    return size, at


def _read_latm_value(bits: Bits) -> int:
    return bits.take(8 * (bits.take(2) + 1))


def _skip_other_length(bits: Bits) -> None:
    while bits.take(1):
        bits.take(8)
    bits.take(8)
