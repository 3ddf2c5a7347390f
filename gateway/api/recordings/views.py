"""Recordings and their events as the API shows them: rows as plain values."""

from typing import Any

from gateway.api.base import current_scope, services
from gateway.api.footage.views import recorded_sums
from gateway.api.recordings.store import kept_forecast
from gateway.api.time_fields import now_ms
from gateway.clock import DAY_MS
from gateway.footage.lists import Totals, read_totals
from gateway.footage.recordings import Recording, RecordingEvent
from gateway.schedules.recording_plan import Decision, decide, load_plan
from gateway.states import Reason, reason_for
from gateway.storage.forecast import Kept
from gateway.storage.interface import StorageUnavailable
from gateway.storage.limits import free_bytes_floor, limits_of
from gateway.storage.local import open_storage

#: A recorder that is alive updates the index far more often.
_SILENT_MS = 60_000


def recording_views(recordings: list[Recording]) -> list[dict[str, Any]]:
    """Recordings (with their devices as `.device`) as in the schema `Recording`."""
    now, floor = now_ms(), _free_bytes_floor()
    totals = read_totals(current_scope(), [recording.id for recording in recordings], now, recorded_sums())
    kept = kept_forecast().read(recordings, now)
    return [
        _recording_view(recording, totals.get(recording.id, Totals()), kept[recording.id], now, floor)
        for recording in recordings
    ]


def _recording_view(recording: Recording, totals: Totals, kept: Kept, now: int, floor: int | None) -> dict[str, Any]:
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
        "override": _override_view(recording, now),
        "is_wanted": decision.is_wanted,
        "cause": decision.cause,
        "observed": recording.observed,
        "reason": _reason_of(recording, decision, totals.newest_ms, now),
        "since": recording.since,
        "oldest": totals.oldest_ms,
        "newest": totals.newest_ms,
        "bytes": totals.bytes,
        "seconds": totals.recorded_ms / 1000,
        "retention": {
            "keep_days": limits.keep_ms and limits.keep_ms // DAY_MS,
            "keep_bytes": limits.keep_bytes,
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


def _reason_of(recording: Recording, decision: Decision, newest_ms: int | None, now: int) -> Reason | None:
    """Why there is no footage now."""
    if not decision.is_wanted:
        code = decision.reason_code or "recording_off"
        return reason_for(code, f"recording was stopped by {decision.by_name}" if decision.by_name else None)
    if recording.observed == "recording":
        # A recorder that was killed could not report its end.
        last_ms = max(newest_ms or 0, round(recording.since.timestamp() * 1000))
        return reason_for("recorder_away") if now - last_ms > _SILENT_MS else None
    if recording.reason_code is not None and recording.observed != "off":
        return reason_for(recording.reason_code, recording.reason_message)
    return reason_for("recorder_away")


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
