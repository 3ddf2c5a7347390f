"""The moments at which sessions with cameras begin: some at once, further ones spread over the next seconds.

A switch or a power supply that comes back brings all its cameras at the same moment. Their connections, logins and
FFmpeg processes all at once would be a load that makes each of them late, and that some switches take for an attack.
"""

import time
from collections.abc import Callable

#: So many begin at once, and so many in each second after that.
AT_ONCE, PER_SECOND = 8, 12.0


class Turns:
    """Turns of one worker (the generic cell rate algorithm of ITU-T I.371): `take` never refuses, it says when."""

    def __init__(
        self, at_once: int = AT_ONCE, per_second: float = PER_SECOND, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._interval = 1 / per_second
        self._room = (at_once - 1) * self._interval
        self._clock = clock
        self._next = float("-inf")

    def take(self) -> float:
        """Seconds until the turn of one who asks now."""
        now = self._clock()
        due = max(self._next, now)
        self._next = due + self._interval
        return max(0.0, due - self._room - now)
