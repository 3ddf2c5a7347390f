"""The footage that is too old, also where a wrong clock has stamped it.

Footage is recorded in the order of its runs. So footage of a much earlier time whose run is later than that of footage
that is kept is not old: a clock that was behind has stamped it. And footage of the future is at least as old as footage
of a later run.
"""

from collections.abc import Sequence

import peewee

from gateway import database
from gateway.clock import DAY_MS
from gateway.footage.gaps import Range
from gateway.footage.segments import Segment, StoredSegment
from gateway.storage.unprotected import FOREVER_MS, Tier, deletable_segments
from gateway.tenancy.scopes import FootageScope

#: Footage that became too old more recently than this is not examined for a wrong clock; in operation that is all.
_USUAL_MS = DAY_MS
#: Footage later than now by more than this is of the future.
_FUTURE_MS = DAY_MS


class Expiry:
    """Finds what is too old in each recording. Keeps a run number for each, so that most searches are one query."""

    def __init__(self) -> None:
        self._first_kept_run: dict[int, int] = {}

    def expired(
        self, recording_id: int, ranges: Sequence[Range], *, before_ms: int, now_ms: int, limit: int, tier: Tier
    ) -> list[StoredSegment]:
        """Segments of a tier that end by `before_ms` and may be deleted, the oldest first, at most `limit`."""
        found = deletable_segments(recording_id, ranges, before_ms=before_ms, limit=limit, tier=tier)
        long_ago_ms = before_ms - _USUAL_MS
        if not found or found[0].end_ms > long_ago_ms:
            return found
        max_run = self._max_run(recording_id, found, before_ms, now_ms)
        if all(segment.run <= max_run or segment.end_ms > long_ago_ms for segment in found):
            return found
        found = deletable_segments(recording_id, ranges, before_ms=long_ago_ms, limit=limit, max_run=max_run, tier=tier)
        if len(found) < limit:
            usual = deletable_segments(
                recording_id, ranges, from_ms=long_ago_ms, before_ms=before_ms, limit=limit - len(found), tier=tier
            )
            found += usual
        return found

    def of_the_future(
        self,
        recording_id: int,
        ranges: Sequence[Range],
        expired: Sequence[StoredSegment],
        *,
        now_ms: int,
        limit: int,
        tier: Tier,
    ) -> list[StoredSegment]:
        """Segments of a tier of the future, recorded before the newest of those that are too old, at most `limit`."""
        max_run = max(segment.run for segment in expired) - 1
        from_ms = now_ms + _FUTURE_MS
        return deletable_segments(
            recording_id, ranges, from_ms=from_ms, before_ms=FOREVER_MS, limit=limit, max_run=max_run, tier=tier
        )

    def _max_run(self, recording_id: int, found: list[StoredSegment], before_ms: int, now_ms: int) -> int:
        """The first run of the footage that is kept. It only rises, so that a known one need not be read again."""
        newest_run = max(segment.run for segment in found)
        if newest_run > self._first_kept_run.get(recording_id, -1):
            first = _first_run_between(recording_id, before_ms, now_ms + _FUTURE_MS)
            self._first_kept_run[recording_id] = newest_run if first is None else first
        return self._first_kept_run[recording_id]


def _first_run_between(recording_id: int, start_ms: int, end_ms: int) -> int | None:
    with database.session():
        query = FootageScope(recording_id).select(Segment, peewee.fn.MIN(Segment.run))
        return query.where(Segment.start_ms >= start_ms, Segment.start_ms < end_ms).scalar()
