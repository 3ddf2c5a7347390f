"""`/events`: events of all devices, in pages, by waiting, and as server-sent events."""

from concurrent.futures import Future
from typing import Any

from flask import Response
from flask.views import MethodView

from gateway import database
from gateway.api.base import Blueprint, DeferredReply, current_name, current_scope, services
from gateway.api.errors import ApiError
from gateway.api.events.listening import listening
from gateway.api.events.schemas import (
    EventQueryArgsSchema,
    EventSchema,
    EventStreamArgsSchema,
    EventValuesArgsSchema,
    EventValuesSchema,
    LastEventIdSchema,
)
from gateway.api.events.stream import EventStream
from gateway.api.events.views import build_filter, event_view
from gateway.api.pushed import PushedReply
from gateway.events.following import oldest_cursor
from gateway.events.model import COUNTER
from gateway.events.selection import EventFilter, find_event, list_after, list_newest
from gateway.events.values import count_values

blp = Blueprint("events", __name__, url_prefix="/events", description="What happened to devices, jobs and the service")

_CURSOR_HEADER = "X-Cursor"
_CURSOR = {
    _CURSOR_HEADER: {
        "description": "the `after` of the next request, to miss nothing that is recorded or changed from now on",
        "schema": {"type": "integer"},
    }
}


class _Alarm:
    """A listener that waits for the first event."""

    def __init__(self, criteria: EventFilter) -> None:
        self.criteria = criteria
        self.future: Future = Future()

    def offer(self, _piece: bytes) -> None:
        if not self.future.done():
            self.future.set_result(None)

    def note_position(self, position: int) -> None:
        """The next query finds its own."""


@blp.route("")
class Events(MethodView):
    @blp.arguments(EventQueryArgsSchema, location="query")
    @blp.response(200, EventSchema(many=True), headers=_CURSOR)
    @blp.errors(422, 503)
    def get(self, args: dict[str, Any]) -> Any:
        """List events

        Newest first by their start; the next page begins `before` the id of the last event. With `after`, what was
        recorded or changed since that cursor, oldest first: go on with the header `X-Cursor`, not with the last item,
        because transactions do not end in the order of their cursors. An event may come twice, with the same cursor,
        and comes again when it changes. With `wait`, a request for which there is nothing yet waits.
        """
        criteria = build_filter(current_scope().tenant_id, args)
        if args["after"] is None:
            position = listening().feed.position()
            events = list_newest(
                current_scope(),
                criteria,
                start_ms=args["start"],
                end_ms=args["end"],
                before=args["before"],
                limit=args["page_size"],
            )
            return _reply(events, position)
        return _follow(args, criteria)


def _follow(args: dict[str, Any], criteria: EventFilter) -> Any:
    """What is new after a cursor, now or later."""
    wired = listening()
    alarm = _Alarm(criteria)
    give_back = services().waits.take() if args["wait"] else None
    if give_back is not None:
        # Before the first look, so that nothing comes in between.
        wired.feed.join(alarm)

    def close() -> None:
        if give_back is not None:
            wired.feed.leave(alarm)
            give_back()

    def look() -> Any:
        position = wired.feed.position()
        events = list_after(
            current_scope(),
            criteria,
            args["after"],
            start_ms=args["start"],
            end_ms=args["end"],
            limit=args["page_size"],
        )
        if len(events) == args["page_size"]:
            position = min(position, events[-1].cursor)
        return events, max(position, args["after"])

    try:
        events, position = look()
    except BaseException:
        close()
        raise
    if events or give_back is None:
        close()
        return _reply(events, position)
    return DeferredReply(alarm.future, args["wait"], lambda: _reply(*look()), close=close)


def _reply(events: list[Any], position: int) -> Any:
    return [event_view(event) for event in events], 200, {_CURSOR_HEADER: str(position)}


@blp.route("/<int:event_id>")
class EventById(MethodView):
    @blp.response(200, EventSchema)
    @blp.errors(404, 503)
    def get(self, event_id: int) -> Any:
        """Read an event"""
        return event_view(find_event(current_scope(), event_id))


@blp.route("/values")
class EventValues(MethodView):
    @blp.arguments(EventValuesArgsSchema, location="query")
    @blp.response(200, EventValuesSchema)
    @blp.errors(422, 503)
    def get(self, args: dict[str, Any]) -> Any:
        """List kinds, labels and zones

        Those of the newest events that plugins recorded, for filters: the most frequent first.
        """
        return count_values(current_scope(), device_ids=args["device_id"], start_ms=args["start"])


@blp.route("/stream")
class EventsStream(MethodView):
    @blp.arguments(EventStreamArgsSchema, location="query")
    @blp.arguments(LastEventIdSchema, location="headers")
    @blp.doc(operationId="stream_events")
    @blp.response(200, EventSchema, content_type="text/event-stream")
    @blp.errors(422, 503)
    def get(self, args: dict[str, Any], headers: dict[str, Any]) -> Response:
        """Follow events

        Server-sent events: `event` is the kind, `data` an event as JSON, `id` the place from which a client goes on
        with the header `Last-Event-ID`. Each event comes at least once; one that comes twice has the same id and
        cursor. A comment every 15 seconds shows that the connection is alive. An event `reset` says that events
        before it may be missing (no longer kept, or another database): read the lists again. A client that reads too
        slowly is cut off, and goes on where it was. 503 with reason `too_many_listeners` if too many clients listen.
        """
        wired = listening()
        after = int(headers["last_event_id"]) if headers["last_event_id"] else args["last_event_id"]
        reset = None
        if after is not None:
            if after > database.last_number(COUNTER):
                after, reset = None, "unknown_id"
            elif after < oldest_cursor() - 1:
                reset = "no_longer_kept"
        give_back = wired.places.take(current_name())
        if give_back is None:
            raise ApiError(503, "too many clients listen to events: try again later", reason="too_many_listeners")
        try:
            criteria = build_filter(current_scope().tenant_id, args)
            stream = EventStream(wired.feed, current_scope(), criteria, after=after, reset=reset, give_back=give_back)
        except BaseException:
            give_back()
            raise
        return PushedReply(
            stream,
            content_type="text/event-stream; charset=utf-8",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )
