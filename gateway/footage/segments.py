"""Segments: a row for each file of footage, the index of its parts, their roll-up, and the gaps between them.

The recorder of a device writes here, fenced by its epoch: what an owner of before still wants to write raises
LeaseLost.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum

import peewee

from gateway import database
from gateway.errors import LeaseLost
from gateway.footage.recordings import Recording
from gateway.media import segment_key
from gateway.tenancy.scopes import EVERY_RECORDING, EVERY_TENANT, FootageRow, FootageScope, IdField, Row, TimeField

FIFTEEN_MINUTES_MS = 15 * 60 * 1000

#: No segment lasts longer, so that those which reach into a range are found by when they begin.
MAX_SEGMENT_MS = 10 * 60_000
#: Spelt out, because SQLite uses the partial index of unsettled rows only for these very words.
UNSETTLED = peewee.SQL("state <> 1")


class SegmentState(IntEnum):
    """What is known of a segment's file. Only open and closed ones can be played."""

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
    """One file: whole parts of one run with consecutive sequences. Times are milliseconds since 1970, UTC."""

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

    class Meta:
        table_name = "segments"

    @property
    def end_ms(self) -> int:
        return self.start_ms + self.duration_ms

    @property
    def last_sequence(self) -> int:
        return self.sequence + self.parts - 1


class SegmentParts(Row):
    """The packed index of a segment's parts (`gateway.media.pack_parts`). Read through its segment alone."""

    segment_id = peewee.BigIntegerField(primary_key=True)
    packed = peewee.BlobField()

    class Meta:
        table_name = "segment_parts"


class FifteenMinuteRollup(FootageRow):
    """What the closed segments that begin in a quarter of an hour (`start_ms // FIFTEEN_MINUTES_MS`) add up to."""

    quarter = peewee.BigIntegerField()
    recorded_ms = peewee.BigIntegerField()
    bytes = peewee.BigIntegerField()
    segments = peewee.IntegerField()

    class Meta:
        table_name = "recording_quarters"
        primary_key = peewee.CompositeKey("recording_id", "quarter")


class Gap(FootageRow):
    """A stretch without footage, and why; `end_ms` is None while it lasts. Wanted: footage should have been there."""

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
    """What a recorder knows of one of its files. `size` counts the init segment too."""

    start_ms: int
    duration_ms: int
    run: int
    sequence: int
    parts: int
    frames: int
    size: int
    init_size: int
    storage_id: int


@dataclass(frozen=True, slots=True)
class Fence:
    """The right of one recorder to write of one recording."""

    recording_id: int
    epoch: int

    @contextmanager
    def transaction(self) -> Iterator[FootageScope]:
        """A transaction in which the recording is still this recorder's; raises LeaseLost when it is another's."""
        with database.transaction():
            query = EVERY_TENANT.select(Recording, Recording.epoch).where(Recording.id == self.recording_id)
            if database.is_postgresql():
                query = query.for_update()
            row = query.tuples().first()
            if row is None or row[0] != self.epoch:
                raise LeaseLost(f"recording {self.recording_id} belongs to another recorder")
            yield FootageScope(self.recording_id)


def save_segment(fence: Fence, segment_id: int | None, values: SegmentValues, packed: bytes, *, is_closed: bool) -> int:
    """Write what is known of a file that is being recorded; gives the row's id, which a new file (None) gets here.

    A closed segment enters the roll-up, once. Raises LeaseLost.
    """
    state = SegmentState.CLOSED if is_closed else SegmentState.OPEN
    with fence.transaction() as footage:
        columns = {name: getattr(values, name) for name in SegmentValues.__dataclass_fields__}
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
    """Count a closed segment in, or with `sign=-1` out, of the roll-up; within the caller's transaction."""
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


def open_segments(recording_id: int) -> list[Segment]:
    """The segments of a recording whose files were not closed, oldest first."""
    with database.session():
        query = EVERY_RECORDING.select(Segment).where(
            UNSETTLED, Segment.state == SegmentState.OPEN, Segment.recording_id == recording_id
        )
        return sorted(query, key=lambda segment: segment.start_ms)


def last_segment(recording_id: int) -> Segment | None:
    """The segment with the newest part: the highest run and sequence of those that can be played."""
    with database.session():
        recent = (
            EVERY_RECORDING.select(Segment)
            .where(Segment.recording_id == recording_id, Segment.state.in_((SegmentState.OPEN, SegmentState.CLOSED)))
            .order_by(Segment.start_ms.desc())
            .limit(8)
        )
        # The wall clock may have been set back: among the newest by time the run decides.
        return max(recent, key=lambda segment: (segment.run, segment.sequence), default=None)


def read_packed(segment_id: int) -> bytes:
    """A segment's packed index; empty when there is none."""
    with database.session():
        row = SegmentParts.get_or_none(SegmentParts.segment_id == segment_id)
    return bytes(row.packed) if row is not None else b""


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """What deletion and repair need to know of a segment; `key` names its file."""

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

    @property
    def end_ms(self) -> int:
        return self.start_ms + self.duration_ms

    def key(self, tenant_id: str, device_id: str) -> str:
        """The name of its file."""
        return segment_key(tenant_id, device_id, self.start_ms, self.run, self.sequence)


_COLUMNS = tuple(getattr(Segment, name) for name in StoredSegment.__dataclass_fields__)


def stored_segments(query: peewee.ModelSelect) -> list[StoredSegment]:
    """The rows of a query made by `select_segments`."""
    return [StoredSegment(*row) for row in query.tuples()]


def select_segments(recording_id: int | None = None) -> peewee.ModelSelect:
    """A query on segments with the columns of StoredSegment."""
    scope = EVERY_RECORDING if recording_id is None else FootageScope(recording_id)
    return scope.select(Segment, *_COLUMNS)
