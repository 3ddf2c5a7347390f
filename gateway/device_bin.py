"""Deletion of a device that can be undone: its rows move to the bin, and its footage stays until the bin is purged."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import peewee

from gateway import database
from gateway.captures.schedules import SnapshotSchedule
from gateway.clock import utc_now
from gateway.devices.bin import DeletedDevice, purge_devices, read_bin
from gateway.devices.model import Device, DeviceTag
from gateway.errors import NotFound
from gateway.footage.recordings import recall_recording
from gateway.inventory import delete_device, find_device, report_device, report_taken_name
from gateway.plugin_options.model import DevicePluginOptionsRow, note_change
from gateway.states import StreamState
from gateway.streams.model import Stream
from gateway.tenancy.scopes import EveryTenantScope, TenantRow, TenantScope, TimeField

#: The tables whose rows go into the bin, in the order in which they can be inserted again.
_TABLES: dict[str, tuple[type[TenantRow], peewee.Field]] = {
    "devices": (Device, Device.id),
    "streams": (Stream, Stream.device_id),
    "device_tags": (DeviceTag, DeviceTag.device_id),
    "snapshot_schedules": (SnapshotSchedule, SnapshotSchedule.device_id),
    "device_plugin_options": (DevicePluginOptionsRow, DevicePluginOptionsRow.device_id),
}


def discard_device(scope: TenantScope, device_id: str, *, by_name: str = "", at: datetime | None = None) -> None:
    """Delete a device so that it can be restored; raises NotFound.

    The owner of a running stream finds the row gone when it next reads the desired state, and stops.
    """
    now = at or utc_now()
    with database.transaction():
        device = find_device(scope, device_id)
        content = {
            table: [dict(_pack(row)) for row in scope.select(model).where(key == device_id)]
            for table, (model, key) in _TABLES.items()
        }
        delete_device(scope, device_id, at=now, keeps_history=True)
        scope.insert(
            DeletedDevice,
            device_id=device_id,
            name=device.name,
            content=json.dumps(content),
            deleted_by=by_name,
            deleted_at=now,
        ).execute()
        report_device(device, "deleted", by_name=by_name or None)


def deleted_devices(scope: EveryTenantScope, *, bin_hours: float, at: datetime | None = None) -> list[DeletedDevice]:
    """The devices that can be restored, the newest deletion first; `until` of each is the end of that time."""
    now, span = at or utc_now(), timedelta(hours=bin_hours)
    found = [row for row in read_bin(scope) if row.deleted_at + span >= now]
    for row in found:
        row.until = row.deleted_at + span
    return found


def restore_device(
    scope: TenantScope, device_id: str, *, bin_hours: float, by_name: str = "", at: datetime | None = None
) -> Device:
    """Restore a deleted device with everything it had; one that is not deleted stays as it is.

    Raises NotFound if it was deleted more than `bin_hours` ago, and NameTaken if another device has its name by now.
    """
    now = at or utc_now()
    with database.transaction():
        row = scope.select(DeletedDevice).where(DeletedDevice.device_id == device_id).first()
        if row is None or row.deleted_at + timedelta(hours=bin_hours) < now:
            return find_device(scope, device_id)
        content = json.loads(row.content)
        for stream in content["streams"]:
            # The next run number fences off an owner that has not noticed the deletion.
            stream |= {"run": stream["run"] + 1, "observed": StreamState.STOPPED, "since": now.isoformat()}
            stream |= {"reason_code": None, "reason_message": None, "worker": None, "restarts": 0}
        with report_taken_name(row.name):
            for table, (model, _) in _TABLES.items():
                for values in content.get(table, ()):
                    scope.insert(model, **_unpack(model, values)).execute()
        recall_recording(scope, device_id, now)
        note_change(scope)
        scope.delete(DeletedDevice).where(DeletedDevice.device_id == device_id).execute()
        device = find_device(scope, device_id)
        report_device(device, "restored", by_name=by_name or None)
        return device


def purge_device(scope: TenantScope, device_id: str) -> None:
    """Remove a device from the bin for good: housekeeping deletes its footage. Raises NotFound."""
    if not purge_devices(scope, [device_id]):
        raise NotFound(f"there is no deleted device with id '{device_id}'")


def _pack(row: TenantRow) -> Iterator[tuple[str, Any]]:
    for name, value in row.__data__.items():
        yield name, value.isoformat() if isinstance(value, datetime) else value


def _unpack(model: type[TenantRow], values: dict[str, Any]) -> dict[str, Any]:
    """The columns that the table still has: the bin may be older than the last migration."""
    fields = model._meta.fields
    return {
        name: datetime.fromisoformat(value) if value and isinstance(fields[name], TimeField) else value
        for name, value in values.items()
        if name in fields
    }
