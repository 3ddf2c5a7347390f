"""Which kinds, labels and zones the events of plugins have, for filters."""

from collections import Counter
from collections.abc import Collection
from typing import Any

import peewee

from gateway import database
from gateway.events.model import Event
from gateway.tenancy.scopes import EveryTenantScope

#: The newest events that are looked at: a bound for the time of the query, whatever the table contains.
LOOKED_AT = 20_000
#: Values of each column at most.
MOST = 200


def count_values(
    scope: EveryTenantScope, *, device_ids: Collection[str] = (), start_ms: int | None = None
) -> dict[str, Any]:
    """`kinds`, `labels` and `zones` with the number of their events, the most frequent first; `is_complete`."""
    newest = scope.select(Event, Event.kind, Event.label, Event.zone).where(Event.plugin.is_null(False))
    if device_ids:
        newest = newest.where(Event.device_id.in_(sorted(device_ids)))
    if start_ms is not None:
        newest = newest.where(Event.start_ms >= start_ms)
    inner = newest.order_by(Event.start_ms.desc(), Event.id.desc()).limit(LOOKED_AT).alias("newest")
    columns = inner.c.kind, inner.c.label, inner.c.zone
    query = peewee.Select([inner], [*columns, peewee.fn.COUNT(peewee.SQL("*"))]).group_by(*columns)
    with database.session() as db:
        rows = list(query.tuples().execute(db))
    counters: tuple[Counter[str], ...] = (Counter(), Counter(), Counter())
    looked_at = 0
    for *values, count in rows:
        looked_at += count
        for counter, value in zip(counters, values, strict=True):
            if value is not None:
                counter[value] += count
    kinds, labels, zones = (
        [{"value": value, "events": count} for value, count in sorted(counter.items(), key=_by_count)[:MOST]]
        for counter in counters
    )
    return {"kinds": kinds, "labels": labels, "zones": zones, "is_complete": looked_at < LOOKED_AT}


def _by_count(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]
