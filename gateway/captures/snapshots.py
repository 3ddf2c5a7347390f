"""Snapshots: pictures that were kept, and how a worker writes one down. Moments are milliseconds since 1970, UTC."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import peewee

from gateway import database
from gateway.clock import utc_now
from gateway.tenancy.scopes import IdField, TenantRow, TenantScope, TimeField


class Snapshot(TenantRow):
    """A picture; `file` is its key among the capture files. With `deleted_at` it waits for its end, or for an undo."""

    id = IdField(primary_key=True)
    device_id = IdField()
    device_name = peewee.TextField()
    at_ms = peewee.BigIntegerField()
    kind = peewee.TextField()
    schedule_id = peewee.BigIntegerField(null=True)
    width = peewee.IntegerField()
    height = peewee.IntegerField()
    size = peewee.BigIntegerField()
    file = peewee.TextField()
    note = peewee.TextField()
    search_text = peewee.TextField()  # case-folded note, tags and device name
    version = peewee.IntegerField()
    created_by = peewee.TextField()
    created_at = TimeField()
    deleted_at = TimeField(null=True)

    class Meta:
        table_name = "snapshots"


class SnapshotTag(TenantRow):
    """One tag of a snapshot."""

    snapshot_id = IdField()
    tag = peewee.TextField()

    class Meta:
        table_name = "snapshot_tags"
        primary_key = peewee.CompositeKey("snapshot_id", "tag")


@dataclass(frozen=True, slots=True)
class NewSnapshot:
    """A picture whose file, of `size` bytes, is durable; `file` is its key among the capture files."""

    id: str
    device_id: str
    device_name: str
    at_ms: int
    kind: str
    width: int
    height: int
    size: int
    file: str
    tags: tuple[str, ...] = ()
    note: str = ""
    created_by: str = ""
    schedule_id: int | None = None


def save_snapshot(scope: TenantScope, new: NewSnapshot, at: datetime | None = None) -> bool:
    """Write a snapshot down; False, and nothing is written, where there is one with this id."""
    try:
        with database.transaction():
            scope.insert(
                Snapshot,
                id=new.id,
                device_id=new.device_id,
                device_name=new.device_name,
                at_ms=new.at_ms,
                kind=new.kind,
                schedule_id=new.schedule_id,
                width=new.width,
                height=new.height,
                size=new.size,
                file=new.file,
                note=new.note,
                search_text=search_text(new.note, new.tags, new.device_name),
                version=1,
                created_by=new.created_by,
                created_at=at or utc_now(),
            ).execute()
            for tag in dict.fromkeys(new.tags):
                scope.insert(SnapshotTag, snapshot_id=new.id, tag=tag).execute()
    except peewee.IntegrityError:
        if find_moment(scope, new.id) is None:
            raise
        return False
    return True


def search_text(note: str, tags: Iterable[str], device_name: str) -> str:
    """What a snapshot is searched by."""
    return "\n".join([note, *tags, device_name]).casefold()


def find_moment(scope: TenantScope, snapshot_id: str) -> int | None:
    """When the picture with this id was taken, whether it was deleted since or not; None where there is none."""
    with database.session():
        row = scope.select(Snapshot, Snapshot.at_ms).where(Snapshot.id == snapshot_id).tuples().first()
    return None if row is None else row[0]
