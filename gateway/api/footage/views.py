"""Footage as the API shows it: rows and facts as plain values."""

from typing import Any

from flask import current_app

from gateway.clock import format_time
from gateway.footage.coverage import DayCoverage
from gateway.footage.gaps import GapFact
from gateway.footage.lists import RecordedSums
from gateway.footage.recordings import Protection, Recording
from gateway.footage.timelines import Timeline
from gateway.states import reason_for


def recorded_sums() -> RecordedSums:
    """The cached sums of this web process."""
    return current_app.extensions.setdefault("vas_recorded_sums", RecordedSums())


def protection_view(protection: Protection) -> dict[str, Any]:
    """A protection as in the schema `Protection`."""
    return {
        "id": protection.id,
        "start": protection.start_ms,
        "end": protection.end_ms,
        "kind": protection.kind,
        "note": protection.note,
        "created_by": protection.created_by,
        "created_at": protection.created_at,
    }


# ---- long lists: built as JSON directly, because a schema is slow for thousands of items ------------------------


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
    """The message of the reason, with the name of the person or address."""
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
        "archived_bytes": day.archived_bytes,
        "away_bytes": day.away_bytes,
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
