"""The place of a reader in the feed of events, kept in the plugin's table."""

import peewee

from gateway.plugin_api import DEFAULT_TENANT_ID, EVERY_TENANT, IdField, TenantRow

#: The reader that applies the rules.
RULES = "rules"


class FeedPlace(TenantRow):
    """The cursor of the last event that a reader has handled. The row belongs to the installation's own tenant."""

    name = peewee.TextField(primary_key=True)
    tenant_id = IdField()
    cursor = peewee.BigIntegerField()

    class Meta:
        table_name = "notifications_feeds"


def read_place(name: str) -> int | None:
    """The place of a reader; None for a new one."""
    row = EVERY_TENANT.select(FeedPlace).where(FeedPlace.name == name).first()
    return None if row is None else row.cursor


def write_place(name: str, cursor: int) -> None:
    """Set the place of a reader, within the caller's transaction."""
    changed = EVERY_TENANT.update(FeedPlace, cursor=cursor).where(FeedPlace.name == name).execute()
    if not changed:
        EVERY_TENANT.insert(FeedPlace, tenant_id=DEFAULT_TENANT_ID, name=name, cursor=cursor).execute()
