"""Recordings and footage as the API shows them: rows and facts as plain values."""

import time
from typing import Any

from flask import current_app

from gateway.api.base import current_scope, services
from gateway.clock import DAY_MS, format_time
from gateway.footage.coverage import DayCoverage
from gateway.footage.gaps import GapFact
from gateway.footage.lists import RecordedSums, Totals, read_totals
from gateway.footage.recordings import Protection, Recording, RecordingEvent
from gateway.footage.timelines import Timeline
from gateway.schedules.recording_plan import Decision, decide, load_plan
from gateway.states import Reason, reason_for
from gateway.storage.interface import StorageUnavailable
from gateway.storage.limits import free_bytes_floor, limits_of
from gateway.storage.local import open_storage

#: A recorder that writes puts its footage into the index far more often.
_SILENT_MS = 60_000


def now_ms() -> int:
    """The present, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def recorded_sums() -> RecordedSums:
    """The sums that this web process remembers."""
    return current_app.extensions.setdefault("vas_recorded_sums", RecordedSums())


def recording_views(recordings: list[Recording]) -> list[dict[str, Any]]:
    """Recordings with their devices as `.device`."""
    now, floor = now_ms(), _free_bytes_floor()
    totals = read_totals(current_scope(), [recording.id for recording in recordings], now, recorded_sums())
    return [_recording_view(recording, totals.get(recording.id, Totals()), now, floor) for recording in recordings]


def _recording_view(recording: Recording, totals: Totals, now: int, floor: int | None) -> dict[str, Any]:
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
        },
    }


def _free_bytes_floor() -> int | None:
    """The least space that stays free; None while the store is away, or not there yet."""
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
        # A recorder that was killed could not say that it is gone.
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


def protection_view(protection: Protection) -> dict[str, Any]:
    """A protected range."""
    return {
        "id": protection.id,
        "start": protection.start_ms,
        "end": protection.end_ms,
        "kind": protection.kind,
        "note": protection.note,
        "created_by": protection.created_by,
        "created_at": protection.created_at,
    }


# ---- what may be long: as JSON has it, without a schema's work for each of thousands of items ------------------


def reason_json(code: str, message: str | None = None) -> dict[str, str]:
    """A reason as in the schema `Reason`."""
    reason = reason_for(code, message)
    return {"code": reason.code, "message": reason.message, "remedy": reason.remedy}


def gap_json(gap: GapFact) -> dict[str, Any]:
    """As in the schema `Gap`."""
    return {
        "start": format_time(gap.start_ms),
        "end": None if gap.end_ms is None else format_time(gap.end_ms),
        "reason": reason_json(gap.reason_code, gap.message or _by(gap)),
        "by": gap.by_name,
        "is_wanted": gap.is_wanted,
    }


def _by(gap: GapFact) -> str | None:
    """The message that names who did it."""
    if gap.by_name and gap.reason_code in ("stopped_by_person", "deleted_by_person"):
        return reason_for(gap.reason_code).message.replace("a person", gap.by_name)
    return None


def spans_json(timeline: Timeline) -> list[dict[str, Any]]:
    """As in the schema `Span`."""
    return [
        {"start": format_time(span.start_ms), "end": format_time(span.end_ms), "coverage": span.coverage}
        for span in timeline.spans
    ]


def date_json(day: DayCoverage) -> dict[str, Any]:
    """As in the schema `Date`."""
    return {
        "date": day.day.date.isoformat(),
        "seconds": day.recorded_ms / 1000,
        "wanted_seconds": day.wanted_ms / 1000 if day.wanted_ms else None,
        "coverage": day.coverage,
        "bytes": day.bytes,
        "segments": day.segments,
        "gaps": sum(gap.is_wanted for gap in day.gaps),
    }


def coverage_json(recording: Recording, day: DayCoverage, now: int) -> dict[str, Any]:
    """As in the schema `DayCoverage`."""
    return {
        "device_id": recording.device_id,
        "device_name": recording.device.name,
        "date": day.day.date.isoformat(),
        "recorded_seconds": day.recorded_ms / 1000,
        "wanted_seconds": day.wanted_ms / 1000,
        "coverage": day.coverage,
        "gaps": [{**gap_json(gap), "seconds": (gap.until(now) - gap.start_ms) / 1000} for gap in day.gaps],
    }
