"""Events as the API shows them: in a list, and in the form of server-sent events."""

import json
from typing import Any

from gateway.api.events.schemas import EventSchema
from gateway.api.reasons import format_reason
from gateway.events.model import Event
from gateway.events.selection import EventFilter

_SCHEMA = EventSchema()


def event_view(event: Event) -> Event:
    """An event with what its schema needs besides its columns."""
    event.reason = format_reason(event.reason_code, event.reason_message)
    if not isinstance(event.data, dict):
        event.data = json.loads(event.data) if event.data else {}
    return event


def encode_event(event: Event, position: int) -> bytes:
    """An event as the stream sends it; its id is the position from which a client goes on."""
    return f"id: {position}\nevent: {event.kind}\ndata: ".encode() + _json(_SCHEMA.dump(event_view(event))) + b"\n\n"


def encode_passing(fact: dict[str, Any]) -> bytes:
    """A passing fact as the stream sends it, without an id."""
    shown = {name: fact[name] for name in ("kind", "device_id", "plugin", "data")} | {"change": "passing"}
    return f"event: {fact['kind']}\ndata: ".encode() + _json(shown) + b"\n\n"


def encode_reset(reason: str) -> bytes:
    """Says that events may be missing before this place."""
    return b"event: reset\ndata: " + _json({"reason": reason}) + b"\n\n"


def build_filter(tenant_id: str, args: dict[str, Any]) -> EventFilter:
    """The filter of a query."""
    return EventFilter(
        tenant_id,
        device_ids=frozenset(args["device_id"]),
        kinds=frozenset(args["kind"]),
        labels=frozenset(args["label"]),
        zones=frozenset(args["zone"]),
        plugins=frozenset(args["plugin"]),
        min_score=args["min_score"],
        of_plugins=bool(args["of_plugins"]),
        with_picture=bool(args["with_picture"]),
        with_passing=bool(args.get("passing")),
        passing_kinds=frozenset(args.get("passing_kind") or ()),
    )


def _json(value: Any) -> bytes:
    """On one line, whatever the texts contain."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
