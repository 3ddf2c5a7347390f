"""Capacity forecast: how long the free space lasts, given the daily growth and the limits of age and size."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

#: The forecast ends here: the longest time for which footage can be kept.
_MAX_DAYS = 36_500.0
_NO_LIMIT = float("inf")


@dataclass(frozen=True, slots=True)
class Growth:
    """A recording's size, its bytes written a day, and the size up to which its own limits let it grow, in bytes."""

    tenant_id: str
    size: float
    per_day: float
    max_bytes: float = _NO_LIMIT


def days_until_full(
    growths: Sequence[Growth], room: float, *, tenant_max: float = _NO_LIMIT, store_max: float = _NO_LIMIT
) -> float | None:
    """Days until `room` more bytes are used. None when nothing is written, or when limits delete footage before that.

    `tenant_max` and `store_max` are the limits of each tenant and of the whole store, in bytes.
    """
    if not any(growth.per_day > 0 for growth in growths):
        return None
    if _grown(growths, _MAX_DAYS, tenant_max, store_max) < room:
        return None
    low, high = 0.0, _MAX_DAYS
    while high - low > 1e-3 * max(1.0, low):
        middle = (low + high) / 2
        if _grown(growths, middle, tenant_max, store_max) < room:
            low = middle
        else:
            high = middle
    return high


def _grown(growths: Sequence[Growth], days: float, tenant_max: float, store_max: float) -> float:
    """The bytes added after some days; it never falls with the number of days."""
    sizes: dict[str, float] = defaultdict(float)
    added: dict[str, float] = defaultdict(float)
    for growth in growths:
        sizes[growth.tenant_id] += growth.size
        added[growth.tenant_id] += min(growth.per_day * days, max(0.0, growth.max_bytes - growth.size))
    of_all = sum(min(added[tenant], max(0.0, tenant_max - sizes[tenant])) for tenant in sizes)
    return min(of_all, max(0.0, store_max - sum(sizes.values())))


#: The limits that end the life of footage: of its device by age and by size, of its tenant, of the store, and the disk.
AGE, SIZE, TENANT, STORE, DISK = KEPT_LIMITS = ("age", "size", "tenant", "store", "disk")


@dataclass(frozen=True, slots=True)
class Kept:
    """How long a recording's footage will be kept, and by which limit; None without growth or without any limit."""

    days: float | None = None
    limit: str | None = None


def kept_days(per_day: float, *, age: float, size: float, shared: dict[str, float]) -> Kept:
    """How long a recording's footage will be kept at its growth, by the first of its limits: its own of age (days) and
    size (bytes), and those that `shared_days` gives.
    """
    if per_day <= 0:
        return Kept()
    by_limit = {AGE: age, SIZE: size / per_day, **shared}
    limit = min(by_limit, key=lambda name: by_limit[name])
    return Kept(by_limit[limit], limit) if by_limit[limit] <= _MAX_DAYS else Kept()


def shared_days(
    growths: Sequence[Growth],
    tenant_id: str,
    *,
    tenant_max: float = _NO_LIMIT,
    store_max: float = _NO_LIMIT,
    disk_max: float = _NO_LIMIT,
) -> dict[str, float]:
    """The days of footage for which the limits that recordings share have room, in bytes.

    The oldest footage goes first, so that a shared limit gives all recordings the same length of time.
    """
    of_tenant = [growth for growth in growths if growth.tenant_id == tenant_id]
    return {
        TENANT: _days_held(of_tenant, tenant_max),
        STORE: _days_held(growths, store_max),
        DISK: _days_held(growths, disk_max),
    }


def _days_held(growths: Sequence[Growth], most: float) -> float:
    def held(days: float) -> float:
        return sum(min(growth.per_day * days, growth.max_bytes) for growth in growths)

    if held(_MAX_DAYS) < most:
        return _NO_LIMIT
    low, high = 0.0, _MAX_DAYS
    while high - low > 1e-4 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if held(middle) < most else (low, middle)
    return high
