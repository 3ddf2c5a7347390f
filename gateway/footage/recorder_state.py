"""Queries of recorders, which serve all tenants: the state of a device, its events, its newest segments; and marks."""

from dataclasses import dataclass

import peewee

from gateway import database
from gateway.devices.model import Device
from gateway.events.model import Event, transitions_between
from gateway.footage.recordings import RecorderSettings, Recording, RecordingEvent
from gateway.footage.segments import PLAYABLE, Fence, Segment, StoredSegment, read_segments, select_segments
from gateway.streams.model import Stream
from gateway.tenancy.scopes import EVERY_RECORDING, EVERY_TENANT

#: Segments to read, by start and by id, among which is the one with the newest part.
_NEWEST = 4


@dataclass(frozen=True, slots=True)
class DeviceState:
    """A device's recording settings and stream state. `desired` and `observed` are values of gateway.states."""

    settings: RecorderSettings
    desired: str
    desired_reason: str
    observed: str
    reason: str | None
    run: int


def read_device_states(recording_ids: list[int]) -> dict[int, DeviceState]:
    """The states of many devices in one query, by recording id, without deleted devices.

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
        row.id: DeviceState(
            settings=RecorderSettings(
                recording_id=row.id,
                tenant_id=row.tenant_id,
                device_id=row.device_id,
                fencing_token=row.fencing_token,
                pre_roll_seconds=row.pre_roll_seconds,
                post_roll_seconds=row.post_roll_seconds,
                desired=row.desired_recording(is_enabled=bool(row.enabled)),
            ),
            desired=row.desired,
            desired_reason=row.desired_reason,
            observed=row.stream_observed,
            reason=row.stream_reason,
            run=row.run,
        )
        for row in rows
    }


def stream_events_between(device_id: str, start_ms: int, end_ms: int, *, limit: int = 20) -> list[Event]:
    """The first state changes of a device's stream in a range, oldest first. Raises DatabaseUnavailable."""
    return transitions_between(EVERY_TENANT, device_id, start_ms, end_ms + 1, limit=limit)


def events_until(recording_id: int, until_ms: int, *, limit: int = 100) -> list[RecordingEvent]:
    """The last events of a recording up to a moment, newest first. Raises DatabaseUnavailable."""
    with database.session():
        events = EVERY_TENANT.select(RecordingEvent).where(
            RecordingEvent.recording_id == recording_id, RecordingEvent.at_ms <= until_ms
        )
        return list(events.order_by(RecordingEvent.at_ms.desc()).limit(limit))


def override_begin_ms(recording_id: int) -> int | None:
    """When a person last overrode the mode; None without an override. Raises DatabaseUnavailable."""
    with database.session():
        return EVERY_TENANT.select(Recording, Recording.override_at_ms).where(Recording.id == recording_id).scalar()


def newest_segments(fence: Fence, ids_back: int) -> list[StoredSegment]:
    """Segments that may hold the newest part: the latest by start and, since the clock may have been set back, by id.

    `ids_back`: how many of the newest ids of all recordings to search. Raises LeaseLost and DatabaseUnavailable.
    """
    with fence.transaction():
        of_recording = select_segments(fence.recording_id).where(PLAYABLE)
        latest = read_segments(of_recording.order_by(Segment.start_ms.desc()).limit(_NEWEST))
        newest_id = EVERY_RECORDING.select(Segment, peewee.fn.MAX(Segment.id)).scalar() or 0
        # `+ 0` makes the database search by id: the index on recordings would walk through years of rows.
        is_ours = (Segment.recording_id + 0) == fence.recording_id
        by_id = select_segments().where(Segment.id > newest_id - ids_back, is_ours, PLAYABLE)
        return latest + read_segments(by_id.order_by(Segment.id.desc()).limit(_NEWEST))


def add_mark(fence: Fence, tenant_id: str, at_ms: int, *, label: str, note: str, source: str) -> None:
    """Add an event that makes no footage wanted. Raises LeaseLost and DatabaseUnavailable."""
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
