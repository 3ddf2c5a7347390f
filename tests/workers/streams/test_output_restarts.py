"""Restarts requested by outputs are granted at growing intervals, and at once again after a quiet time."""

import itertools

from workers.streams.output_restarts import OutputRestartLimit


def times_granted(limit: OutputRestartLimit, start: float, seconds: int) -> list[float]:
    """The times at which an output that requests a restart each second gets one."""
    return [start + second for second in range(seconds) if limit.allows(start + second)]


def test_the_first_request_is_granted_and_repeated_ones_ever_less_often():
    granted = times_granted(OutputRestartLimit(), 1000.0, 200)
    assert granted[0] == 1000.0
    pauses = [later - earlier for earlier, later in itertools.pairwise(granted)]
    assert len(granted) < 12
    assert pauses[-1] > 2 * pauses[0]


def test_after_a_quiet_minute_a_request_is_granted_at_once():
    limit = OutputRestartLimit()
    last = times_granted(limit, 1000.0, 200)[-1]
    quiet_end = last + 400.0
    assert limit.allows(quiet_end)
    assert not limit.allows(quiet_end + 0.5)
    assert limit.allows(quiet_end + 2.0), "the pauses start short again"
