"""Queries of workers and the clock process about streams. Every function opens its own transaction and raises
`gateway.database.DatabaseUnavailable` when the database is away."""

import json
from dataclasses import dataclass, field
from datetime import datetime

import peewee

from gateway import database
from gateway.devices.model import Device
from gateway.media import SourceInfo
from gateway.secrets import SecretBox
from gateway.states import DesiredState, StreamState
from gateway.streams.model import Stream
from gateway.tenancy.scopes import EVERY_TENANT


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One device and its stream, as a reconciler needs them."""

    device_id: str
    tenant_id: str
    device_name: str
    enabled: bool
    start_mode: str
    idle_seconds: int
    desired: DesiredState
    desired_reason: str
    observed: StreamState
    reason_code: str | None
    since: datetime
    run: int
    restarts: int
    demanded_at: datetime | None
    worker: str | None


@dataclass(frozen=True, slots=True)
class DesiredStream:
    """The desired state and the version of the settings, which an owner polls."""

    desired: DesiredState
    reason: str
    source_version: int
    run: int

    @property
    def is_running(self) -> bool:
        return self.desired == DesiredState.RUNNING


@dataclass(frozen=True, slots=True)
class DeviceSettings:
    """The settings from which a pipeline is built. The URLs contain the password: never log them."""

    id: str
    tenant_id: str
    name: str
    transport: str
    start_mode: str
    idle_seconds: int
    enabled: bool
    source_version: int
    source_url: str = field(repr=False)
    sub_source_url: str | None = field(repr=False, default=None)
    tls_trust: str = "verify"
    tls_fingerprint: str | None = None


def read_source_info(device_id: str, source_version: int) -> SourceInfo | None:
    """The last known description of the camera's stream under these settings; None if it was not inspected since they
    changed."""
    with database.session():
        row = EVERY_TENANT.select(Stream, Stream.source_info).where(Stream.device_id == device_id).first()
    if row is None or row.source_info is None:
        return None
    values = json.loads(row.source_info)
    return SourceInfo.from_dict(values) if values.get("source_version") == source_version else None


def read_desired(device_id: str) -> DesiredStream | None:
    """The desired state; None if the device is gone, which an owner treats like a stop (`device_deleted`).

    Cheap: one row by its key. A changed `source_version` means that the pipeline must be rebuilt.
    """
    with database.session():
        row = (
            EVERY_TENANT.select(
                Stream, Stream.desired, Stream.desired_reason, Stream.run, Device.source_version, Device.enabled
            )
            .join(Device, on=(Device.id == Stream.device_id))
            .where(Stream.device_id == device_id)
            .dicts()
            .first()
        )
    if row is None:
        return None
    if not row["enabled"]:
        return DesiredStream(DesiredState.STOPPED, "device_disabled", row["source_version"], row["run"])
    return DesiredStream(DesiredState(row["desired"]), row["desired_reason"], row["source_version"], row["run"])


def read_device_settings(device_id: str, box: SecretBox) -> DeviceSettings | None:
    """The settings for a pipeline, with decrypted credentials; None if the device is gone. Raises SealBroken."""
    with database.session():
        device = EVERY_TENANT.select(Device).where(Device.id == device_id).first()
    if device is None:
        return None
    return DeviceSettings(
        id=device.id,
        tenant_id=device.tenant_id,
        name=device.name,
        transport=device.transport,
        start_mode=device.start_mode,
        idle_seconds=device.idle_seconds,
        enabled=device.enabled,
        source_version=device.source_version,
        source_url=device.open_source(box),
        sub_source_url=device.open_sub_source(box),
        tls_trust=device.tls_trust,
        tls_fingerprint=device.tls_fingerprint,
    )


def find_device_context(device_id: str) -> tuple[str, str, str] | None:
    """Id, tenant and name of an enabled device; None for any other."""
    with database.session():
        device = (
            EVERY_TENANT.select(Device, Device.id, Device.tenant_id, Device.name)
            .where(
                Device.id == device_id,
                Device.enabled == True,  # noqa: E712 (SQL)
            )
            .first()
        )
    return (device.id, device.tenant_id, device.name) if device is not None else None


def streams_wanted() -> list[StreamRecord]:
    """The streams of all tenants that should run: desired state running, on enabled devices."""
    return _records((Stream.desired == DesiredState.RUNNING) & (Device.enabled == True))  # noqa: E712 (SQL)


def streams_to_reconcile() -> list[StreamRecord]:
    """All streams that should run or are not stopped, where desired and observed state may differ. One query."""
    return _records((Stream.desired == DesiredState.RUNNING) | (Stream.observed != StreamState.STOPPED))


def read_stream_record(device_id: str) -> StreamRecord | None:
    """One stream as a reconciler sees it; None if the device is gone."""
    return next(iter(_records(Stream.device_id == device_id)), None)


def _records(condition: peewee.Expression) -> list[StreamRecord]:
    with database.session():
        rows = list(
            EVERY_TENANT.select(
                Stream,
                Stream,
                Device.name.alias("device_name"),
                Device.enabled,
                Device.start_mode,
                Device.idle_seconds,
            )
            .join(Device, on=(Device.id == Stream.device_id))
            .where(condition)
            .order_by(Stream.device_id)
            .dicts()
        )
    names = StreamRecord.__dataclass_fields__
    records = []
    for row in rows:
        values = {name: value for name, value in row.items() if name in names}
        values["desired"] = DesiredState(values["desired"])
        values["observed"] = StreamState(values["observed"])
        records.append(StreamRecord(**values))
    return records
