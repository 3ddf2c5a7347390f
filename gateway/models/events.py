"""Device events: the history of a device's transitions."""

from datetime import datetime

import peewee

from gateway import database
from gateway.models.base import EVERY_TENANT, EveryTenantScope, IdField, TenantRow, TimeField


class DeviceEvent(TenantRow):
    """One transition of a device's stream, with its reason."""

    id = peewee.BigAutoField()
    device_id = IdField()
    at = TimeField()
    from_state = peewee.TextField()
    to_state = peewee.TextField()
    reason_code = peewee.TextField(null=True)
    reason_message = peewee.TextField(null=True)
    run = peewee.BigIntegerField()

    class Meta:
        table_name = "device_events"


def events_of(scope: EveryTenantScope, device_id: str) -> peewee.ModelSelect:
    """The events of a device, newest first."""
    return scope.select(DeviceEvent).where(DeviceEvent.device_id == device_id).order_by(DeviceEvent.id.desc())


def prune_events(before: datetime, batch: int = 5000) -> int:
    """Delete up to `batch` events of all tenants older than `before`; gives how many went."""
    with database.transaction():
        old = EVERY_TENANT.select(DeviceEvent, DeviceEvent.id).where(DeviceEvent.at < before)
        ids = [event.id for event in old.order_by(DeviceEvent.id).limit(batch)]
        if not ids:
            return 0
        return EVERY_TENANT.delete(DeviceEvent).where(DeviceEvent.id.in_(ids)).execute()
