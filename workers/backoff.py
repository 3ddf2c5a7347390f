"""The pauses between attempts: longer each time, with jitter, forgiven after a healthy while."""

import random

_JITTER = (0.75, 1.25)


class Backoff:
    """1, 2, 4 … seconds, each with ±25 % jitter so that cameras do not come back in step, and never over a limit.

    The first retry after a healthy run comes at once (`first_seconds`), because most losses are short.
    """

    def __init__(
        self,
        *,
        longest_seconds: float = 60,
        forgive_seconds: float = 60,
        first_seconds: float = 0.25,
        rng: random.Random | None = None,
    ) -> None:
        self._longest = longest_seconds
        self._forgive = forgive_seconds
        self._first = first_seconds
        self._rng = rng or random.Random()
        self._failures = 0

    def after(self, healthy_seconds: float) -> float:
        """Seconds to wait after an attempt that was healthy for `healthy_seconds` (0: it never worked)."""
        if healthy_seconds >= self._forgive:
            self._failures = 0
        elif healthy_seconds > 0:
            # It worked for a while: go on where we were, but do not punish a camera that flaps for ever more.
            self._failures = min(self._failures, 3)
        # The exponent is bounded: a camera may be away for a year.
        pause = self._first if self._failures == 0 else 2.0 ** min(self._failures - 1, 20)
        self._failures += 1
        return min(pause, self._longest / _JITTER[1]) * self._rng.uniform(*_JITTER)
