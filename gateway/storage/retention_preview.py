"""What retention would delete of a recording under other limits: the question before they are made shorter."""

from collections import defaultdict
from dataclasses import dataclass

from gateway import database
from gateway.clock import DAY_MS
from gateway.footage.gaps import Range
from gateway.footage.protections import protected_ranges
from gateway.footage.recordings import Recording
from gateway.footage.segments import FIFTEEN_MINUTES_MS, FifteenMinuteRollup
from gateway.storage.limits import Limits, waits_for_copies
from gateway.tenancy.scopes import FootageScope

_COLUMNS = [
    getattr(FifteenMinuteRollup, name) for name in ("quarter", "bytes", "recorded_ms", "archived_bytes", "away_bytes")
]


@dataclass(frozen=True, slots=True)
class Expiring:
    """Bytes and seconds of footage, the number of its UTC days, and its first and last moment (None without any).

    `archived_bytes`: local files that go, of footage that stays in an archive. `waiting_bytes`: local files that stay
    beyond the limits until they have a copy.
    """

    bytes: int = 0
    seconds: float = 0.0
    days: int = 0
    oldest_ms: int | None = None
    newest_ms: int | None = None
    archived_bytes: int = 0
    waiting_bytes: int = 0


def expiring_footage(recording: Recording, limits: Limits, now_ms: int) -> Expiring:
    """The unprotected footage of a recording beyond limits of age and size, to a quarter of an hour."""
    with database.session():
        query = FootageScope(recording.id).select(FifteenMinuteRollup, *_COLUMNS)
        rows = [tuple(map(int, row)) for row in query.order_by(FifteenMinuteRollup.quarter).tuples()]
    protected = _protected_shares(protected_ranges([recording.id]).get(recording.id, []))
    is_waiting = waits_for_copies(recording)
    excess = 0
    if limits.keep_bytes is not None:
        excess = sum(size - away for _, size, _, _, away in rows) - limits.keep_bytes
    size_sum = recorded_sum = archived_sum = waiting_sum = 0.0
    moments: list[int] = []
    for quarter, size, recorded_ms, archived, away in rows:
        start_ms = quarter * FIFTEEN_MINUTES_MS
        free = 1 - protected.get(quarter, 0.0)
        local = size - away
        by_size = min(max(excess / local, 0.0), 1.0) if local else 0.0
        share = free * max(_share_before(limits.keep_ms, start_ms, now_ms), by_size)
        excess -= int(local * share)
        archived_sum += (archived - away) * share
        pending = (size - archived) * share
        waiting_sum += pending if is_waiting else 0
        lost = (0 if is_waiting else pending) + away * free * _share_before(limits.archive_keep_ms, start_ms, now_ms)
        if lost > 0:
            size_sum += lost
            recorded_sum += recorded_ms * lost / size
            moments.append(start_ms)
    days = len({moment // DAY_MS for moment in moments})
    first, last = (moments[0], moments[-1] + FIFTEEN_MINUTES_MS) if moments else (None, None)
    return Expiring(round(size_sum), recorded_sum / 1000, days, first, last, round(archived_sum), round(waiting_sum))


def _share_before(keep_ms: int | None, start_ms: int, now_ms: int) -> float:
    """The share of a quarter of an hour that is older than a limit of age."""
    return 0.0 if keep_ms is None else min(max((now_ms - keep_ms - start_ms) / FIFTEEN_MINUTES_MS, 0.0), 1.0)


def _protected_shares(ranges: list[Range]) -> dict[int, float]:
    """The share of each quarter of an hour that protected ranges cover; the ranges do not overlap."""
    shares: dict[int, float] = defaultdict(float)
    for first_ms, last_ms in ranges:
        for quarter in range(first_ms // FIFTEEN_MINUTES_MS, -(-last_ms // FIFTEEN_MINUTES_MS)):
            start_ms = quarter * FIFTEEN_MINUTES_MS
            covered_ms = min(last_ms, start_ms + FIFTEEN_MINUTES_MS) - max(first_ms, start_ms)
            shares[quarter] += covered_ms / FIFTEEN_MINUTES_MS
    return shares
