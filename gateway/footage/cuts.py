"""Cuts: the parts of files that make up a time range of a recording. All times are milliseconds since 1970, UTC."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from gateway.footage.gaps import HOLE_MS
from gateway.footage.reading import packed_between, segments_between
from gateway.footage.recordings import Recording
from gateway.footage.segments import MAX_SEGMENT_MS
from gateway.media import PartFact, unpack_parts

#: Longest range whose estimate is exact, part by part.
_EXACT_ESTIMATE_MS = 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class FilePiece:
    """Consecutive parts of one file; `offset` is the byte position of the first one."""

    key: str
    init_size: int
    run: int
    sequence: int
    start_ms: int
    offset: int
    parts: tuple[PartFact, ...] = field(repr=False)

    @property
    def size(self) -> int:
        """The size of the parts in bytes."""
        return sum(part.size for part in self.parts)

    @property
    def end_ms(self) -> int:
        return self.part_start_ms(len(self.parts) - 1) + self.parts[-1].duration_ms

    @property
    def frames(self) -> int:
        return sum(part.frames for part in self.parts)

    def part_start_ms(self, index: int) -> int:
        """The start of a part."""
        return self.start_ms + self.parts[index].offset_ms - self.parts[0].offset_ms

    def cut(self, first: int, last: int) -> "FilePiece":
        """The parts from `first` up to, but not including, `last`."""
        return FilePiece(
            self.key,
            self.init_size,
            self.run,
            self.sequence + first,
            self.part_start_ms(first),
            self.offset + sum(part.size for part in self.parts[:first]),
            self.parts[first:last],
        )


@dataclass(frozen=True, slots=True)
class ContiguousRange:
    """Footage without holes: consecutive parts of one run, the first of which begins with a key frame."""

    pieces: tuple[FilePiece, ...]

    @property
    def start_ms(self) -> int:
        return self.pieces[0].start_ms

    @property
    def end_ms(self) -> int:
        return self.pieces[-1].end_ms

    @property
    def run(self) -> int:
        return self.pieces[0].run

    @property
    def size(self) -> int:
        return sum(piece.size for piece in self.pieces)

    @property
    def frames(self) -> int:
        return sum(piece.frames for piece in self.pieces)

    @property
    def parts(self) -> int:
        return sum(len(piece.parts) for piece in self.pieces)

    @property
    def has_audio(self) -> bool:
        return any(part.has_audio for piece in self.pieces for part in piece.parts)


@dataclass(frozen=True, slots=True)
class FootageEstimate:
    """The approximate footage of a range: its size in bytes, its start and its end."""

    size: int
    start_ms: int
    end_ms: int


class _Key(NamedTuple):
    """A part that begins with a key frame: its start, the index of its piece, and its index in that piece."""

    at_ms: int
    piece: int
    part: int


def estimate_footage(recording: Recording, start_ms: int, end_ms: int) -> FootageEstimate | None:
    """A fast estimate of `cut_footage`: a long range counts whole files. None when there is no footage."""
    if end_ms - start_ms <= _EXACT_ESTIMATE_MS:
        ranges = cut_footage(recording, start_ms, end_ms)
        if not ranges:
            return None
        end = max(one.end_ms for one in ranges)
        return FootageEstimate(sum(one.size for one in ranges), ranges[0].start_ms, end)
    segments = segments_between(recording.id, start_ms, end_ms)
    if not segments:
        return None
    end = max(segment.end_ms for segment in segments)
    return FootageEstimate(sum(segment.size for segment in segments), segments[0].start_ms, end)


def cut_footage(recording: Recording, start_ms: int, end_ms: int) -> list[ContiguousRange]:
    """The footage needed to show a range, in whole groups of pictures, as contiguous ranges.

    It starts at or before `start_ms` where there is footage then, and ends at or after `end_ms`. Empty without footage.
    """
    found = []
    for pieces in _consecutive(_pieces(recording, start_ms - MAX_SEGMENT_MS, end_ms + MAX_SEGMENT_MS)):
        contiguous = _cut_at_key_frames(pieces, start_ms, end_ms)
        if contiguous is not None:
            found.append(contiguous)
    return found


def uncovered_between(ranges: list[ContiguousRange], start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """The parts of a time range that no contiguous range covers; `ranges` are in order."""
    edges = [start_ms, *(moment for one in ranges for moment in (one.start_ms, one.end_ms)), end_ms]
    pairs = list(pairwise(edges))[::2]
    return [(begin, end) for begin, end in pairs if end - begin > HOLE_MS]


def _pieces(recording: Recording, from_ms: int, until_ms: int) -> Iterator[FilePiece]:
    """The files that overlap a time range, each as one piece."""
    packed = packed_between(recording.id, from_ms, until_ms)
    for segment in segments_between(recording.id, from_ms, until_ms):
        parts = tuple(unpack_parts(packed.get(segment.id, b"")))
        if parts:
            key = segment.key(recording.tenant_id, recording.device_id)
            yield FilePiece(
                key, segment.init_size, segment.run, segment.sequence, segment.start_ms, segment.init_size, parts
            )


def _consecutive(pieces: Iterator[FilePiece]) -> Iterator[list[FilePiece]]:
    """Group pieces that continue each other without a missing part."""
    group: list[FilePiece] = []
    for piece in pieces:
        last = group[-1] if group else None
        if last is not None and (piece.run, piece.sequence) != (last.run, last.sequence + len(last.parts)):
            yield group
            group = []
        group.append(piece)
    if group:
        yield group


def _cut_at_key_frames(pieces: list[FilePiece], start_ms: int, end_ms: int) -> ContiguousRange | None:
    if pieces[-1].end_ms <= start_ms or pieces[0].start_ms >= end_ms:
        return None
    first = _last_key_before(pieces, start_ms) or next(_keys(pieces, range(len(pieces))), None)
    if first is None or first.at_ms >= end_ms:
        return None
    reaching = (number for number, piece in enumerate(pieces) if piece.end_ms > end_ms)
    last = next((key for key in _keys(pieces, reaching) if key.at_ms >= end_ms), None)
    cut = []
    for number in range(first.piece, (last.piece if last else len(pieces) - 1) + 1):
        piece = pieces[number]
        begin = first.part if number == first.piece else 0
        end = last.part if last and number == last.piece else len(piece.parts)
        if end > begin:
            cut.append(piece.cut(begin, end))
    return ContiguousRange(tuple(cut)) if cut else None


def _keys(pieces: list[FilePiece], numbers: Iterable[int]) -> Iterator[_Key]:
    """The key frames of the pieces with these indexes, in order."""
    for number in numbers:
        piece = pieces[number]
        for index, part in enumerate(piece.parts):
            if part.is_key:
                yield _Key(piece.part_start_ms(index), number, index)


def _last_key_before(pieces: list[FilePiece], at_ms: int) -> _Key | None:
    for number in reversed(range(len(pieces))):
        if pieces[number].start_ms <= at_ms:
            before = [key for key in _keys(pieces, (number,)) if key.at_ms <= at_ms]
            if before:
                return before[-1]
    return None
