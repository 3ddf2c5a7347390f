"""The tables of plugins' options.

`content` is JSON with the values that were set, `sealed` JSON with the encrypted values of secret fields.
"""

from datetime import datetime

import peewee

from gateway import database
from gateway.tenancy.scopes import EVERY_TENANT, EveryTenantScope, IdField, TenantRow, TenantScope, TimeField

#: The value of `tag` for the options of the installation.
INSTALLATION = ""


class PluginOptionsRow(TenantRow):
    """The options of a plugin for the installation of a tenant, or for its devices with a tag."""

    plugin = peewee.TextField()
    tag = peewee.TextField()
    content = peewee.TextField()
    sealed = peewee.TextField()
    version = peewee.BigIntegerField()
    changed_at = TimeField()
    changed_by = peewee.TextField()

    class Meta:
        table_name = "plugin_options"
        primary_key = peewee.CompositeKey("tenant_id", "plugin", "tag")


class DevicePluginOptionsRow(TenantRow):
    """The options of a plugin for one device."""

    device_id = IdField()
    plugin = peewee.TextField()
    content = peewee.TextField()
    sealed = peewee.TextField()
    version = peewee.BigIntegerField()
    changed_at = TimeField()
    changed_by = peewee.TextField()

    class Meta:
        table_name = "device_plugin_options"
        primary_key = peewee.CompositeKey("device_id", "plugin")


class OptionChanges(TenantRow):
    """How often the options of a tenant's devices have changed: by a person, or with the tags of a device."""

    number = peewee.BigIntegerField()

    class Meta:
        table_name = "option_changes"
        primary_key = peewee.CompositeKey("tenant_id")


def note_change(scope: TenantScope) -> None:
    """Count a change of options, or of what they follow from, within the transaction that makes it.

    On PostgreSQL it locks a row until the end of the transaction, so that such changes take turns. A transaction locks
    its devices before, never after.
    """
    scope.insert(OptionChanges, number=1).on_conflict(
        conflict_target=[OptionChanges.tenant_id], update={OptionChanges.number: OptionChanges.number + 1}
    ).execute()


def count_changes() -> int:
    """The number of changes of all tenants; it only grows. One cheap query."""
    with database.session():
        total = peewee.fn.COALESCE(peewee.fn.SUM(OptionChanges.number), 0)
        return int(EVERY_TENANT.select(OptionChanges, total).scalar())


def delete_device_options(scope: EveryTenantScope, device_id: str) -> None:
    """Delete the options of a device, within a transaction."""
    scope.delete(DevicePluginOptionsRow).where(DevicePluginOptionsRow.device_id == device_id).execute()


def next_version(before: int, at: datetime) -> int:
    """The version of the next change. Also after a deletion it is none that a caller may have read before."""
    return max(before + 1, int(at.timestamp() * 1000))
