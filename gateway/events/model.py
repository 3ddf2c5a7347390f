"""The table of events, and the functions that write it.

An event is written in the transaction of the fact that it reports, so that a crash loses either both or none; those who
follow the events are woken after the commit (gateway/events/bell.py). An event that goes on, such as a job, a gap or a
walker in a zone, is one row, which is changed. Each write gives the row the next cursor: in the order of their cursors
the rows are a feed, in which each event appears in its present form.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import peewee

from gateway import database
from gateway.clock import to_ms, utc_now
from gateway.errors import InvalidValue, NotFound
from gateway.events.bell import ring
from gateway.media import EventFact
from gateway.tenancy.scopes import EVERY_TENANT, EveryTenantScope, IdField, TenantRow, TimeField

#: Kinds of our own events. `state`: a transition of a stream; `recording`: of a recorder; `gap`: wanted footage that is
#: missing; `mark`: somebody asked for footage of an event; `health`: of a component of the service. The others concern
#: the object of that name.
STATE, RECORDING, GAP, SNAPSHOT, BOOKMARK, CLIP, FOOTAGE, DEVICE, JOB, HEALTH, MARK = EVENT_KINDS = (
    "state",
    "recording",
    "gap",
    "snapshot",
    "bookmark",
    "clip",
    "footage",
    "device",
    "job",
    "health",
    "mark",
)

#: What the last write did: `recorded` an event without duration, or it `began`, `changed` or `ended`.
RECORDED, BEGAN, CHANGED, ENDED = CHANGES = ("recorded", "began", "changed", "ended")

#: The counter of cursors.
COUNTER = "event_cursor"

#: Longest JSON of `data`, and longest texts.
MAX_DATA_BYTES = 64 << 10
MAX_TEXT = 1000
MAX_NAME = 100

_KIND = re.compile(r"[a-z][a-z0-9_.-]{0,63}", re.ASCII)
_MAX_MS = 253_402_300_799_999  # the end of the year 9999


class Event(TenantRow):
    """One event. `device_id` is None for what concerns no device; `start_ms` and `end_ms` in ms since 1970, UTC.

    `end_ms` is None while it goes on. `reference` is the id of the object that it is about, `by_name` the requester,
    `data` JSON of its kind. Transitions have both states and perhaps a reason; `run` is that of the stream.
    """

    id = peewee.BigAutoField()
    cursor = peewee.BigIntegerField()
    device_id = IdField(null=True)
    at = TimeField()
    change = peewee.TextField()
    kind = peewee.TextField()
    plugin = peewee.TextField(null=True)
    label = peewee.TextField(null=True)
    zone = peewee.TextField(null=True)
    score = peewee.DoubleField(null=True)
    start_ms = peewee.BigIntegerField()
    end_ms = peewee.BigIntegerField(null=True)
    from_state = peewee.TextField(null=True)
    to_state = peewee.TextField(null=True)
    reason_code = peewee.TextField(null=True)
    reason_message = peewee.TextField(null=True)
    run = peewee.BigIntegerField(null=True)
    reference = peewee.TextField(null=True)
    snapshot_id = IdField(null=True)
    text = peewee.TextField(null=True)
    by_name = peewee.TextField(null=True)
    data = peewee.TextField(null=True)

    class Meta:
        table_name = "events"

    def to_fact(self) -> EventFact:
        """The event as it is passed to hooks."""
        return EventFact(
            id=self.id,
            cursor=self.cursor,
            change=self.change,
            tenant_id=self.tenant_id,
            device_id=self.device_id,
            kind=self.kind,
            plugin=self.plugin,
            label=self.label,
            zone=self.zone,
            score=self.score,
            start_ms=self.start_ms,
            end_ms=self.end_ms,
            from_state=self.from_state,
            to_state=self.to_state,
            reason_code=self.reason_code,
            reason_message=self.reason_message,
            reference=self.reference,
            snapshot_id=self.snapshot_id,
            text=self.text or "",
            by_name=self.by_name,
            data=json.loads(self.data) if self.data else {},
        )


def record_event(
    tenant_id: str,
    device_id: str | None,
    kind: str,
    text: str | None = None,
    *,
    at: datetime | None = None,
    start_ms: int | None = None,
    goes_on: bool = False,
    data: Mapping[str, Any] | None = None,
    **values: Any,
) -> int:
    """Store an event and announce it after the commit; returns its id. Raises InvalidValue for data that is too large.

    It happened at `start_ms`, otherwise at `at` (now), and has ended there unless it `goes_on` or `end_ms` is given.
    `values` are further columns; an empty text is stored as None.
    """
    row = _build(tenant_id, device_id, kind, text, at=at, start_ms=start_ms, goes_on=goes_on, data=data, **values)
    with database.transaction():
        (cursor,) = database.take_numbers(COUNTER, 1)
        event_id = EVERY_TENANT.insert(Event, **row, cursor=cursor).execute()
        database.after_commit(ring)
        return event_id


def record_events(events: Sequence[Mapping[str, Any]]) -> None:
    """Store several events, each with the arguments of `record_event`, in one statement."""
    if not events:
        return
    rows = [_build(**event) for event in events]
    columns = {name for row in rows for name in row}
    with database.transaction():
        cursors = database.take_numbers(COUNTER, len(rows))
        full = [{**dict.fromkeys(columns), **row, "cursor": cursor} for row, cursor in zip(rows, cursors, strict=True)]
        EVERY_TENANT.insert_many(Event, full).execute()
        database.after_commit(ring)


def change_event(scope: EveryTenantScope, event_id: int, *, plugin: str | None = None, **values: Any) -> None:
    """Change columns of an event and announce it. With `plugin`, only an event of that plugin. Raises NotFound."""
    condition = Event.id == event_id
    if plugin is not None:
        condition &= Event.plugin == plugin
    if not _change(scope, condition, values):
        raise NotFound(f"there is no event with id '{event_id}'")


def change_referenced(kind: str, reference: str, **values: Any) -> bool:
    """Change columns of the newest event of a kind with this reference; False if there is none."""
    query = EVERY_TENANT.select(Event, Event.id).where(Event.reference == reference, Event.kind == kind)
    with database.transaction():
        row = query.order_by(Event.id.desc()).tuples().first()
        return row is not None and _change(EVERY_TENANT, Event.id == row[0], values)


def forget_events(scope: EveryTenantScope, device_ids: Sequence[str]) -> None:
    """Delete the events of devices; within the caller's transaction."""
    scope.delete(Event).where(Event.device_id.in_(list(device_ids))).execute()


def events_of(scope: EveryTenantScope, device_id: str, kinds: Iterable[str] = ()) -> peewee.ModelSelect:
    """The events of a device, newest first; restricted to `kinds` if any are given."""
    query = scope.select(Event).where(Event.device_id == device_id)
    if kinds:
        query = query.where(Event.kind.in_(list(kinds)))
    return query.order_by(Event.start_ms.desc(), Event.id.desc())


def transitions_between(
    scope: EveryTenantScope, device_id: str, start_ms: int, end_ms: int, *, limit: int, is_newest: bool = False
) -> list[Event]:
    """State changes of a device's stream from `start_ms` to before `end_ms`, oldest first: the first ones, or the
    newest."""
    query = scope.select(Event).where(
        Event.device_id == device_id, Event.kind == STATE, Event.start_ms >= start_ms, Event.start_ms < end_ms
    )
    with database.session():
        if is_newest:
            return list(query.order_by(Event.start_ms.desc(), Event.id.desc()).limit(limit))[::-1]
        return list(query.order_by(Event.start_ms, Event.id).limit(limit))


def prune_events(before: datetime, batch: int = 5000) -> int:
    """Delete up to `batch` events of all tenants written before a moment; returns the number deleted."""
    with database.transaction():
        old = EVERY_TENANT.select(Event, Event.id).where(Event.at < before)
        ids = [event.id for event in old.order_by(Event.at).limit(batch)]
        if not ids:
            return 0
        return EVERY_TENANT.delete(Event).where(Event.id.in_(ids)).execute()


def check_kind(kind: Any) -> str:
    """The kind of an event of a plugin. Raises InvalidValue."""
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        raise InvalidValue("kind", f"'kind' must be a word such as 'motion' or 'door.opened', not {str(kind)[:40]!r}")
    if kind in EVENT_KINDS:
        raise InvalidValue("kind", f"'kind' must not be '{kind}': the service itself records events of this kind")
    return kind


def pack_data(data: Mapping[str, Any] | None) -> str | None:
    """The JSON of an event's data. Raises InvalidValue."""
    if not data:
        return None
    try:
        text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidValue("data", f"'data' must be an object of JSON: {str(error)[:100]}") from None
    if size > MAX_DATA_BYTES:
        raise InvalidValue("data", f"'data' must have at most {MAX_DATA_BYTES} bytes as JSON, not {size}")
    return text


def _change(scope: EveryTenantScope, condition: Any, values: dict[str, Any]) -> bool:
    if "data" in values:
        values["data"] = pack_data(values["data"])
    values.setdefault("change", ENDED if values.get("end_ms") is not None else CHANGED)
    with database.transaction():
        before = scope.select(Event, Event.start_ms, Event.end_ms).where(condition).dicts().first()
        if before is None:
            return False
        _check({**before, **values})
        (cursor,) = database.take_numbers(COUNTER, 1)
        is_found = bool(scope.update(Event, **values, cursor=cursor, at=utc_now()).where(condition).execute())
        if is_found:
            database.after_commit(ring)
        return is_found


def _build(
    tenant_id: str,
    device_id: str | None,
    kind: str,
    text: str | None = None,
    *,
    at: datetime | None = None,
    start_ms: int | None = None,
    goes_on: bool = False,
    data: Mapping[str, Any] | None = None,
    **values: Any,
) -> dict[str, Any]:
    at = at or utc_now()
    start = to_ms(at) if start_ms is None else start_ms
    end = values.pop("end_ms", None)
    if end is None and not goes_on:
        end = start
    row = {
        "tenant_id": tenant_id,
        "device_id": device_id,
        "kind": kind,
        "text": (text or None) and text[:MAX_TEXT],
        "at": at,
        "start_ms": start,
        "end_ms": end,
        "change": BEGAN if end is None else RECORDED,
        "data": pack_data(data),
        **values,
    }
    _check(row)
    return row


def _check(row: Mapping[str, Any]) -> None:
    for name in ("start_ms", "end_ms"):
        value = row.get(name)
        if value is not None and not (isinstance(value, int) and 0 <= value <= _MAX_MS):
            raise InvalidValue(name, f"'{name}' must be milliseconds since 1970, not {str(value)[:40]!r}")
    start, end = row.get("start_ms"), row.get("end_ms")
    if start is not None and end is not None and end < start:
        raise InvalidValue("end_ms", "'end_ms' must not be before 'start_ms'")
