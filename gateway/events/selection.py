"""Which events somebody wants to see: a filter that matches in memory, and as conditions of a query."""

from dataclasses import dataclass, field
from typing import Any

import peewee

from gateway import database
from gateway.errors import InvalidValue, NotFound
from gateway.events.model import Event
from gateway.tenancy.scopes import EveryTenantScope


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Events of a tenant that match each criterion; an empty one matches all. Equal filters are matched once."""

    tenant_id: str
    device_ids: frozenset[str] = field(default=frozenset())
    kinds: frozenset[str] = field(default=frozenset())
    labels: frozenset[str] = field(default=frozenset())
    zones: frozenset[str] = field(default=frozenset())
    plugins: frozenset[str] = field(default=frozenset())
    min_score: float | None = None
    of_plugins: bool = False
    with_picture: bool = False
    with_passing: bool = False
    #: Passing facts of these kinds only; of all without.
    passing_kinds: frozenset[str] = field(default=frozenset())

    def matches(self, event: Event) -> bool:
        """Whether an event is wanted."""
        return (
            event.tenant_id == self.tenant_id
            and (not self.device_ids or event.device_id in self.device_ids)
            and (not self.kinds or event.kind in self.kinds)
            and (not self.labels or event.label in self.labels)
            and (not self.zones or event.zone in self.zones)
            and (not self.plugins or event.plugin in self.plugins)
            and (self.min_score is None or (event.score is not None and event.score >= self.min_score))
            and not (self.of_plugins and event.plugin is None)
            and not (self.with_picture and event.snapshot_id is None)
        )

    def matches_passing(self, fact: dict[str, Any]) -> bool:
        """Whether a passing fact is wanted; it has neither label nor zone nor score nor picture."""
        return (
            self.with_passing
            and fact["tenant_id"] == self.tenant_id
            and (not self.device_ids or fact["device_id"] in self.device_ids)
            and (not self.kinds or fact["kind"] in self.kinds)
            and (not self.passing_kinds or fact["kind"] in self.passing_kinds)
            and (not self.plugins or fact["plugin"] in self.plugins)
            and not (self.of_plugins and fact["plugin"] is None)
            and not (self.labels or self.zones or self.min_score is not None or self.with_picture)
        )

    def select(self, scope: EveryTenantScope) -> peewee.ModelSelect:
        """A query for the events of a scope that match."""
        query = scope.select(Event)
        for column, values in (
            (Event.device_id, self.device_ids),
            (Event.kind, self.kinds),
            (Event.label, self.labels),
            (Event.zone, self.zones),
            (Event.plugin, self.plugins),
        ):
            if values:
                query = query.where(column.in_(sorted(values)))
        if self.min_score is not None:
            query = query.where(Event.score >= self.min_score)
        if self.of_plugins:
            query = query.where(Event.plugin.is_null(False))
        if self.with_picture:
            query = query.where(Event.snapshot_id.is_null(False))
        return query


def find_event(scope: EveryTenantScope, event_id: int) -> Event:
    """An event of a scope. Raises NotFound."""
    with database.session():
        event = scope.select(Event).where(Event.id == min(event_id, 2**63 - 1)).first()
    if event is None:
        raise NotFound(f"there is no event with id '{str(event_id)[:20]}'")
    return event


def list_newest(
    scope: EveryTenantScope,
    criteria: EventFilter,
    *,
    start_ms: int | None = None,
    end_ms: int | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Event]:
    """Events that overlap a range, newest first by their start; those after the event `before` in that order.

    Raises InvalidValue if there is no event `before` (any more).
    """
    with database.session():
        query = _in_range(criteria.select(scope), start_ms, end_ms)
        if before is not None:
            last = scope.select(Event, Event.start_ms).where(Event.id == before).tuples().first()
            if last is None:
                raise InvalidValue("before", f"there is no event with id '{before}': begin with the newest again")
            same_start = (Event.start_ms == last[0]) & (Event.id < before)
            query = query.where((Event.start_ms <= last[0]) & ((Event.start_ms < last[0]) | same_start))
        return list(query.order_by(Event.start_ms.desc(), Event.id.desc()).limit(limit))


def list_after(
    scope: EveryTenantScope,
    criteria: EventFilter,
    after: int,
    *,
    until: int | None = None,
    start_ms: int | None = None,
    end_ms: int | None = None,
    limit: int = 50,
) -> list[Event]:
    """Events whose cursor is greater than `after`, and at most `until`, in the order of their cursors."""
    with database.session():
        query = _in_range(criteria.select(scope), start_ms, end_ms).where(Event.cursor > after)
        if until is not None:
            query = query.where(Event.cursor <= until)
        return list(query.order_by(Event.cursor).limit(limit))


def _in_range(query: peewee.ModelSelect, start_ms: int | None, end_ms: int | None) -> peewee.ModelSelect:
    """Events that began before the end and had not ended before the start."""
    if end_ms is not None:
        query = query.where(Event.start_ms < end_ms)
    if start_ms is not None:
        # One that goes on may have begun long ago; one that has ended is found by its start, within a day of the range.
        ended_later = (Event.end_ms >= start_ms) & (Event.start_ms > start_ms - _LONGEST_MS)
        query = query.where((Event.start_ms >= start_ms) | Event.end_ms.is_null() | ended_later)
    return query


#: Events that ended and lasted longer are found only by ranges that contain their start.
_LONGEST_MS = 24 * 3_600_000
