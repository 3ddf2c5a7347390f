"""Which devices have retained messages at a broker, so that they are removed when a device is deleted meanwhile."""

import peewee

from gateway.plugin_api import EveryTenantScope, IdField, TenantRow, TenantScope, database


class Announced(TenantRow):
    """A device of which a broker has retained messages."""

    channel_id = IdField()
    device_id = IdField()

    class Meta:
        table_name = "notifications_announced"
        primary_key = peewee.CompositeKey("channel_id", "device_id")


def read_announced(scope: EveryTenantScope, channel_id: str) -> set[str]:
    """The devices that a broker knows."""
    with database.session():
        query = scope.select(Announced, Announced.device_id).where(Announced.channel_id == channel_id)
        return {row.device_id for row in query}


def note_announced(scope: TenantScope, channel_id: str, device_id: str) -> None:
    """Note a device before its first message."""
    with database.transaction():
        own = scope.select(Announced).where(Announced.channel_id == channel_id, Announced.device_id == device_id)
        if not own.exists():
            scope.insert(Announced, channel_id=channel_id, device_id=device_id).execute()


def note_removed(scope: EveryTenantScope, channel_id: str, device_id: str | None = None) -> None:
    """Note that the messages of a device, or of all, are removed."""
    with database.transaction():
        query = scope.delete(Announced).where(Announced.channel_id == channel_id)
        if device_id is not None:
            query = query.where(Announced.device_id == device_id)
        query.execute()
