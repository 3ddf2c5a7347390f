"""Reads the parts of a range from the store, checks each of them, and skips damaged ones."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from gateway.errors import NotFound
from gateway.footage.cuts import ContiguousRange, FilePiece
from gateway.mp4.boxes import InvalidMedia
from gateway.mp4.samples import (
    AUDIO,
    VIDEO,
    Samples,
    TrackFormat,
    has_whole_units,
    parse_init,
    parse_part,
    read_parts,
)
from gateway.storage.interface import Storage, StorageUnavailable

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FootagePart:
    """A whole part. `start_ms`: wall clock of its first frame. `is_break`: it does not continue the part before."""

    start_ms: int
    is_key: bool
    is_break: bool
    data: bytes = field(repr=False)
    video: tuple[Samples, ...] = field(repr=False)
    audio: tuple[Samples, ...] = field(repr=False)


class FootageReader:
    """Yields parts in order. After an unreadable part it skips to the next key frame and adds the range to `damaged`.

    `check` is called for each part and may raise. `bytes_read` counts the bytes that were read or skipped.
    """

    def __init__(self, storage: Storage, check: Callable[[], None]) -> None:
        self._storage = storage
        self._check = check
        self.bytes_read = 0
        self.damaged: list[tuple[int, int]] = []

    def again(self) -> "FootageReader":
        """Another reader of the same store, with its own counts."""
        return FootageReader(self._storage, self._check)

    def read_init(self, piece: FilePiece) -> bytes:
        """The init segment of a piece's file; raises InvalidMedia, NotFound, StorageUnavailable."""
        data = b"".join(self._storage.read(piece.key, 0, piece.init_size))
        if len(data) != piece.init_size:
            raise InvalidMedia("the file ends inside its init segment")
        return data

    def read_formats(self, footage: ContiguousRange) -> tuple[TrackFormat, ...]:
        """The tracks of the first readable file of a range; empty when none can be read."""
        for piece in footage.pieces:
            try:
                return parse_init(self.read_init(piece))
            except (InvalidMedia, NotFound):
                continue
            except StorageUnavailable as error:
                refuse_if_away(error)
        return ()

    def read(self, footage: ContiguousRange) -> Iterator[FootagePart]:
        """Yield the parts of a range; the first one begins with a key frame."""
        is_broken = True
        for piece in footage.pieces:
            try:
                tracks = parse_init(self.read_init(piece))
            except (InvalidMedia, NotFound, StorageUnavailable) as error:
                self._skip(piece, 0, len(piece.parts), error)
                is_broken = True
                continue
            at = 0
            while at < len(piece.parts):
                if is_broken and not piece.parts[at].is_key:
                    self._skip(piece, at, at + 1)
                    at += 1
                    continue
                rest = piece.cut(at, len(piece.parts))
                try:
                    for data in read_parts(self._storage.read(piece.key, rest.offset, rest.size)):
                        self._check()
                        part = self._build(piece, at, data, tracks, is_broken)
                        is_broken = False
                        self.bytes_read += len(data)
                        at += 1
                        yield part
                    if at < len(piece.parts):
                        raise InvalidMedia("the file ends too early")
                except (InvalidMedia, NotFound, StorageUnavailable) as error:
                    gone = len(piece.parts) if isinstance(error, NotFound) else at + 1
                    self._skip(piece, at, gone, error)
                    is_broken, at = True, gone

    def _build(
        self, piece: FilePiece, index: int, data: bytes, tracks: tuple[TrackFormat, ...], is_break: bool
    ) -> FootagePart:
        fact = piece.parts[index]
        if len(data) != fact.size:
            raise InvalidMedia(f"a part of {len(data)} bytes where the index has {fact.size}")
        samples = parse_part(data, tracks)
        video = tuple(one for one in samples if one.track.kind == VIDEO)
        audio = tuple(one for one in samples if one.track.kind == AUDIO)
        if sum(len(one) for one in video) != fact.frames:
            raise InvalidMedia(f"a part without the {fact.frames} frames that the index has")
        if not all(has_whole_units(one, one.track.length_size) for one in video):
            raise InvalidMedia("frames whose units do not add up")
        if is_break and not (video and video[0].keys[0]):
            raise InvalidMedia("a part without the key frame that the index has")
        return FootagePart(piece.part_start_ms(index), fact.is_key, is_break, data, video, audio)

    def _skip(self, piece: FilePiece, first: int, last: int, error: Exception | None = None) -> None:
        if isinstance(error, StorageUnavailable):
            refuse_if_away(error)
        if error is not None:
            log.warning("footage '%s' cannot be read from part %d on: %s", piece.key, first, error)
        lost = piece.cut(first, last)
        self.bytes_read += lost.size
        if self.damaged and abs(lost.start_ms - self.damaged[-1][1]) < 1000:
            self.damaged[-1] = (self.damaged[-1][0], lost.end_ms)
        else:
            self.damaged.append((lost.start_ms, lost.end_ms))


def refuse_if_away(error: StorageUnavailable) -> None:
    """Raise an error of an unavailable disk. A bad spot on the disk is damage and is skipped."""
    if error.reason != StorageUnavailable.reason:
        raise error
