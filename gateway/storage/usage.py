"""Sizes of recordings on the local disk and their growth, from the roll-up alone."""

from collections import defaultdict

import peewee

from gateway import database
from gateway.clock import Clock
from gateway.footage.recordings import Recording
from gateway.footage.segments import FIFTEEN_MINUTES_MS, FifteenMinuteRollup
from gateway.tenancy.scopes import EVERY_RECORDING, EVERY_TENANT

#: Age of cached sums at which they are computed again; until then only the newest buckets of the roll-up are read.
_RECOUNT_SECONDS = 600.0
_RECENT_BUCKETS = 8
_LOCAL_BYTES = FifteenMinuteRollup.bytes - FifteenMinuteRollup.away_bytes


def bytes_per_hour(now_ms: int) -> int:
    """Bytes that all devices write in an hour, from the busiest of the last five quarters of an hour."""
    newest = now_ms // FIFTEEN_MINUTES_MS
    with database.session():
        query = EVERY_RECORDING.select(
            FifteenMinuteRollup, FifteenMinuteRollup.quarter, FifteenMinuteRollup.bytes
        ).where(
            FifteenMinuteRollup.recording_id.in_(_recording_ids()),
            FifteenMinuteRollup.quarter.between(newest - 4, newest),
        )
        sums: dict[int, int] = defaultdict(int)
        for quarter, size in query.tuples():
            sums[quarter] += size
    return 4 * max(sums.values(), default=0)


class UsageSums:
    """Bytes of the local files of each recording: cached sums, plus the newest buckets of the roll-up."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until = 0.0
        self._bound = 0
        self._older: dict[int, int] = {}

    def read(self) -> dict[int, int]:
        """Bytes by recording. Too high where footage was deleted since: call `count_bytes` before acting on a sum."""
        if self._clock.monotonic() >= self._until:
            self._bound = int(self._clock.wall() * 1000) // FIFTEEN_MINUTES_MS - _RECENT_BUCKETS
            self._older = count_bytes(before_quarter=self._bound)
            self._until = self._clock.monotonic() + _RECOUNT_SECONDS
        sums = defaultdict(int, self._older)
        for recording_id, size in count_bytes(list(self._older) + _recording_ids(), from_quarter=self._bound).items():
            sums[recording_id] += size
        return sums

    def forget(self) -> None:
        """Compute the sums again at the next reading."""
        self._until = 0.0


def count_bytes(
    recording_ids: list[int] | None = None, *, from_quarter: int | None = None, before_quarter: int | None = None
) -> dict[int, int]:
    """Bytes of the local files of closed segments by recording, optionally limited to a range of the roll-up's quarters
    of an hour.
    """
    with database.session():
        query = EVERY_RECORDING.select(
            FifteenMinuteRollup, FifteenMinuteRollup.recording_id, peewee.fn.SUM(_LOCAL_BYTES)
        )
        if recording_ids is not None:
            query = query.where(FifteenMinuteRollup.recording_id.in_(sorted(set(recording_ids))))
        if from_quarter is not None:
            query = query.where(FifteenMinuteRollup.quarter >= from_quarter)
        if before_quarter is not None:
            query = query.where(FifteenMinuteRollup.quarter < before_quarter)
        return {
            recording_id: int(size) for recording_id, size in query.group_by(FifteenMinuteRollup.recording_id).tuples()
        }


def _recording_ids() -> list[int]:
    with database.session():
        return [row[0] for row in EVERY_TENANT.select(Recording, Recording.id).tuples()]
