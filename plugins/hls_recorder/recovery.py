"""Finds where a device's footage ends: what a recorder that was killed left behind is read, closed and gone on from."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import chain

import peewee

from gateway.footage.gap_rows import add_gap
from gateway.footage.recorder_state import newest_segments
from gateway.footage.recordings import RecorderSettings
from gateway.footage.segment_scan import ScanProblem, scan_segment
from gateway.footage.segments import (
    Fence,
    Gap,
    Segment,
    SegmentState,
    SegmentValues,
    open_segments,
    read_packed,
    save_segment,
)
from gateway.media import (
    PartFact,
    Position,
    SegmentFact,
    pack_parts,
    parse_segment_key,
    segment_key,
    unpack_parts,
)
from gateway.storage.interface import Storage
from gateway.tenancy.scopes import FootageScope
from plugins.hls_recorder.segment import MAX_PART_MS

log = logging.getLogger(__name__)

_HOUR_MS = 3_600_000
#: Folders that are looked through for files without a row: the hours since the last row, but not more than these.
_MAX_HOURS = 48
#: Ids to look back for the newest segment of a device; the newest by its start is found by the index.
_IDS_BACK = 20_000


@dataclass(slots=True)
class Found:
    """What there is of a device: the last part, when it ends, the gap that is open; and files that were closed just
    now.
    """

    position: Position | None = None
    end_ms: int | None = None
    gap: Gap | None = None
    closed: list[SegmentFact] = field(default_factory=list)


def recover(storage: Storage, settings: RecorderSettings, now_ms: int) -> Found:
    """Bring the device's own newest files and rows in line, and tell from where to go on.

    Raises LeaseLost, DatabaseUnavailable and StorageUnavailable.
    """
    return _Recovery(storage, settings, now_ms).run()


class _Recovery:
    def __init__(self, storage: Storage, settings: RecorderSettings, now_ms: int) -> None:
        self._storage = storage
        self._settings = settings
        self._fence = Fence(settings.recording_id, settings.epoch)
        self._now_ms = now_ms
        self._found = Found()

    def run(self) -> Found:
        for row in open_segments(self._settings.recording_id):
            self._close(row)
        found = self._found
        for row in newest_segments(self._fence, _IDS_BACK):
            self._reached(Position(row.run, row.last_sequence), row.end_ms)
        self._adopt_files()
        found.gap = self._open_gap()
        return found

    def _reached(self, position: Position, end_ms: int) -> None:
        if self._found.position is None or position > self._found.position:
            self._found.position, self._found.end_ms = position, end_ms

    # ---- rows whose files were being written -------------------------------------------------------------------

    def _close(self, row: Segment) -> None:
        key = self._key_of(row.start_ms, row.run, row.sequence)
        size = self._storage.size(key)
        if size is None:
            log.warning("device %s: the file '%s' is gone", self._settings.device_id, key)
            self._mark_missing(row)
            return
        indexed = unpack_parts(read_packed(row.id))[: row.parts]
        init_size, parts = self._read_parts(key, row, indexed, size)
        if not parts:
            self._drop(key, row)
            return
        values = SegmentValues(**{name: getattr(row, name) for name in SegmentValues.__dataclass_fields__})
        values = _describe(values, init_size, parts)
        if values.size < size:
            self._storage.truncate(key, values.size)
        save_segment(self._fence, row.id, values, pack_parts(parts), is_closed=True)
        self._found.closed.append(self._fact(row.id, key, values))

    def _read_parts(self, key: str, row: Segment, indexed: list[PartFact], size: int) -> tuple[int, list[PartFact]]:
        """Size of the init segment, and every whole part: the indexed ones as they are, what follows from the bytes."""
        known = row.init_size + sum(part.size for part in indexed)
        if indexed and known <= size:
            tail = scan_segment(chain(self._storage.read(key, 0, row.init_size), self._storage.read(key, known)))
            if tail.init_size == row.init_size and (tail.parts or tail.problem is not ScanProblem.GARBAGE):
                end_ms = indexed[-1].offset_ms + indexed[-1].duration_ms
                return row.init_size, indexed + [_shift(part, end_ms) for part in tail.parts]
        whole = scan_segment(self._storage.read(key))
        # Where the parts are the very ones that the index knows, it also knows their times better.
        same = [part for part, seen in zip(indexed, whole.parts, strict=False) if part.size == seen.size]
        parts = [_shift(part, 0) for part in whole.parts]
        if same and len(same) == min(len(indexed), len(parts)):
            parts[: len(same)] = same
        return whole.init_size, parts

    def _mark_missing(self, row: Segment) -> None:
        with self._fence.transaction() as footage:
            footage.update(Segment, state=SegmentState.MISSING).where(Segment.id == row.id).execute()
        add_gap(self._fence, row.start_ms, row.end_ms, "file_missing")

    def _drop(self, key: str, row: Segment) -> None:
        """A file without a whole part: there is no footage in it."""
        with self._fence.transaction() as footage:
            footage.update(Segment, state=SegmentState.GARBAGE).where(Segment.id == row.id).execute()
        self._put_away(key)
        with self._fence.transaction() as footage:
            footage.delete(Segment).where(Segment.id == row.id).execute()

    # ---- files that have no row yet ----------------------------------------------------------------------------

    def _adopt_files(self) -> None:
        """A recorder that was killed in its first second, or while the database was away, wrote files without rows."""
        for key, size in self._unknown_files():
            start_ms, run, sequence = parse_segment_key(key)
            scan = scan_segment(self._storage.read(key))
            if not scan.parts:
                self._put_away(key)
                continue
            parts = [_shift(part, 0) for part in scan.parts]
            values = SegmentValues(start_ms, 0, run, sequence, 0, 0, 0, 0, self._storage.id)
            values = _describe(values, scan.init_size, parts)
            if values.size < size:
                self._storage.truncate(key, values.size)
            try:
                row_id = save_segment(self._fence, None, values, pack_parts(parts), is_closed=True)
            except peewee.IntegrityError:
                continue  # somebody else has just adopted it
            log.info("device %s: the file '%s' had no row and is adopted", self._settings.device_id, key)
            self._found.closed.append(self._fact(row_id, key, values))
            self._reached(Position(run, sequence + len(parts) - 1), start_ms + values.duration_ms)

    def _unknown_files(self) -> list[tuple[str, int]]:
        files = {}
        for prefix in self._recent_folders():
            for key, size, _ in self._storage.list(prefix):
                parsed = parse_segment_key(key)
                if parsed is not None and (
                    self._found.position is None or Position(*parsed[1:]) > self._found.position
                ):
                    files[parsed] = (key, size)
        if not files:
            return []
        with self._fence.transaction() as footage:
            rows = footage.select(Segment, Segment.start_ms, Segment.run, Segment.sequence).where(
                Segment.start_ms.between(min(files)[0], max(files)[0])
            )
            known = set(rows.tuples())
        return [files[parsed] for parsed in sorted(files.keys() - known, key=lambda parsed: parsed[1:])]

    def _recent_folders(self) -> Iterator[str]:
        last_ms = self._now_ms if self._found.end_ms is None else self._found.end_ms
        first, last = sorted((last_ms // _HOUR_MS, self._now_ms // _HOUR_MS))
        for hour in range(max(first - 1, last - _MAX_HOURS), last + 1):
            at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
            yield f"{self._settings.tenant_id}/{self._settings.device_id}/{at:%Y-%m-%d}/{at:%H}"

    # ---- questions ---------------------------------------------------------------------------------------------

    def _open_gap(self) -> Gap | None:
        """The gap that is open; one that was thought to begin before the footage ends begins there."""
        end_ms = self._found.end_ms
        with self._fence.transaction() as footage:
            gap = _newest_open_gap(footage)
            if gap is not None and end_ms is not None and gap.start_ms < end_ms <= self._now_ms:
                footage.update(Gap, start_ms=end_ms).where(Gap.id == gap.id).execute()
                gap.start_ms = end_ms
        return gap

    # ---- small things ------------------------------------------------------------------------------------------

    def _put_away(self, key: str) -> None:
        scan = scan_segment(self._storage.read(key))
        if scan.problem is ScanProblem.GARBAGE:
            self._storage.quarantine(key, f"no footage: {scan.detail}")
        else:
            self._storage.delete(key)

    def _key_of(self, start_ms: int, run: int, sequence: int) -> str:
        return segment_key(self._settings.tenant_id, self._settings.device_id, start_ms, run, sequence)

    def _fact(self, row_id: int, key: str, values: SegmentValues) -> SegmentFact:
        return SegmentFact(row_id, self._settings.device_id, values.start_ms, values.duration_ms, values.size, key)


def read_open_gap(fence: Fence) -> Gap | None:
    """The gap that has no end yet; None without one. Raises LeaseLost."""
    with fence.transaction() as footage:
        return _newest_open_gap(footage)


def _newest_open_gap(footage: FootageScope) -> Gap | None:
    return footage.select(Gap).where(Gap.end_ms.is_null()).order_by(Gap.start_ms.desc()).first()


def _describe(values: SegmentValues, init_size: int, parts: list[PartFact]) -> SegmentValues:
    return replace(
        values,
        duration_ms=parts[-1].offset_ms + parts[-1].duration_ms,
        parts=len(parts),
        frames=sum(part.frames for part in parts),
        size=init_size + sum(part.size for part in parts),
        init_size=init_size,
    )


def _shift(part: PartFact, after_ms: int) -> PartFact:
    """A scanned part on the timeline of its file's row, in which the file's first part may be `after_ms` before it."""
    return replace(part, offset_ms=after_ms + part.offset_ms, duration_ms=min(part.duration_ms, MAX_PART_MS))
