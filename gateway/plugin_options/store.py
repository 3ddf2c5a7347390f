"""The stored options: rows read for some devices or all of them, written with versions."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway import database
from gateway.devices.model import Device, DeviceTag
from gateway.errors import NotFound, VersionChanged
from gateway.plugin_options.model import (
    INSTALLATION,
    DevicePluginOptionsRow,
    PluginOptionsRow,
    next_version,
    note_change,
)
from gateway.tags import tags_of
from gateway.tenancy.scopes import EveryTenantScope, TenantScope


@dataclass(frozen=True, slots=True)
class Stored:
    """What was set at one place: plain values, and encrypted ones of secret fields. Version 0: nothing."""

    content: Mapping[str, Any] = field(default_factory=dict)
    sealed: Mapping[str, str] = field(default_factory=dict)
    version: int = 0
    changed_at: datetime | None = None
    changed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A plugin, and a device, a tag, or neither for the installation."""

    plugin: str
    tag: str = INSTALLATION
    device_id: str | None = None


@dataclass(frozen=True, slots=True)
class StoredDevice:
    """What options follow from: the tenant and the tags of a device, in alphabetical order."""

    tenant_id: str
    tags: tuple[str, ...]
    enabled: bool


@dataclass(frozen=True, slots=True)
class StoredOptions:
    """Stored options of plugins: by tenant and plugin those of each tag, and by device and plugin those of devices."""

    by_tag: Mapping[tuple[str, str], Mapping[str, Stored]]
    by_device: Mapping[tuple[str, str], Stored]
    devices: Mapping[str, StoredDevice]

    def of_tags(self, tenant_id: str, plugin: str) -> Mapping[str, Stored]:
        """By tag; the empty one is the installation."""
        return self.by_tag.get((tenant_id, plugin), {})

    def of_device(self, device_id: str, plugin: str) -> Stored:
        return self.by_device.get((device_id, plugin), Stored())


def read_options(
    scope: EveryTenantScope, *, plugin: str | None = None, device_ids: Sequence[str] | None = None
) -> StoredOptions:
    """The stored options of one or all plugins, with those of these devices or of all."""
    with database.session():
        rows = scope.select(PluginOptionsRow)
        own = scope.select(DevicePluginOptionsRow)
        devices = scope.select(Device, Device.id, Device.tenant_id, Device.enabled)
        if plugin is not None:
            rows, own = (
                rows.where(PluginOptionsRow.plugin == plugin),
                own.where(DevicePluginOptionsRow.plugin == plugin),
            )
        if device_ids is not None:
            own = own.where(DevicePluginOptionsRow.device_id.in_(list(device_ids)))
            devices = devices.where(Device.id.in_(list(device_ids)))
        by_tag: dict[tuple[str, str], dict[str, Stored]] = {}
        for row in rows:
            by_tag.setdefault((row.tenant_id, row.plugin), {})[row.tag] = _stored(row)
        by_device = {(row.device_id, row.plugin): _stored(row) for row in own}
        known = list(devices)
        needs_tags = any(tag != INSTALLATION for found in by_tag.values() for tag in found)
        tags = _tags(scope, [row.id for row in known], device_ids is None) if needs_tags else {}
        return StoredOptions(
            by_tag,
            by_device,
            {row.id: StoredDevice(row.tenant_id, tuple(tags.get(row.id, ())), bool(row.enabled)) for row in known},
        )


def write_options(
    scope: TenantScope,
    place: Place,
    content: Mapping[str, Any],
    sealed: Mapping[str, str],
    *,
    before: Stored,
    by_name: str,
    at: datetime,
) -> None:
    """Store the options of a place within the transaction in which `before` was read after `lock_options`."""
    values = {
        "content": json.dumps(content),
        "sealed": json.dumps(sealed),
        "version": next_version(before.version, at),
        "changed_at": at,
        "changed_by": by_name,
    }
    model, keys = _address(place)
    if before.version:
        scope.update(model, **values).where(*(getattr(model, name) == key for name, key in keys.items())).execute()
    else:
        scope.insert(model, **keys, **values).execute()


def delete_options(scope: TenantScope, place: Place) -> None:
    """Delete the options of a place, within a transaction; without any, nothing happens."""
    model, keys = _address(place)
    scope.delete(model).where(*(getattr(model, name) == key for name, key in keys.items())).execute()


def lock_options(scope: TenantScope, place: Place, if_version: int | None = None) -> Stored:
    """The options of a place, which nobody else changes until the end of the transaction.

    Raises NotFound without the device, and VersionChanged.
    """
    if place.device_id is not None and database.is_postgresql():
        scope.select(Device, Device.id).where(Device.id == place.device_id).for_update().first()
    note_change(scope)
    before = read_place(scope, place)
    if if_version is not None and before.version != if_version:
        raise VersionChanged(
            f"the options of plugin '{place.plugin}' were changed since they were read: read them again"
        )
    return before


def read_place(scope: TenantScope, place: Place) -> Stored:
    """The options of one place. Raises NotFound without the device."""
    with database.session():
        if place.device_id is not None:
            device = scope.select(Device, Device.id).where(Device.id == place.device_id).first()
            if device is None:
                raise NotFound(f"there is no device with id '{place.device_id}'")
        model, keys = _address(place)
        row = scope.select(model).where(*(getattr(model, name) == key for name, key in keys.items())).first()
        return Stored() if row is None else _stored(row)


def _address(place: Place) -> tuple[Any, dict[str, Any]]:
    if place.device_id is not None:
        return DevicePluginOptionsRow, {"device_id": place.device_id, "plugin": place.plugin}
    return PluginOptionsRow, {"plugin": place.plugin, "tag": place.tag}


def _stored(row: PluginOptionsRow | DevicePluginOptionsRow) -> Stored:
    return Stored(json.loads(row.content), json.loads(row.sealed), row.version, row.changed_at, row.changed_by)


def _tags(scope: EveryTenantScope, device_ids: Sequence[str], is_all: bool) -> Mapping[str, Sequence[str]]:
    if not is_all:
        return tags_of(scope, DeviceTag.device_id, device_ids)
    found: dict[str, list[str]] = {}
    for row in scope.select(DeviceTag):
        found.setdefault(row.device_id, []).append(row.tag)
    return {device_id: sorted(tags) for device_id, tags in found.items()}
