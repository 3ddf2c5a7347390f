"""Computes when the snapshots of a schedule are due: at an interval in seconds, or at local times of day. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.schedules.local_days import day_start_ms, local_date
from gateway.schedules.recording_plan import WEEKDAYS, find_zone, parse_minute

#: Limits of `every_seconds`, and the maximum number of times of day of a schedule.
MIN_SECONDS, MAX_SECONDS = 1, 7 * 86_400
MAX_TIMES = 96

_WEEK_DAYS = 7
#: The number of weeks that are searched for a step on a planned weekday: more than a year.
_MAX_WEEKS = 60


@dataclass(frozen=True, slots=True)
class SnapshotPlan:
    """Either `every_seconds` or `times` (`HH:MM`) is set. `weekdays` limit the plan to these days; empty means all.

    Steps are counted from 1970-01-01T00:00Z, so that 3600 means full hours of UTC, whenever the plan was made. At a
    change of the clock, a time of day that occurs twice means the first; a skipped one is delayed by the change.
    """

    every_seconds: int | None = None
    times: tuple[str, ...] = ()
    weekdays: tuple[str, ...] = ()
    time_zone: str = "UTC"

    @property
    def step_ms(self) -> int:
        """The shortest time between two moments, in milliseconds; a minute for times of day."""
        return 60_000 if self.every_seconds is None else self.every_seconds * 1000


def next_moment(plan: SnapshotPlan, after_ms: int) -> int | None:
    """The first moment of the plan later than `after_ms`, both in milliseconds since 1970, UTC.

    None if there is none within a year: a step of seven days, for example, never falls on some weekdays.
    """
    if plan.every_seconds is None:
        return min(_moments_around(plan, after_ms), default=None)
    step = plan.every_seconds * 1000
    zone = find_zone(plan.time_zone)
    moment = (after_ms // step + 1) * step
    for _ in range(_MAX_WEEKS):
        day = local_date(zone, moment)
        if _is_planned(plan, day.weekday()):
            return moment
        # The first step on the next planned day; a day may be hours longer or shorter than 24.
        ahead = next((days for days in range(1, _WEEK_DAYS + 1) if _is_planned(plan, (day.weekday() + days) % 7)), None)
        if ahead is None:
            return None
        start = day_start_ms(zone, day + timedelta(days=ahead))
        moment = -(-start // step) * step
    return None


def missed_moments(plan: SnapshotPlan, first_ms: int, until_ms: int, *, limit: int = 1000) -> tuple[int, int]:
    """The number of moments of the plan from `first_ms`, which is one of them, to `until_ms`, and the last of them.

    Counted up to `limit`. Without such moments, `first_ms` is the last.
    """
    count, last, moment = 0, first_ms, first_ms
    while moment is not None and moment <= until_ms and count < limit:
        count, last = count + 1, moment
        moment = next_moment(plan, moment)
    return count, last


def _moments_around(plan: SnapshotPlan, after_ms: int) -> Iterator[int]:
    """The moments of the times of day later than `after_ms`, within more than a week from the day before."""
    zone = find_zone(plan.time_zone)
    first = local_date(zone, after_ms) - timedelta(days=1)
    for number in range(_WEEK_DAYS + 3):
        day = first + timedelta(days=number)
        if not _is_planned(plan, day.weekday()):
            continue
        for text in plan.times:
            moment = _at_local(zone, datetime(day.year, day.month, day.day) + timedelta(minutes=parse_minute(text)))
            if moment > after_ms:
                yield moment


def _at_local(zone: ZoneInfo, local: datetime) -> int:
    """The moment of a local time; the first of two, and delayed by the change of the clock if it is skipped."""
    return round(local.replace(tzinfo=zone, fold=0).timestamp() * 1000)


def _is_planned(plan: SnapshotPlan, weekday: int) -> bool:
    return not plan.weekdays or WEEKDAYS[weekday] in plan.weekdays
