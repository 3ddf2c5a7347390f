"""Parses FFmpeg's fragmented MP4 into init segments and parts (ISO/IEC 14496-12, 14496-15)."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.mp4.boxes import MAX_BOX_BYTES, InvalidMedia, read_box_header
from gateway.mp4.fragments import AUDIO, VIDEO, SampleSummary, Track, parse_tracks, summarize_samples

__all__ = ["MAX_BOX_BYTES", "Fmp4Reader", "Fragment", "InitSegment", "InvalidMedia", "Track"]


@dataclass(frozen=True, slots=True)
class InitSegment:
    """`ftyp`+`moov`; one at the start of each run."""

    data: bytes = field(repr=False)
    tracks: tuple[Track, ...]

    @property
    def video(self) -> Track | None:
        return next((track for track in self.tracks if track.kind == VIDEO), None)


@dataclass(frozen=True, slots=True)
class Fragment:
    """`moof`+`mdat`. `start` and `duration` in seconds of media time (decode order) of its video.

    `frames` is 0 when it contains only audio. `has_new_parameters`: the key frame contains a sequence parameter set
    that is not in the init segment, so the picture format has changed. `has_audio`: it contains samples of an audio
    track.
    """

    data: bytes = field(repr=False)
    start: float
    duration: float
    frames: int
    is_key: bool
    has_b_frames: bool
    has_new_parameters: bool
    has_audio: bool = False


class Fmp4Reader:
    """Splits a byte stream into an InitSegment and Fragments; `feed` accepts chunks of any size."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._header = b""
        self._moof: bytes | None = None
        self.init: InitSegment | None = None

    def feed(self, data: bytes) -> Iterator[InitSegment | Fragment]:
        """Yield everything that is complete now; raises InvalidMedia."""
        self._buffer += data
        while (box := self._take_box()) is not None:
            kind = box[4:8]
            if kind == b"ftyp":
                self._header = box
            elif kind == b"moov":
                self.init = InitSegment(self._header + box, parse_tracks(box))
                yield self.init
            elif kind == b"moof":
                self._moof = box
            elif kind == b"mdat":
                if self._moof is None or self.init is None:
                    raise InvalidMedia("an 'mdat' box without 'moof' and 'moov' before it")
                yield _parse_fragment(self._moof, box, self.init)
                self._moof = None

    def _take_box(self) -> bytes | None:
        header = read_box_header(self._buffer)
        if header is None or len(self._buffer) < header[2]:
            return None
        size = header[2]
        box = bytes(memoryview(self._buffer)[:size])
        del self._buffer[:size]
        return box


def _parse_fragment(moof: bytes, mdat: bytes, init: InitSegment) -> Fragment:
    data = moof + mdat
    video = init.video
    found = summarize_samples(moof, init.tracks)
    samples, audio = found.get(VIDEO, SampleSummary()), found.get(AUDIO)
    timescale = video.timescale if video else 1
    return Fragment(
        data=data,
        start=(samples.start or 0) / timescale,
        duration=samples.duration / timescale,
        frames=samples.frames,
        is_key=samples.is_key,
        has_b_frames=samples.has_b_frames,
        has_new_parameters=samples.is_key and _has_new_parameters(data, samples, video),
        has_audio=audio is not None and audio.frames > 0,
    )


def _has_new_parameters(data: bytes, samples: SampleSummary, video: Track | None) -> bool:
    """Whether the first sample contains an SPS that is not in the init segment."""
    if video is None or not video.parameter_sets or samples.first_offset is None or samples.first_offset < 0:
        return False
    is_hevc = video.codec in {"hvc1", "hev1"}
    offset, end = samples.first_offset, min(samples.first_offset + samples.first_size, len(data))
    while offset + video.length_size < end:
        size = int.from_bytes(data[offset : offset + video.length_size], "big")
        offset += video.length_size
        if size == 0 or offset + size > end:
            return False
        kind = (data[offset] >> 1) & 0x3F if is_hevc else data[offset] & 0x1F
        if kind == (33 if is_hevc else 7):
            if data[offset : offset + size].rstrip(b"\x00") not in {s.rstrip(b"\x00") for s in video.parameter_sets}:
                return True
        elif kind < 32 if is_hevc else kind in {1, 5}:
            return False
        offset += size
    return False
