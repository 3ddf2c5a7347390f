"""Device events: the history of a device, its state transitions and the pictures kept of it."""

from collections.abc import Iterable
from datetime import datetime

import peewee

from gateway import database
from gateway.tenancy.scopes import EVERY_TENANT, EveryTenantScope, IdField, TenantRow, TimeField

#: Kinds of events: a transition of the stream, objects created from its pictures, and what concerns all its footage.
STATE, SNAPSHOT, BOOKMARK, CLIP, FOOTAGE = EVENT_KINDS = ("state", "snapshot", "bookmark", "clip", "footage")


class DeviceEvent(TenantRow):
    """One event of a device. A transition has both states and a reason; other kinds describe in `text` what happened.

    `reference` is the id of the snapshot or bookmark, if there is one, `by_name` the person who requested it.
    """

    id = peewee.BigAutoField()
    device_id = IdField()
    at = TimeField()
    from_state = peewee.TextField()
    to_state = peewee.TextField()
    reason_code = peewee.TextField(null=True)
    reason_message = peewee.TextField(null=True)
    run = peewee.BigIntegerField()
    kind = peewee.TextField(default=STATE)
    reference = peewee.TextField(null=True)
    text = peewee.TextField(null=True)
    by_name = peewee.TextField(null=True)

    class Meta:
        table_name = "device_events"


def events_of(scope: EveryTenantScope, device_id: str, kinds: Iterable[str] = ()) -> peewee.ModelSelect:
    """The events of a device, newest first; restricted to `kinds` if any are given."""
    query = scope.select(DeviceEvent).where(DeviceEvent.device_id == device_id)
    if kinds:
        query = query.where(DeviceEvent.kind.in_(list(kinds)))
    return query.order_by(DeviceEvent.id.desc())


def record_event(
    tenant_id: str, device_id: str, kind: str, text: str, *, reference: str, by_name: str = "", at: datetime
) -> None:
    """Store an event that is no transition. `reference` is the object that it is about, empty without one."""
    with database.transaction():
        EVERY_TENANT.insert(
            DeviceEvent,
            tenant_id=tenant_id,
            device_id=device_id,
            at=at,
            from_state="",
            to_state="",
            run=0,
            kind=kind,
            reference=reference or None,
            text=text,
            by_name=by_name or None,
        ).execute()


def prune_events(before: datetime, batch: int = 5000) -> int:
    """Delete up to `batch` events of all tenants older than `before`; returns the number deleted."""
    with database.transaction():
        old = EVERY_TENANT.select(DeviceEvent, DeviceEvent.id).where(DeviceEvent.at < before)
        ids = [event.id for event in old.order_by(DeviceEvent.id).limit(batch)]
        if not ids:
            return 0
        return EVERY_TENANT.delete(DeviceEvent).where(DeviceEvent.id.in_(ids)).execute()
