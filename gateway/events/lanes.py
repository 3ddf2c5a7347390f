"""The events of a device as lanes of a timeline: runs by kind and label, merged at a resolution. Mostly one query."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway import database
from gateway.events.model import EVENT_KINDS, Event
from gateway.tenancy.scopes import EveryTenantScope

#: Events that are read at most; more leave the lanes incomplete.
MAX_EVENTS = 50_000
#: Runs of one lane at most: a coarser resolution is used where there would be more.
MAX_RUNS = 1_000
#: Lanes at most; those with the most events are kept.
MAX_LANES = 20
#: An event that lasted longer is found only by ranges that contain its start.
_LONGEST_MS = 24 * 3_600_000


@dataclass(slots=True)
class Lane:
    """Runs of events: [start, end, number of events], in order; ms from the start of the range."""

    kind: str
    label: str | None
    events: int = 0
    runs: list[list[int]] = field(default_factory=list)


def read_lanes(
    scope: EveryTenantScope,
    device_id: str,
    start_ms: int,
    end_ms: int,
    *,
    resolution_ms: int,
    now_ms: int,
    kinds: Sequence[str] = (),
) -> tuple[list[Lane], bool]:
    """The lanes of a range, and whether they are complete; without `kinds` those of all plugins' events.

    Events that are less than the resolution apart are one run; an event that goes on ends at `now_ms`.
    """
    query = scope.select(Event, Event.kind, Event.label, Event.start_ms, Event.end_ms).where(
        Event.device_id == device_id, Event.start_ms < end_ms, Event.start_ms > start_ms - _LONGEST_MS
    )
    query = query.where(Event.end_ms.is_null() | (Event.end_ms >= start_ms))
    query = query.where(Event.kind.in_(list(kinds)) if kinds else Event.kind.not_in(EVENT_KINDS))
    with database.session():
        rows = list(query.order_by(Event.start_ms).limit(MAX_EVENTS).tuples())
    lanes: dict[tuple[str, str | None], Lane] = {}
    for kind, label, began_ms, ended_ms in rows:
        lane = lanes.setdefault((kind, label), Lane(kind, label))
        lane.events += 1
        first = max(began_ms, start_ms) - start_ms
        last = min(now_ms if ended_ms is None else ended_ms, end_ms) - start_ms
        _add(lane.runs, first, max(first, last), resolution_ms)
    shown = sorted(lanes.values(), key=lambda lane: -lane.events)[:MAX_LANES]
    for lane in shown:
        while len(lane.runs) > MAX_RUNS:
            resolution_ms *= 2
            lane.runs = _merge(lane.runs, resolution_ms)
    return sorted(shown, key=lambda lane: (lane.kind, lane.label or "")), len(rows) < MAX_EVENTS


def _add(runs: list[list[int]], first: int, last: int, resolution_ms: int, count: int = 1) -> None:
    if runs and first - runs[-1][1] <= resolution_ms:
        runs[-1][1] = max(runs[-1][1], last)
        runs[-1][2] += count
    else:
        runs.append([first, last, count])


def _merge(runs: list[list[int]], resolution_ms: int) -> list[list[int]]:
    merged: list[list[int]] = []
    for first, last, count in runs:
        _add(merged, first, last, resolution_ms, count)
    return merged
