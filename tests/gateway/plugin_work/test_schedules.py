"""A schedule of a plugin (`register_schedules`) runs when due, once over all workers, and later after failures."""

from datetime import timedelta

import pytest

from gateway.clock import utc_now
from gateway.errors import LeaseLost
from gateway.plugin_tasks import PluginSchedule
from gateway.plugin_work.schedules import (
    LOST_SECONDS,
    WORKER_LOST,
    beat,
    claim_due,
    end_run,
    read_schedules,
    recover_lost_runs,
)

pytestmark = pytest.mark.usefixtures("bound_database")

EVERY = 100
TIDY = PluginSchedule("tidy", EVERY, lambda: None)
SCHEDULES = {("notes", "tidy"): TIDY}
KEY = ("notes", "tidy")
START = utc_now()


def at(seconds: float):
    return START + timedelta(seconds=seconds)


def row():
    return read_schedules(["notes"])[KEY]


@pytest.fixture
def run():
    """The first run, claimed 40 s after the schedule was seen."""
    assert claim_due(SCHEDULES, "w1", at(0)) == []
    (run,) = claim_due(SCHEDULES, "w1", at(40))
    return run


def test_a_new_schedule_gets_its_first_time_soon():
    claim_due(SCHEDULES, "w1", at(0))
    assert at(0) <= row().next_at <= at(30)


def test_a_due_schedule_is_claimed_once(run):
    assert (run.plugin, run.name) == KEY
    assert claim_due(SCHEDULES, "w2", at(40)) == []
    assert claim_due(SCHEDULES, "w2", at(4000)) == []
    end_run(run, TIDY, None, at(41))
    assert row().run is None
    assert (row().error, row().failures) == (None, 0)


def test_the_next_run_is_one_interval_after_the_start_of_the_last(run):
    end_run(run, TIDY, None, at(60))
    assert at(40 + EVERY) <= row().next_at <= at(40 + EVERY * 1.05)
    assert claim_due(SCHEDULES, "w1", at(40 + EVERY - 1)) == []
    assert claim_due(SCHEDULES, "w1", at(40 + EVERY * 1.06))


def test_runs_that_a_long_run_missed_are_not_made_up(run):
    end_run(run, TIDY, None, at(1000))
    assert at(1000) <= row().next_at <= at(1000 + EVERY * 0.05)
    (second,) = claim_due(SCHEDULES, "w1", at(1006))
    end_run(second, TIDY, None, at(1007))
    assert row().next_at >= at(1006 + EVERY)


def test_pauses_grow_with_failures_up_to_an_hour_and_end_with_a_success(run):
    end_run(run, TIDY, "ValueError: no", at(41))
    assert row().next_at >= at(40 + EVERY)
    now, pauses = 0.0, []
    for failures in range(2, 12):
        now = (row().next_at - START).total_seconds()
        (again,) = claim_due(SCHEDULES, "w1", at(now))
        end_run(again, TIDY, "ValueError: no", at(now))
        assert row().failures == failures
        pauses.append((row().next_at - START).total_seconds() - now)
    assert pauses[-1] > pauses[0]
    assert 3600 <= pauses[-1] <= 3600 * 1.05
    now = (row().next_at - START).total_seconds()
    (again,) = claim_due(SCHEDULES, "w1", at(now))
    end_run(again, TIDY, None, at(now))
    assert (row().failures, row().error) == (0, None)


def test_a_run_whose_worker_died_counts_as_failed(run):
    beat([run], at(60))
    recover_lost_runs(SCHEDULES, at(60 + LOST_SECONDS - 1))
    assert row().run == run.token
    recover_lost_runs(SCHEDULES, at(60 + LOST_SECONDS + 1))
    assert row().run is None
    assert (row().error, row().failures) == (WORKER_LOST, 1)


def test_a_worker_that_was_away_cannot_end_the_run_of_another(run):
    recover_lost_runs(SCHEDULES, at(100))
    (second,) = claim_due(SCHEDULES, "w2", row().next_at)
    assert beat([run, second]) == [run]
    with pytest.raises(LeaseLost):
        end_run(run, TIDY, None)
    assert row().run == second.token


def test_a_time_far_away_was_written_by_another_clock_or_interval(run):
    end_run(run, PluginSchedule("tidy", 86_400, TIDY.run), None, at(41))
    assert claim_due(SCHEDULES, "w1", at(42)), "the interval is now shorter"
