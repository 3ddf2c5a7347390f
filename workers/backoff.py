"""Pauses between attempts: growing, with jitter, reset after a healthy time."""

import random

_JITTER = (0.75, 1.25)


class Backoff:
    """1, 2, 4 … seconds up to a limit, each with ±25 % jitter so that cameras do not reconnect in step.

    The first retry after a healthy run follows quickly (`first_seconds`), because most losses are short. With `soon`
    (seconds, for seconds) no pause is longer than the first until the pauses have lasted for the second.
    """

    def __init__(
        self,
        *,
        max_seconds: float = 60,
        forgive_seconds: float = 60,
        first_seconds: float = 0.25,
        soon: tuple[float, float] | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._max = max_seconds
        self._forgive = forgive_seconds
        self._first = first_seconds
        self._rng = rng or random.Random()
        self._failures = 0
        self._soon = soon
        self._waited = 0.0

    def after(self, healthy_seconds: float) -> float:
        """Seconds to wait after an attempt that was healthy for `healthy_seconds` (0: it never worked)."""
        if healthy_seconds >= self._forgive:
            self._failures = 0
            self._waited = 0.0
        elif healthy_seconds > 0:
            # It worked for some time: continue with a moderate pause, so that a flapping camera is not penalised.
            self._failures = min(self._failures, 3)
        # The exponent is bounded: a camera may be away for a year.
        pause = self._first if self._failures == 0 else 2.0 ** min(self._failures - 1, 20)
        self._failures += 1
        longest = self._max / _JITTER[1]
        if self._soon is not None and self._waited < self._soon[1]:
            longest = min(longest, self._soon[0])
        found = min(pause, longest) * self._rng.uniform(*_JITTER)
        self._waited += found
        return found
