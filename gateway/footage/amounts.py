"""How much was recorded: sums over days and buckets of time, from the roll-up and the segments that are still open.

All times are milliseconds since 1970, UTC. A segment counts in the quarter of an hour in which it begins.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import peewee
from peewee import SQL, fn

from gateway import database
from gateway.clock import DAY_MS
from gateway.footage.gaps import Range
from gateway.footage.segments import FIFTEEN_MINUTES_MS, NOT_CLOSED, FifteenMinuteRollup, Segment, SegmentState
from gateway.schedules.local_days import LocalDay
from gateway.tenancy.scopes import EVERY_RECORDING, FootageScope


class Amount(NamedTuple):
    """The amount of footage in a time range. `archived_bytes` have a copy in an archive; of them, `away_bytes` have no
    local file any more.
    """

    recorded_ms: int = 0
    bytes: int = 0
    segments: int = 0
    archived_bytes: int = 0
    away_bytes: int = 0

    @property
    def local_bytes(self) -> int:
        return self.bytes - self.away_bytes

    def __add__(self, other: tuple) -> "Amount":
        return Amount(*(a + b for a, b in zip(self, other, strict=True)))


def amounts_by_day(recording_id: int, days: Sequence[LocalDay], steps: Sequence[Range]) -> dict[int, Amount]:
    """The recorded amounts of local days, by day number, in one GROUP BY over the roll-up.

    `steps` as `gateway.schedules.local_days.offset_steps` returns them.
    """
    if not days:
        return {}
    offset: Any = steps[0][1]
    if len(steps) > 1:
        cases = [
            (FifteenMinuteRollup.quarter < until_ms // FIFTEEN_MINUTES_MS, seconds)
            for (_, seconds), (until_ms, _) in pairwise(steps)
        ]
        offset = peewee.Case(None, cases, steps[-1][1])
    day = (FifteenMinuteRollup.quarter * (FIFTEEN_MINUTES_MS // 1000) + offset) / (DAY_MS // 1000)
    with database.session():
        found = {
            int(key): Amount(*map(int, sums))
            for key, *sums in _sum_rollup(recording_id, day, days[0].start_ms, days[-1].end_ms)
        }
        for _, start_ms, amount in open_amounts([recording_id]):
            for local in days:
                if local.start_ms <= start_ms < local.end_ms:
                    found[local.number] = found.get(local.number, Amount()) + amount
    return found


def amounts_by_bucket(recording_id: int, start_ms: int, end_ms: int, bucket_ms: int) -> dict[int, Amount]:
    """The recorded amounts of buckets (`start_ms // bucket_ms`); `bucket_ms` is a multiple of 15 minutes."""
    bucket = FifteenMinuteRollup.quarter / (bucket_ms // FIFTEEN_MINUTES_MS)
    with database.session():
        found = {
            int(key): Amount(*map(int, sums)) for key, *sums in _sum_rollup(recording_id, bucket, start_ms, end_ms)
        }
        for _, at_ms, amount in open_amounts([recording_id]):
            if start_ms <= at_ms < end_ms:
                found[at_ms // bucket_ms] = found.get(at_ms // bucket_ms, Amount()) + amount
    return found


def rollup_of(recording_ids: Sequence[int], start_ms: int, end_ms: int) -> Iterator[tuple[int, int, Amount]]:
    """Recording, quarter of an hour and amount of each entry of the roll-up in a range, for many recordings."""
    columns = (FifteenMinuteRollup.recorded_ms, FifteenMinuteRollup.bytes, FifteenMinuteRollup.segments)
    query = EVERY_RECORDING.select(
        FifteenMinuteRollup, FifteenMinuteRollup.recording_id, FifteenMinuteRollup.quarter, *columns
    ).where(
        FifteenMinuteRollup.recording_id.in_(list(recording_ids)),
        FifteenMinuteRollup.quarter >= start_ms // FIFTEEN_MINUTES_MS,
        FifteenMinuteRollup.quarter < -(-end_ms // FIFTEEN_MINUTES_MS),
    )
    return ((key, quarter, Amount(*sums)) for key, quarter, *sums in query.tuples().iterator())


def open_amounts(recording_ids: list[int]) -> Iterable[tuple[int, int, Amount]]:
    """Recording, start and amount of each open segment: the roll-up has only closed ones."""
    query = EVERY_RECORDING.select(
        Segment, Segment.recording_id, Segment.start_ms, Segment.duration_ms, Segment.size
    ).where(NOT_CLOSED, Segment.state == SegmentState.OPEN, Segment.recording_id.in_(recording_ids))
    return [(key, start_ms, Amount(duration, size, 1)) for key, start_ms, duration, size in query.tuples()]


def _sum_rollup(recording_id: int, key: Any, start_ms: int, end_ms: int) -> Iterable[tuple]:
    rows = FootageScope(recording_id).select(
        FifteenMinuteRollup,
        key,
        fn.SUM(FifteenMinuteRollup.recorded_ms),
        fn.SUM(FifteenMinuteRollup.bytes),
        fn.SUM(FifteenMinuteRollup.segments),
        fn.SUM(FifteenMinuteRollup.archived_bytes),
        fn.SUM(FifteenMinuteRollup.away_bytes),
    )
    return (
        rows.where(
            FifteenMinuteRollup.quarter >= start_ms // FIFTEEN_MINUTES_MS,
            FifteenMinuteRollup.quarter < -(-end_ms // FIFTEEN_MINUTES_MS),
        )
        .group_by(SQL("1"))
        .tuples()
    )
