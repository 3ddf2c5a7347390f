"""What retention would delete of a recording under other limits: the question before they are made shorter."""

from collections import defaultdict
from dataclasses import dataclass

from gateway import database
from gateway.clock import DAY_MS
from gateway.footage.gaps import Range
from gateway.footage.protections import protected_ranges
from gateway.footage.recordings import Recording
from gateway.footage.segments import FIFTEEN_MINUTES_MS, FifteenMinuteRollup
from gateway.storage.limits import Limits
from gateway.tenancy.scopes import FootageScope


@dataclass(frozen=True, slots=True)
class Expiring:
    """Bytes and seconds of footage, the number of its UTC days, and its first and last moment (None without any)."""

    bytes: int = 0
    seconds: float = 0.0
    days: int = 0
    oldest_ms: int | None = None
    newest_ms: int | None = None


def expiring_footage(recording: Recording, limits: Limits, now_ms: int) -> Expiring:
    """The unprotected footage of a recording beyond limits of age and size, to a quarter of an hour."""
    with database.session():
        query = FootageScope(recording.id).select(
            FifteenMinuteRollup, FifteenMinuteRollup.quarter, FifteenMinuteRollup.bytes, FifteenMinuteRollup.recorded_ms
        )
        rows = [tuple(map(int, row)) for row in query.order_by(FifteenMinuteRollup.quarter).tuples()]
    protected = _protected_shares(protected_ranges([recording.id]).get(recording.id, []))
    before_ms = 0 if limits.keep_ms is None else now_ms - limits.keep_ms
    excess = 0 if limits.keep_bytes is None else sum(size for _, size, _ in rows) - limits.keep_bytes
    size_sum = recorded_sum = 0.0
    moments: list[int] = []
    for quarter, size, recorded_ms in rows:
        start_ms = quarter * FIFTEEN_MINUTES_MS
        free = 1 - protected.get(quarter, 0.0)
        by_age = min(max((before_ms - start_ms) / FIFTEEN_MINUTES_MS, 0.0), 1.0)
        by_size = min(max(excess / size, 0.0), 1.0) if size else 0.0
        share = free * max(by_age, by_size)
        excess -= int(size * share)
        if share > 0:
            size_sum += size * share
            recorded_sum += recorded_ms * share
            moments.append(start_ms)
    if not moments:
        return Expiring()
    days = len({moment // DAY_MS for moment in moments})
    return Expiring(round(size_sum), recorded_sum / 1000, days, moments[0], moments[-1] + FIFTEEN_MINUTES_MS)


def _protected_shares(ranges: list[Range]) -> dict[int, float]:
    """The share of each quarter of an hour that protected ranges cover; the ranges do not overlap."""
    shares: dict[int, float] = defaultdict(float)
    for first_ms, last_ms in ranges:
        for quarter in range(first_ms // FIFTEEN_MINUTES_MS, -(-last_ms // FIFTEEN_MINUTES_MS)):
            start_ms = quarter * FIFTEEN_MINUTES_MS
            covered_ms = min(last_ms, start_ms + FIFTEEN_MINUTES_MS) - max(first_ms, start_ms)
            shares[quarter] += covered_ms / FIFTEEN_MINUTES_MS
    return shares
