"""Days in a local time zone: where each begins and ends in UTC, across changes of daylight-saving time. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_EPOCH_DAY = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class LocalDay:
    """A date in a time zone and its range in milliseconds since 1970, UTC; the end is exclusive."""

    date: date
    start_ms: int
    end_ms: int

    @property
    def number(self) -> int:
        """The date as days since 1970."""
        return self.date.toordinal() - _EPOCH_DAY

    def overlap_ms(self, start_ms: int, end_ms: int) -> int:
        """How much of a range is within this day."""
        return max(0, min(end_ms, self.end_ms) - max(start_ms, self.start_ms))


def local_days(zone: ZoneInfo, first: date, last: date) -> list[LocalDay]:
    """The days from `first` to `last`, both included. A day may have 23 or 25 hours, or none if the zone skipped it."""
    dates = [date.fromordinal(number) for number in range(first.toordinal(), last.toordinal() + 1)]
    starts = [day_start_ms(zone, day) for day in (*dates, last + timedelta(days=1))]
    return [LocalDay(day, start, max(start, end)) for day, start, end in zip(dates, starts, starts[1:], strict=False)]


def day_start_ms(zone: ZoneInfo, day: date) -> int:
    """The start of a date: its midnight, or the moment of the change if the clock skips midnight."""
    return round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000)


def local_date(zone: ZoneInfo, at_ms: int) -> date:
    """The local date of a moment."""
    return as_local(zone, at_ms).date()


def as_local(zone: ZoneInfo, at_ms: int) -> datetime:
    """The local time of a moment, to the millisecond."""
    return (datetime.fromtimestamp(at_ms // 1000, UTC) + timedelta(milliseconds=at_ms % 1000)).astimezone(zone)


def offset_steps(zone: ZoneInfo, days: Sequence[LocalDay]) -> list[tuple[int, int]]:
    """The UTC offsets during these days: at least one pair of (valid from in ms, offset in seconds).

    Moments are exact to the minute, which is finer than any legal change of a clock.
    """
    steps: list[tuple[int, int]] = []
    for day in days:
        if not steps:
            steps.append((day.start_ms, _offset_seconds(zone, day.start_ms)))
        before = steps[-1][1]
        if day.end_ms > day.start_ms and _offset_seconds(zone, day.end_ms) != before:
            changed = _find_change(zone, day.start_ms // 60_000, day.end_ms // 60_000, before)
            steps.append((changed * 60_000, _offset_seconds(zone, changed * 60_000)))
    return steps


def _find_change(zone: ZoneInfo, low: int, high: int, before: int) -> int:
    """The first minute after `low`, up to `high`, whose offset differs from `before`."""
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_seconds(zone, middle * 60_000) == before:
            low = middle
        else:
            high = middle
    return high


def _offset_seconds(zone: ZoneInfo, at_ms: int) -> int:
    offset = datetime.fromtimestamp(at_ms // 1000, zone).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0
