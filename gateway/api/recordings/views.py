"""Recordings and their events as the API shows them: rows as plain values."""

from typing import Any

from gateway.api.base import current_scope, services
from gateway.api.footage.views import recorded_sums
from gateway.api.recordings.store import kept_forecast
from gateway.api.time_fields import now_ms
from gateway.clock import DAY_MS
from gateway.footage.lists import Totals, read_totals
from gateway.footage.recorder_status import RecorderStatus
from gateway.footage.recordings import Recording, RecordingEvent
from gateway.schedules.recording_plan import decide, load_plan
from gateway.storage.forecast import Kept
from gateway.storage.interface import StorageUnavailable
from gateway.storage.limits import free_bytes_floor, limits_of
from gateway.storage.local import open_storage


def recording_views(recordings: list[Recording]) -> list[dict[str, Any]]:
    """Recordings (with their devices as `.device`) as in the schema `Recording`."""
    now, floor = now_ms(), _free_bytes_floor()
    totals = read_totals(current_scope(), [recording.id for recording in recordings], now, recorded_sums())
    statuses = services().read_recordings(current_scope(), [recording.device_id for recording in recordings])
    kept = kept_forecast().read(recordings, now)
    return [
        _recording_view(
            recording,
            statuses[recording.device_id],
            totals.get(recording.id, Totals()),
            kept[recording.id],
            now=now,
            floor=floor,
        )
        for recording in recordings
        if recording.device_id in statuses  # otherwise it has just been deleted
    ]


def _recording_view(
    recording: Recording, status: RecorderStatus, totals: Totals, kept: Kept, *, now: int, floor: int | None
) -> dict[str, Any]:
    wish = recording.desired_recording(is_enabled=recording.device.enabled)
    decision = decide(wish, now)
    limits = limits_of(recording, services().config)
    return {
        "device_id": recording.device_id,
        "device_name": recording.device.name,
        "mode": recording.mode,
        "time_zone": recording.time_zone,
        "plan": load_plan(recording.plan),
        "pre_roll_seconds": recording.pre_roll_seconds,
        "post_roll_seconds": recording.post_roll_seconds,
        "keep_days": recording.keep_days,
        "keep_bytes": recording.keep_bytes,
        "archive_keep_days": recording.archive_keep_days,
        "waits_for_copy": recording.waits_for_copy,
        "archived_by": recording.archived_by,
        "override": _override_view(recording, now),
        "is_wanted": decision.is_wanted,
        "cause": decision.cause,
        "observed": status.observed,
        "reason": status.reason,
        "since": status.since,
        "oldest": totals.oldest_ms,
        "newest": totals.newest_ms,
        "bytes": totals.bytes,
        "local_bytes": totals.local_bytes,
        "archived_bytes": totals.archived_bytes,
        "seconds": totals.recorded_ms / 1000,
        "retention": {
            "keep_days": limits.keep_ms and limits.keep_ms // DAY_MS,
            "keep_bytes": limits.keep_bytes,
            "archive_keep_days": limits.archive_keep_ms and limits.archive_keep_ms // DAY_MS,
            "free_bytes_floor": floor,
            "expected_seconds": None if kept.days is None else round(kept.days * DAY_MS / 1000),
            "limit": kept.limit,
            "bin_hours": services().config.bin_hours,
        },
    }


def _free_bytes_floor() -> int | None:
    """The free space to keep; None while the storage is unavailable or does not exist yet."""
    config = services().config
    try:
        return config.free_bytes_floor or free_bytes_floor(config, open_storage(config).space(), 0)
    except StorageUnavailable:
        return None


def _override_view(recording: Recording, now: int) -> dict[str, Any] | None:
    until = recording.override_until_ms
    if recording.override is None or (until is not None and until <= now):
        return None
    return {
        "wish": recording.override,
        "by": recording.override_by,
        "at": recording.override_at_ms,
        "until": until,
    }


def event_view(event: RecordingEvent) -> dict[str, Any]:
    """An event of a recording."""
    return {
        "id": event.id,
        "at": event.at_ms,
        "end": event.end_ms,
        "label": event.label,
        "note": event.note,
        "source": event.source,
    }
