"""Reads the coverage of one or many recordings, with a number of queries that does not grow with the recordings.

All times are milliseconds since 1970, UTC.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from gateway import database
from gateway.clock import DAY_MS
from gateway.footage.amounts import Amount, open_amounts, rollup_of
from gateway.footage.coverage import DayCoverage, measure_days
from gateway.footage.gaps import GapFact, Knowledge, Range, cut_out, join_gaps, merge_ranges
from gateway.footage.reading import holes_in, missing_files_of, noted_gaps_of, read_knowledge_of
from gateway.footage.recordings import Recording
from gateway.footage.segments import FIFTEEN_MINUTES_MS
from gateway.footage.timelines import MAX_LOOK_UPS, ROLLUP_SLACK_MS, clip_gaps, infer_reasons
from gateway.schedules.local_days import LocalDay
from gateway.tenancy.scopes import EveryTenantScope

#: Recordings whose facts are read together, and are in memory at once.
_BATCH = 100


@dataclass(slots=True)
class _Facts:
    """What is known of one recording: noted gaps, recorded ms by quarter of an hour, amounts by day number."""

    known: Knowledge
    noted: list[GapFact]
    quarters: dict[int, int] = field(default_factory=dict)
    days: dict[int, Amount] = field(default_factory=dict)


def read_coverage(
    scope: EveryTenantScope, recording: Recording, days: Sequence[LocalDay], *, now_ms: int
) -> list[DayCoverage]:
    """The coverage of local days, with every gap."""
    return next(read_coverages(scope, [recording], days, now_ms=now_ms))


def read_coverages(
    scope: EveryTenantScope, recordings: Sequence[Recording], days: Sequence[LocalDay], *, now_ms: int
) -> Iterator[list[DayCoverage]]:
    """As `read_coverage` for each of the recordings, which have their devices as `.device`."""
    for first in range(0, len(recordings), _BATCH):
        with database.session():
            batch = _read_batch(scope, recordings[first : first + _BATCH], days, now_ms)
        yield from batch


def _read_batch(
    scope: EveryTenantScope, recordings: Sequence[Recording], days: Sequence[LocalDay], now_ms: int
) -> list[list[DayCoverage]]:
    start_ms, end_ms = days[0].start_ms, min(days[-1].end_ms, now_ms)
    ids = [recording.id for recording in recordings]
    known = read_knowledge_of(scope, recordings, now_ms)
    noted = noted_gaps_of(scope, ids, start_ms, end_ms)
    missing = missing_files_of(ids, start_ms, end_ms)
    facts = {key: _Facts(known[key], sorted([*noted[key], *missing[key]], key=lambda gap: gap.start_ms)) for key in ids}
    _add_amounts(facts, days)
    noted_ranges = {key: clip_gaps(facts[key].noted, start_ms, end_ms, now_ms) for key in ids}
    holes = holes_in(
        [
            (key, low, high)
            for key in ids
            for low, high in _unexplained(facts[key].quarters, start_ms, end_ms, noted_ranges[key])
        ]
    )
    found = []
    for key in ids:
        remaining = cut_out(holes.get(key, []), noted_ranges[key])
        gaps = join_gaps([*facts[key].noted, *infer_reasons(key, remaining, known[key])])
        found.append(measure_days(days, facts[key].days, gaps, now_ms))
    return found


def _add_amounts(facts: dict[int, _Facts], days: Sequence[LocalDay]) -> None:
    """Add the amounts of closed segments, from the roll-up, and of those that are still open."""
    # Days begin with a quarter of an hour, which therefore belongs to one of them.
    numbers = {
        quarter: day.number
        for day in days
        for quarter in range(-(-day.start_ms // FIFTEEN_MINUTES_MS), -(-day.end_ms // FIFTEEN_MINUTES_MS))
    }
    for key, quarter, amount in rollup_of(list(facts), days[0].start_ms, days[-1].end_ms):
        one = facts[key]
        one.quarters[quarter] = amount.recorded_ms
        if (number := numbers.get(quarter)) is not None:
            one.days[number] = one.days[number] + amount if number in one.days else amount
    starts = [day.start_ms for day in days]
    for key, at_ms, amount in open_amounts(list(facts)):
        place = bisect_right(starts, at_ms) - 1
        if place < 0 or at_ms >= days[place].end_ms:
            continue
        one, quarter, number = facts[key], at_ms // FIFTEEN_MINUTES_MS, days[place].number
        one.quarters[quarter] = one.quarters.get(quarter, 0) + amount.recorded_ms
        one.days[number] = one.days.get(number, Amount()) + amount


def _unexplained(quarters: dict[int, int], start_ms: int, end_ms: int, noted: Iterable[Range]) -> list[Range]:
    """Ranges that the roll-up and the recorded gaps do not fully explain."""
    explained = dict(quarters)
    for low, high in merge_ranges(noted):
        for quarter in range(low // FIFTEEN_MINUTES_MS, -(-high // FIFTEEN_MINUTES_MS)):
            inside = min(high, (quarter + 1) * FIFTEEN_MINUTES_MS) - max(low, quarter * FIFTEEN_MINUTES_MS)
            explained[quarter] = explained.get(quarter, 0) + inside
    found = []
    for quarter in range(start_ms // FIFTEEN_MINUTES_MS, -(-end_ms // FIFTEEN_MINUTES_MS)):
        low, high = max(quarter * FIFTEEN_MINUTES_MS, start_ms), min((quarter + 1) * FIFTEEN_MINUTES_MS, end_ms)
        if high - low - explained.get(quarter, 0) > ROLLUP_SLACK_MS:
            found.append((low, high))
    ranges = merge_ranges(found)
    return ranges if len(ranges) <= MAX_LOOK_UPS else merge_ranges(ranges, within_ms=DAY_MS)
