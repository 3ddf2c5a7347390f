"""Snapshots: pictures that were kept. Moments are milliseconds since 1970, UTC."""

import peewee

from gateway.models.base import IdField, TenantRow, TimeField


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
