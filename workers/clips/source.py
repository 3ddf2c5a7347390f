"""The footage of a clip: parts on the media bus are saved at once, and joined with recorded ones.

Both have the same parts, with the same run and sequence number. All times are milliseconds since 1970, UTC.
"""

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Self

from gateway.footage.cuts import ContiguousRange, FilePiece
from gateway.jobs.files import ExportSpaceMissing
from gateway.media import Part, PartFact, Position
from gateway.storage.interface import Storage
from gateway.streams.bus import MediaBus

#: Times of footage are rounded to whole milliseconds.
ROUNDING_MS = 2
#: Maximum size of saved parts in memory; more are written to disk.
_MEMORY_BYTES = 8 << 20
_CHUNK = 1 << 20


@dataclass(slots=True)
class _Run:
    """The saved bytes of a run: its init segment at `place`, followed by the parts in order."""

    key: str
    place: int
    init_size: int
    size: int
    parts: list[tuple[int, int, int, PartFact]] = field(default_factory=list)  # sequence, offset, start_ms, fact


class BusSpool:
    """The parts on the bus that are in a range, from the key frame before it on; a context manager.

    They are saved in an unnamed file, which is removed with the process. `read` works like that of a Storage: keys of
    `pieces` give saved bytes, all others are read from `storage`.
    """

    def __init__(
        self, bus: MediaBus, device_id: str, start_ms: int, end_ms: int, *, folder: Path, storage: Storage | None
    ) -> None:
        self.end_reached_ms: int | None = None
        self.is_complete = False
        self._bus, self._device_id, self._storage = bus, device_id, storage
        self._start_ms, self._end_ms = start_ms, _end_of(start_ms, end_ms)
        self._after: Position | None = None
        self._group: list[Part] = []
        self._has_begun = False
        self._runs: dict[int, _Run] = {}
        self._inits: dict[int, bytes | None] = {}
        self._file = tempfile.SpooledTemporaryFile(_MEMORY_BYTES, dir=folder)  # noqa: SIM115 - closed by __exit__
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def take(self, wait_seconds: float) -> bool:
        """Save the new parts on the bus, waiting for the first; return False when there were none.

        Raises BusUnavailable, and ExportSpaceMissing when the disk is full.
        """
        # The oldest part may be after the range already: then none of the others is needed.
        count = 16 if self._after else 1
        parts = self._bus.read(self._device_id, self._after, count=count, wait_seconds=wait_seconds)
        for part in parts:
            if round(part.start * 1000) < self._end_ms - ROUNDING_MS:
                self._accept(part)
            self._after = part.position
            self.is_complete = round(part.end * 1000) >= self._end_ms - ROUNDING_MS
            if self.is_complete:
                break
        return bool(parts)

    def pieces(self) -> list[FilePiece]:
        """The saved parts in order; a piece ends where a part is missing."""
        found = []
        for number, run in self._runs.items():
            group: list[tuple[int, int, int, PartFact]] = []
            for entry in (*run.parts, None):
                if group and (entry is None or entry[0] != group[-1][0] + 1):
                    found.append(_build_piece(number, run, group))
                    group = []
                if entry is not None:
                    group.append(entry)
        return found

    def read(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Read like Storage.read."""
        run = next((run for run in self._runs.values() if run.key == key), None)
        if run is None:
            yield from self._storage.read(key, offset, length)
            return
        left = run.size - offset if length is None else length
        place = run.place + offset
        while left > 0:
            self._file.seek(place)
            data = self._file.read(min(left, _CHUNK))
            if not data:
                return
            place, left = place + len(data), left - len(data)
            yield data

    def _accept(self, part: Part) -> None:
        if part.run not in self._inits:
            # First of all: if the bus fails here, this part is read again.
            self._inits[part.run] = self._bus.init_segment(self._device_id, part.run)
        self.end_reached_ms = round(part.end * 1000)
        if self._has_begun:
            self._save(part)
            return
        # Before the range, only the last group of pictures is needed.
        if part.is_key and part.start * 1000 <= self._start_ms + ROUNDING_MS:
            self._group.clear()
        self._group.append(part)
        if self.end_reached_ms > self._start_ms:
            self._has_begun = True
            for one in self._group:
                self._save(one)
            self._group.clear()

    def _save(self, part: Part) -> None:
        init = self._inits[part.run]
        if init is None:
            # It can no longer be decoded.
            return
        run = self._runs.get(part.run)
        if run is None:
            run = self._runs[part.run] = _Run(f"bus/{part.run}", self._size, len(init), len(init))
            self._write(init)
        duration = round(part.duration * 1000)
        fact = PartFact(len(part.data), 0, duration, part.frames, part.is_key, part.has_audio)
        run.parts.append((part.sequence, run.size, round(part.start * 1000), fact))
        run.size += len(part.data)
        self._write(part.data)

    def _write(self, data: bytes) -> None:
        try:
            self._file.seek(self._size)
            self._file.write(data)
            self._file.flush()
        except OSError as error:
            raise ExportSpaceMissing(f"the disk of snapshots and clips cannot be written: {error.strerror}") from error
        self._size += len(data)


class _Slot(NamedTuple):
    """A part of a piece."""

    piece: FilePiece
    index: int

    @property
    def start_ms(self) -> int:
        return self.piece.part_start_ms(self.index)

    @property
    def end_ms(self) -> int:
        return self.start_ms + self.piece.parts[self.index].duration_ms

    @property
    def is_key(self) -> bool:
        return self.piece.parts[self.index].is_key


def join_footage(
    recorded: Iterable[ContiguousRange], saved: Iterable[FilePiece], start_ms: int, end_ms: int
) -> list[ContiguousRange]:
    """The parts of a range, each once, from the key frame at or before its start to the part that reaches its end.

    Of a part that is both recorded and saved, the saved one is used, because it cannot have been damaged on a disk.
    """
    slots: dict[tuple[int, int], _Slot] = {}
    for piece in (*(piece for footage_range in recorded for piece in footage_range.pieces), *saved):
        for index in range(len(piece.parts)):
            slots[piece.run, piece.sequence + index] = _Slot(piece, index)
    found, group, last = [], [], None
    for place in sorted(slots):
        if last is not None and place != (last[0], last[1] + 1):
            found.append(_cut(group, start_ms, end_ms))
            group = []
        group.append(slots[place])
        last = place
    if group:
        found.append(_cut(group, start_ms, end_ms))
    return [footage_range for footage_range in found if footage_range is not None]


def _cut(group: list[_Slot], start_ms: int, end_ms: int) -> ContiguousRange | None:
    """The needed parts of consecutive ones; None when they are outside the range, or have no key frame before its
    end."""
    end_ms = _end_of(start_ms, end_ms)
    inside = [number for number, slot in enumerate(group) if slot.start_ms < end_ms - ROUNDING_MS]
    keys = [number for number in inside if group[number].is_key]
    if not keys or group[inside[-1]].end_ms <= start_ms:
        return None
    before = [number for number in keys if group[number].start_ms <= start_ms + ROUNDING_MS]
    first = before[-1] if before else keys[0]
    pieces: list[FilePiece] = []
    begin = first
    for number in range(first, inside[-1] + 1):
        slot = group[number]
        following = group[number + 1] if number < inside[-1] else None
        if following is None or following.piece is not slot.piece or following.index != slot.index + 1:
            pieces.append(slot.piece.cut(group[begin].index, slot.index + 1))
            begin = number + 1
    return ContiguousRange(tuple(pieces))


def _end_of(start_ms: int, end_ms: int) -> int:
    """The end of a range, extended so that even the shortest range contains a frame."""
    return max(end_ms, start_ms + ROUNDING_MS + 1)


def _build_piece(run_number: int, run: _Run, group: list[tuple[int, int, int, PartFact]]) -> FilePiece:
    sequence, offset, start_ms, _ = group[0]
    facts = tuple(
        PartFact(fact.size, at_ms - start_ms, fact.duration_ms, fact.frames, fact.is_key, fact.has_audio)
        for _, _, at_ms, fact in group
    )
    return FilePiece(run.key, run.init_size, run_number, sequence, start_ms, offset, facts)
