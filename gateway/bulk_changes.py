"""One change of many devices: starting and stopping their streams, adding and removing tags; in one transaction."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from gateway import database
from gateway.clock import utc_now
from gateway.devices.model import Device, DeviceTag
from gateway.inventory import find_devices, touch_device
from gateway.plugin_options.model import note_change
from gateway.states import DesiredState
from gateway.streams.model import Stream
from gateway.tags import replace_tags
from gateway.tenancy.scopes import TenantScope

NOT_FOUND, DISABLED, TOO_MANY_TAGS = "not_found", "device_disabled", "too_many_tags"


def start_streams(scope: TenantScope, device_ids: Sequence[str], *, demanded_at: datetime) -> dict[str, str | None]:
    """Set the desired state of devices to running; returns by id why not, or None where it is running now."""
    with database.transaction():
        known = _enabled(scope, device_ids)
        to_run = [device_id for device_id, is_enabled in known.items() if is_enabled]
        of_these = Stream.device_id.in_(to_run)
        scope.update(Stream, desired=DesiredState.RUNNING, desired_reason="requested", restarts=0).where(
            of_these, Stream.desired != DesiredState.RUNNING
        ).execute()
        scope.update(Stream, demanded_at=demanded_at).where(
            of_these, Stream.demanded_at.is_null() | (Stream.demanded_at < demanded_at)
        ).execute()
    return {
        device_id: (None if known[device_id] else DISABLED) if device_id in known else NOT_FOUND
        for device_id in device_ids
    }


def stop_streams(scope: TenantScope, device_ids: Sequence[str]) -> dict[str, str | None]:
    """Set the desired state of devices to stopped; returns by id why not, or None where it is stopped now."""
    with database.transaction():
        known = _enabled(scope, device_ids)
        scope.update(Stream, desired=DesiredState.STOPPED, desired_reason="requested").where(
            Stream.device_id.in_(list(known)), Stream.desired != DesiredState.STOPPED
        ).execute()
    return {device_id: None if device_id in known else NOT_FOUND for device_id in device_ids}


def change_tags(
    scope: TenantScope, device_ids: Sequence[str], *, add: Iterable[str], remove: Iterable[str], most: int
) -> dict[str, str | None]:
    """Remove tags from devices, then add others; returns by id why not, or None where it was done.

    A device that would have more than `most` tags keeps what it has. One that has them already does not change, not
    even its version.
    """
    add, remove, now = set(add), set(remove), utc_now()
    results: dict[str, str | None] = dict.fromkeys(device_ids, NOT_FOUND)
    with database.transaction():
        for device in find_devices(scope, device_ids, for_change=True):
            tags = sorted((set(device.tags) - remove) | add)
            results[device.id] = TOO_MANY_TAGS if len(tags) > most else None
            if len(tags) <= most and tags != device.tags:
                replace_tags(scope, DeviceTag.device_id, device.id, tags)
                touch_device(scope, device, tags, now)
        note_change(scope)
    return results


def _enabled(scope: TenantScope, device_ids: Sequence[str]) -> dict[str, bool]:
    """Whether they are enabled, of those devices that exist; their streams are locked within the transaction."""
    if database.is_postgresql():
        # In the same order everywhere, so that two changes do not wait for each other.
        streams = scope.select(Stream, Stream.device_id).where(Stream.device_id.in_(list(device_ids)))
        list(streams.order_by(Stream.device_id).for_update())
    rows = scope.select(Device, Device.id, Device.enabled).where(Device.id.in_(list(device_ids))).tuples()
    return {str(device_id): bool(is_enabled) for device_id, is_enabled in rows}
