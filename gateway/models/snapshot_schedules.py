"""Schedules of snapshots: each so many seconds, or at times of day. Moments are milliseconds since 1970, UTC."""

import peewee

from gateway.models.base import IdField, TenantRow, TimeField


class SnapshotSchedule(TenantRow):
    """When a device's snapshots are taken by themselves. `times` (`["08:00"]`), `weekdays` and `tags` are JSON lists."""

    id = peewee.BigAutoField()
    device_id = IdField()
    name = peewee.TextField()
    enabled = peewee.SmallIntegerField()
    every_seconds = peewee.IntegerField(null=True)
    times = peewee.TextField()
    weekdays = peewee.TextField()
    time_zone = peewee.TextField()
    tags = peewee.TextField()
    keep_days = peewee.IntegerField(null=True)
    keep_count = peewee.IntegerField(null=True)
    next_at_ms = peewee.BigIntegerField(null=True)
    last_at_ms = peewee.BigIntegerField(null=True)
    last_taken_at_ms = peewee.BigIntegerField(null=True)
    reason_code = peewee.TextField(null=True)
    reason_message = peewee.TextField(null=True)
    version = peewee.IntegerField()
    created_by = peewee.TextField()
    created_at = TimeField()

    class Meta:
        table_name = "snapshot_schedules"
