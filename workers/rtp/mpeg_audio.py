"""MPEG audio of layers 2 and 3 in RTP (RFC 2250, section 3.5)."""

from workers.rtp.depacketizer import AudioDepacketizer
from workers.rtp.units import CodecData, TrackDescription

_MAX_FRAME_BYTES = 4096
#: kbit/s by the index in the header: MPEG-1 layers 2 and 3, MPEG-2 (and 2.5) layers 2 and 3.
_BITRATES = {
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = (44100, 48000, 32000)


class MpegAudioDepacketizer(AudioDepacketizer):
    """Layer, rate and channels are those of the first frame: the SDP names none of them."""

    def __init__(self, track: TrackDescription) -> None:
        super().__init__()
        self._clock_rate = track.clock_rate
        self._begun = b""
        self.problem = "no frame of MPEG audio has come yet"

    def reset(self) -> None:
        self._begun = b""

    def take(self, payload: bytes) -> list[tuple[int, bytes]]:
        if len(payload) <= 4:
            return []
        data = payload[4:]
        if payload[2] or payload[3]:
            # A fragment: without its beginning it is useless.
            data = self._begun + data if self._begun else b""
        self._begun = b""
        frames: list[tuple[int, bytes]] = []
        ticks = 0
        while (found := _read_header(data)) is not None:
            codec, rate, channels, samples, size = found
            if size > len(data):
                self._begun = data
                break
            self._describe(codec, rate, channels)
            self.frame_ticks = samples * self._clock_rate // rate
            frames.append((ticks, data[:size]))
            ticks += self.frame_ticks
            data = data[size:]
        return frames

    def _describe(self, codec: str, rate: int, channels: int) -> None:
        known = self.codec_data
        if known is None or (known.codec, known.sample_rate, known.channels) != (codec, rate, channels):
            self.codec_data = CodecData(codec, sample_rate=rate, channels=channels)
            self.problem = None


def _read_header(data: bytes) -> tuple[str, int, int, int, int] | None:
    """Codec, rate, channels, samples and bytes of the frame that begins here (ISO/IEC 11172-3, 2.4.1.3)."""
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0:
        return None
    version, layer = data[1] >> 3 & 3, 4 - (data[1] >> 1 & 3)
    bitrate_index, rate_index = data[2] >> 4, data[2] >> 2 & 3
    if version == 1 or layer not in (2, 3) or not 0 < bitrate_index < 15 or rate_index == 3:
        return None
    is_first = version == 3
    rate = _RATES[rate_index] >> {3: 0, 2: 1, 0: 2}[version]
    bitrate = 1000 * _BITRATES[1 if is_first else 2, layer][bitrate_index]
    samples = 1152 if is_first or layer == 2 else 576
    size = samples // 8 * bitrate // rate + (data[2] >> 1 & 1)
    if size > _MAX_FRAME_BYTES:
        return None
    return f"mp{layer}", rate, 1 if data[3] >> 6 == 3 else 2, samples, size
