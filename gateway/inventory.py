"""The inventory of devices: queries, creation, changes and deletion, each in one transaction."""

import contextlib
import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import peewee

from gateway import database
from gateway.clock import utc_now
from gateway.devices.bin import DeletedDevice, read_bin
from gateway.devices.model import Device, DeviceTag, source_context
from gateway.errors import Conflict, InvalidValue, NotFound, VersionChanged
from gateway.events.model import DEVICE, forget_events, record_event
from gateway.footage.recordings import add_recording, forget_recording
from gateway.plugin_options.model import delete_device_options, note_change
from gateway.plugin_options.sealing import reseal
from gateway.redaction import redact_url
from gateway.secrets import KEY_MARK_CHARACTERS, SealBroken, SecretBox
from gateway.states import DesiredState, StreamState
from gateway.streams.model import Stream
from gateway.tags import join_search_text, replace_tags, tags_of, with_all_tags
from gateway.tenancy.scopes import EVERY_TENANT, EveryTenantScope, TenantScope

START_MODES = ("always", "manual", "on_demand")
TRANSPORTS = ("tcp", "udp")

#: The columns, besides the URLs, whose change a running pipeline must follow.
_OF_SOURCE = frozenset({"transport", "tls_trust", "tls_fingerprint"})

#: The sort keys of lists; a leading `-` in a request reverses the order.
DEVICE_ORDER: dict[str, peewee.Field] = {
    "name": Device.name_key,
    "created_at": Device.created_at,
    "updated_at": Device.updated_at,
    "state": Stream.observed,
    "location": Device.location,
}


class NameTaken(Conflict):
    """Another device of the tenant has this name."""

    reason = "name_taken"


@dataclass(frozen=True, slots=True)
class DeviceValues:
    """All values of a device that a caller may set. The URLs include credentials; None keeps the stored URL."""

    name: str
    source_url: str | None = field(repr=False)
    sub_source_url: str | None = field(repr=False, default=None)
    keeps_sub_source: bool = False
    transport: str = "tcp"
    tls_trust: str = "verify"
    tls_fingerprint: str | None = None
    description: str = ""
    location: str = ""
    tags: tuple[str, ...] = ()
    start_mode: str = "always"
    idle_seconds: int = 60
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class NewRecording:
    """The initial recording settings of a new device."""

    mode: str = "off"
    time_zone: str = "UTC"


def name_key(name: str) -> str:
    """The normalised name, by which names are compared."""
    return name.casefold()


def find_device(scope: EveryTenantScope, device_id: str) -> Device:
    """Find a device, with its stream as `.stream` and its tags as `.tags`; raises NotFound."""
    with database.session():
        device = _with_stream(scope).where(Device.id == device_id).first()
        if device is None:
            raise NotFound(f"there is no device with id '{device_id}'")
        device.tags = tags_of(scope, DeviceTag.device_id, [device.id])[device.id]
        return device


def find_devices(scope: EveryTenantScope, device_ids: Sequence[str], *, for_change: bool = False) -> list[Device]:
    """Those of the devices that exist, in the form of `find_device`; `for_change` locks them within a transaction."""
    with database.session():
        if for_change and database.is_postgresql():
            # In the same order everywhere, so that two changes do not wait for each other.
            rows = scope.select(Device, Device.id).where(Device.id.in_(list(device_ids)))
            list(rows.order_by(Device.id).for_update())
        devices = list(_with_stream(scope).where(Device.id.in_(list(device_ids))).order_by(Device.id))
        tags_by_device = tags_of(scope, DeviceTag.device_id, [device.id for device in devices])
        for device in devices:
            device.tags = tags_by_device[device.id]
        return devices


def touch_device(scope: TenantScope, device: Device, tags: Sequence[str], at: datetime) -> None:
    """Note that the tags of a device were changed: its version, time and search text."""
    urls = [url for url in (device.source_url, device.sub_source_url) if url]
    text = join_search_text(device.name, device.description, device.location, *tags, *urls)
    scope.update(Device, version=device.version + 1, updated_at=at, search_text=text).where(
        Device.id == device.id
    ).execute()
    report_device(device, "changed", fields=["tags"])


def tenant_of(device_id: str) -> str | None:
    """The tenant of a device, for workers that know only the device id; None if the device is gone."""
    with database.session():
        row = EVERY_TENANT.select(Device, Device.tenant_id).where(Device.id == device_id).first()
    return None if row is None else row.tenant_id


def list_devices(
    scope: EveryTenantScope,
    *,
    sort: str = "name",
    tags: Iterable[str] = (),
    states: Iterable[str] = (),
    text: str | None = None,
    ids: Sequence[str] = (),
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[Device], int]:
    """A page of devices in the form of `find_device`, and the total number over all pages.

    `tags`: devices that have all of them; `states`: devices in one of them; `ids`: only these, if any are given.
    `text` is searched in name, description, location, tags and shown URL.
    """
    with database.session():
        query = with_all_tags(scope, _with_stream(scope), DeviceTag.device_id, tags)
        if states:
            query = query.where(Stream.observed.in_(list(states)))
        if ids:
            query = query.where(Device.id.in_(list(ids)))
        if text:
            query = query.where(Device.search_text.contains(text.casefold()))
        total = query.count()
        order = DEVICE_ORDER[sort.removeprefix("-")]
        order = order.desc() if sort.startswith("-") else order.asc()
        devices = list(query.order_by(order, Device.id).limit(limit).offset(offset))
        tags_by_device = tags_of(scope, DeviceTag.device_id, [device.id for device in devices])
        for device in devices:
            device.tags = tags_by_device[device.id]
        return devices, total


def create_device(
    scope: TenantScope,
    values: DeviceValues,
    box: SecretBox,
    at: datetime | None = None,
    recording: NewRecording | None = None,
    *,
    device_id: str | None = None,
) -> Device:
    """Create a device with its stream; with the start mode `always` its desired state is running. Raises NameTaken.

    `device_id` is that of a lost device whose footage is found again.
    """
    if values.source_url is None:
        raise ValueError("a new device needs its source URL")
    now = at or utc_now()
    device_id = device_id or str(uuid.uuid4())
    should_run = values.enabled and values.start_mode == "always"
    with report_taken_name(values.name), database.transaction():
        scope.insert(
            Device,
            id=device_id,
            version=1,
            source_version=1,
            created_at=now,
            updated_at=now,
            **_plain_columns(values),
            **_source_columns(device_id, values.source_url, values.sub_source_url, box),
            search_text=_search_text(values, values.source_url, values.sub_source_url),
        ).execute()
        scope.insert(
            Stream,
            device_id=device_id,
            desired=DesiredState.RUNNING if should_run else DesiredState.STOPPED,
            desired_reason="requested",
            observed=StreamState.STOPPED,
            since=now,
            run=0,
            restarts=0,
        ).execute()
        recording = recording or NewRecording()
        add_recording(scope, device_id, mode=recording.mode, time_zone=recording.time_zone, at=now)
        replace_tags(scope, DeviceTag.device_id, device_id, values.tags)
        note_change(scope)
        device = find_device(scope, device_id)
        report_device(device, "created")
        return device


def replace_device(
    scope: TenantScope,
    device_id: str,
    values: DeviceValues,
    box: SecretBox,
    *,
    if_version: int | None = None,
    at: datetime | None = None,
) -> Device:
    """Replace all values that a caller may set; raises NotFound, NameTaken, VersionChanged, and InvalidValue for a
    URL to be kept that cannot be decrypted.

    The desired state follows: a disabled device is to stop, one whose start mode becomes `always` is to run. Identical
    values change nothing, not even the version.
    """
    now = at or utc_now()
    with report_taken_name(values.name), database.transaction():
        if database.is_postgresql():
            scope.select(Device, Device.id).where(Device.id == device_id).for_update().first()
        device = find_device(scope, device_id)
        if if_version is not None and device.version != if_version:
            raise VersionChanged(f"device '{device_id}' was changed in the meantime: read it again")
        stored, stored_sub = _stored_sources(device, box)
        source = values.source_url if values.source_url is not None else stored
        sub = stored_sub if values.keeps_sub_source else values.sub_source_url
        for name, missing in (
            ("source_url", source is None),
            ("sub_source_url", values.keeps_sub_source and sub is None),
        ):
            if missing:
                raise InvalidValue(name, f"'{name}' can no longer be decrypted: enter it with user and password again")
        plain = _plain_columns(values)
        changed = {name: value for name, value in plain.items() if getattr(device, name) != value}
        is_new_source = (source, sub) != (stored, stored_sub)
        if not changed and not is_new_source and list(values.tags) == device.tags:
            return device
        if is_new_source:
            changed |= _source_columns(device_id, source, sub, box)
        if is_new_source or not _OF_SOURCE.isdisjoint(changed):
            changed["source_version"] = device.source_version + 1
        scope.update(
            Device,
            **changed,
            version=device.version + 1,
            updated_at=now,
            search_text=_search_text(values, source, sub),
        ).where(Device.id == device_id).execute()
        replace_tags(scope, DeviceTag.device_id, device_id, values.tags)
        _update_desired(scope, device, changed, now)
        if "enabled" in changed or list(values.tags) != device.tags:
            note_change(scope)
        names = _shown_fields(changed) | ({"tags"} if list(values.tags) != device.tags else set())
        device = find_device(scope, device_id)
        report_device(device, "changed", fields=sorted(names))
        return device


def delete_device(
    scope: TenantScope, device_id: str, *, at: datetime | None = None, keeps_history: bool = False
) -> None:
    """Delete a device for good with everything that depends on it; raises NotFound. What a person deletes goes through
    `gateway.device_bin`.

    The owner of a running stream finds the row gone when it next reads the desired state, and stops: this function does
    not wait for it.
    """
    with database.transaction():
        if database.is_postgresql():
            scope.select(Device, Device.id).where(Device.id == device_id).for_update().first()
        delete_device_options(scope, device_id)
        forget_recording(scope, device_id, at or utc_now())
        # Child rows are deleted explicitly: a SQLite file opened by other tools may not enforce foreign keys.
        if not keeps_history:
            forget_events(scope, [device_id])
        for child in (DeviceTag, Stream):
            scope.delete(child).where(child.device_id == device_id).execute()
        if not scope.delete(Device).where(Device.id == device_id).execute():
            raise NotFound(f"there is no device with id '{device_id}'")
        note_change(scope)


def report_device(device: Device, change: str, *, by_name: str | None = None, fields: Sequence[str] = ()) -> None:
    """Record that a device was created, changed, deleted or restored (`change`); within the caller's transaction."""
    record_event(
        device.tenant_id,
        device.id,
        DEVICE,
        f"Device {change}: {device.name}",
        label=change,
        by_name=by_name,
        data={"fields": list(fields)} if fields else None,
    )


def _shown_fields(changed: Iterable[str]) -> set[str]:
    """The fields of a device that these columns are shown as."""
    hidden = {"name_key", "source_sealed", "sub_source_sealed", "has_credentials", "source_version"}
    names = set(changed) - hidden
    return names | ({"source_url"} if "source_sealed" in changed and not names & {"source_url"} else set())


def reseal_devices(scope: EveryTenantScope, box: SecretBox) -> int:
    """Re-encrypt with the present key what an earlier key encrypted; returns the number of changed devices."""
    with database.session():
        ids = [row.id for row in scope.select(Device, Device.id)]
    changed = 0
    for device_id in ids:
        with database.transaction():
            device = scope.select(Device).where(Device.id == device_id).first()
            if device is None or all(
                box.is_current(sealed) for sealed in (device.source_sealed, device.sub_source_sealed) if sealed
            ):
                continue
            columns = _source_columns(device_id, device.open_source(box), device.open_sub_source(box), box)
            scope.update(Device, **columns).where(Device.id == device_id).execute()
            changed += 1
    return changed + _reseal_bin(scope, box)


def _reseal_bin(scope: EveryTenantScope, box: SecretBox) -> int:
    changed = 0
    for row in read_bin(scope):
        content = json.loads(row.content)
        is_changed = False
        for stored in content["devices"]:
            device = Device(**{name: stored[name] for name in ("id", "source_sealed", "sub_source_sealed")})
            if all(box.is_current(sealed) for sealed in (device.source_sealed, device.sub_source_sealed) if sealed):
                continue
            stored.update(_source_columns(device.id, device.open_source(box), device.open_sub_source(box), box))
            is_changed = True
        for options in content.get("device_plugin_options", ()):
            sealed = reseal(box, options)
            if sealed is not None:
                options["sealed"], is_changed = sealed, True
        if is_changed:
            with database.transaction():
                scope.update(DeletedDevice, content=json.dumps(content)).where(
                    DeletedDevice.device_id == row.device_id
                ).execute()
            changed += 1
    return changed


def count_unreadable_devices(box: SecretBox) -> tuple[int, int]:
    """How many devices of all tenants have a sealed URL that no key of the box encrypted, and how many there are."""
    source, sub_source = (
        peewee.fn.SUBSTR(sealed, 1, KEY_MARK_CHARACTERS) for sealed in (Device.source_sealed, Device.sub_source_sealed)
    )
    with database.session():
        rows = list(
            EVERY_TENANT.select(Device, source, sub_source, peewee.fn.COUNT(Device.id))
            .group_by(peewee.SQL("1"), peewee.SQL("2"))  # PostgreSQL takes two parameters for two expressions
            .tuples()
        )
    unreadable = sum(
        count for *marks, count in rows if any(mark is not None and not box.has_key_of(mark) for mark in marks)
    )
    return unreadable, sum(row[-1] for row in rows)


def _stored_sources(device: Device, box: SecretBox) -> tuple[str | None, str | None]:
    """The complete URLs; None for one that no key can open, so that a new one can replace it."""
    try:
        source = device.open_source(box)
    except SealBroken:
        source = None
    try:
        return source, device.open_sub_source(box)
    except SealBroken:
        return source, None


def _with_stream(scope: EveryTenantScope) -> peewee.ModelSelect:
    return scope.select(Device, Device, Stream).join(Stream, on=(Stream.device_id == Device.id), attr="stream")


def _update_desired(scope: TenantScope, before: Device, changed: dict[str, Any], now: datetime) -> None:
    enabled = changed.get("enabled", before.enabled)
    mode = changed.get("start_mode", before.start_mode)
    stream_changes: dict[str, Any] = {}
    if not enabled and "enabled" in changed:
        stream_changes = {"desired": DesiredState.STOPPED, "desired_reason": "device_disabled"}
    elif enabled and mode == "always" and ("enabled" in changed or "start_mode" in changed):
        stream_changes = {"desired": DesiredState.RUNNING, "desired_reason": "requested"}
    elif mode == "on_demand" and "start_mode" in changed:
        stream_changes = {"demanded_at": now}  # a running stream ends once it is idle
    if stream_changes:
        scope.update(Stream, **stream_changes).where(Stream.device_id == before.id).execute()


def _plain_columns(values: DeviceValues) -> dict[str, Any]:
    return {
        "name": values.name,
        "name_key": name_key(values.name),
        "transport": values.transport,
        "tls_trust": values.tls_trust,
        "tls_fingerprint": values.tls_fingerprint,
        "description": values.description,
        "location": values.location,
        "start_mode": values.start_mode,
        "idle_seconds": values.idle_seconds,
        "enabled": values.enabled,
    }


def _source_columns(device_id: str, source: str, sub_source: str | None, box: SecretBox) -> dict[str, Any]:
    shown = redact_url(source)
    shown_sub = redact_url(sub_source) if sub_source else None
    return {
        "source_url": shown,
        "source_sealed": box.seal(source, source_context(device_id, "source_url")),
        "sub_source_url": shown_sub,
        "sub_source_sealed": box.seal(sub_source, source_context(device_id, "sub_source_url")) if sub_source else None,
        "has_credentials": shown != source or shown_sub != sub_source,
    }


def _search_text(values: DeviceValues, source: str, sub_source: str | None) -> str:
    shown = [redact_url(url) for url in (source, sub_source) if url]
    return join_search_text(values.name, values.description, values.location, *values.tags, *shown)


@contextlib.contextmanager
def report_taken_name(name: str) -> Iterator[None]:
    """Turn the database's error for a duplicate device name into NameTaken."""
    try:
        yield
    except peewee.IntegrityError as error:
        if "name_key" in str(error):
            raise NameTaken(f"'name' must be unique: there is a device named '{name}'") from None
        raise
