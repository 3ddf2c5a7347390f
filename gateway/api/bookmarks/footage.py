"""Availability of footage for a clip: recorded, held by the media bus, or still to come."""

from dataclasses import dataclass
from typing import Any

from flask import Response

from gateway.api.base import current_scope, services
from gateway.api.nearest import NOTHING, refuse_empty
from gateway.api.time_fields import now_ms
from gateway.captures.bookmarks import Bookmark
from gateway.errors import Conflict, NotFound
from gateway.footage.cuts import estimate_footage
from gateway.footage.reading import nearest_footage
from gateway.footage.recordings import Recording, find_recording
from gateway.jobs.model import FootageRange
from gateway.streams.bus import MediaBus

#: A stream whose newest part is not older than this is live: the footage that follows will arrive.
_LIVE_MS = 10_000


@dataclass(frozen=True, slots=True)
class ClipFootage:
    """The footage of a range. `held` is the range that retention must keep while the clip is made."""

    is_available: bool
    held: FootageRange
    nearest_before_ms: int | None = None
    nearest_after_ms: int | None = None


def find_clip_footage(recording: Recording, start_ms: int, end_ms: int) -> ClipFootage:
    """Whether any footage of a range is or will be available. Raises BusUnavailable if only the bus could tell."""
    found = estimate_footage(recording, start_ms, end_ms)
    if found is not None:
        held = FootageRange(recording.id, min(start_ms, found.start_ms), max(end_ms, found.end_ms))
        return ClipFootage(True, held)
    held = FootageRange(recording.id, start_ms, end_ms)
    span = _bus_span(services().bus, recording.device_id)
    before, after = nearest_footage(recording.id, start_ms)[0], nearest_footage(recording.id, end_ms)[1]
    if span is None:
        return ClipFootage(False, held, before, after)
    first, last = span
    if first < end_ms and (start_ms < last or now_ms() - last < _LIVE_MS):
        return ClipFootage(True, held)
    if last <= start_ms:
        before = max(before or 0, last)
    elif first >= end_ms:
        after = min(after or first, first)
    return ClipFootage(False, held, before, after)


def find_footage_again(bookmark: Bookmark, values: Any) -> ClipFootage:
    """Footage for another clip of an existing bookmark. Raises Conflict `device_deleted`."""
    return find_clip_footage(_recording_of(bookmark), values.at_ms - values.before_ms, values.at_ms + values.after_ms)


def refuse_clip(found: ClipFootage) -> Response:
    """404 that names the nearest footage."""
    return refuse_empty(
        "there is no footage for a clip",
        found.nearest_before_ms,
        found.nearest_after_ms,
        nothing=f"{NOTHING}, and it is not live",
    )


def _bus_span(bus: MediaBus, device_id: str) -> tuple[int, int] | None:
    """Start and end of the parts that the bus holds of a device; None without any."""
    oldest = bus.read(device_id, None, count=1)
    newest = bus.latest_group(device_id) if oldest else None
    if not oldest:
        return None
    last = newest[1][-1] if newest else oldest[-1]
    return round(oldest[0].start * 1000), round(last.end * 1000)


def _recording_of(bookmark: Bookmark) -> Recording:
    try:
        return find_recording(current_scope(), bookmark.device_id)
    except NotFound:
        raise Conflict(
            f"device '{bookmark.device_name}' was deleted together with its footage: no new clip can be made",
            reason="device_deleted",
        ) from None
