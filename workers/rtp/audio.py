"""Depacketizers of sound: which one a track needs, and those whose packets are frames already."""

import re
from collections.abc import Callable

from workers.rtp.aac import GenericDepacketizer, LatmDepacketizer
from workers.rtp.depacketizer import AudioDepacketizer
from workers.rtp.mpeg_audio import MpegAudioDepacketizer
from workers.rtp.units import CodecData, TrackDescription

__all__ = ["AudioDepacketizer", "depacketizer_for"]

_G726 = re.compile(r"(aal2-)?g726-(16|24|32|40)")
_MAX_CHANNELS = 8
#: Durations of an Opus frame in units of 2.5 ms, by the two lowest bits of the configuration (RFC 6716, 3.1).
_OPUS_SILK, _OPUS_CELT = (4, 8, 16, 24), (1, 2, 4, 8)


class PlainDepacketizer(AudioDepacketizer):
    """Samples of a fixed size: each packet is a frame. `tick_bits`: bits of one tick of the RTP clock."""

    def __init__(self, codec_data: CodecData, tick_bits: int, *, unit_bytes: int = 1) -> None:
        super().__init__()
        self.codec_data = codec_data
        self._tick_bits = tick_bits
        self._unit_bytes = unit_bytes

    def take(self, payload: bytes) -> list[tuple[int, bytes]]:
        if over := len(payload) % self._unit_bytes:
            payload = payload[:-over]
        if not payload:
            return []
        self.frame_ticks = len(payload) * 8 // self._tick_bits
        return [(0, payload)]


class G726Depacketizer(PlainDepacketizer):
    """G.726, whose codes FFmpeg's decoder expects from the highest bit on; RFC 3551 (4.5.4) packs from the lowest."""

    def __init__(self, track: TrackDescription, bits: int, *, is_packed_from_lowest: bool) -> None:
        data = CodecData("adpcm_g726", bytes([bits]), sample_rate=track.clock_rate, channels=1)
        # Eight codes fill a whole number of bytes at every rate.
        super().__init__(data, bits, unit_bytes=bits if bits % 2 else 1)
        self._turn = _build_turn(bits) if is_packed_from_lowest else None

    def take(self, payload: bytes) -> list[tuple[int, bytes]]:
        frames = super().take(payload)
        return [(0, self._turn(data)) for _, data in frames] if self._turn is not None else frames


class OpusDepacketizer(AudioDepacketizer):
    """Opus (RFC 7587): each packet is a frame, and says its duration itself."""

    def __init__(self, track: TrackDescription) -> None:
        super().__init__()
        channels = 1 if track.parameters.get("sprop-stereo") == "0" or track.channels == 1 else 2
        head = b"OpusHead" + bytes([1, channels]) + b"\0\0" + (48000).to_bytes(4, "little") + b"\0\0\0"
        self.codec_data = CodecData("opus", head, sample_rate=48000, channels=channels)
        self._unit = max(1, track.clock_rate // 400)

    def take(self, payload: bytes) -> list[tuple[int, bytes]]:
        if not payload:
            return []
        kind, code = payload[0] >> 3, payload[0] & 3
        units = (_OPUS_CELT if kind >= 16 else (4, 8, 4, 8) if kind >= 12 else _OPUS_SILK)[kind & 3]
        if code == 3 and len(payload) < 2:
            return []
        frames = payload[1] & 63 if code == 3 else 1 if code == 0 else 2
        if not 0 < units * frames <= 48:
            # RFC 6716, 3.4 (R5): at most 120 ms.
            return []
        self.frame_ticks = units * frames * self._unit
        return [(0, payload)]


def depacketizer_for(track: TrackDescription) -> AudioDepacketizer | None:
    """The depacketizer of a track; None if its codec is not known, or not with these properties."""
    name = track.parameters.get("encoding", "").lower() or track.codec
    rate, channels = track.clock_rate, track.channels
    if not 1000 <= rate <= 1_000_000 or not 1 <= channels <= _MAX_CHANNELS:
        return None
    if track.codec in ("pcm_alaw", "pcm_mulaw"):
        return PlainDepacketizer(CodecData(track.codec, sample_rate=rate, channels=channels), 8 * channels)
    if track.codec == "pcm_s16be":
        data = CodecData(track.codec, sample_rate=rate, channels=channels)
        return PlainDepacketizer(data, 16 * channels, unit_bytes=2 * channels)
    if track.codec == "adpcm_g722":
        # RFC 3551, 4.5.2: its clock counts pairs of samples.
        return PlainDepacketizer(CodecData(track.codec, sample_rate=16000, channels=1), 8)
    if track.codec == "adpcm_g726":
        found = _G726.fullmatch(name)
        bits = int(found[2]) // 8 if found else 4
        return G726Depacketizer(track, bits, is_packed_from_lowest=not (found and found[1]))
    if track.codec == "aac":
        return LatmDepacketizer(track) if name == "mp4a-latm" else GenericDepacketizer(track)
    if track.codec in ("mp2", "mp3"):
        return MpegAudioDepacketizer(track) if name != "mpa-robust" else None
    return OpusDepacketizer(track) if track.codec == "opus" else None


def _build_turn(bits: int) -> Callable[[bytes], bytes]:
    """A function that turns codes packed from the lowest bit into codes packed from the highest."""
    if bits in (2, 4):
        mask = (1 << bits) - 1
        table = bytes(sum((byte >> at & mask) << (8 - bits - at) for at in range(0, 8, bits)) for byte in range(256))
        return lambda data: data.translate(table)
    return lambda data: _turn_odd(data, bits)


def _turn_odd(data: bytes, bits: int) -> bytes:
    """Codes of 3 or 5 bits, as digits of a number: Python turns text faster than bits."""
    digits = f"{int.from_bytes(data, 'little'):0{8 * len(data)}b}"
    turned = "".join([digits[at : at + bits] for at in range(len(digits) - bits, -1, -bits)])
    return int(turned, 2).to_bytes(len(data), "big")
