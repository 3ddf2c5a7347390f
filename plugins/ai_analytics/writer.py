"""Writes incidents as events, with their boxes, and does what rules say: recording, snapshots, bookmarks.

A thread of its own brings the database to what each incident is now. While the database is away nothing is lost, and
nobody waits: incidents are kept, up to a limit.
"""

import logging
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gateway.captures.bookmark_changes import create_bookmark
from gateway.captures.bookmarks import BookmarkValues
from gateway.captures.queue import EXACT, HISTORICAL, CaptureQueue, CaptureRequest
from gateway.events.bell import show_passing
from gateway.footage.recordings import add_event, extend_event
from gateway.plugin_api import (
    EVERY_TENANT,
    Clock,
    DeviceContext,
    Event,
    Events,
    NotFound,
    TenantScope,
    Unavailable,
    VasError,
    database,
)
from plugins.ai_analytics.incidents import Incident
from plugins.ai_analytics.kinds import BOXES, MOTION, PLUGIN
from plugins.ai_analytics.model import save_boxes
from plugins.ai_analytics.options import Rule
from plugins.ai_analytics.tracker import Sighting

log = logging.getLogger(__name__)

_ROUND_SECONDS = 0.5
#: An event that goes on is written anew after so long.
_REFRESH_SECONDS = 10.0
#: The picture of an event is taken when it ends, and after so long at the latest.
_PICTURE_SECONDS = 3.0
_ANSWER_SECONDS = 9.0
_KEEP_REQUEST_SECONDS = 20.0
#: Recording goes on for so long without a sign of the event.
_AHEAD_MS = 20_000
_MOST_INCIDENTS = 2000
_MOST_BOXES = 20_000
_CLIP_MS = 60_000
_MARGIN_MS = 3000


@dataclass(slots=True, eq=False)
class _Written:
    """An incident, and what of it is written."""

    device: DeviceContext
    rules: tuple[Rule, ...]
    kind: str
    label: str
    start_ms: int
    last_ms: int
    score: float
    zones: list[str]
    best: Sighting | None
    detector: str
    is_ended: bool = False
    is_dirty: bool = True
    boxes: list[Sighting] = field(default_factory=list)
    event_id: int | None = None
    refreshed_at: float = 0.0
    recording_event_id: int | None = None
    is_recorded: bool = False
    picture_id: str | None = None
    picture_sent_at: float = 0.0
    has_picture: bool = False
    is_bookmarked: bool = False
    is_closed: bool = False

    def does(self, action: str) -> bool:
        """Whether a rule of the device asks for this action."""
        return any(action in rule.actions and rule.holds(self.label, self.zones, self.score) for rule in self.rules)


class EventWriter:
    """One for all devices of a process. The thread begins with the first incident; `close` writes what is left."""

    def __init__(
        self, events: Events, captures: Callable[[], CaptureQueue], clock: Clock, *, is_threaded: bool = True
    ) -> None:
        self._events = events
        self._connect_captures = captures
        self._captures: CaptureQueue | None = None
        self._clock = clock
        self._is_threaded = is_threaded
        self._lock = threading.Lock()
        self._incidents: dict[Incident, _Written] = {}
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        #: Incidents that were given up, and why the last write failed.
        self.lost = 0
        self.problem: str | None = None

    def put(self, device: DeviceContext, rules: tuple[Rule, ...], incident: Incident) -> None:
        """An incident has begun, changed or ended. Takes its fresh sightings. Never blocks for the database."""
        with self._lock:
            written = self._incidents.get(incident)
            if written is None:
                if len(self._incidents) >= _MOST_INCIDENTS:
                    self.lost += 1
                    return
                written = self._incidents[incident] = _Written(
                    device, rules, incident.kind, incident.label, incident.start_ms, incident.last_ms, incident.score,
                    list(incident.zones), incident.best, incident.detector,
                )  # fmt: skip
            written.boxes += incident.fresh
            del written.boxes[_MOST_BOXES:]
            incident.fresh = []
            written.label, written.score, written.zones = incident.label, incident.score, list(incident.zones)
            written.last_ms, written.best = max(written.last_ms, incident.last_ms), incident.best
            written.is_ended = written.is_ended or incident.is_ended
            written.is_dirty = True
        if self._is_threaded and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="events of analysis", daemon=True)
            self._thread.start()

    def show(self, device: DeviceContext, data: dict[str, Any]) -> None:
        """Send boxes of the present to those who listen; they are lost if Redis is away."""
        try:
            # `plugin.events.show` would look up the tenant each time, and wait for the database.
            show_passing(device.tenant_id, device.id, BOXES, data, plugin=PLUGIN)
        except VasError as error:
            log.debug("boxes are not shown: %s", error)

    @property
    def waiting(self) -> int:
        """The number of incidents that are not written completely."""
        return len(self._incidents)

    def write_all(self) -> None:
        """Bring the database to the present; incidents that cannot be written now stay."""
        with self._lock:
            due = list(self._incidents.items())
        for incident, written in due:
            try:
                self._write(written)
                self.problem = None
            except Unavailable as error:
                self.problem = error.message
                return
            except VasError as error:
                # The device was deleted, for example.
                log.info("an event of device %s is not written: %s", written.device.id, error)
                written.is_closed = True
            except Exception:
                log.exception("an event of device %s is not written", written.device.id)
                written.is_closed = True
            if written.is_closed:
                with self._lock:
                    self._incidents.pop(incident, None)

    def close(self, seconds: float = 5.0) -> None:
        """Write what is left. May be called twice."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        while not self._closing.wait(_ROUND_SECONDS):
            self.write_all()
        with self._lock:
            for written in self._incidents.values():
                written.is_ended = True
                written.has_picture = written.has_picture or written.picture_id is not None
        self.write_all()

    # ---- one incident ------------------------------------------------------------------------------------------

    def _write(self, written: _Written) -> None:
        now = self._clock.monotonic()
        with self._lock:
            is_dirty, written.is_dirty = written.is_dirty, False
            is_ended = written.is_ended
        try:
            if written.event_id is None:
                self._begin(written, now)
            is_due = is_ended or now - written.refreshed_at >= _REFRESH_SECONDS
            if is_dirty and is_due:
                self._store(written, is_ended=is_ended)
                written.refreshed_at = now
                is_dirty = False
            elif written.recording_event_id is None:
                # Footage is wanted at once: its beginning is on the bus for a minute.
                self._keep_recording(written)
            self._take_picture(written, now, is_ended=is_ended)
            if is_ended and not written.is_bookmarked and written.does("bookmark"):
                self._bookmark(written)
            written.is_bookmarked = is_ended
        except BaseException:
            written.is_dirty = True
            raise
        written.is_dirty = written.is_dirty or is_dirty
        written.is_closed = is_ended and not written.is_dirty and (written.has_picture or not written.does("snapshot"))

    def _begin(self, written: _Written, now: float) -> None:
        written.event_id = self._events.record(
            written.device.id,
            written.kind,
            start_ms=written.start_ms,
            label=written.label if written.kind != MOTION else None,
            zone=written.zones[0] if written.zones else None,
            score=round(written.score, 3),
            data=_describe(written),
        )
        written.refreshed_at = now

    def _store(self, written: _Written, *, is_ended: bool) -> None:
        """Write what the incident is now, in one transaction."""
        before = written.recording_event_id, written.is_recorded
        try:
            with database.transaction():
                boxes = self._store_boxes(written)
                self._refresh(written, is_ended=is_ended)
                self._keep_recording(written)
        except BaseException:
            written.recording_event_id, written.is_recorded = before
            raise
        with self._lock:
            del written.boxes[:boxes]

    def _refresh(self, written: _Written, *, is_ended: bool) -> None:
        fields: dict[str, Any] = {
            "score": round(written.score, 3),
            "zone": written.zones[0] if written.zones else None,
            "data": _describe(written),
        }
        if written.kind != MOTION:
            fields["label"] = written.label
        if is_ended:
            fields["end_ms"] = max(written.last_ms, written.start_ms)
        self._events.change(written.event_id, **fields)

    def _store_boxes(self, written: _Written) -> int:
        """Store the boxes that wait; returns their number. They are kept until the transaction has ended."""
        with self._lock:
            boxes = list(written.boxes)
        if boxes:
            save_boxes(written.device.tenant_id, written.device.id, written.event_id, written.label, boxes)
        return len(boxes)

    def _keep_recording(self, written: _Written) -> None:
        if not written.does("record") or written.is_recorded:
            return
        # While it goes on, footage is wanted some seconds ahead; its end is its last sign.
        end_ms = written.last_ms if written.is_ended else written.last_ms + _AHEAD_MS
        if written.recording_event_id is None:
            event = add_event(
                EVERY_TENANT,
                written.device.id,
                label=written.label,
                at_ms=written.start_ms,
                end_ms=end_ms,
                source=PLUGIN,
            )
            written.recording_event_id = event.id
        else:
            extend_event(EVERY_TENANT, written.recording_event_id, end_ms)
        written.is_recorded = written.is_ended

    def _take_picture(self, written: _Written, now: float, *, is_ended: bool) -> None:
        if written.has_picture or not written.does("snapshot") or written.best is None:
            return
        if self._captures is None:
            self._captures = self._connect_captures()
        if written.picture_id is None:
            if not is_ended and written.last_ms - written.start_ms < _PICTURE_SECONDS * 1000:
                return
            written.picture_id, written.picture_sent_at = str(uuid.uuid4()), now
            request = CaptureRequest(
                id=written.picture_id,
                tenant_id=written.device.tenant_id,
                device_id=written.device.id,
                kind=HISTORICAL,
                at_ms=written.best.at_ms,
                accuracy=EXACT,
                tags=(written.label,),
                created_by=PLUGIN,
            )
            self._captures.send(request, keep_seconds=_KEEP_REQUEST_SECONDS)
            return
        answer = self._captures.collect(written.picture_id)
        if answer is None:
            written.has_picture = now - written.picture_sent_at > _KEEP_REQUEST_SECONDS + _ANSWER_SECONDS
            return
        written.has_picture = True
        if answer.reason is None:
            self._events.change(written.event_id, snapshot_id=written.picture_id)
        else:
            log.info("no picture of event %s: %s", written.event_id, answer.message or answer.reason)

    def _bookmark(self, written: _Written) -> None:
        at_ms = written.best.at_ms if written.best is not None else written.start_ms
        values = BookmarkValues(
            at_ms=at_ms,
            title=f"{written.label.capitalize()}{f' in {written.zones[0]}' if written.zones else ''}"[:200],
            tags=(written.label,),
            before_ms=min(_CLIP_MS, at_ms - written.start_ms + _MARGIN_MS),
            after_ms=min(_CLIP_MS, max(0, written.last_ms - at_ms) + _MARGIN_MS),
        )
        create_bookmark(
            TenantScope(written.device.tenant_id),
            str(uuid.uuid4()),
            values,
            device_id=written.device.id,
            device_name=written.device.name,
            asked={"at_ms": at_ms, "by": PLUGIN},
            created_by=PLUGIN,
        )


def end_forgotten(device_id: str, events: Events) -> None:
    """End the events of a device that go on although nobody follows them: their process died.

    Raises DatabaseUnavailable.
    """
    query = EVERY_TENANT.select(Event).where(
        Event.device_id == device_id, Event.plugin == PLUGIN, Event.end_ms.is_null()
    )
    with database.session():
        forgotten = list(query)
    for event in forgotten:
        data = event.to_fact().data
        try:
            events.change(event.id, end_ms=max(event.start_ms, int(data.get("last_ms") or 0)))
        except NotFound:
            continue


def _describe(written: _Written) -> dict[str, Any]:
    """The `data` of the event."""
    best = written.best
    return {
        "zones": written.zones,
        "detector": written.detector,
        "last_ms": written.last_ms,
        "best_ms": best.at_ms if best is not None else None,
        "box": [round(one, 4) for one in (best.x, best.y, best.width, best.height)] if best is not None else None,
    }
