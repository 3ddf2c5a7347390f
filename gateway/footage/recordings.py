"""Recordings: for each device what is to be recorded, and what its recorder says of it.

The API writes the wish; the recorder that holds the newest epoch writes the fact. Every function opens its own
transaction and raises `gateway.database.DatabaseUnavailable` when the database is away.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import peewee

from gateway import database
from gateway.clock import utc_now
from gateway.devices.model import Device
from gateway.errors import Conflict, LeaseLost, NotFound
from gateway.schedules.recording_plan import Decision, DesiredRecording, decide, load_plan
from gateway.tenancy.scopes import EVERY_TENANT, EveryTenantScope, IdField, TenantRow, TenantScope, TimeField

#: What a recorder can say of itself.
OBSERVED = ("off", "waiting", "recording", "interrupted")


class Recording(TenantRow):
    """A device's recording: settings, what a person said, open event window, and the fact.

    `expired_before_ms`: what is not covered before it was taken by retention. `deleted_at`: the device is gone, and
    the footage goes.
    """

    id = peewee.BigAutoField()
    device_id = IdField()
    mode = peewee.TextField()
    time_zone = peewee.TextField()
    plan = peewee.TextField()
    pre_roll_seconds = peewee.DoubleField()
    post_roll_seconds = peewee.DoubleField()
    keep_days = peewee.IntegerField(null=True)
    keep_bytes = peewee.BigIntegerField(null=True)
    override = peewee.TextField(null=True)
    override_by = peewee.TextField(null=True)
    override_at_ms = peewee.BigIntegerField(null=True)
    override_until_ms = peewee.BigIntegerField(null=True)
    event_until_ms = peewee.BigIntegerField(null=True)
    version = peewee.IntegerField()
    observed = peewee.TextField()
    reason_code = peewee.TextField(null=True)
    reason_message = peewee.TextField(null=True)
    since = TimeField()
    epoch = peewee.BigIntegerField()
    worker = peewee.TextField(null=True)
    expired_before_ms = peewee.BigIntegerField()
    deleted_at = TimeField(null=True)

    class Meta:
        table_name = "recordings"

    def wish(self, *, is_enabled: bool) -> DesiredRecording:
        """What was asked of it, for `decide`."""
        return DesiredRecording(
            mode=self.mode,
            time_zone=self.time_zone,
            plan=load_plan(self.plan),
            override=self.override,
            override_by=self.override_by,
            override_until_ms=self.override_until_ms,
            event_until_ms=self.event_until_ms,
            is_enabled=is_enabled,
        )


class RecordingEvent(TenantRow):
    """Something that happened before the camera, told by the API or a plugin; opens a window in the mode `event`."""

    id = peewee.BigAutoField()
    recording_id = peewee.BigIntegerField()
    at_ms = peewee.BigIntegerField()
    end_ms = peewee.BigIntegerField(null=True)
    label = peewee.TextField()
    note = peewee.TextField()
    source = peewee.TextField()

    class Meta:
        table_name = "recording_events"


class Protection(TenantRow):
    """A range of footage that retention leaves alone."""

    id = peewee.BigAutoField()
    recording_id = peewee.BigIntegerField()
    start_ms = peewee.BigIntegerField()
    end_ms = peewee.BigIntegerField()
    kind = peewee.TextField()
    reference = peewee.TextField()
    note = peewee.TextField()
    created_by = peewee.TextField()
    created_at = TimeField()

    class Meta:
        table_name = "protections"


class RecordingChanged(Conflict):
    """The settings are not the version that the caller has seen."""

    reason = "version_changed"


@dataclass(frozen=True, slots=True)
class RecorderSettings:
    """What a recorder reads again and again."""

    recording_id: int
    tenant_id: str
    device_id: str
    epoch: int
    pre_roll_seconds: float
    post_roll_seconds: float
    wish: DesiredRecording

    def decide(self, now_ms: int) -> Decision:
        """Whether footage is wanted now."""
        return decide(self.wish, now_ms)


def add_recording(scope: TenantScope, device_id: str, *, mode: str, time_zone: str, at: datetime) -> None:
    """The recording of a new device; within the caller's transaction."""
    scope.insert(
        Recording,
        device_id=device_id,
        mode=mode,
        time_zone=time_zone,
        plan="{}",
        pre_roll_seconds=5,
        post_roll_seconds=10,
        version=1,
        observed="off",
        since=at,
        epoch=0,
        expired_before_ms=0,
    ).execute()


def find_recording(scope: EveryTenantScope, device_id: str) -> Recording:
    """The recording of a device that is not deleted, with the device as `.device`; raises NotFound."""
    with database.session():
        row = _with_device(scope).where(Recording.device_id == device_id).first()
    if row is None:
        raise NotFound(f"there is no device with id '{device_id}'")
    return row


# ---- the wish -------------------------------------------------------------------------------------------------


def change_settings(
    scope: TenantScope, device_id: str, values: Mapping[str, Any], *, if_version: int | None = None
) -> Recording:
    """Replace the settings (`mode time_zone plan pre_roll_seconds post_roll_seconds keep_days keep_bytes`).

    `plan` is a mapping as `gateway.schedules.recording_plan.Plan`. A changed mode takes back what a person said before.
    Raises NotFound and RecordingChanged.
    """
    with database.transaction():
        recording = find_recording(scope, device_id)
        if if_version is not None and recording.version != if_version:
            raise RecordingChanged(f"the recording of device '{device_id}' was changed in the meantime: read it again")
        columns = dict(values) | {"plan": json.dumps(values["plan"])}
        changed = {name: value for name, value in columns.items() if getattr(recording, name) != value}
        if not changed:
            return recording
        if "mode" in changed:
            changed |= _no_override()
        scope.update(Recording, version=Recording.version + 1, **changed).where(Recording.id == recording.id).execute()
        return find_recording(scope, device_id)


def say(
    scope: TenantScope, device_id: str, word: str | None, *, by: str, now_ms: int, until_ms: int | None = None
) -> Recording:
    """What a person says of a recording: `on`, `off`, or None to follow the mode again. Raises NotFound."""
    with database.transaction():
        recording = find_recording(scope, device_id)
        values = _no_override()
        if word is not None:
            values = {
                "override": word,
                "override_by": by,
                "override_at_ms": now_ms,
                "override_until_ms": until_ms,
            }
        scope.update(Recording, **values).where(Recording.id == recording.id).execute()
        return find_recording(scope, device_id)


def add_event(
    scope: EveryTenantScope,
    device_id: str,
    *,
    label: str,
    at_ms: int,
    end_ms: int | None = None,
    note: str = "",
    source: str = "api",
) -> RecordingEvent:
    """Note an event; in the mode `event` footage is wanted until its end and the post-roll after it. Raises
    NotFound."""
    with database.transaction():
        recording = find_recording(scope, device_id)
        until_ms = (end_ms or at_ms) + int(recording.post_roll_seconds * 1000)
        event_id = scope.insert(
            RecordingEvent,
            tenant_id=recording.tenant_id,
            recording_id=recording.id,
            at_ms=at_ms,
            end_ms=end_ms,
            label=label,
            note=note,
            source=source,
        ).execute()
        scope.update(Recording, event_until_ms=until_ms).where(
            Recording.id == recording.id, Recording.event_until_ms.is_null() | (Recording.event_until_ms < until_ms)
        ).execute()
        return scope.select(RecordingEvent).where(RecordingEvent.id == event_id).first()


def forget_recording(scope: TenantScope, device_id: str, at: datetime) -> None:
    """The device is deleted: its footage goes when the record worker comes to it; within the caller's transaction."""
    scope.update(Recording, deleted_at=at, mode="off", **_no_override()).where(
        Recording.device_id == device_id
    ).execute()


# ---- questions and facts of the recorder ----------------------------------------------------------------------


def read_recorder_settings(device_id: str) -> RecorderSettings | None:
    """What a recorder follows; None when the device is gone. One query."""
    with database.session():
        row = _with_device(EVERY_TENANT).where(Recording.device_id == device_id).first()
    return _settings_of(row) if row is not None else None


def recordings_wanted(now_ms: int) -> list[str]:
    """The devices of all tenants of which footage is wanted now. One query."""
    with database.session():
        may_be = (Recording.mode != "off") | (Recording.override == "on")
        rows = list(_with_device(EVERY_TENANT).where(may_be))
    return [row.device_id for row in rows if _settings_of(row).decide(now_ms).is_wanted]


def claim_recording(device_id: str, worker: str) -> RecorderSettings | None:
    """Become the writer of a device's footage: raises the epoch, which is the fence. None when the device is gone."""
    with database.transaction():
        changed = (
            EVERY_TENANT.update(Recording, epoch=Recording.epoch + 1, worker=worker)
            .where(Recording.device_id == device_id, Recording.deleted_at.is_null())
            .execute()
        )
        return read_recorder_settings(device_id) if changed else None


def observe_recording(
    recording_id: int, epoch: int, observed: str, *, reason: str | None = None, message: str | None = None
) -> None:
    """Write the fact; raises LeaseLost when the recording is another recorder's, or gone."""
    with database.transaction():
        mine = (Recording.id == recording_id) & (Recording.epoch == epoch)
        row = EVERY_TENANT.select(Recording).where(mine).first()
        if row is None:
            raise LeaseLost(f"recording {recording_id} belongs to another recorder")
        if (row.observed, row.reason_code, row.reason_message) == (observed, reason, message):
            return
        values: dict[str, Any] = {"observed": observed, "reason_code": reason, "reason_message": message}
        if row.observed != observed:
            values["since"] = utc_now()
        EVERY_TENANT.update(Recording, **values).where(mine).execute()


def _settings_of(row: Recording) -> RecorderSettings:
    return RecorderSettings(
        recording_id=row.id,
        tenant_id=row.tenant_id,
        device_id=row.device_id,
        epoch=row.epoch,
        pre_roll_seconds=row.pre_roll_seconds,
        post_roll_seconds=row.post_roll_seconds,
        wish=row.wish(is_enabled=row.device.enabled),
    )


def _with_device(scope: EveryTenantScope) -> peewee.ModelSelect:
    return (
        scope.select(Recording, Recording, Device.id, Device.name, Device.enabled, Device.start_mode)
        .join(Device, on=(Device.id == Recording.device_id), attr="device")
        .where(Recording.deleted_at.is_null())
    )


def _no_override() -> dict[str, None]:
    return {"override": None, "override_by": None, "override_at_ms": None, "override_until_ms": None}
