"""Media in which some bytes of a file are replaced: new bytes, and spans of the file, read when needed. Pure."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True, slots=True)
class Span:
    """Unchanged bytes of the file."""

    offset: int
    length: int

    def __len__(self) -> int:
        return self.length


class PatchedMedia:
    """The pieces of some media, in order. It holds the new bytes only, whatever the size of the media is."""

    def __init__(self, pieces: Iterable[bytes | Span]) -> None:
        self._pieces: list[bytes | Span] = []
        for piece in pieces:
            last = self._pieces[-1] if self._pieces else None
            if isinstance(piece, Span) and isinstance(last, Span) and last.offset + last.length == piece.offset:
                self._pieces[-1] = Span(last.offset, last.length + piece.length)
            elif len(piece):
                self._pieces.append(piece)
        self._ends = list(accumulate(map(len, self._pieces)))

    @property
    def size(self) -> int:
        return self._ends[-1] if self._ends else 0

    def read(self, read_file: Callable[[int, int], Iterable[bytes]], offset: int, length: int) -> Iterator[bytes]:
        """Some of the media; `read_file(offset, length)` yields bytes of the file."""
        place = bisect_right(self._ends, offset)
        while length > 0 and place < len(self._pieces):
            piece = self._pieces[place]
            skipped = offset - (self._ends[place] - len(piece))
            count = min(length, len(piece) - skipped)
            if isinstance(piece, Span):
                yield from read_file(piece.offset + skipped, count)
            else:
                yield piece[skipped : skipped + count]
            place, offset, length = place + 1, offset + count, length - count
