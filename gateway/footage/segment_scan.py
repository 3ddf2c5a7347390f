"""Reads the bytes of a segment file: its init segment, the parts that are whole, and what is wrong with the rest. Pure.

It takes any bytes without raising, and holds no more of a file than one `moof` box: the media itself is only counted.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from gateway.media import PartFact
from gateway.mp4.boxes import InvalidMedia, read_box_header
from gateway.mp4.fragments import AUDIO, VIDEO, SampleSummary, Track, parse_tracks, summarize_samples

#: A `moov` or `moof` box longer than this is none: both are kept in memory as a whole.
_MAX_INDEX_BOX_BYTES = 4 << 20
_MAX_HEADER = 16
_CHUNK_BYTES = 64 << 10


class ScanProblem(StrEnum):
    """What is wrong after the last whole part."""

    EMPTY = "empty"
    TORN = "torn"
    GARBAGE = "garbage"


@dataclass(frozen=True, slots=True)
class SegmentScan:
    """What is in a segment file. `problem` is None when its last byte is the last byte of a whole part.

    Times are media time, as the file itself counts it. A part without a video frame begins where the one before it
    ends. `init_size` is 0 when the init segment itself is not whole; then there are no parts either.
    """

    init_size: int
    parts: tuple[PartFact, ...]
    problem: ScanProblem | None = None
    detail: str = ""

    @property
    def whole_size(self) -> int:
        """Bytes from the start of the file that are whole."""
        return self.init_size + sum(part.size for part in self.parts)

    @property
    def duration_ms(self) -> int:
        """From the start of the first part to the end of the last."""
        return self.parts[-1].offset_ms + self.parts[-1].duration_ms if self.parts else 0

    @property
    def frames(self) -> int:
        return sum(part.frames for part in self.parts)


def scan_segment(data: bytes | Iterable[bytes]) -> SegmentScan:
    """Scan a file's bytes, whole or in chunks of any size.

    Whatever the bytes are, there is an answer; what the iterator itself raises goes through.
    """
    scanner = _Scanner(_cut(data) if isinstance(data, bytes | bytearray | memoryview) else iter(data))
    try:
        scanner.run()
    except InvalidMedia as error:
        return scanner.result(ScanProblem.GARBAGE, str(error))
    except _Torn as torn:
        return scanner.result(ScanProblem.EMPTY if scanner.is_empty else ScanProblem.TORN, str(torn))
    return scanner.result()


class _Torn(Exception):
    """The bytes end inside a box, or between two that belong together."""


def _cut(data: bytes | bytearray | memoryview) -> Iterator[bytes]:
    view = memoryview(data)
    return (bytes(view[at : at + _CHUNK_BYTES]) for at in range(0, len(view), _CHUNK_BYTES))


class _Scanner:
    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._buffer = bytearray()
        self._init_size = 0
        self._parts: list[PartFact] = []
        self._tracks: tuple[Track, ...] = ()
        self._first_start: float | None = None
        self.is_empty = True

    def run(self) -> None:
        self._init_size = self._take_init()
        while self._fill(1):
            moof = self._take_index_box(b"moof")
            samples = summarize_samples(moof, self._tracks)
            size = len(moof) + self._skip_media()
            self._parts.append(self._describe(size, samples))

    def result(self, problem: ScanProblem | None = None, detail: str = "") -> SegmentScan:
        return SegmentScan(self._init_size, tuple(self._parts), problem, detail)

    def _take_init(self) -> int:
        ftyp = self._take_index_box(b"ftyp")
        moov = self._take_index_box(b"moov")
        self._tracks = parse_tracks(moov)
        return len(ftyp) + len(moov)

    def _take_index_box(self, expected: bytes) -> bytes:
        size = self._read_size(expected)
        if size > _MAX_INDEX_BOX_BYTES:
            raise InvalidMedia(f"a '{expected.decode()}' box of {size} bytes")
        if not self._fill(size):
            raise _Torn(f"it ends inside a '{expected.decode()}' box")
        box = bytes(memoryview(self._buffer)[:size])
        del self._buffer[:size]
        return box

    def _skip_media(self) -> int:
        size = self._read_size(b"mdat")
        left = size
        while left:
            if not self._fill(1):
                raise _Torn("it ends inside an 'mdat' box")
            taken = min(left, len(self._buffer))
            del self._buffer[:taken]
            left -= taken
        return size

    def _read_size(self, expected: bytes) -> int:
        """The length of the box that comes next, which must be of this name."""
        self._fill(_MAX_HEADER)
        header = read_box_header(self._buffer)
        if header is None:
            raise _Torn(f"it ends before a '{expected.decode()}' box")
        name, _, size = header
        if name != expected:
            raise InvalidMedia(f"a '{name.decode('ascii')}' box in place of '{expected.decode()}'")
        return size

    def _fill(self, size: int) -> bool:
        """Have `size` bytes at hand; False when there are not so many left."""
        while len(self._buffer) < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                return False
            if chunk:
                self.is_empty = False
                self._buffer += chunk
        return True

    def _describe(self, size: int, samples: dict[str, SampleSummary]) -> PartFact:
        video, audio = samples.get(VIDEO, SampleSummary()), samples.get(AUDIO)
        timescale = next((track.timescale for track in self._tracks if track.kind == VIDEO), 1)
        if video.frames:
            start = (video.start or 0) / timescale
            if self._first_start is None:
                self._first_start = start
            offset_ms = max(0, round((start - self._first_start) * 1000))
        else:
            offset_ms = self._parts[-1].offset_ms + self._parts[-1].duration_ms if self._parts else 0
        return PartFact(
            size=size,
            offset_ms=offset_ms,
            duration_ms=round(video.duration / timescale * 1000),
            frames=video.frames,
            is_key=video.is_key,
            has_audio=audio is not None and audio.frames > 0,
        )
