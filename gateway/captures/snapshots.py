"""Snapshots: rows of pictures that were kept, and how workers insert them. Moments are milliseconds since 1970, UTC."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

import peewee

from gateway import database
from gateway.clock import format_time, utc_now
from gateway.events.bell import show_passing
from gateway.events.model import SNAPSHOT, record_event
from gateway.tags import join_search_text, replace_tags
from gateway.tenancy.scopes import IdField, TenantRow, TenantScope, TimeField

#: Texts of the events of those snapshots that a person asked for.
_TEXTS = {"live": "Snapshot of the live picture", "historical": "Snapshot of a recording"}


class Snapshot(TenantRow):
    """A picture; `file` is its key among the capture files. With `deleted_at` it is purged later, unless restored."""

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
    """A snapshot to be inserted, whose file of `size` bytes is durable; `file` is its key among the capture files."""

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
    """Insert a snapshot; False, and nothing is changed, if there is one with this id."""
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
                search_text=join_search_text(new.note, *new.tags, new.device_name),
                version=1,
                created_by=new.created_by,
                created_at=at or utc_now(),
            ).execute()
            replace_tags(scope, SnapshotTag.snapshot_id, new.id, new.tags)
            _report(scope, new)
    except peewee.IntegrityError:
        if find_moment(scope, new.id) is None:
            raise
        return False
    return True


def _report(scope: TenantScope, new: NewSnapshot) -> None:
    """Record an event, or send a passing fact for a snapshot of a schedule: those would outnumber all events."""
    data = {"moment": format_time(new.at_ms), "kind": new.kind}
    if new.kind in _TEXTS:
        record_event(
            scope.tenant_id,
            new.device_id,
            SNAPSHOT,
            _TEXTS[new.kind],
            label="created",
            reference=new.id,
            snapshot_id=new.id,
            by_name=new.created_by or None,
            data=data,
        )
    else:
        fact = data | {"snapshot_id": new.id}
        database.after_commit(partial(show_passing, scope.tenant_id, new.device_id, SNAPSHOT, fact))


def find_moment(scope: TenantScope, snapshot_id: str) -> int | None:
    """The moment of the snapshot with this id, also if it is deleted; None if there is none."""
    with database.session():
        row = scope.select(Snapshot, Snapshot.at_ms).where(Snapshot.id == snapshot_id).tuples().first()
    return None if row is None else row[0]
