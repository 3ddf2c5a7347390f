"""How long the free space lasts: what is written a day, up to what the limits of age and size let each recording
hold."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

#: Beyond it nothing is foretold: as long as footage can be kept.
_MAX_DAYS = 36_500.0
_NO_LIMIT = float("inf")


@dataclass(frozen=True, slots=True)
class Growth:
    """Of a recording: the bytes that it holds, those that it writes a day, and the most that its own limits let it
    hold.
    """

    tenant_id: str
    held: float
    per_day: float
    most: float = _NO_LIMIT


def days_until_full(
    growths: Sequence[Growth], room: float, *, tenant_most: float = _NO_LIMIT, store_most: float = _NO_LIMIT
) -> float | None:
    """Days until `room` bytes more are held; None where nothing is written, or where the limits make footage go before.

    `tenant_most` and `store_most`: the most bytes of a tenant and of all together.
    """
    if not any(growth.per_day > 0 for growth in growths):
        return None
    if _grown(growths, _MAX_DAYS, tenant_most, store_most) < room:
        return None
    low, high = 0.0, _MAX_DAYS
    while high - low > 1e-3 * max(1.0, low):
        middle = (low + high) / 2
        if _grown(growths, middle, tenant_most, store_most) < room:
            low = middle
        else:
            high = middle
    return high


def _grown(growths: Sequence[Growth], days: float, tenant_most: float, store_most: float) -> float:
    """The bytes that will have been added after so many days. Never less with more days."""
    held: dict[str, float] = defaultdict(float)
    added: dict[str, float] = defaultdict(float)
    for growth in growths:
        held[growth.tenant_id] += growth.held
        added[growth.tenant_id] += min(growth.per_day * days, max(0.0, growth.most - growth.held))
    of_all = sum(min(added[tenant], max(0.0, tenant_most - held[tenant])) for tenant in held)
    return min(of_all, max(0.0, store_most - sum(held.values())))
