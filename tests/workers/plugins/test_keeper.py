"""A child process is kept alive: started with its lease, restarted with growing pauses, killed when it hangs."""

import random
import signal

import pytest

from gateway.clock import FakeClock
from gateway.errors import LeaseLost
from workers.backoff import Backoff
from workers.plugins.keeper import IDLE_SECONDS, SILENCE_SECONDS, STOP_SECONDS, Keeper, describe_code


class FakeChild:
    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.messages: list[dict] = []
        self.code: int | None = None
        self.asked = self.killed = 0

    def read_messages(self):
        found, self.messages = self.messages, []
        return found

    def poll(self):
        return self.code

    def terminate(self):
        self.asked += 1

    def kill(self):
        self.killed += 1


class FakeLease:
    """A lease that another worker may hold."""

    def __init__(self) -> None:
        self.is_taken = self.is_lost = False
        self.released = 0

    def take(self):
        return None if self.is_taken else object()

    def check(self, held):
        if self.is_lost:
            raise LeaseLost("taken over")

    def release(self, held):
        self.released += 1


class World:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.lease = FakeLease()
        self.children: list[FakeChild] = []
        backoff = Backoff(max_seconds=60, first_seconds=1.0, rng=random.Random(1))
        self.keeper = Keeper(
            "notes/send", self.spawn, clock=self.clock, worker="w1", ownership=self.lease, backoff=backoff
        )

    def spawn(self):
        self.children.append(FakeChild(100 + len(self.children)))
        return self.children[-1]

    @property
    def child(self) -> FakeChild:
        return self.children[-1]

    def step(self, seconds: float = 0.0, *messages: dict) -> None:
        self.clock.advance(seconds)
        if messages:
            self.child.messages += messages
        self.keeper.step()

    def wait_for_start(self) -> float:
        """Seconds until the next start."""
        started, waited = len(self.children), 0.0
        while len(self.children) == started:
            self.step(0.25)
            waited += 0.25
            assert waited < 200
        return waited

    def die(self, error: str | None = None, code: int = 1) -> None:
        self.child.messages += [{"running": 1}, *([{"error": error}] if error else [])]
        self.child.code = code
        self.step()

    def view(self):
        return self.keeper.view()


@pytest.fixture
def world():
    world = World()
    world.step()
    return world


def test_a_service_is_started_when_its_lease_is_free():
    world = World()
    world.lease.is_taken = True
    world.step()
    assert world.children == []
    assert world.view() is None
    world.lease.is_taken = False
    world.step(1.0)
    assert world.children == [], "the lease is asked for every two seconds"
    world.step(1.5)
    assert len(world.children) == 1
    assert world.view().state == "starting"
    world.step(0.5, {"beat": 1}, {"running": 1})
    assert world.view().state == "running"
    assert world.view().pid == 100


def test_a_service_that_dies_is_started_again_after_pauses_that_grow_to_a_minute(world):
    pauses = []
    for _ in range(9):
        world.die("ValueError: no")
        assert world.view().state == "pausing"
        pauses.append(world.wait_for_start())
    assert pauses[0] <= 1.5
    assert 30 <= max(pauses) <= 60.25
    assert pauses[4] > pauses[1]
    assert (world.view().deaths, world.view().restarts, world.view().error) == (9, 9, "ValueError: no")


def test_a_healthy_minute_ends_the_series_of_deaths(world):
    for _ in range(4):
        world.die()
        world.wait_for_start()
    world.step(0.1, {"running": 1})
    for _ in range(7):
        world.step(10, {"beat": 1})
    assert (world.view().deaths, world.view().error, world.view().restarts) == (0, None, 4)
    world.die("ValueError: no")
    assert world.view().deaths == 1
    assert world.wait_for_start() <= 1.5


@pytest.mark.parametrize(
    ("code", "words"), [(7, "exit code 7"), (-signal.SIGSEGV, "SIGSEGV"), (-signal.SIGKILL, "SIGKILL"), (0, "code 0")]
)
def test_a_death_without_words_is_described_by_its_code(world, code, words):
    world.die(code=code)
    assert words in world.view().error
    assert words in describe_code(code)
    assert world.child.killed == 1, "what it has started is killed"


def test_a_service_that_returns_is_done_and_stays_so(world):
    world.child.messages = [{"running": 1}, {"done": 1}]
    world.child.code = 0
    world.step()
    world.step(500)
    assert world.view().state == "done"
    assert len(world.children) == 1
    assert world.lease.released == 0, "no other worker starts it"
    world.keeper.run_again()
    world.step()
    assert len(world.children) == 2


def test_a_process_without_heartbeats_is_killed_and_started_again(world):
    world.step(1, {"running": 1})
    for _ in range(30):
        world.step(5, {"beat": 1})
    assert world.child.killed == 0
    world.step(SILENCE_SECONDS + 1)
    assert world.children[0].killed == 1
    assert "did not react" in world.view().error
    world.wait_for_start()


def test_a_worker_that_loses_the_lease_kills_the_service_at_once(world):
    world.lease.is_lost = world.lease.is_taken = True
    world.step()
    assert world.children[0].killed == 1
    assert world.keeper.child is None
    assert world.view() is None
    world.step(10)
    assert len(world.children) == 1


def test_a_service_is_stopped_in_steps(world):
    world.step(1, {"running": 1})
    world.keeper.may_run = False
    world.step()
    world.step(STOP_SECONDS - 1)
    assert (world.child.asked, world.child.killed) == (1, 0)
    assert not world.keeper.is_idle()
    world.step(2)
    assert world.child.killed == 1
    world.step()
    assert world.keeper.is_idle()
    assert world.lease.released == 1
    world.keeper.may_run = True
    world.step(61)
    assert len(world.children) == 2


def test_a_service_that_ends_when_asked_is_not_counted_as_dead(world):
    world.keeper.may_run = False
    world.step()
    world.child.code = 1
    world.step()
    assert world.view() is None
    assert world.keeper.is_idle()


def test_a_program_that_cannot_be_started_is_a_death():
    world = World()

    def spawn():
        raise OSError(12, "Cannot allocate memory")

    world.keeper._spawn = spawn
    world.step()
    assert "Cannot allocate memory" in world.view().error


def test_closing_twice_kills_and_releases_once(world):
    world.keeper.close()
    world.keeper.close()
    assert (world.child.killed, world.lease.released) == (1, 1)


def test_a_service_that_is_not_needed_has_its_lease_and_no_process():
    world = World()
    world.keeper.needed_at = world.clock.monotonic() + 15
    world.step(1.0)
    assert (world.children, world.view().state) == ([], "done")
    world.keeper.run_again()
    world.step(1.0)
    assert world.view().state == "done", "options that change do not make it needed"
    world.keeper.needed_at = 0.0
    assert world.wait_for_start() <= 0.5, "it is started at once"


def test_a_service_without_an_answer_is_needed():
    world = World()
    world.keeper.needed_at = world.clock.monotonic() + 15
    world.step(14.0)
    assert world.children == []
    assert world.wait_for_start() <= 2.0


def test_a_service_that_is_not_needed_any_more_is_stopped_after_a_minute(world):
    world.step(1.0, {"running": 1})
    for seconds in range(int(IDLE_SECONDS)):
        world.keeper.needed_at = 0.0 if seconds == 30 else world.clock.monotonic() + 15
        world.step(1.0, {"beat": 1})
    assert world.child.asked == 0, "it was needed for a moment"
    for _ in range(33):
        world.keeper.needed_at = world.clock.monotonic() + 15
        world.step(1.0, {"beat": 1})
    assert world.child.asked == 1
    world.child.code = 0
    world.step(0.25)
    world.step(0.25)
    assert (len(world.children), world.view().state, world.lease.released) == (1, "done", 0)
    world.keeper.needed_at = 0.0
    assert world.wait_for_start() <= 0.5


def test_another_worker_takes_over_a_service_that_is_not_needed():
    world = World()
    world.keeper.needed_at = float("inf")
    world.step(1.0)
    world.lease.is_lost = True
    world.lease.is_taken = True
    world.step(1.0)
    assert world.view() is None
    world.lease.is_lost = world.lease.is_taken = False
    world.step(3.0)
    assert world.view().state == "done"


def test_messages_are_passed_on(world):
    heard = []
    world.keeper.hear = heard.append
    world.step(1.0, {"running": 1}, {"service": ["notes", "send"], "needed": False})
    assert heard[-1] == {"service": ["notes", "send"], "needed": False}
