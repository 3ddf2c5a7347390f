"""Timelines as the API shows them: spans and gaps, with events and protections."""

from typing import Any

from gateway.api.base import current_scope
from gateway.api.footage.views import gap_json, spans_json
from gateway.api.time_fields import now_ms
from gateway.clock import format_time
from gateway.events.model import transitions_between
from gateway.footage.lists import read_edges
from gateway.footage.places import read_places
from gateway.footage.protections import protections_between, recording_events
from gateway.footage.recordings import Recording
from gateway.footage.timelines import read_timeline
from gateway.states import reason_for

#: Limit of the events of each kind in one timeline.
_MAX_EVENTS = 500


def timeline_json(recording: Recording, start: int, end: int, resolution_seconds: float | None) -> dict[str, Any]:
    """As in the schema `Timeline`."""
    now = now_ms()
    timeline = read_timeline(
        current_scope(),
        recording,
        start,
        end,
        now_ms=now,
        resolution_ms=None if resolution_seconds is None else max(1, round(resolution_seconds * 1000)),
    )
    oldest, newest = read_edges(current_scope(), [recording.id])[recording.id]
    return {
        "start": format_time(start),
        "end": format_time(end),
        "resolution_seconds": timeline.resolution_ms / 1000,
        "spans": spans_json(timeline),
        "gaps": [gap_json(gap) for gap in timeline.gaps],
        "events": _events_json(recording, start, end),
        "protections": [
            {
                "id": item.id,
                "start": format_time(item.start_ms),
                "end": format_time(item.end_ms),
                "kind": item.kind,
                "note": item.note,
            }
            for item in protections_between(current_scope(), recording, start, end)
        ],
        "places": [
            {"start": format_time(one.start_ms), "end": format_time(one.end_ms), "place": one.where}
            for one in read_places(recording, start, min(end, now), timeline.resolution_ms)
        ],
        "oldest": None if oldest is None else format_time(oldest),
        "newest": None if newest is None else format_time(newest),
    }


def _events_json(recording: Recording, start_ms: int, end_ms: int) -> list[dict[str, Any]]:
    found, _ = recording_events(current_scope(), recording, start_ms, end_ms, limit=_MAX_EVENTS)
    events = [
        (
            event.at_ms,
            {
                "kind": "recording",
                "at": format_time(event.at_ms),
                "end": None if event.end_ms is None else format_time(event.end_ms),
                "label": event.label,
                "note": event.note,
            },
        )
        for event in found
    ]
    for event in transitions_between(
        current_scope(), recording.device_id, start_ms, end_ms, limit=_MAX_EVENTS, is_newest=True
    ):
        at_ms = event.start_ms
        note = reason_for(event.reason_code, event.reason_message).message if event.reason_code else None
        events.append(
            (
                at_ms,
                {
                    "kind": "stream",
                    "at": format_time(at_ms),
                    "end": None,
                    "label": event.to_state,
                    "note": note,
                },
            )
        )
    return [event for _, event in sorted(events, key=lambda pair: pair[0])]
