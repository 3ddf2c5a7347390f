"""Lists of recordings: pages, and totals of their footage."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import peewee
from peewee import fn

from gateway import database
from gateway.clock import DAY_MS
from gateway.devices.model import Device
from gateway.footage.amounts import Amount, open_amounts
from gateway.footage.reading import PLAYABLE
from gateway.footage.recordings import Recording
from gateway.footage.segments import FIFTEEN_MINUTES_MS, FifteenMinuteRollup, Segment
from gateway.tenancy.scopes import EVERY_RECORDING, EveryTenantScope

#: The roll-up before the last multiple of this length counts as old.
_OLDER_MS = 6 * 3_600_000
#: Sums are kept for so many times the time that adding up took, within these limits.
_KEEP_TIMES = 200
_LEAST_SECONDS, _MOST_SECONDS = 2.0, 600.0


class Totals(NamedTuple):
    """A recording's footage: its first and last moment (None without footage), bytes and milliseconds, and the bytes
    that have a local file, and a copy in an archive.
    """

    oldest_ms: int | None = None
    newest_ms: int | None = None
    bytes: int = 0
    recorded_ms: int = 0
    local_bytes: int = 0
    archived_bytes: int = 0


def select_recordings(
    scope: EveryTenantScope, *, text: str | None, device_ids: Sequence[str], limit: int, offset: int
) -> tuple[list[Recording], int]:
    """A page of recordings with their devices as `.device`, ordered by device name, and their total number.

    `device_ids` limits the page to these devices when it is not empty.
    """
    with database.session():
        query = (
            scope.select(Recording, Recording, Device.id, Device.name, Device.enabled, Device.start_mode)
            .join(Device, on=(Device.id == Recording.device_id), attr="device")
            .where(Recording.deleted_at.is_null())
        )
        if text:
            query = query.where(Device.search_text.contains(text.casefold()))
        if device_ids:
            query = query.where(Recording.device_id.in_(list(device_ids)))
        return list(query.order_by(Device.name_key, Device.id).limit(limit).offset(offset)), query.count()


def read_edges(scope: EveryTenantScope, recording_ids: Sequence[int]) -> dict[int, tuple[int | None, int | None]]:
    """The first and last moment of recordings' footage (ms since 1970; None without footage), by recording id."""
    first = _edge(Segment.start_ms, Segment.start_ms.asc())
    last = _edge(Segment.start_ms + Segment.duration_ms, Segment.start_ms.desc())
    with database.session():
        rows = scope.select(Recording, Recording.id, first, last).where(Recording.id.in_(list(recording_ids)))
        return {key: (oldest, newest) for key, oldest, newest in rows.tuples()}


class RecordedSums:
    """Amounts of recordings. Sums of footage older than some hours are cached: a year of it takes long to add up.

    They are kept for the longer, the longer they took: from seconds for some days of footage to ten minutes.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._older: dict[int, tuple[int, float, Amount]] = {}

    def read(self, recording_ids: Sequence[int], now_ms: int) -> dict[int, Amount]:
        """The amounts, including open segments; too high where older footage was deleted since it was added up."""
        bound = now_ms // _OLDER_MS * (_OLDER_MS // FIFTEEN_MINUTES_MS)
        now = self._clock()
        with self._lock:
            known = {
                key: entry[2]
                for key in recording_ids
                if (entry := self._older.get(key)) and entry[0] == bound and now < entry[1]
            }
        missing = [key for key in recording_ids if key not in known]
        found = _sum_rollup(missing, FifteenMinuteRollup.quarter < bound) if missing else {}
        took = self._clock() - now
        until = now + min(max(took * _KEEP_TIMES, _LEAST_SECONDS), _MOST_SECONDS)
        with self._lock:
            for key in missing:
                known[key] = found.get(key, Amount())
                self._older[key] = (bound, until, known[key])
        for key, amount in _sum_rollup(recording_ids, FifteenMinuteRollup.quarter >= bound).items():
            known[key] += amount
        for key, _, amount in open_amounts(list(recording_ids)):
            known[key] += amount
        return known

    def forget(self, recording_id: int) -> None:
        """Add up anew at the next reading, after footage was deleted."""
        with self._lock:
            self._older.pop(recording_id, None)


def read_totals(
    scope: EveryTenantScope, recording_ids: Sequence[int], now_ms: int, sums: RecordedSums | None = None
) -> dict[int, Totals]:
    """The totals of recordings by id, without those outside the scope. `sums` is a cache that makes it fast."""
    if not recording_ids:
        return {}
    with database.session():
        edges = read_edges(scope, recording_ids)
        amounts = (sums or RecordedSums()).read(list(edges), now_ms) if edges else {}
    return {
        key: Totals(*edge, found.bytes, found.recorded_ms, found.local_bytes, found.archived_bytes)
        for key, edge in edges.items()
        for found in (amounts[key],)
    }


def _sum_rollup(recording_ids: Sequence[int], which: Any) -> dict[int, Amount]:
    sums = (
        EVERY_RECORDING.select(
            FifteenMinuteRollup,
            FifteenMinuteRollup.recording_id,
            fn.SUM(FifteenMinuteRollup.recorded_ms),
            fn.SUM(FifteenMinuteRollup.bytes),
            fn.SUM(FifteenMinuteRollup.segments),
            fn.SUM(FifteenMinuteRollup.archived_bytes),
            fn.SUM(FifteenMinuteRollup.away_bytes),
        )
        .where(FifteenMinuteRollup.recording_id.in_(list(recording_ids)), which)
        .group_by(FifteenMinuteRollup.recording_id)
    )
    return {key: Amount(*map(int, amounts)) for key, *amounts in sums.tuples()}


class Usage(NamedTuple):
    """Local bytes of a recording, bytes of its closed segments of the last 24 hours, and its first moment (None: no
    footage); then the bytes with a copy in an archive, in an archive only, and waiting for a copy.
    """

    recording: Recording
    bytes: int
    day_bytes: int
    oldest_ms: int | None
    archived_bytes: int = 0
    away_bytes: int = 0
    waiting_bytes: int = 0


def usage_of_all(scope: EveryTenantScope, now_ms: int, sums: RecordedSums) -> list[Usage]:
    """The usage of all recordings of the scope, including deleted devices whose files still exist."""
    with database.session():
        recordings = list(scope.select(Recording))
        ids = [recording.id for recording in recordings]
        if not ids:
            return []
        amounts, edges = sums.read(ids, now_ms), read_edges(scope, ids)
        recent = _sum_rollup(ids, FifteenMinuteRollup.quarter >= (now_ms - DAY_MS) // FIFTEEN_MINUTES_MS)
    return [
        Usage(
            row,
            found.local_bytes,
            recent.get(row.id, Amount()).bytes,
            edges[row.id][0],
            found.archived_bytes,
            found.away_bytes,
            found.bytes - found.archived_bytes if row.archived_by is not None else 0,
        )
        for row in recordings
        for found in (amounts[row.id],)
    ]


def _edge(moment: Any, order: Any) -> peewee.ModelSelect:
    """A subquery for the first or last moment of the outer query's recording."""
    return (
        EVERY_RECORDING.select(Segment, moment)
        .where(Segment.recording_id == Recording.id, PLAYABLE)
        .order_by(order)
        .limit(1)
    )
