"""Follows the events in the order of their cursors and loses none, although transactions do not commit in that order.

A transaction takes its cursor before it commits: on PostgreSQL, one that took 5 may commit after one that took 6. So a
number that is missing is an open gap until every transaction that might hold it has ended. Whoever follows gets 6 at
once, and 5 when it appears; its `position`, from which it can go on after a restart, stays below the gap. Events may
come twice after a restart, never not at all.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import reduce
from itertools import islice
from operator import or_

from gateway import database
from gateway.clock import utc_now
from gateway.events.model import Event
from gateway.tenancy.scopes import EVERY_TENANT

#: A number is taken a moment before its transaction gets one of its own: a gap is not judged before this time.
_FRESH_SECONDS = 1.0
#: Transactions of VAS are shorter than this; those of others that are longer hold no cursor.
_LONGEST_SECONDS = 60.0
#: Rows of one query, and gaps.
BATCH = 500
_GAPS_OF_QUERY = 100


@dataclass(slots=True)
class _Gap:
    """Missing cursors, `first` to `last`. `horizon`: the first number of a transaction that can hold none of them."""

    first: int
    last: int
    since: float
    horizon: int | None = None
    #: Nobody can fill it any more: the next look is the last one.
    is_over: bool = False


class Follower:
    """Reads the events that are new since its last call. Not thread-safe."""

    def __init__(self, position: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`position`: that of an earlier follower, 0 for all events, or `newest_cursor()` for those to come."""
        self._last = position
        self._gaps: list[_Gap] = []
        self._clock = clock

    @property
    def last(self) -> int:
        """The greatest cursor that was read."""
        return self._last

    @property
    def position(self) -> int:
        """The cursor from which another follower misses nothing that this one has not returned yet."""
        return self._gaps[0].first - 1 if self._gaps else self._last

    @classmethod
    def from_now(cls, *, clock: Callable[[], float] = time.monotonic) -> "Follower":
        """A follower of what is committed from now on. Raises DatabaseUnavailable."""
        with database.session():
            follower = cls(max(0, newest_cursor() - BATCH), clock=clock)
            query = EVERY_TENANT.select(Event, Event.cursor, Event.at).where(Event.cursor > follower._last)
            follower._note(list(query.order_by(Event.cursor)))
        return follower

    def read(self, limit: int = BATCH) -> list[Event]:
        """New events of all tenants in the order of their cursors, those of gaps first; at most `limit`, empty if there
        are none now. Raises DatabaseUnavailable."""
        with database.session():
            late = self._read_gaps(limit)
            query = EVERY_TENANT.select(Event).where(Event.cursor > self._last).order_by(Event.cursor)
            rows = list(query.limit(limit - len(late))) if len(late) < limit else []
        self._note(rows)
        return late + rows

    def _read_gaps(self, limit: int) -> list[Event]:
        if not self._gaps:
            return []
        self._judge()
        found: list[Event] = []
        for some in _batches(self._gaps, _GAPS_OF_QUERY):
            is_missing = reduce(or_, (Event.cursor.between(gap.first, gap.last) for gap in some))
            query = EVERY_TENANT.select(Event).where(is_missing).order_by(Event.cursor)
            found.extend(query.limit(limit - len(found)))
            if len(found) >= limit:
                break
        else:
            self._gaps = [gap for gap in self._gaps if not gap.is_over]
        for event in found:
            self._fill(event.cursor)
        return found

    def _fill(self, cursor: int) -> None:
        for index, gap in enumerate(self._gaps):
            if gap.first <= cursor <= gap.last:
                parts = [replace(gap, last=cursor - 1), replace(gap, first=cursor + 1)]
                self._gaps[index : index + 1] = [part for part in parts if part.first <= part.last]
                return

    def _note(self, rows: list[Event]) -> None:
        """Note the numbers that are missing among new rows: only those of late may still appear."""
        now, wall = self._clock(), utc_now()
        for row in rows:
            is_of_late = abs((wall - row.at).total_seconds()) < _LONGEST_SECONDS
            # SQLite has one writer at a time: its numbers appear in order.
            if row.cursor > self._last + 1 and is_of_late and database.is_postgresql():
                self._gaps.append(_Gap(self._last + 1, row.cursor - 1, now))
            self._last = row.cursor

    def _judge(self) -> None:
        """Find the gaps whose transactions have ended: their numbers were rolled back, or their rows have moved on."""
        now = self._clock()
        oldest, following = database.transaction_numbers()
        for gap in self._gaps:
            if gap.horizon is None and now - gap.since >= _FRESH_SECONDS:
                gap.horizon = following
            has_ended = gap.horizon is not None and oldest >= gap.horizon
            gap.is_over = has_ended or now - gap.since >= _LONGEST_SECONDS


def _batches(gaps: list[_Gap], size: int) -> Iterator[list[_Gap]]:
    rest = iter(list(gaps))
    while some := list(islice(rest, size)):
        yield some


def newest_cursor() -> int:
    """The cursor of the newest event; 0 without events. Raises DatabaseUnavailable."""
    with database.session():
        row = EVERY_TENANT.select(Event, Event.cursor).order_by(Event.cursor.desc()).tuples().first()
    return 0 if row is None else row[0]


def oldest_cursor() -> int:
    """The cursor of the oldest event that is kept; 0 without events. Raises DatabaseUnavailable."""
    with database.session():
        row = EVERY_TENANT.select(Event, Event.cursor).order_by(Event.cursor).tuples().first()
    return 0 if row is None else row[0]
