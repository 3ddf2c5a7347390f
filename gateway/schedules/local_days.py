"""Days as a clock on the wall shows them: where each begins and ends in UTC, whatever daylight-saving time does.
Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_EPOCH_DAY = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class LocalDay:
    """A date in a time zone and the milliseconds since 1970 (UTC) in which it lies; its end is not part of it."""

    date: date
    start_ms: int
    end_ms: int

    @property
    def number(self) -> int:
        """The date as days since 1970."""
        return self.date.toordinal() - _EPOCH_DAY

    def overlap_ms(self, start_ms: int, end_ms: int) -> int:
        """How much of a range lies in this day."""
        return max(0, min(end_ms, self.end_ms) - max(start_ms, self.start_ms))


def local_days(zone: ZoneInfo, first: date, last: date) -> list[LocalDay]:
    """The days from `first` to `last`, both included. A day may have 23 or 25 hours, or none where a zone skipped
    it."""
    dates = [date.fromordinal(number) for number in range(first.toordinal(), last.toordinal() + 1)]
    starts = [day_start_ms(zone, day) for day in (*dates, last + timedelta(days=1))]
    return [LocalDay(day, start, max(start, end)) for day, start, end in zip(dates, starts, starts[1:], strict=False)]


def day_start_ms(zone: ZoneInfo, day: date) -> int:
    """When a date begins: its midnight, or where the clock skips midnight, the moment in which it does so."""
    return round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000)


def local_date(zone: ZoneInfo, at_ms: int) -> date:
    """The date that the clock on the wall shows at a moment."""
    return as_local(zone, at_ms).date()


def as_local(zone: ZoneInfo, at_ms: int) -> datetime:
    """A moment as the clock on the wall shows it, to the millisecond."""
    return (datetime.fromtimestamp(at_ms // 1000, UTC) + timedelta(milliseconds=at_ms % 1000)).astimezone(zone)


def offset_steps(zone: ZoneInfo, days: Sequence[LocalDay]) -> list[tuple[int, int]]:
    """How far local time is ahead of UTC during these days: (from this moment on in ms, seconds ahead), at least one.

    Moments are exact to the minute, which is finer than any law sets a clock.
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
    """The first minute after `low`, up to `high`, with an offset other than `before`."""
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
