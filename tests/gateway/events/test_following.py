"""Following the events: none is lost, in whatever order transactions commit."""

import threading

import psycopg
import pytest

from gateway import database
from gateway.clock import FakeClock
from gateway.events.following import BATCH, Follower
from gateway.events.model import change_event, record_event, record_events
from gateway.tenancy.scopes import EVERY_TENANT
from gateway.tenancy.tenants import DEFAULT_TENANT_ID


def record(text):
    return record_event(DEFAULT_TENANT_ID, None, "health", text)


def texts(follower):
    return [event.text for event in follower.read()]


class LateWriter:
    """A transaction in another thread that has stored an event, and commits or rolls back when it is told to."""

    def __init__(self, text):
        self._is_stored, self._end = threading.Event(), threading.Event()
        self._is_kept = True
        self._thread = threading.Thread(target=self._write, args=(text,))
        self._thread.start()
        assert self._is_stored.wait(10)

    def _write(self, text):
        class RolledBack(Exception):
            pass

        try:
            with database.transaction():
                record(text)
                self._is_stored.set()
                self._end.wait(10)
                if not self._is_kept:
                    raise RolledBack
        except RolledBack:
            pass

    def end(self, *, is_kept=True):
        self._is_kept = is_kept
        self._end.set()
        self._thread.join(10)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def follower(bound_database, clock):
    """A follower to which the numbers of earlier tests are no gaps any more."""
    record("first")
    found = Follower.from_now(clock=clock.monotonic)
    for _ in range(2):
        clock.advance(1.5)
        found.read()
    return found


def test_each_event_comes_once(follower):
    record("a")
    record("b")
    assert texts(follower) == ["a", "b"]
    assert texts(follower) == []
    record("c")
    assert texts(follower) == ["c"]


def test_another_follower_goes_on_where_the_first_one_was(follower):
    record("a")
    assert texts(follower) == ["a"]
    record("b")
    assert texts(Follower(follower.position)) == ["b"]


def test_an_event_that_changes_comes_again(follower):
    event_id = record_event(DEFAULT_TENANT_ID, None, "health", "a", goes_on=True)
    assert texts(follower) == ["a"]
    change_event(EVERY_TENANT, event_id, text="b")
    assert texts(follower) == ["b"]


def test_many_events_come_in_batches(follower):
    record_events([{"tenant_id": DEFAULT_TENANT_ID, "device_id": None, "kind": "health"} for _ in range(2 * BATCH + 1)])
    assert [len(follower.read()) for _ in range(4)] == [BATCH, BATCH, 1, 0]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
class TestOnPostgresql:
    def test_an_event_that_is_committed_late_comes_late(self, follower):
        late = LateWriter("late")
        record("early")
        assert texts(follower) == ["early"]
        late.end()
        assert texts(follower) == ["late"]
        assert texts(follower) == []

    def test_a_follower_that_restarts_misses_no_late_event(self, follower):
        record("before")
        late = LateWriter("late")
        record("early")
        assert texts(follower) == ["before", "early"]
        position = follower.position
        late.end()
        assert texts(Follower(position)) == ["late", "early"]

    def test_a_follower_that_begins_misses_no_late_event(self, bound_database, clock):
        late = LateWriter("late")
        record("early")
        follower = Follower.from_now(clock=clock.monotonic)
        assert texts(follower) == []
        late.end()
        assert texts(follower) == ["late"]

    def test_a_number_that_was_rolled_back_holds_nothing_up(self, follower, clock):
        LateWriter("never").end(is_kept=False)
        record("a")
        assert texts(follower) == ["a"]
        behind = follower.position
        for _ in range(2):
            clock.advance(1.5)
            assert texts(follower) == []
        assert follower.position == behind + 2

    def test_a_gap_stays_open_while_its_transaction_goes_on(self, follower, clock):
        late = LateWriter("late")
        record("early")
        for _ in range(5):
            follower.read()
            clock.advance(2)
        late.end()
        assert texts(follower) == ["late"]

    def test_a_transaction_without_an_end_does_not_hold_the_position_for_ever(self, follower, clock):
        LateWriter("never").end(is_kept=False)
        with psycopg.connect(database.proxy.obj.database) as connection:
            connection.execute("SELECT pg_current_xact_id()")
            record("a")
            follower.read()
            behind = follower.position
            clock.advance(30)
            follower.read()
            assert follower.position == behind
            clock.advance(31)
            follower.read()
            assert follower.position > behind

    def test_hundreds_of_gaps_are_found(self, follower):
        ids = [record(str(number)) for number in range(300)]
        for event_id in ids[::2]:
            change_event(EVERY_TENANT, event_id, text="moved")
        fresh = Follower(follower.position)
        assert len(fresh.read()) == 300
        assert fresh.read() == []

    def test_writers_at_the_same_time_lose_nothing(self, follower):
        def write(name):
            for number in range(30):
                record(f"{name}-{number}")

        writers = [threading.Thread(target=write, args=(name,)) for name in range(8)]
        for writer in writers:
            writer.start()
        found = []
        while any(writer.is_alive() for writer in writers):
            found += texts(follower)
        found += texts(follower)
        found += texts(follower)
        assert sorted(found) == sorted(f"{name}-{number}" for name in range(8) for number in range(30))
