"""AudioSpecificConfig (ISO/IEC 14496-3, 1.6) and ADTS headers, and what the first bits of an AAC frame prove. Pure."""

from dataclasses import dataclass

from workers.rtp.units import CodecData

_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
#: Scale factor bands of a long and of a short window, by the index of the rate (ISO/IEC 14496-3, 4.5.4).
_LONG_BANDS = (41, 41, 47, 49, 49, 51, 47, 47, 43, 43, 43, 40, 40)
_SHORT_BANDS = (12, 12, 12, 14, 14, 14, 15, 15, 15, 15, 15, 15, 15)
_CHANNELS = (0, 1, 2, 3, 4, 5, 6, 8)

LOW_COMPLEXITY, SBR, PARAMETRIC_STEREO = 2, 5, 29
_PROFILES = {1: "Main", 2: "LC", 3: "SSR", 4: "LTP", SBR: "HE-AAC", PARAMETRIC_STEREO: "HE-AACv2"}
#: Object types that players of fragmented MP4 decode.
_PLAYABLE = frozenset({LOW_COMPLEXITY, SBR, PARAMETRIC_STEREO})
_MAX_CONFIG_BYTES = 64
#: 6144 bits a channel (4.5.1.1), for up to eight channels.
MAX_FRAME_BYTES = 768 * 8


class InvalidConfig(ValueError):
    """Bytes that are no AudioSpecificConfig."""


class Bits:
    """Reads bits from the highest of the first byte on. Raises InvalidConfig after the end."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._value = int.from_bytes(data, "big")
        self._bits = 8 * len(data)
        self.at = at

    @property
    def left(self) -> int:
        return self._bits - self.at

    def take(self, count: int) -> int:
        if count > self._bits - self.at:
            raise InvalidConfig("it ends too early")
        self.at += count
        return (self._value >> (self._bits - self.at)) & ((1 << count) - 1)

    def cut(self, start: int, end: int) -> bytes:
        """The bits from `start` to `end` as bytes, filled up with zeros."""
        self.at = start
        value, missing = self.take(end - start), -(end - start) % 8
        return (value << missing).to_bytes((end - start + missing) // 8, "big")


@dataclass(frozen=True, slots=True)
class AacConfig:
    """An AudioSpecificConfig and what it says. `sample_rate` is that of the core, without SBR."""

    data: bytes
    object_type: int
    sample_rate: int
    channels: int
    frame_length: int = 1024

    @property
    def profile(self) -> str:
        return _PROFILES.get(self.object_type, f"type {self.object_type}")

    @property
    def is_playable(self) -> bool:
        return self.object_type in _PLAYABLE

    def codec_data(self) -> CodecData:
        return CodecData(
            "aac",
            extra_data=self.data,
            profile=self.profile,
            sample_rate=self.sample_rate,
            channels=self.channels,
        )


def build_config(sample_rate: int, channels: int) -> AacConfig:
    """The configuration of AAC LC with one or two channels. Raises InvalidConfig for a rate that AAC does not have."""
    if sample_rate not in _RATES or channels not in (1, 2):
        raise InvalidConfig(f"no AAC of {sample_rate} Hz with {channels} channels")
    word = LOW_COMPLEXITY << 11 | _RATES.index(sample_rate) << 7 | channels << 3
    return AacConfig(word.to_bytes(2, "big"), LOW_COMPLEXITY, sample_rate, channels)


def parse_config(data: bytes) -> AacConfig:
    """Read an AudioSpecificConfig; raises InvalidConfig."""
    if len(data) > _MAX_CONFIG_BYTES:
        raise InvalidConfig("it is too long")
    return read_config(Bits(data), data)


def read_config(bits: Bits, whole: bytes | None = None) -> AacConfig:
    """Read an AudioSpecificConfig in a stream of bits. `whole`: its bytes, if they are known. Raises InvalidConfig."""
    start = bits.at
    object_type = core_type = _read_object_type(bits)
    rate = _read_rate(bits)
    setting = bits.take(4)
    if object_type in (SBR, PARAMETRIC_STEREO):
        _read_rate(bits)
        core_type = _read_object_type(bits)
    if core_type not in _PROFILES or core_type in (SBR, PARAMETRIC_STEREO):
        raise InvalidConfig(f"object type {core_type} is not AAC")
    is_short = bits.take(1)
    if bits.take(1):
        bits.take(14)
    bits.take(1)
    if not 0 < setting < len(_CHANNELS):
        raise InvalidConfig("its channels are not named")
    if core_type != LOW_COMPLEXITY:
        # SBR over another core is as rare as it is unplayable.
        object_type = core_type
    data = bits.cut(start, bits.at) if whole is None else whole
    return AacConfig(data, object_type, rate, _CHANNELS[setting], 960 if is_short else 1024)


def _read_object_type(bits: Bits) -> int:
    found = bits.take(5)
    return 32 + bits.take(6) if found == 31 else found


def _read_rate(bits: Bits) -> int:
    index = bits.take(4)
    rate = bits.take(24) if index == 15 else _RATES[index] if index < len(_RATES) else 0
    if not 7000 <= rate <= 96000:
        raise InvalidConfig(f"a rate of {rate} Hz")
    return rate


def read_adts(data: bytes) -> tuple[AacConfig, int, int] | None:
    """The configuration of an ADTS frame, and where its data begins and ends; None if there is no ADTS header."""
    if len(data) < 7 or data[0] != 0xFF or data[1] & 0xF6 != 0xF0:
        return None
    index, channels = data[2] >> 2 & 15, (data[2] & 1) << 2 | data[3] >> 6
    size = (data[3] & 3) << 11 | data[4] << 3 | data[5] >> 5
    start = 7 if data[1] & 1 else 9
    if index >= len(_RATES) or not 0 < channels < len(_CHANNELS) or size <= start or data[6] & 3:
        return None
    object_type = (data[2] >> 6) + 1
    word = (object_type << 11 | index << 7 | channels << 3).to_bytes(2, "big")
    return AacConfig(word, object_type, _RATES[index], _CHANNELS[channels]), start, size


def channels_of_frame(frame: bytes, sample_rate: int) -> int:
    """1 or 2 for a frame that begins as one of AAC LC of that rate with a single or a pair of channels; 0 otherwise."""
    if not 4 <= len(frame) <= 2 * MAX_FRAME_BYTES // 8 or sample_rate not in _RATES:
        return 0
    word = int.from_bytes(frame[:4], "big")
    kind = word >> 29
    if kind > 1:
        return 0
    # id_syn_ele (3 bits) and element_instance_tag (4), then what comes before ics_info.
    at = 32 - 7 - 8
    if kind == 1:
        at = 32 - 8 if word >> 24 & 1 else 32 - 8 - 8
    index = _RATES.index(sample_rate)
    # ics_info: reserved bit, window_sequence (2), window_shape (1), max_sfb (4 or 6), predictor_data_present (1).
    if word >> (at - 1) & 1:
        return 0
    if word >> (at - 3) & 3 == 2:
        is_right = word >> (at - 8) & 15 <= _SHORT_BANDS[index]
    else:
        is_right = word >> (at - 10) & 63 <= _LONG_BANDS[index] and not word >> (at - 11) & 1
    return kind + 1 if is_right else 0
