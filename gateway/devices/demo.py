"""The demo devices that were ever registered, so that a deleted one does not come back."""

from datetime import datetime

import peewee

from gateway import database
from gateway.clock import utc_now
from gateway.tenancy.scopes import TenantRow, TenantScope, TimeField


class DemoDevice(TenantRow):
    """A demo device that has been registered."""

    name = peewee.TextField()
    registered_at = TimeField()

    class Meta:
        table_name = "demo_devices"
        primary_key = peewee.CompositeKey("tenant_id", "name")


def remember_demo_device(scope: TenantScope, name: str, at: datetime | None = None) -> bool:
    """Note that a demo device is registered; returns False if it has been registered before."""
    with database.transaction():
        added = scope.insert(DemoDevice, name=name, registered_at=at or utc_now()).on_conflict_ignore()
        return bool(added.as_rowcount().execute())
