"""The boxes of events, in a table of the plugin's own."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import peewee

from gateway.plugin_api import EVERY_TENANT, EveryTenantScope, IdField, TenantRow, TimeField, database, utc_now
from plugins.ai_analytics.boxes import pack_boxes, unpack_boxes
from plugins.ai_analytics.tracker import Sighting

#: Boxes of one row span at most this time, so that a query by time finds them.
MOST_SPAN_MS = 60_000


class Boxes(TenantRow):
    """Boxes of one event, from `start_ms` to `end_ms`: packed as in `boxes.py`. An event has one or more rows."""

    id = peewee.BigAutoField()
    device_id = IdField()
    event_id = peewee.BigIntegerField()
    label = peewee.TextField()
    start_ms = peewee.BigIntegerField()
    end_ms = peewee.BigIntegerField()
    packed = peewee.BlobField()
    at = TimeField()

    class Meta:
        table_name = "ai_analytics_boxes"


@dataclass(frozen=True, slots=True)
class EventBoxes:
    """Boxes of one event, in order."""

    event_id: int
    label: str
    boxes: list[Sighting]


def save_boxes(tenant_id: str, device_id: str, event_id: int, label: str, sightings: list[Sighting]) -> None:
    """Store sightings of an event. Raises DatabaseUnavailable."""
    now = utc_now()
    with database.transaction():
        for part in _split(sightings):
            EVERY_TENANT.insert(
                Boxes,
                tenant_id=tenant_id,
                device_id=device_id,
                event_id=event_id,
                label=label,
                start_ms=part[0].at_ms,
                end_ms=part[-1].at_ms,
                packed=pack_boxes(part[0].at_ms, part),
                at=now,
            ).execute()


def boxes_between(
    scope: EveryTenantScope, device_id: str, start_ms: int, end_ms: int, *, limit: int
) -> tuple[list[EventBoxes], bool]:
    """The boxes of a device from one moment to another, by event; and whether there are more than `limit` boxes."""
    query = (
        scope.select(Boxes)
        .where(
            Boxes.device_id == device_id,
            Boxes.start_ms > start_ms - MOST_SPAN_MS,
            Boxes.start_ms < end_ms,
            Boxes.end_ms >= start_ms,
        )
        .order_by(Boxes.start_ms, Boxes.id)
    )
    found: dict[int, EventBoxes] = {}
    count = 0
    with database.session():
        for row in query.iterator():
            boxes = [one for one in unpack_boxes(row.start_ms, bytes(row.packed)) if start_ms <= one.at_ms < end_ms]
            if count + len(boxes) > limit:
                return list(found.values()), True
            count += len(boxes)
            if boxes:
                found.setdefault(row.event_id, EventBoxes(row.event_id, row.label, [])).boxes.extend(boxes)
    return list(found.values()), False


def boxes_of_event(scope: EveryTenantScope, event_id: int, *, limit: int) -> list[Sighting]:
    """The first boxes of an event."""
    found: list[Sighting] = []
    with database.session():
        query = scope.select(Boxes).where(Boxes.event_id == event_id).order_by(Boxes.start_ms, Boxes.id)
        for row in query.iterator():
            found += unpack_boxes(row.start_ms, bytes(row.packed))
            if len(found) >= limit:
                break
    return found[:limit]


def prune_boxes(before: datetime, batch: int = 2000) -> int:
    """Delete up to `batch` rows of all tenants stored before a moment; returns the number deleted."""
    with database.transaction():
        old = EVERY_TENANT.select(Boxes, Boxes.id).where(Boxes.at < before).order_by(Boxes.at).limit(batch)
        ids = [row.id for row in old]
        if not ids:
            return 0
        return EVERY_TENANT.delete(Boxes).where(Boxes.id.in_(ids)).execute()


def _split(sightings: list[Sighting]) -> Iterable[list[Sighting]]:
    part: list[Sighting] = []
    for one in sightings:
        if part and one.at_ms - part[0].at_ms >= MOST_SPAN_MS:
            yield part
            part = []
        part.append(one)
    if part:
        yield part
