"""Writes a live Matroska stream (RFC 8794, RFC 9559) that FFmpeg reads from a pipe without delay. Pure."""

import struct
from collections import deque

from workers.rtp.units import VIDEO, CodecData, MediaUnit

#: Ticks per second of the times of a stream.
TICKS_PER_SECOND = 100_000
#: The earliest time for a first unit: pictures before B-frames are decoded up to this long before they are presented.
FIRST_TICKS = TICKS_PER_SECOND

_VIDEO_CODECS = {
    "h264": "V_MPEG4/ISO/AVC",
    "hevc": "V_MPEGH/ISO/HEVC",
    "mjpeg": "V_MJPEG",
    "mpeg4": "V_MPEG4/ISO/ASP",
}
_ACM = "A_MS/ACM"
_AUDIO_CODECS = {
    "aac": "A_AAC",
    "opus": "A_OPUS",
    "mp2": "A_MPEG/L2",
    "mp3": "A_MPEG/L3",
    "pcm_s16be": "A_PCM/INT/BIG",
    "pcm_alaw": _ACM,
    "pcm_mulaw": _ACM,
    "adpcm_g722": _ACM,
    "adpcm_g726": _ACM,
}
#: Tags of WAVEFORMATEX, as FFmpeg maps them (libavformat/riff.c), and bits per sample where the codec alone decides.
_WAVE_FORMATS = {
    "pcm_alaw": (0x0006, 8),
    "pcm_mulaw": (0x0007, 8),
    "adpcm_g722": (0x028F, 4),
    "adpcm_g726": (0x0045, 0),
}
#: Their decoders can do nothing without it.
_NEED_EXTRA_DATA = frozenset({"h264", "hevc", "aac", "opus"})

#: Codecs that a stream can have, by their FFmpeg names.
FEEDABLE_VIDEO = frozenset(_VIDEO_CODECS)
FEEDABLE_AUDIO = frozenset(_AUDIO_CODECS)

_VIDEO_TRACK, _AUDIO_TRACK = 1, 2
_UNKNOWN_SIZE = b"\x01\xff\xff\xff\xff\xff\xff\xff"
#: Marks a size in 4 bytes; the largest such size.
_SIZE_4 = 0x1000_0000
#: A Cluster (size in 4 bytes) with its Timestamp (8 bytes) and, each with a size in 4 bytes:
#: for sound, a SimpleBlock; for a picture, a BlockGroup with BlockDuration (4 bytes), ReferenceBlock (1 byte, not in
#: a key frame) and Block. A block begins with its track, the time relative to its Cluster, and flags.
_SOUND = struct.Struct(">IIHQBIBhB")
_KEY_PICTURE = struct.Struct(">IIHQBIHIBIBhB")
_PICTURE = struct.Struct(">IIHQBIHIHBBIBhB")
_CLUSTER, _TIMESTAMP, _SIMPLE_BLOCK, _BLOCK_GROUP, _BLOCK = 0x1F43B675, 0xE788, 0xA3, 0xA0, 0xA1
_BLOCK_DURATION, _REFERENCE_BLOCK = 0x9B84, 0xFB81
_CLUSTER_HEAD, _BLOCK_HEAD = 8, 4
MAX_UNIT_BYTES = _SIZE_4 - 2 - _PICTURE.size

#: A picture's duration is the mean interval of the last ones: FFmpeg uses it where it ends a fragment because sound has
#: reached the fragment's length, before the next picture has come.
_INTERVALS = 8
#: More than a tick of any output, so that decoding times rise; and not more than a fragment may promise.
_MIN_DURATION, _MAX_DURATION = 2, TICKS_PER_SECOND // 5
_TYPICAL_FPS = 25


class MatroskaWriter:
    """Writes one stream: `header()` first, then each unit in decode order."""

    def __init__(self, video: CodecData, audio: CodecData | None) -> None:
        """Raise ValueError for a codec that FFmpeg cannot read from Matroska, or whose `extra_data` is missing."""
        _check(video, _VIDEO_CODECS)
        if audio is not None:
            _check(audio, _AUDIO_CODECS)
        self._video = video
        self._audio = audio
        self._latest: deque[int] = deque(maxlen=_INTERVALS + 1)

    def header(self) -> bytes:
        """The EBML header, and the start of a Segment of unknown size up to its Tracks."""
        tracks = _video_track(self._video)
        if self._audio is not None:
            tracks += _audio_track(self._audio)
        ebml = (
            _uint(0x4286, 1)  # EBMLVersion
            + _uint(0x42F7, 1)  # EBMLReadVersion
            + _uint(0x42F2, 4)  # EBMLMaxIDLength
            + _uint(0x42F3, 8)  # EBMLMaxSizeLength
            + _text(0x4282, "matroska")  # DocType
            + _uint(0x4287, 4)  # DocTypeVersion
            + _uint(0x4285, 2)  # DocTypeReadVersion
        )
        info = _uint(0x2AD7B1, 1_000_000_000 // TICKS_PER_SECOND) + _text(0x4D80, "VAS") + _text(0x5741, "VAS")
        return (
            _element(0x1A45DFA3, ebml)
            + _id(0x18538067)  # Segment
            + _UNKNOWN_SIZE
            + _element(0x1549A966, info)
            + _element(0x1654AE6B, tracks)
        )

    def unit(self, unit: MediaUnit, ticks: int) -> tuple[bytes, ...]:
        """The buffers of a Cluster with one unit, which is presented at `ticks` (10 µs; FIRST_TICKS or more).

        Raises ValueError for a unit of more than MAX_UNIT_BYTES.
        """
        data = unit.data
        size = len(data)
        if size > MAX_UNIT_BYTES:
            raise ValueError(f"a unit may have {MAX_UNIT_BYTES} bytes, not {size}")
        block = _SIZE_4 | (_BLOCK_HEAD + size)
        if unit.kind != VIDEO:
            whole = _SIZE_4 | (_SOUND.size - _CLUSTER_HEAD + size)
            return _SOUND.pack(
                _CLUSTER, whole, _TIMESTAMP, ticks, _SIMPLE_BLOCK, block, 0x80 | _AUDIO_TRACK, 0, 0x80
            ), data
        form = _KEY_PICTURE if unit.is_key else _PICTURE
        whole = form.size - _CLUSTER_HEAD + size
        start = _CLUSTER, _SIZE_4 | whole, _TIMESTAMP, ticks, _BLOCK_GROUP, _SIZE_4 | (whole - 15)
        start += _BLOCK_DURATION, self._duration(ticks)
        if not unit.is_key:
            # The referenced picture is not told apart by any reader: "the tick before".
            start += _REFERENCE_BLOCK, 0xFF
        return form.pack(*start, _BLOCK, block, 0x80 | _VIDEO_TRACK, 0, 0), data

    def _duration(self, ticks: int) -> int:
        latest = self._latest
        # Pictures in decode order: with B-frames the latest time rises, but not with each of them.
        latest.append(max(ticks, latest[-1]) if latest else ticks)
        if self._video.has_b_frames is not False and len(latest) <= _INTERVALS:
            # By these durations FFmpeg counts from the first decoding time to that which the pictures imply.
            return _MIN_DURATION
        interval = (latest[-1] - latest[0]) // max(1, len(latest) - 1)
        return max(_MIN_DURATION, min(_MAX_DURATION, interval))


def _check(data: CodecData, known: dict[str, str]) -> None:
    if data.codec not in known:
        raise ValueError(f"'{data.codec}' must be one of {', '.join(sorted(known))}")
    if data.codec in _NEED_EXTRA_DATA and not data.extra_data:
        raise ValueError(f"'{data.codec}' needs extra data")


def _video_track(data: CodecData) -> bytes:
    size = _uint(0xB0, data.width) + _uint(0xBA, data.height) if data.width and data.height else b""
    settings = _element(0xE0, size)
    if data.has_b_frames is not False:
        # FFmpeg derives decoding times before the first from this DefaultDuration (in nanoseconds), and only those.
        settings += _uint(0x23E383, round(1_000_000_000 / min(max(data.fps or _TYPICAL_FPS, 1), 1000)))
    return _track(_VIDEO_TRACK, 1, _VIDEO_CODECS[data.codec], data.extra_data, settings)


def _audio_track(data: CodecData) -> bytes:
    rate, channels = data.sample_rate or 8000, data.channels or 1
    sound = _element(0xB5, struct.pack(">d", rate)) + _uint(0x9F, channels)
    private = data.extra_data
    if data.codec == "pcm_s16be":
        sound += _uint(0x6264, 16)  # BitDepth
    elif data.codec in _WAVE_FORMATS:
        private = _wave_format(data, rate, channels)
    return _track(_AUDIO_TRACK, 2, _AUDIO_CODECS[data.codec], private, _element(0xE1, sound))


def _track(number: int, kind: int, codec: str, private: bytes, settings: bytes) -> bytes:
    return _element(
        0xAE,
        _uint(0xD7, number)
        + _uint(0x73C5, number)  # TrackUID
        + _uint(0x83, kind)
        + _uint(0x9C, 0)  # FlagLacing
        + _text(0x86, codec)
        + (_element(0x63A2, private) if private else b"")
        + settings,
    )


def _wave_format(data: CodecData, rate: int, channels: int) -> bytes:
    """WAVEFORMATEX. For G.726 `extra_data` is one byte: the bits per sample, 2 to 5."""
    tag, bits = _WAVE_FORMATS[data.codec]
    bits = bits or (data.extra_data[0] if data.extra_data else 4)
    block = max(1, bits * channels // 8)
    return struct.pack("<HHIIHHH", tag, channels, rate, rate * bits * channels // 8, block, bits, 0)


def _id(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _element(number: int, content: bytes) -> bytes:
    return _id(number) + (_SIZE_4 | len(content)).to_bytes(4, "big") + content


def _uint(number: int, value: int) -> bytes:
    return _element(number, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def _text(number: int, value: str) -> bytes:
    return _element(number, value.encode("ascii"))
