"""Parses FFmpeg's fragmented MP4 into init segments and parts (ISO/IEC 14496-12, 14496-15)."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.mp4.boxes import MAX_BOX_BYTES, U32, InvalidMedia, read_box_header
from gateway.mp4.fragments import AUDIO, VIDEO, SampleSummary, Track, parse_tracks, summarize_samples

__all__ = ["MAX_BOX_BYTES", "Fmp4Reader", "Fragment", "InitSegment", "InvalidMedia", "Track", "parse_fragment"]


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

    `frames` is 0 when it contains only audio. `audio_start` and `audio_end` are those of its audio, None without any.
    """

    data: bytes = field(repr=False)
    start: float
    duration: float
    frames: int
    is_key: bool
    has_b_frames: bool
    audio_start: float | None = None
    audio_end: float | None = None

    @property
    def end(self) -> float:
        """The end of its last video frame."""
        return self.start + self.duration

    @property
    def has_audio(self) -> bool:
        """Whether it contains samples of an audio track."""
        return self.audio_start is not None


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
                yield parse_fragment(self._moof + box, self.init)
                self._moof = None

    def _take_box(self) -> bytes | None:
        header = read_box_header(self._buffer)
        if header is None or len(self._buffer) < header[2]:
            return None
        size = header[2]
        box = bytes(memoryview(self._buffer)[:size])
        del self._buffer[:size]
        return box


def parse_fragment(data: bytes, init: InitSegment) -> Fragment:
    """A fragment from its bytes; raises InvalidMedia."""
    moof = data[: U32.unpack_from(data)[0]]
    found = summarize_samples(moof, init.tracks)
    samples, audio = found.get(VIDEO, SampleSummary()), found.get(AUDIO)
    scales = {track.kind: track.timescale for track in reversed(init.tracks)}
    timescale = scales.get(VIDEO, 1)
    audio_start = audio_end = None
    if audio is not None and audio.frames:
        audio_start = (audio.start or 0) / scales[AUDIO]
        audio_end = audio_start + audio.duration / scales[AUDIO]
    return Fragment(
        data=data,
        start=(samples.start or 0) / timescale,
        duration=samples.duration / timescale,
        frames=samples.frames,
        is_key=samples.is_key,
        has_b_frames=samples.has_b_frames,
        audio_start=audio_start,
        audio_end=audio_end,
    )
