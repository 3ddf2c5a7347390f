"""Cuts: which parts of which files a range of a recording is made of. All times are milliseconds since 1970, UTC."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from gateway.footage.gaps import HOLE_MS
from gateway.footage.reading import packed_between, segments_between
from gateway.footage.recordings import Recording
from gateway.footage.segments import MAX_SEGMENT_MS
from gateway.media import PartFact, segment_key, unpack_parts

#: Up to this length a range is estimated part by part.
_EXACT_ESTIMATE_MS = 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Piece:
    """Parts that lie one behind the other in one file; `offset` is where the first of them begins, in bytes."""

    key: str
    init_size: int
    run: int
    sequence: int
    start_ms: int
    offset: int
    parts: tuple[PartFact, ...] = field(repr=False)

    @property
    def size(self) -> int:
        """Bytes of the parts."""
        return sum(part.size for part in self.parts)

    @property
    def end_ms(self) -> int:
        return self.part_start_ms(len(self.parts) - 1) + self.parts[-1].duration_ms

    @property
    def frames(self) -> int:
        return sum(part.frames for part in self.parts)

    def part_start_ms(self, index: int) -> int:
        """When a part begins."""
        return self.start_ms + self.parts[index].offset_ms - self.parts[0].offset_ms

    def cut(self, first: int, last: int) -> "Piece":
        """The parts from `first` up to, without, `last`."""
        return Piece(
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
    """Footage without a hole: one run, consecutive parts, the first of them with a key frame."""

    pieces: tuple[Piece, ...]

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
    """About how much footage a range needs: bytes, and from when to when it reaches."""

    size: int
    start_ms: int
    end_ms: int


class _Key(NamedTuple):
    """A part with a key frame: when it begins, the number of its piece, and its own in that."""

    at_ms: int
    piece: int
    part: int


def estimate_footage(recording: Recording, start_ms: int, end_ms: int) -> FootageEstimate | None:
    """What `cut_footage` would give, quickly: a long range counts whole files. None when there is no footage."""
    if end_ms - start_ms <= _EXACT_ESTIMATE_MS:
        stretches = cut_footage(recording, start_ms, end_ms)
        if not stretches:
            return None
        end = max(stretch.end_ms for stretch in stretches)
        return FootageEstimate(sum(stretch.size for stretch in stretches), stretches[0].start_ms, end)
    segments = segments_between(recording.id, start_ms, end_ms)
    if not segments:
        return None
    end = max(segment.end_ms for segment in segments)
    return FootageEstimate(sum(segment.size for segment in segments), segments[0].start_ms, end)


def cut_footage(recording: Recording, start_ms: int, end_ms: int) -> list[ContiguousRange]:
    """The footage that is needed to show a range: whole groups of pictures, each from its key frame.

    Begins at or before `start_ms` where there is footage then, and ends at or after `end_ms`. Empty when there is none.
    """
    found = []
    for pieces in _stretches(_pieces(recording, start_ms - MAX_SEGMENT_MS, end_ms + MAX_SEGMENT_MS)):
        stretch = _cut_at_key_frames(pieces, start_ms, end_ms)
        if stretch is not None:
            found.append(stretch)
    return found


def holes_between(stretches: list[ContiguousRange], start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """The times inside a range that no stretch covers."""
    edges = [start_ms, *(moment for stretch in stretches for moment in (stretch.start_ms, stretch.end_ms)), end_ms]
    pairs = list(pairwise(edges))[::2]
    return [(begin, end) for begin, end in pairs if end - begin > HOLE_MS]


def _pieces(recording: Recording, from_ms: int, until_ms: int) -> Iterator[Piece]:
    """The files of which something lies in a time, each as one piece."""
    packed = packed_between(recording.id, from_ms, until_ms)
    for segment in segments_between(recording.id, from_ms, until_ms):
        parts = tuple(unpack_parts(packed.get(segment.id, b"")))
        if parts:
            key = segment_key(recording.tenant_id, recording.device_id, segment.start_ms, segment.run, segment.sequence)
            yield Piece(
                key, segment.init_size, segment.run, segment.sequence, segment.start_ms, segment.init_size, parts
            )


def _stretches(pieces: Iterator[Piece]) -> Iterator[list[Piece]]:
    group: list[Piece] = []
    for piece in pieces:
        last = group[-1] if group else None
        if last is not None and (piece.run, piece.sequence) != (last.run, last.sequence + len(last.parts)):
            yield group
            group = []
        group.append(piece)
    if group:
        yield group


def _cut_at_key_frames(pieces: list[Piece], start_ms: int, end_ms: int) -> ContiguousRange | None:
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


def _keys(pieces: list[Piece], numbers: Iterable[int]) -> Iterator[_Key]:
    """The key frames of some pieces, in order."""
    for number in numbers:
        piece = pieces[number]
        for index, part in enumerate(piece.parts):
            if part.is_key:
                yield _Key(piece.part_start_ms(index), number, index)


def _last_key_before(pieces: list[Piece], at_ms: int) -> _Key | None:
    for number in reversed(range(len(pieces))):
        if pieces[number].start_ms <= at_ms:
            before = [key for key in _keys(pieces, (number,)) if key.at_ms <= at_ms]
            if before:
                return before[-1]
    return None
