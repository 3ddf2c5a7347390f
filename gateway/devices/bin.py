"""The bin: deleted devices that can still be restored, with their footage, history and settings.

The row of a device is moved here, so no query for devices can find it. While it is here, its footage is kept like that
of any other device; once it is purged, housekeeping deletes its footage.
"""

from datetime import datetime

import peewee

from gateway import database
from gateway.events.model import forget_events
from gateway.tenancy.scopes import EVERY_TENANT, EveryTenantScope, IdField, TenantRow, TimeField


class DeletedDevice(TenantRow):
    """A deleted device. `content` is JSON: its rows by table, source URLs encrypted as in the table of devices."""

    device_id = IdField(primary_key=True)
    name = peewee.TextField()
    content = peewee.TextField()
    deleted_by = peewee.TextField()
    deleted_at = TimeField()

    class Meta:
        table_name = "deleted_devices"


def read_bin(scope: EveryTenantScope) -> list[DeletedDevice]:
    """The devices in the bin, the newest deletion first."""
    with database.session():
        return list(scope.select(DeletedDevice).order_by(DeletedDevice.deleted_at.desc(), DeletedDevice.device_id))


def purge_bin(before: datetime, batch: int = 100) -> int:
    """Purge the devices that were deleted before a moment, at most `batch`; returns how many."""
    with database.transaction():
        old = EVERY_TENANT.select(DeletedDevice).where(DeletedDevice.deleted_at < before)
        ids = [row.device_id for row in old.order_by(DeletedDevice.deleted_at).limit(batch)]
        return purge_devices(EVERY_TENANT, ids)


def purge_devices(scope: EveryTenantScope, device_ids: list[str]) -> int:
    """Remove devices from the bin for good, with their history; returns how many there were."""
    if not device_ids:
        return 0
    with database.transaction():
        found = scope.select(DeletedDevice).where(DeletedDevice.device_id.in_(device_ids))
        ids = [row.device_id for row in found]
        forget_events(scope, ids)
        return scope.delete(DeletedDevice).where(DeletedDevice.device_id.in_(ids)).execute()
