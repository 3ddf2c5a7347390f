"""The store of a stack on disk and in the database, and the rules that hold between both.

Everything is read by plain SQL and from the files, because the product's own view is what is tested.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg

from gateway.media import unpack_parts

from .boxes import scan_file
from .stack import Stack

OPEN, CLOSED, MISSING, GARBAGE = range(4)
FIFTEEN_MINUTES_MS = 900_000
#: Tolerance of the wall clock where two runs of a camera meet.
SEAM_MS = 400
#: Tolerance between consecutive parts, because times are whole milliseconds.
ROUNDING_MS = 3

_NAME = re.compile(r"(\d\d)-(\d\d)-(\d\d\d)_(\d+)-(\d+)\.mp4")


@dataclass(frozen=True)
class SegmentRow:
    """A row of `segments` with its packed index."""

    id: int
    start_ms: int
    duration_ms: int
    run: int
    sequence: int
    parts: int
    frames: int
    size: int
    init_size: int
    state: int
    packed: bytes

    @property
    def end_ms(self) -> int:
        return self.start_ms + self.duration_ms


@dataclass(frozen=True)
class GapRow:
    """A row of `recording_gaps`; `end_ms` is None while it lasts."""

    start_ms: int
    end_ms: int | None
    reason_code: str
    by_name: str | None
    is_wanted: bool


class Store:
    """Rows and files of one device's recording."""

    def __init__(self, database_url: str, root: Path, device_id: str) -> None:
        self._database_url = database_url
        self.device_id = device_id
        self.root = root
        self.recording_id, self.tenant_id, self.fencing_token, self.worker, self.expired_before_ms = self._query(
            "SELECT id, tenant_id, epoch, worker, expired_before_ms FROM recordings WHERE device_id = ?", device_id
        )[0]
        self.folder = self.root / str(self.tenant_id) / device_id

    @classmethod
    def of(cls, stack: Stack, device_id: str) -> Store:
        """The store of a running stack."""
        return cls(stack.env["DATABASE_URL"], Path(stack.env["RECORDINGS_DIR"]), device_id)

    def segments(self) -> list[SegmentRow]:
        """All rows of segments, by time."""
        return [
            SegmentRow(*row[:-1], packed=bytes(row[-1] or b""))
            for row in self._query(
                "SELECT s.id, start_ms, duration_ms, run, sequence, parts, frames, size, init_size, state, packed"
                " FROM segments s LEFT JOIN segment_parts p ON p.segment_id = s.id WHERE recording_id = ?"
                " ORDER BY start_ms, run, sequence",
                self.recording_id,
            )
        ]

    def gaps(self) -> list[GapRow]:
        """All rows of gaps, by time."""
        return [
            GapRow(*row[:-1], is_wanted=bool(row[-1]))
            for row in self._query(
                "SELECT start_ms, end_ms, reason_code, by_name, is_wanted FROM recording_gaps"
                " WHERE recording_id = ? ORDER BY start_ms, id",
                self.recording_id,
            )
        ]

    def rollup(self) -> dict[int, tuple[int, int, int]]:
        """`(recorded_ms, bytes, segments)` of each quarter of an hour."""
        rows = self._query(
            "SELECT quarter, recorded_ms, bytes, segments FROM recording_quarters WHERE recording_id = ?",
            self.recording_id,
        )
        return {row[0]: tuple(row[1:]) for row in rows}

    def path(self, row: SegmentRow) -> Path:
        """The path that a segment's file must have."""
        at = datetime.fromtimestamp(row.start_ms // 1000, UTC)
        name = f"{at:%M-%S}-{row.start_ms % 1000:03d}_{row.run}-{row.sequence}.mp4"
        return self.folder / f"{at:%Y-%m-%d}" / f"{at:%H}" / name

    def files(self) -> dict[Path, int]:
        """Size of every file in the device's folder."""
        return {path: path.stat().st_size for path in self.folder.rglob("*") if path.is_file()}

    def delete_row(self, segment_id: int) -> None:
        """Delete a row, as a lost or restored database does."""
        self._query("DELETE FROM segment_parts WHERE segment_id = ?", segment_id)
        self._query("DELETE FROM segments WHERE id = ?", segment_id)

    def _query(self, statement: str, *values: Any) -> list[tuple]:
        if self._database_url.startswith("postgresql"):
            with psycopg.connect(self._database_url, autocommit=True) as connection:
                cursor = connection.execute(statement.replace("?", "%s"), values)
                return cursor.fetchall() if cursor.description else []
        connection = sqlite3.connect(self._database_url.removeprefix("sqlite:///"), timeout=10)
        try:
            with connection:
                return connection.execute(statement, values).fetchall()
        finally:
            connection.close()


def assert_store_is_consistent(
    stack: Stack, device_id: str, *, is_recording: bool = True, clock_was_set: bool = False, seconds: float = 5
) -> None:
    """Fail with all problems unless rows and files of a device agree within `seconds`.

    While a device is recorded, rows and files are never read at one moment, so a problem counts only when it persists.
    """
    problems: list[str] = []

    def is_consistent() -> bool:
        problems[:] = find_problems(Store.of(stack, device_id), is_recording=is_recording, clock_was_set=clock_was_set)
        return not problems

    try:
        stack.wait_until(is_consistent, seconds, "the store is consistent")
    except AssertionError as error:
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise AssertionError(f"the store of device {device_id} is not consistent:\n{listed}\n{error}") from None


def find_problems(store: Store, *, is_recording: bool = True, clock_was_set: bool = False) -> list[str]:
    """Every rule that a store breaks, in words. `is_recording`: its newest file may be open.

    `clock_was_set`: footage of two runs may overlap in time, also with gaps, and the first parts after the step may be
    some milliseconds apart.
    """
    # Files before rows: a row follows its file, so a file created meanwhile is not compared.
    files = store.files()
    rows, gaps = store.segments(), store.gaps()
    return [
        *_files_without_rows(store, rows, files),
        *_open_rows(rows, is_recording),
        *(problem for row in rows for problem in _row_against_file(store, row, clock_was_set)),
        *_rollup(store, rows),
        *_order(rows, clock_was_set),
        *([] if clock_was_set else _gaps(rows, gaps, store.expired_before_ms)),
    ]


def _files_without_rows(store: Store, rows: list[SegmentRow], files: dict[Path, int]) -> Iterator[str]:
    known = {store.path(row) for row in rows}
    for path in files:
        if path not in known:
            yield f"file {path.relative_to(store.root)} has no row"


def _open_rows(rows: list[SegmentRow], is_recording: bool) -> Iterator[str]:
    opened = [row for row in rows if row.state == OPEN]
    newest = max(rows, key=lambda row: (row.run, row.sequence), default=None)
    for row in opened:
        if not is_recording or row is not newest:
            yield f"segment {row.id} (run {row.run}) is open and not the newest"
    for row in rows:
        if row.state == GARBAGE:
            yield f"segment {row.id} is garbage that was not removed"


def _row_against_file(store: Store, row: SegmentRow, clock_was_set: bool) -> Iterator[str]:
    path, name = store.path(row), f"segment {row.id} ({store.path(row).name}, state {row.state})"
    if row.state == MISSING:
        if path.exists():
            yield f"{name} is marked as missing, but its file exists"
        return
    try:
        data = path.read_bytes()
    except OSError as error:
        yield f"{name} has no file: {error.strerror}"
        return
    if len(data) < row.size or (row.state == CLOSED and len(data) != row.size):
        yield f"{name} has {row.size} bytes by its row and {len(data)} on disk"
    scanned, indexed = scan_file(data[: row.size]), unpack_parts(row.packed)
    if scanned.rest:
        yield f"{name} ends with {scanned.rest} bytes that are no whole part"
    if scanned.init_size != row.init_size:
        yield f"{name} has an init segment of {row.init_size} bytes by its row and {scanned.init_size} on disk"
    found = [(part.size, part.frames, part.has_audio) for part in scanned.parts]
    expected = [(part.size, part.frames, part.has_audio) for part in indexed]
    if found != expected:
        place = next((n for n, both in enumerate(zip(found, expected, strict=False)) if both[0] != both[1]), -1)
        yield f"{name}: its index has {len(expected)} parts, its file {len(found)}; they differ from {place} on"
    if (row.parts, row.frames) != (len(indexed), sum(part.frames for part in indexed)):
        yield f"{name} counts {row.parts} parts and {row.frames} frames, its index others"
    offset, apart = 0, []
    for number, part in enumerate(indexed):
        if abs(part.offset_ms - offset) > ROUNDING_MS + number:
            apart.append(f"part {number} begins at {part.offset_ms} ms, the one before ends at {offset} ms")
        offset = part.offset_ms + part.duration_ms
    if apart and not clock_was_set:
        yield f"{name}: {apart[0]}"
    if abs(offset - row.duration_ms) > ROUNDING_MS:
        yield f"{name} lasts {row.duration_ms} ms by its row and {offset} ms by its index"


def _rollup(store: Store, rows: list[SegmentRow]) -> Iterator[str]:
    expected: dict[int, tuple[int, int, int]] = {}
    for row in rows:
        if row.state == CLOSED:
            recorded, size, count = expected.get(row.start_ms // FIFTEEN_MINUTES_MS, (0, 0, 0))
            expected[row.start_ms // FIFTEEN_MINUTES_MS] = (recorded + row.duration_ms, size + row.size, count + 1)
    if (found := store.rollup()) != expected:
        yield f"the rollup is {found}, the closed segments add up to {expected}"


def _order(rows: list[SegmentRow], clock_was_set: bool) -> Iterator[str]:
    there = [row for row in rows if row.state in (OPEN, CLOSED)]
    owners: dict[tuple[int, int], int] = {}
    for row in there:
        parts = [(row.run, sequence) for sequence in range(row.sequence, row.sequence + row.parts)]
        if twice := [part for part in parts if part in owners]:
            yield f"{len(twice)} parts from {twice[0]} on are in segment {owners[twice[0]]} and in {row.id}"
        owners |= dict.fromkeys(parts, row.id)
    for before, after in pairwise(there):
        overlap = before.end_ms - after.start_ms
        is_next = before.run == after.run and before.sequence + before.parts == after.sequence
        if clock_was_set and before.run != after.run:
            continue
        if overlap > (ROUNDING_MS if before.run == after.run else SEAM_MS):
            yield f"segments {before.id} and {after.id} overlap by {overlap} ms"
        if is_next and overlap < -ROUNDING_MS - 1:
            yield f"segments {before.id} and {after.id} follow each other but are {-overlap} ms apart"


def _gaps(rows: list[SegmentRow], gaps: list[GapRow], expired_before_ms: int) -> Iterator[str]:
    covered = [(row.start_ms, row.end_ms) for row in rows if row.state in (OPEN, CLOSED)]
    if not covered:
        return
    newest = covered[-1][1]
    for gap in gaps:
        start, end = gap.start_ms, gap.end_ms if gap.end_ms is not None else max(newest, gap.start_ms)
        inside = sum(max(0, min(end, last) - max(start, first)) for first, last in covered)
        if inside > SEAM_MS:
            yield f"the gap {_format(gap)} holds {inside} ms of footage"
        if gap.end_ms is not None and gap.end_ms <= gap.start_ms:
            yield f"the gap {_format(gap)} is empty"
    for before, after in pairwise(gaps):
        if before.end_ms is None or before.end_ms > after.start_ms + ROUNDING_MS:
            yield f"the gaps {_format(before)} and {_format(after)} overlap"
    for (_, end), (start, _) in pairwise(covered):
        hole = max(end, expired_before_ms), start
        if hole[1] - hole[0] <= SEAM_MS:
            continue
        named = sum(
            max(
                0,
                min(hole[1], gap.end_ms if gap.end_ms is not None else hole[1]) - max(hole[0], gap.start_ms),
            )
            for gap in gaps
        )
        if hole[1] - hole[0] - named > SEAM_MS:
            length = hole[1] - hole[0]
            yield f"of the hole {hole[0]} to {hole[1]} ({length} ms) no gap names {length - named} ms"


def _format(gap: GapRow) -> str:
    return f"{gap.start_ms} to {gap.end_ms} ({gap.reason_code})"
