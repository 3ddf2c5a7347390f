"""Limits how often outputs may restart a stream."""

from workers.backoff import Backoff

#: After this time without a request for a restart, the next request is granted at once.
_FORGIVE_SECONDS = 60


class OutputRestartLimit:
    """Grants an output's requests for a restart at growing intervals, so that a faulty output cannot keep the stream
    from running. One object per stream, for all its outputs."""

    def __init__(self) -> None:
        self._backoff = Backoff(max_seconds=300, forgive_seconds=_FORGIVE_SECONDS, first_seconds=1.0)
        self._next_restart = 0.0

    def allows(self, now: float) -> bool:
        """Whether the stream may be restarted at `now` (monotonic seconds); a granted restart counts."""
        if now < self._next_restart:
            return False
        quiet_seconds = now - self._next_restart
        is_forgiven = quiet_seconds >= _FORGIVE_SECONDS
        self._next_restart = now + self._backoff.after(quiet_seconds if is_forgiven else 0)
        return True
