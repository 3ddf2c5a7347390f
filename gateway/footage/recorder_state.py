"""What a recorder, which serves all tenants, asks and notes of the device that it records."""

from dataclasses import dataclass
from datetime import datetime

import peewee

from gateway import database
from gateway.devices.events import STATE, DeviceEvent
from gateway.devices.model import Device
from gateway.footage.recordings import RecorderSettings, Recording, RecordingEvent
from gateway.footage.segments import Fence, Segment, SegmentState
from gateway.streams.model import Stream
from gateway.tenancy.scopes import EVERY_RECORDING, EVERY_TENANT

#: The newest part is in one of so many segments by start, or by id.
_NEWEST = 4


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """One device at one moment. `desired` and `observed` are values of gateway.states, of its stream."""

    settings: RecorderSettings
    desired: str
    desired_reason: str
    observed: str
    reason: str | None
    run: int


def read_facts(recording_ids: list[int]) -> dict[int, DeviceFacts]:
    """The facts of many recordings in one query, by the recording's id; those of deleted devices are missing.

    Raises DatabaseUnavailable.
    """
    with database.session():
        rows = list(
            EVERY_TENANT.select(
                Recording,
                Recording,
                Device.enabled,
                Stream.desired,
                Stream.desired_reason,
                Stream.observed.alias("stream_observed"),
                Stream.reason_code.alias("stream_reason"),
                Stream.run,
            )
            .join(Device, on=(Device.id == Recording.device_id))
            .join(Stream, on=(Stream.device_id == Recording.device_id))
            .where(Recording.id.in_(recording_ids), Recording.deleted_at.is_null())
            .objects()
        )
    return {
        row.id: DeviceFacts(
            settings=RecorderSettings(
                recording_id=row.id,
                tenant_id=row.tenant_id,
                device_id=row.device_id,
                epoch=row.epoch,
                pre_roll_seconds=row.pre_roll_seconds,
                post_roll_seconds=row.post_roll_seconds,
                wish=row.wish(is_enabled=bool(row.enabled)),
            ),
            desired=row.desired,
            desired_reason=row.desired_reason,
            observed=row.stream_observed,
            reason=row.stream_reason,
            run=row.run,
        )
        for row in rows
    }


def read_observed() -> list[tuple[str, str, str | None]]:
    """Device, fact and its reason of every recorder that is not off. Raises DatabaseUnavailable."""
    with database.session():
        rows = EVERY_TENANT.select(Recording, Recording.device_id, Recording.observed, Recording.reason_code).where(
            Recording.deleted_at.is_null(), Recording.observed != "off"
        )
        return list(rows.tuples())


def stream_events_between(device_id: str, since: datetime, until: datetime, *, limit: int = 20) -> list[DeviceEvent]:
    """The first transitions of a device's stream between two moments, in order. Raises DatabaseUnavailable."""
    with database.session():
        events = EVERY_TENANT.select(DeviceEvent).where(
            DeviceEvent.device_id == device_id,
            DeviceEvent.kind == STATE,
            DeviceEvent.at >= since,
            DeviceEvent.at <= until,
        )
        return list(events.order_by(DeviceEvent.id).limit(limit))


def events_until(recording_id: int, until_ms: int, *, limit: int = 100) -> list[RecordingEvent]:
    """The last events of a recording up to a moment, newest first. Raises DatabaseUnavailable."""
    with database.session():
        events = EVERY_TENANT.select(RecordingEvent).where(
            RecordingEvent.recording_id == recording_id, RecordingEvent.at_ms <= until_ms
        )
        return list(events.order_by(RecordingEvent.at_ms.desc()).limit(limit))


def override_begin_ms(recording_id: int) -> int | None:
    """When a person said what goes before the mode; None when nobody did. Raises DatabaseUnavailable."""
    with database.session():
        return EVERY_TENANT.select(Recording, Recording.override_at_ms).where(Recording.id == recording_id).scalar()


def newest_segments(fence: Fence, ids_back: int) -> list[Segment]:
    """Those that may hold the newest part: by their start and, since the clock may have been set back, by id.

    `ids_back`: among so many of the newest rows of all recordings. Raises LeaseLost and DatabaseUnavailable.
    """
    playable = Segment.state.in_((SegmentState.OPEN, SegmentState.CLOSED))
    with fence.transaction() as footage:
        latest = list(footage.select(Segment).where(playable).order_by(Segment.start_ms.desc()).limit(_NEWEST))
        newest = EVERY_RECORDING.select(Segment, peewee.fn.MAX(Segment.id)).scalar() or 0
        # `+ 0`: by the ids alone; the index of the recording would lead through all its years.
        is_ours = (Segment.recording_id + 0) == fence.recording_id
        by_id = EVERY_RECORDING.select(Segment).where(Segment.id > newest - ids_back, is_ours, playable)
        return latest + list(by_id.order_by(Segment.id.desc()).limit(_NEWEST))


def add_mark(fence: Fence, tenant_id: str, at_ms: int, *, label: str, note: str, source: str) -> None:
    """Note an event that opens no window. Raises LeaseLost and DatabaseUnavailable."""
    with fence.transaction():
        EVERY_TENANT.insert(
            RecordingEvent,
            tenant_id=tenant_id,
            recording_id=fence.recording_id,
            at_ms=at_ms,
            end_ms=None,
            label=label,
            note=note,
            source=source,
        ).execute()
