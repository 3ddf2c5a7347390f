"""Segments: one row for each file of footage, the packed index of its parts, and the roll-up of closed segments.

A recorder writes through a `Fence`: a recorder that has lost its recording gets LeaseLost. Times are milliseconds since
1970, UTC.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import NamedTuple

import peewee

from gateway import database
from gateway.errors import LeaseLost
from gateway.footage.recordings import Recording
from gateway.media import segment_key
from gateway.tenancy.scopes import EVERY_RECORDING, EVERY_TENANT, FootageRow, FootageScope, IdField, Row, TimeField

#: Length of a bucket of the roll-up.
FIFTEEN_MINUTES_MS = 15 * 60 * 1000
#: Upper limit of a segment's duration. Queries find segments that overlap a range by their start and this limit.
MAX_SEGMENT_MS = 10 * 60_000
#: Upper limit of a part's duration; a longer one is taken for a wrong time stamp. FFmpeg ends a part with the first
#: frame after PART_SECONDS (0.5 s, at most 5 s), so a part is as long as that plus one frame interval. Key frames end
#: parts early and never make them longer, however far apart they are. What makes parts long is a camera that sends a
#: frame every 10 or 30 s, up to STALL_SECONDS without one. The packed index holds up to 65.5 s.
MAX_PART_MS = 60_000
#: Literal SQL, because SQLite uses the partial index of rows that are not closed only for this exact expression.
NOT_CLOSED = peewee.SQL("state <> 1")
#: Segments examined for the newest part: the clock may have been set back, so the newest start need not be it.
_NEWEST = 8


class SegmentState(IntEnum):
    """State of a segment's file. Only open and closed segments can be played."""

    OPEN = 0
    CLOSED = 1
    MISSING = 2
    GARBAGE = 3


class StorageRow(Row):
    """A store that holds, or held, files."""

    id = peewee.BigAutoField()
    uuid = IdField()
    kind = peewee.TextField()
    created_at = TimeField()

    class Meta:
        table_name = "storages"


class Segment(FootageRow):
    """The table of segments: one row for each file, with whole parts of one run and consecutive sequences.

    `is_archived`: a verified copy exists. `is_local` is a `gateway.footage.copies.Place`.
    """

    id = peewee.BigAutoField()
    start_ms = peewee.BigIntegerField()
    duration_ms = peewee.IntegerField()
    run = peewee.BigIntegerField()
    sequence = peewee.BigIntegerField()
    parts = peewee.IntegerField()
    frames = peewee.IntegerField()
    size = peewee.BigIntegerField()
    init_size = peewee.IntegerField()
    state = peewee.SmallIntegerField()
    storage_id = peewee.BigIntegerField()
    is_archived = peewee.SmallIntegerField()
    is_local = peewee.SmallIntegerField(default=1)

    class Meta:
        table_name = "segments"


#: Condition on segments that can be played.
PLAYABLE = Segment.state.in_((SegmentState.OPEN, SegmentState.CLOSED))


class SegmentParts(Row):
    """The packed index of a segment's parts (`gateway.media.pack_parts`). Reached through its segment only."""

    segment_id = peewee.BigIntegerField(primary_key=True)
    packed = peewee.BlobField()

    class Meta:
        table_name = "segment_parts"


class FifteenMinuteRollup(FootageRow):
    """Sums of the closed segments that begin in a quarter of an hour (`start_ms // FIFTEEN_MINUTES_MS`).

    `archived_bytes` have a verified copy; of them, `away_bytes` have no local file any more.
    """

    quarter = peewee.BigIntegerField()
    recorded_ms = peewee.BigIntegerField()
    bytes = peewee.BigIntegerField()
    segments = peewee.IntegerField()
    archived_bytes = peewee.BigIntegerField(default=0)
    away_bytes = peewee.BigIntegerField(default=0)

    class Meta:
        table_name = "recording_quarters"
        primary_key = peewee.CompositeKey("recording_id", "quarter")


class Gap(FootageRow):
    """A time range without footage and its reason. `end_ms` is None while the gap is open.

    `is_wanted`: footage should have been recorded.
    """

    id = peewee.BigAutoField()
    start_ms = peewee.BigIntegerField()
    end_ms = peewee.BigIntegerField(null=True)
    reason_code = peewee.TextField()
    by_name = peewee.TextField(null=True)
    is_wanted = peewee.SmallIntegerField()

    class Meta:
        table_name = "recording_gaps"


@dataclass(frozen=True, slots=True)
class SegmentValues:
    """The columns of a segment that its recorder writes. `size` includes the init segment."""

    start_ms: int
    duration_ms: int
    run: int
    sequence: int
    parts: int
    frames: int
    size: int
    init_size: int
    storage_id: int


class StoredSegment(NamedTuple):
    """A segment's row as every reader gets it. A named tuple: a page of footage reads thousands of them."""

    id: int
    recording_id: int
    start_ms: int
    duration_ms: int
    run: int
    sequence: int
    parts: int
    frames: int
    size: int
    init_size: int
    state: int
    storage_id: int
    is_archived: int
    is_local: int

    @property
    def end_ms(self) -> int:
        return self.start_ms + self.duration_ms

    @property
    def last_sequence(self) -> int:
        return self.sequence + self.parts - 1

    @property
    def is_open(self) -> bool:
        return self.state == SegmentState.OPEN

    def key(self, tenant_id: str, device_id: str) -> str:
        """The name of its file."""
        return segment_key(tenant_id, device_id, self.start_ms, self.run, self.sequence)


_COLUMNS = tuple(getattr(Segment, name) for name in StoredSegment._fields)


def select_segments(recording_id: int | None = None) -> peewee.ModelSelect:
    """A query for `read_segments`, over one recording or all of them."""
    scope = EVERY_RECORDING if recording_id is None else FootageScope(recording_id)
    return scope.select(Segment, *_COLUMNS)


def read_segments(query: peewee.ModelSelect) -> list[StoredSegment]:
    """Run a query made by `select_segments`."""
    return [StoredSegment(*row) for row in query.tuples()]


@dataclass(frozen=True, slots=True)
class Fence:
    """The right of one recorder to write the footage of a recording, proved by its fencing token."""

    recording_id: int
    token: int

    @contextmanager
    def transaction(self) -> Iterator[FootageScope]:
        """A transaction that holds the recording's row. Raises LeaseLost when another recorder has claimed it."""
        with database.transaction():
            query = EVERY_TENANT.select(Recording, Recording.fencing_token).where(Recording.id == self.recording_id)
            if database.is_postgresql():
                query = query.for_update()
            row = query.tuples().first()
            if row is None or row[0] != self.token:
                raise LeaseLost(f"recording {self.recording_id} belongs to another recorder")
            yield FootageScope(self.recording_id)


def save_segment(fence: Fence, segment_id: int | None, values: SegmentValues, packed: bytes, *, is_closed: bool) -> int:
    """Write the row of a file that is being recorded. Returns its id; `segment_id` is None for a new file.

    A closed segment enters the roll-up once. Raises LeaseLost.
    """
    state = SegmentState.CLOSED if is_closed else SegmentState.OPEN
    with fence.transaction() as footage:
        columns = {field.name: getattr(values, field.name) for field in fields(SegmentValues)}
        if segment_id is None:
            segment_id = footage.insert(Segment, state=state, is_archived=0, **columns).execute()
            SegmentParts.insert(segment_id=segment_id, packed=packed).execute()
        else:
            changed = (
                footage.update(Segment, state=state, **columns)
                .where(Segment.id == segment_id, Segment.state == SegmentState.OPEN)
                .execute()
            )
            if not changed:
                return segment_id
            SegmentParts.update(packed=packed).where(SegmentParts.segment_id == segment_id).execute()
        if is_closed:
            add_to_rollup(footage, values.start_ms, values.duration_ms, values.size)
    return segment_id


def add_to_rollup(footage: FootageScope, start_ms: int, duration_ms: int, size: int, *, sign: int = 1) -> None:
    """Add a closed segment to the roll-up, or subtract it with `sign=-1`. Runs in the caller's transaction."""
    quarter = start_ms // FIFTEEN_MINUTES_MS
    changed = (
        footage.update(
            FifteenMinuteRollup,
            recorded_ms=FifteenMinuteRollup.recorded_ms + sign * duration_ms,
            bytes=FifteenMinuteRollup.bytes + sign * size,
            segments=FifteenMinuteRollup.segments + sign,
        )
        .where(FifteenMinuteRollup.quarter == quarter)
        .execute()
    )
    if not changed and sign > 0:
        footage.insert(FifteenMinuteRollup, quarter=quarter, recorded_ms=duration_ms, bytes=size, segments=1).execute()
    elif sign < 0:
        footage.delete(FifteenMinuteRollup).where(
            FifteenMinuteRollup.quarter == quarter, FifteenMinuteRollup.segments <= 0
        ).execute()


def open_segments(recording_id: int) -> list[StoredSegment]:
    """The segments of a recording whose files were not closed, oldest first."""
    with database.session():
        query = select_segments(recording_id).where(NOT_CLOSED, Segment.state == SegmentState.OPEN)
        return sorted(read_segments(query), key=lambda segment: segment.start_ms)


def last_segment(recording_id: int) -> StoredSegment | None:
    """The playable segment with the newest part, which is the one with the highest run and sequence."""
    with database.session():
        query = select_segments(recording_id).where(PLAYABLE).order_by(Segment.start_ms.desc()).limit(_NEWEST)
        # The wall clock may have been set back, so the run decides among the segments with the latest start.
        return max(read_segments(query), key=lambda segment: (segment.run, segment.sequence), default=None)


def read_packed(segment_id: int) -> bytes:
    """A segment's packed index; empty when it has none."""
    with database.session():
        row = SegmentParts.get_or_none(SegmentParts.segment_id == segment_id)
    return bytes(row.packed) if row is not None else b""
