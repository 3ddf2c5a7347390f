"""Pauses grow, have jitter, never exceed the setting, and are reset after a healthy time."""

import random

import pytest

from workers.backoff import Backoff


def pauses(backoff: Backoff, *healthy: float) -> list[float]:
    return [backoff.after(seconds) for seconds in healthy]


def test_pauses_double_from_a_second_after_a_first_quick_retry():
    backoff = Backoff(max_seconds=60, rng=random.Random(1))
    for pause, middle in zip(pauses(backoff, *[0] * 6), (0.25, 1, 2, 4, 8, 16), strict=True):
        assert middle * 0.75 <= pause <= middle * 1.25


@pytest.mark.parametrize("longest", [1, 10, 60])
def test_no_pause_is_longer_than_the_setting(longest: float):
    backoff = Backoff(max_seconds=longest)
    assert max(pauses(backoff, *[0] * 200)) <= longest


def test_a_camera_may_be_away_for_a_year():
    backoff = Backoff(max_seconds=60)
    assert all(pause > 30 for pause in pauses(backoff, *[0] * 600_000)[-10:])


def test_cameras_that_fail_together_do_not_reconnect_together():
    first = {round(Backoff(rng=random.Random(seed)).after(0), 4) for seed in range(50)}
    late = set()
    for seed in range(50):
        backoff = Backoff(max_seconds=60, rng=random.Random(seed))
        late.add(round(pauses(backoff, *[0] * 12)[-1], 3))
    assert len(first) > 40
    assert len(late) > 40, "also at the limit"


def test_a_healthy_minute_resets_the_pauses():
    backoff = Backoff(max_seconds=60, forgive_seconds=60)
    pauses(backoff, *[0] * 10)
    assert backoff.after(60) < 0.5
    assert backoff.after(0) < 1.5


def test_a_flapping_camera_gets_moderate_pauses():
    backoff = Backoff(max_seconds=60)
    pauses(backoff, *[0] * 10)
    for pause in pauses(backoff, *[5] * 20):
        assert 3 <= pause <= 5


def test_pauses_stay_short_for_a_while_and_grow_then():
    backoff = Backoff(max_seconds=60, soon=(4, 180))
    found = pauses(backoff, *[0] * 100)
    waited = [sum(found[:number]) for number in range(100)]
    assert max(pause for pause, before in zip(found, waited, strict=True) if before < 180) <= 5
    assert found[-1] > 30
    backoff.after(60)
    assert max(pauses(backoff, *[0] * 20)) <= 5, "a healthy minute begins it anew"
