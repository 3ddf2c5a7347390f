"""Recordings: the desired and the observed state of each device's recording.

The API writes the desired state; the recorder with the newest fencing token writes the observed one. Each function
opens its own transaction and raises `gateway.database.DatabaseUnavailable` when the database cannot be reached.
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
from gateway.events.model import MARK, MAX_NAME, RECORDING, record_event
from gateway.schedules.recording_plan import Decision, DesiredRecording, decide, load_plan
from gateway.tenancy.scopes import EVERY_TENANT, EveryTenantScope, IdField, TenantRow, TenantScope, TimeField

#: Observed states of a recorder.
OBSERVED = ("off", "waiting", "recording", "interrupted")


class Recording(TenantRow):
    """A device's recording: its settings, a person's override, the open event window, and the observed state.

    `archived_by`: the archive that takes the device's footage. `waits_for_copy`: the limits of local footage then wait
    for a verified copy. `archive_keep_days`: limit of the age of footage that is in an archive only.
    `expired_before_ms`: retention deleted the footage before this moment, except what still has a segment.
    `deleted_at`: the device was deleted, and its footage is to be deleted.
    `fencing_token`: raised by each recorder that claims the recording, so that writes of an earlier one are refused.
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
    archived_by = peewee.TextField(null=True)
    archive_keep_days = peewee.IntegerField(null=True)
    waits_for_copy = peewee.BooleanField(default=True)
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
    fencing_token = peewee.BigIntegerField(column_name="epoch")
    worker = peewee.TextField(null=True)
    expired_before_ms = peewee.BigIntegerField()
    deleted_at = TimeField(null=True)

    class Meta:
        table_name = "recordings"

    def desired_recording(self, *, is_enabled: bool) -> DesiredRecording:
        """The desired state, for `decide`."""
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
    """An event reported by the API or a plugin. In the mode `event` it makes footage wanted for a time."""

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
    """A range of footage that retention keeps."""

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
    """The settings are no longer the version that the caller has read."""

    reason = "version_changed"


@dataclass(frozen=True, slots=True)
class RecorderSettings:
    """The settings of a recording that its recorder follows; read about once a second."""

    recording_id: int
    tenant_id: str
    device_id: str
    fencing_token: int
    pre_roll_seconds: float
    post_roll_seconds: float
    desired: DesiredRecording

    def decide(self, now_ms: int) -> Decision:
        """Whether footage is wanted now."""
        return decide(self.desired, now_ms)


def add_recording(scope: TenantScope, device_id: str, *, mode: str, time_zone: str, at: datetime) -> None:
    """Insert the recording of a new device; runs in the caller's transaction."""
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
        fencing_token=0,
        expired_before_ms=0,
    ).execute()


def find_recording(scope: EveryTenantScope, device_id: str) -> Recording:
    """The recording of a device that is not deleted, with the device as `.device`; raises NotFound."""
    with database.session():
        row = _with_device(scope).where(Recording.device_id == device_id).first()
    if row is None:
        raise NotFound(f"there is no device with id '{device_id}'")
    return row


# ---- the desired state ------------------------------------------------------------------------------------------


def change_settings(
    scope: TenantScope, device_id: str, values: Mapping[str, Any], *, if_version: int | None = None
) -> Recording:
    """Replace the settings (`mode time_zone plan pre_roll_seconds post_roll_seconds keep_days keep_bytes
    archive_keep_days waits_for_copy`).

    `plan` is a mapping as `gateway.schedules.recording_plan.Plan`. A changed mode removes the override.
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
        fields = sorted(set(changed) - set(_no_override()))
        record_event(
            recording.tenant_id,
            device_id,
            RECORDING,
            "Recording settings changed",
            label="settings",
            data={"fields": fields},
        )
        return find_recording(scope, device_id)


def set_override(
    scope: TenantScope, device_id: str, override: str | None, *, by: str, now_ms: int, until_ms: int | None = None
) -> Recording:
    """Override the mode with `on` or `off`, or follow the mode again with None. Raises NotFound."""
    with database.transaction():
        recording = find_recording(scope, device_id)
        values = _no_override()
        if override is not None:
            values = {
                "override": override,
                "override_by": by,
                "override_at_ms": now_ms,
                "override_until_ms": until_ms,
            }
        scope.update(Recording, **values).where(Recording.id == recording.id).execute()
        wish = {None: "follows its mode again", "on": "switched on", "off": "switched off"}[override]
        record_event(recording.tenant_id, device_id, RECORDING, f"Recording {wish}", label="override", by_name=by)
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
    """Add an event. In the mode `event`, footage is wanted until its end and the post-roll after it.

    Raises NotFound.
    """
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
        if source == "api":
            # Others who ask for footage of an event record it themselves.
            record_event(
                recording.tenant_id,
                device_id,
                MARK,
                note,
                label=label[:MAX_NAME],
                start_ms=at_ms,
                end_ms=end_ms,
                reference=str(event_id),
            )
        return scope.select(RecordingEvent).where(RecordingEvent.id == event_id).first()


def extend_event(scope: EveryTenantScope, event_id: int, end_ms: int) -> None:
    """An event goes on until `end_ms`, and with it the time in which footage is wanted. Raises NotFound."""
    with database.transaction():
        event = scope.select(RecordingEvent).where(RecordingEvent.id == event_id).first()
        if event is None:
            raise NotFound(f"there is no event with id '{event_id}'")
        scope.update(RecordingEvent, end_ms=end_ms).where(
            RecordingEvent.id == event_id, RecordingEvent.end_ms.is_null() | (RecordingEvent.end_ms < end_ms)
        ).execute()
        recording = scope.select(Recording).where(Recording.id == event.recording_id).first()
        until_ms = end_ms + int(recording.post_roll_seconds * 1000)
        scope.update(Recording, event_until_ms=until_ms).where(
            Recording.id == recording.id, Recording.event_until_ms.is_null() | (Recording.event_until_ms < until_ms)
        ).execute()


def forget_recording(scope: TenantScope, device_id: str, at: datetime) -> None:
    """Mark the recording of a deleted device; retention deletes its footage unless the device is in the bin. Runs in
    the caller's transaction."""
    scope.update(Recording, deleted_at=at).where(Recording.device_id == device_id).execute()


def recall_recording(scope: TenantScope, device_id: str, at: datetime) -> None:
    """Make the recording of a restored device usable again. Runs in the caller's transaction.

    A higher fencing token refuses the writes of a recorder that has not noticed the deletion.
    """
    scope.update(
        Recording,
        deleted_at=None,
        fencing_token=Recording.fencing_token + 1,
        observed="off",
        reason_code=None,
        reason_message=None,
        since=at,
    ).where(Recording.device_id == device_id).execute()


# ---- the recorder: reading settings and writing the observed state ----------------------------------------------


def read_recorder_settings(device_id: str) -> RecorderSettings | None:
    """The settings that a recorder follows; None when the device was deleted. One query."""
    with database.session():
        row = _with_device(EVERY_TENANT).where(Recording.device_id == device_id).first()
    return _settings_of(row) if row is not None else None


def recordings_wanted(now_ms: int) -> list[str]:
    """The devices of all tenants whose footage is wanted now. One query."""
    with database.session():
        may_be_wanted = (Recording.mode != "off") | (Recording.override == "on")
        rows = list(_with_device(EVERY_TENANT).where(may_be_wanted))
    return [row.device_id for row in rows if _settings_of(row).decide(now_ms).is_wanted]


def claim_recording(device_id: str, worker: str) -> RecorderSettings | None:
    """Become the writer of a device's footage by raising its fencing token. None when the device was deleted."""
    with database.transaction():
        changed = (
            EVERY_TENANT.update(Recording, fencing_token=Recording.fencing_token + 1, worker=worker)
            .where(Recording.device_id == device_id, Recording.deleted_at.is_null())
            .execute()
        )
        return read_recorder_settings(device_id) if changed else None


def observe_recording(
    recording_id: int, fencing_token: int, observed: str, *, reason: str | None = None, message: str | None = None
) -> None:
    """Write the observed state. Raises LeaseLost when another recorder has claimed the recording, or it is deleted."""
    with database.transaction():
        mine = (Recording.id == recording_id) & (Recording.fencing_token == fencing_token)
        row = EVERY_TENANT.select(Recording).where(mine).first()
        if row is None:
            raise LeaseLost(f"recording {recording_id} belongs to another recorder")
        if (row.observed, row.reason_code, row.reason_message) == (observed, reason, message):
            return
        values: dict[str, Any] = {"observed": observed, "reason_code": reason, "reason_message": message}
        if row.observed != observed:
            values["since"] = utc_now()
        EVERY_TENANT.update(Recording, **values).where(mine).execute()
        if (row.observed, row.reason_code) != (observed, reason):
            record_event(
                row.tenant_id,
                row.device_id,
                RECORDING,
                from_state=row.observed,
                to_state=observed,
                reason_code=reason,
                reason_message=message,
            )


def _settings_of(row: Recording) -> RecorderSettings:
    return RecorderSettings(
        recording_id=row.id,
        tenant_id=row.tenant_id,
        device_id=row.device_id,
        fencing_token=row.fencing_token,
        pre_roll_seconds=row.pre_roll_seconds,
        post_roll_seconds=row.post_roll_seconds,
        desired=row.desired_recording(is_enabled=row.device.enabled),
    )


def _with_device(scope: EveryTenantScope) -> peewee.ModelSelect:
    return (
        scope.select(Recording, Recording, Device.id, Device.name, Device.enabled, Device.start_mode)
        .join(Device, on=(Device.id == Recording.device_id), attr="device")
        .where(Recording.deleted_at.is_null())
    )


def _no_override() -> dict[str, None]:
    return {"override": None, "override_by": None, "override_at_ms": None, "override_until_ms": None}
