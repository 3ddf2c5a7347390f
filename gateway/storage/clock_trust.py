"""The trusted time: the time by which ages are computed when something is deleted for its age.

A machine may start with a clock that is years ahead, by which everything it keeps is too old. The trusted time is
therefore kept in the database and moves towards the wall clock at a limited speed. It stands still for an hour after
the clock was set, and while the clock is in doubt: when it shows a time much later or earlier than that at which the
service last ran, until a day of footage was recorded by it or a person confirms it.

Whatever deletes by age (footage, snapshots, deleted captures, exports, events) uses `ClockTrust.check().now_ms`.
"""

import logging
from dataclasses import dataclass
from typing import Any

import peewee

from gateway import database
from gateway.clock import DAY_MS, Clock, format_time
from gateway.footage.recordings import Recording
from gateway.footage.segments import FIFTEEN_MINUTES_MS, FifteenMinuteRollup
from gateway.tenancy.scopes import EVERY_RECORDING, EVERY_TENANT, Row

log = logging.getLogger(__name__)

_HOUR_MS = 3_600_000
#: A wall clock further ahead of the last one seen, or further behind the trusted time, is in doubt. A machine that was
#: switched off looks the same as a clock that is ahead: over a weekend that is usual, and the limited speed has to do.
DOUBT_AHEAD_MS = 3 * DAY_MS
DOUBT_BEHIND_MS = _HOUR_MS
#: Quarters of an hour with footage by a clock in doubt after which it is trusted: a day, in which a person can notice.
DOUBT_ENDS_QUARTERS = DAY_MS // FIFTEEN_MINUTES_MS
#: Maximum speed of the trusted time. Of footage kept for 14 days, the last is too old after 28 hours, not at once.
CATCH_UP_SPEED = 12
#: The trusted time stands still for this time after a step of the wall clock that is larger than this.
_CLOCK_STEP_SECONDS = 600.0
_HOLD_SECONDS = 3600.0
#: Time that may have passed before the first check of a process, and interval at which the time is saved.
_FIRST_STEP_MS = 60_000
_SAVE_MS = 15_000
#: Difference of the two times that is due to the interval of the checks.
_SETTLED_MS = 10 * 60_000
#: Age of the footage that counts when there is no saved time: newer footage may be stamped by the clock in doubt.
_OWN_FOOTAGE_MS = 2 * _HOUR_MS
_ROW_ID = 1


class ClockTrustRow(Row):
    """The one row of the trusted time. Times are milliseconds since 1970.

    `seen_ms`: the newest time of a wall clock that was not in doubt; `doubted_ms`: since when the clock is in doubt, by
    itself; `confirmed_ms`: when a person confirmed it; `is_reported`: the present doubt was reported as events.
    """

    id = peewee.SmallIntegerField(primary_key=True)
    trusted_ms = peewee.BigIntegerField()
    seen_ms = peewee.BigIntegerField()
    doubted_ms = peewee.BigIntegerField(null=True)
    confirmed_ms = peewee.BigIntegerField()
    is_reported = peewee.SmallIntegerField()

    class Meta:
        table_name = "clock_trust"


@dataclass(frozen=True, slots=True)
class TrustedTime:
    """`now_ms` is the time for ages, `wall_ms` the clock's, and `known_ms` the trusted time, to which the clock may be
    behind. A person should look at a clock with `is_doubted`.
    """

    now_ms: int
    wall_ms: int
    is_doubted: bool
    known_ms: int

    @property
    def is_settled(self) -> bool:
        """Whether both times agree, apart from the seconds between two checks."""
        return not self.is_doubted and self.wall_ms - self.now_ms < _SETTLED_MS

    def describe(self) -> str:
        """One sentence why footage is kept that is too old by the clock."""
        if self.is_doubted:
            return (
                f"the clock shows {format_time(self.wall_ms)}, but the service last ran at "
                f"{format_time(self.known_ms)}: nothing is deleted by age"
            )
        return (
            f"the service did not run, or the clock was set, after {format_time(self.now_ms)}: what is too old since "
            "then is deleted gradually"
        )


class ClockTrust:
    """The trusted time as one process follows it. Every method raises DatabaseUnavailable."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset = clock.wall() - clock.monotonic()
        self._counted_at: float | None = None
        self._held_until = 0.0
        self._held_ms = 0
        self._was_doubted = False

    def check(self) -> TrustedTime:
        """Advance the trusted time by what has passed, and return it."""
        wall_ms = int(self._clock.wall() * 1000)
        self._notice_step(wall_ms)
        row = read_row() or _first_row(wall_ms)
        passed_ms = self._passed_ms(wall_ms - row.seen_ms)
        is_doubted = _is_doubted(row, wall_ms, passed_ms)
        trusted_ms = row.trusted_ms
        is_standing = is_doubted or self._is_held(row)
        if trusted_ms > wall_ms and not is_doubted:
            trusted_ms = wall_ms  # the later time was wrong, or the clock is being slowed down
        elif not is_standing:
            trusted_ms += min(wall_ms - trusted_ms, passed_ms * CATCH_UP_SPEED)
        if is_standing or self._counted_at is None:
            self._counted_at = self._clock.monotonic()
        if is_doubted != (row.doubted_ms is not None) or (not is_doubted and abs(wall_ms - row.seen_ms) >= _SAVE_MS):
            self._save(row, wall_ms, None if is_doubted else trusted_ms)
        # New footage is stamped by the clock: while that is behind, it must not be old at once.
        found = TrustedTime(min(trusted_ms, wall_ms), wall_ms, is_doubted, trusted_ms)
        self._log(found)
        return found

    def _notice_step(self, wall_ms: int) -> None:
        now = self._clock.monotonic()
        offset = self._clock.wall() - now
        if abs(offset - self._offset) > _CLOCK_STEP_SECONDS:
            self._held_until, self._held_ms = now + _HOLD_SECONDS, wall_ms
            log.warning("the clock was set by %+.0f s: nothing is deleted by age for an hour", offset - self._offset)
        self._offset = offset

    def _is_held(self, row: ClockTrustRow) -> bool:
        return self._clock.monotonic() < self._held_until and row.confirmed_ms < self._held_ms

    def _passed_ms(self, since_seen_ms: int) -> int:
        """The time since any process last advanced the trusted time, as far as this one can vouch for it."""
        own_ms = _FIRST_STEP_MS
        if self._counted_at is not None:
            own_ms = int((self._clock.monotonic() - self._counted_at) * 1000)
        return max(0, min(own_ms, since_seen_ms))

    def _save(self, row: ClockTrustRow, wall_ms: int, trusted_ms: int | None) -> None:
        """Save the time, or without one the doubt of the clock; neither when a person has confirmed it meanwhile."""
        unconfirmed = ClockTrustRow.confirmed_ms == row.confirmed_ms
        if trusted_ms is None:
            _write(unconfirmed, doubted_ms=wall_ms, is_reported=0)
        else:
            _write(unconfirmed, trusted_ms=trusted_ms, seen_ms=wall_ms, doubted_ms=None)
        self._counted_at = self._clock.monotonic()

    def _log(self, found: TrustedTime) -> None:
        if found.is_doubted and not self._was_doubted:
            log.error("%s; see 'vas storage status'", found.describe())
        elif self._was_doubted and not found.is_doubted:
            log.info("the clock is trusted again: footage is deleted by age")
        self._was_doubted = found.is_doubted


def confirm_clock(clock: Clock) -> None:
    """A person says that the clock is right: what is too old by it is deleted at once."""
    wall_ms = int(clock.wall() * 1000)
    if read_row() is None:
        _first_row(wall_ms)
    _write(trusted_ms=wall_ms, seen_ms=wall_ms, doubted_ms=None, confirmed_ms=wall_ms)


def report_doubt_once() -> bool:
    """Whether the present doubt was not reported yet; it counts as reported from now on."""
    with database.transaction():
        is_new = ClockTrustRow.doubted_ms.is_null(False) & (ClockTrustRow.is_reported == 0)
        return bool(ClockTrustRow.update(is_reported=1).where(is_new).execute())


def read_row() -> ClockTrustRow | None:
    """The saved time; None before the first check."""
    with database.session():
        return ClockTrustRow.get_or_none(ClockTrustRow.id == _ROW_ID)


def last_seen_seconds() -> float:
    """The newest Unix time at which the service ran with a clock that was not in doubt; 0 when that is unknown now."""
    try:
        row = read_row()
    except database.DatabaseUnavailable:
        return 0.0
    return row.seen_ms / 1000 if row is not None else 0.0


def _write(*conditions: peewee.Expression, **values: Any) -> None:
    with database.transaction():
        ClockTrustRow.update(**values).where(ClockTrustRow.id == _ROW_ID, *conditions).execute()


def _first_row(wall_ms: int) -> ClockTrustRow:
    """Begin with the clock, unless the newest footage puts it in doubt: then with the time of that."""
    newest_ms = _newest_footage_ms(wall_ms)
    if newest_ms is None or -DOUBT_BEHIND_MS <= wall_ms - newest_ms <= DOUBT_AHEAD_MS:
        newest_ms = wall_ms
    with database.transaction():
        ClockTrustRow.insert(
            id=_ROW_ID, trusted_ms=newest_ms, seen_ms=newest_ms, doubted_ms=None, confirmed_ms=0, is_reported=0
        ).on_conflict_ignore().execute()
        return ClockTrustRow.get(ClockTrustRow.id == _ROW_ID)


def _is_doubted(row: ClockTrustRow, wall_ms: int, passed_ms: int) -> bool:
    is_behind = wall_ms < row.trusted_ms - DOUBT_BEHIND_MS
    if not is_behind and wall_ms - row.seen_ms - passed_ms <= DOUBT_AHEAD_MS:
        return False
    if row.doubted_ms is None:
        return True
    # Footage of the time before is by the clock that was seen then, whatever the doubt began with.
    since_ms = row.doubted_ms if is_behind else max(row.doubted_ms, row.seen_ms + DOUBT_AHEAD_MS)
    return _recorded_quarters(since_ms, wall_ms) < DOUBT_ENDS_QUARTERS


def _recorded_quarters(from_ms: int, until_ms: int) -> int:
    """The number of quarters of an hour in which any device was recorded."""
    quarter = FifteenMinuteRollup.quarter
    first, last = from_ms // FIFTEEN_MINUTES_MS, until_ms // FIFTEEN_MINUTES_MS
    with database.session():
        query = EVERY_RECORDING.select(FifteenMinuteRollup, peewee.fn.COUNT(quarter.distinct()))
        return int(query.where(_of_recordings(), quarter.between(first, last)).scalar() or 0)


def _newest_footage_ms(wall_ms: int) -> int | None:
    """The time of the newest footage that the present clock has not stamped itself; None without footage."""
    quarter = FifteenMinuteRollup.quarter
    with database.session():
        newest = EVERY_RECORDING.select(FifteenMinuteRollup, peewee.fn.MAX(quarter)).where(_of_recordings())
        found = newest.where(quarter < (wall_ms - _OWN_FOOTAGE_MS) // FIFTEEN_MINUTES_MS).scalar()
        if found is None:
            # All footage is of the future, so the clock is behind; or of the last hours.
            found = newest.where(quarter > (wall_ms + DOUBT_BEHIND_MS) // FIFTEEN_MINUTES_MS).scalar()
    return None if found is None else (found + 1) * FIFTEEN_MINUTES_MS


def _of_recordings() -> peewee.Expression:
    """A condition that makes a query use the key of the roll-up, which begins with the recording."""
    return FifteenMinuteRollup.recording_id.in_(EVERY_TENANT.select(Recording, Recording.id))
