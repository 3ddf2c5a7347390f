"""A consumer output gets every part once and in order despite failures, and is never fed by more than one owner."""

import dataclasses
import threading
import weakref
from collections.abc import Callable
from itertools import pairwise

import pytest

from gateway.clock import FakeClock
from gateway.errors import BusUnavailable, Unavailable
from gateway.isolation.deaths import Aside
from gateway.leases import Leases, output_lease
from gateway.media import Part, Position, SubPicture, SubPictures
from gateway.outputs import RECORDER, ConsumerOutput, Consumption, DeviceContext
from gateway.redis_client import connect_redis
from gateway.streams.bus import BusWriter, MediaBus
from gateway.streams.sub_bus import SubBus
from tests.conftest import wait_until
from tests.factories import make_device
from tests.workers.world import StubMessages
from workers.lease_keeper import LeaseKeeper
from workers.outputs import bus_feed, calls, consumer
from workers.outputs.bus_feed import BusFeed
from workers.outputs.consumer import ConsumerServices, ConsumerSupervisor, Ended
from workers.outputs.given_up import GivenUp
from workers.outputs.states import ConsumerState

LEASE = output_lease("fake")


class FakeConsumption(Consumption):
    def __init__(self, output: "FakeOutput") -> None:
        self._output = output
        self.uses_sub_stream = output.uses_sub_stream

    @property
    def position(self) -> Position | None:
        return self._output.kept[-1] if self._output.kept else self._output.first

    def take(self, part: Part, init_segment: bytes) -> None:
        self._output.on_take(part)
        self._output.kept.append(part.position)
        self._output.inits.append(init_segment)

    def take_sub(self, batch: SubPictures) -> None:
        self._output.subs.append(batch)

    def tick(self) -> str | None:
        return self._output.on_tick()

    def close(self, reason: str) -> None:
        self._output.closed.append(reason)


class FakeOutput(ConsumerOutput):
    name = "fake"

    def __init__(self) -> None:
        self.first: Position | None = None
        self.kept: list[Position] = []
        self.inits: list[bytes] = []
        self.subs: list[SubPictures] = []
        self.uses_sub_stream = False
        self.closed: list[str] = []
        self.attached: list[DeviceContext] = []
        self.on_take: Callable[[Part], None] = lambda part: None
        self.on_tick: Callable[[], str | None] = lambda: None

    def wanted(self) -> list[str]:
        return []

    def attach(self, device: DeviceContext) -> Consumption:
        self.attached.append(device)
        return FakeConsumption(self)


class StubMessagesOfConsumers(StubMessages):
    def consumer_taken(self, output_name: str, device_id: str) -> None:
        self.taken.append((output_name, device_id))


class World:
    """A device with footage on a real bus; sleeping and waiting advance the clock."""

    def __init__(self, client, device_id: str, monkeypatch) -> None:
        self.device_id, self.client = device_id, client
        self.clock = FakeClock()
        monkeypatch.setattr(consumer.time, "sleep", self.clock.advance)
        self.writer = BusWriter(client, device_id, window_seconds=600, max_bytes=1 << 24)
        self.output = FakeOutput()
        self.keeper = LeaseKeeper(client, 6.0, clock=self.clock)
        self.is_closing = False
        self.services = ConsumerServices(
            worker="w1",
            bus=MediaBus(client),
            feed=BusFeed(MediaBus(client), devices=1),
            sub_bus=SubBus(client),
            sub_feed=BusFeed(SubBus(client), devices=1),
            leases=self.keeper,
            messages=StubMessagesOfConsumers(),
            outputs={"fake": self.output},
            is_closing=lambda: self.is_closing,
            clock=self.clock,
        )

    def publish(self, count: int, run: int = 1) -> None:
        self.writer.open_run(run, b"init %d" % run)
        for sequence in range(1, count + 1):
            self.writer.publish(
                Part(
                    self.device_id,
                    run,
                    sequence,
                    1_750_000_000 + sequence * 0.5,
                    0.5,
                    sequence == 1,
                    12,
                    b"part",
                )
            )

    def publish_next(self) -> None:
        """One part after those of `publish(3)`."""
        self.writer.publish(Part(self.device_id, 1, 4, 1_750_000_002, 0.5, True, 12, b"part"))

    def run_until(self, done: Callable[[], bool]) -> ConsumerSupervisor:
        """Run the supervisor until `done` returns true, which its output checks at each tick."""
        inner = self.output.on_tick

        def tick() -> str | None:
            self.clock.advance(consumer.READ_SECONDS)
            return inner() or ("requested" if done() else None)

        self.output.on_tick = tick
        supervisor = ConsumerSupervisor(self.output, self.device_id, self.services)
        supervisor.run()
        self.output.on_tick = inner
        return supervisor

    def sequences(self) -> list[int]:
        return [position.sequence for position in self.output.kept]


@pytest.fixture
def world(bound_database, redis_url, scope, box, monkeypatch):
    client = connect_redis(redis_url)
    monkeypatch.setattr(bus_feed, "_DEVICE_PARTS", 2)
    world = World(client, make_device(scope, box).id, monkeypatch)
    yield world
    world.keeper.close()
    world.services.feed.close()
    world.services.sub_feed.close()
    client.close()


pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_every_part_is_taken_once_and_in_order_with_the_init_segment_of_its_run(world):
    world.publish(5)
    world.publish(2, run=2)
    world.run_until(lambda: len(world.output.kept) == 7)
    assert world.output.kept == [*(Position(1, n) for n in range(1, 6)), Position(2, 1), Position(2, 2)]
    assert world.output.inits == [b"init 1"] * 5 + [b"init 2"] * 2
    assert world.output.closed == ["requested"]
    assert Leases(world.client).holder(LEASE, world.device_id) is None


def test_no_part_is_kept_in_memory_while_waiting_for_the_next(world, monkeypatch):
    class Bytes(bytearray):
        """Bytes whose deletion can be observed by a weak reference."""

    read, seen, held = world.services.feed.read, [], []

    def watch(*args: object, **options: object) -> list[Part]:
        held.extend(number for number, item in enumerate(seen, 1) if item() is not None)
        parts = [dataclasses.replace(part, data=Bytes(part.data)) for part in read(*args, **options)]
        seen.extend(weakref.ref(part.data) for part in parts)
        return parts

    monkeypatch.setattr(world.services.feed, "read", watch)
    world.publish(5)
    world.run_until(lambda: len(world.output.kept) == 5)
    assert len(seen) == 5
    assert held == []


def test_feeding_continues_after_the_position_of_the_output(world):
    world.publish(5)
    world.output.first = Position(1, 3)
    world.run_until(lambda: len(world.output.kept) == 2)
    assert world.sequences() == [4, 5]


def test_a_device_that_its_output_does_not_want_any_more_is_detached(world):
    answers = iter([[], [], [world.device_id]])
    world.output.wanted = lambda: next(answers, [])
    world.services = dataclasses.replace(world.services, given_up=GivenUp([world.output]))
    # What it did not want before it was attached does not count, and one answer alone does not either.
    for _ in range(2):
        world.services.given_up.look()
    ticks = []

    def tick() -> None:
        world.services.given_up.look()
        ticks.append(len(ticks) + 1)

    world.output.on_tick = tick
    world.publish(1)
    world.run_until(lambda: len(ticks) > 9)
    assert ticks == [1, 2, 3]
    assert world.output.closed == ["requested"]


def test_an_output_that_cannot_say_what_it_wants_keeps_its_devices(world):
    def fail() -> list[str]:
        raise RuntimeError("no database")

    world.output.wanted = fail
    world.services = dataclasses.replace(world.services, given_up=GivenUp([world.output]))
    ticks = []

    def tick() -> None:
        world.services.given_up.look()
        ticks.append(1)

    world.output.on_tick = tick
    world.run_until(lambda: len(ticks) > 5)
    assert len(ticks) == 6


def test_an_output_whose_disk_is_away_gets_every_part_later(world):
    world.publish(4)
    failures = iter([Unavailable("the disk is away", reason="disk_full")] * 7)

    def take(part: Part) -> None:
        if part.sequence == 2 and (error := next(failures, None)):
            raise error

    world.output.on_take = take
    world.run_until(lambda: len(world.output.kept) == 4)
    assert world.sequences() == [1, 2, 3, 4]
    assert world.output.closed == ["disk_full"] * 7 + ["requested"]
    assert len(world.output.attached) == 8


def test_a_part_that_fails_three_times_is_skipped_and_the_plugin_named(world, caplog):
    world.publish(4)

    def take(part: Part) -> None:
        if part.sequence == 2:
            raise RuntimeError("I cannot read this")

    world.output.on_take = take
    world.run_until(lambda: len(world.output.kept) == 3)
    assert world.sequences() == [1, 3, 4]
    assert "'fake'" in caplog.text


def test_attaching_an_output_is_retried(world):
    world.publish(1)
    attach, failures = world.output.attach, iter([RuntimeError("no model"), RuntimeError("no model")])

    def fail_twice(device: DeviceContext) -> Consumption:
        if error := next(failures, None):
            raise error
        return attach(device)

    world.output.attach = fail_twice
    world.run_until(lambda: len(world.output.kept) == 1)
    assert world.sequences() == [1]


def test_a_bus_that_is_away_loses_nothing(world, monkeypatch):
    world.publish(3)
    read, failures = world.services.feed.read, iter([BusUnavailable("the media bus does not answer")] * 3)

    def fail_thrice(*arguments, **options) -> list[Part]:
        if error := next(failures, None):
            raise error
        return read(*arguments, **options)

    monkeypatch.setattr(world.services.feed, "read", fail_thrice)
    world.run_until(lambda: len(world.output.kept) == 3)
    assert world.sequences() == [1, 2, 3]
    assert len(world.output.attached) == 1


def test_a_second_owner_finds_the_lease_taken_and_ends(world):
    world.publish(1)
    Leases(world.client).take(LEASE, world.device_id, "w2", 60)
    world.run_until(lambda: True)
    assert world.output.attached == []
    assert Leases(world.client).holder(LEASE, world.device_id) == "w2"


def test_a_suspended_owner_finds_its_lease_lost_before_it_takes_a_part(world):
    world.publish(2)

    def take(part: Part) -> None:
        if part.sequence == 1:
            # This process is suspended for a minute, and another one takes over.
            world.client.delete(f"vas:lease:{LEASE}:{world.device_id}")
            Leases(world.client).take(LEASE, world.device_id, "w2", 60)
            world.clock.advance(60)

    world.output.on_take = take
    world.run_until(lambda: len(world.output.kept) == 2)
    assert world.sequences() == [1]
    assert world.output.closed == ["takeover"]


def test_a_stopping_worker_releases_the_device(world):
    world.publish(1)

    def take(part: Part) -> None:
        world.is_closing = True

    world.output.on_take = take
    world.run_until(lambda: False)
    assert world.output.closed == ["worker_stopped"]
    assert Leases(world.client).holder(LEASE, world.device_id) is None


def test_a_part_whose_init_segment_has_expired_is_skipped(world):
    world.publish(2)
    world.client.delete(f"vas:bus:{world.device_id}:init:1")
    world.publish(1, run=2)
    world.run_until(lambda: len(world.output.kept) == 1)
    assert world.output.kept == [Position(2, 1)]


def test_a_device_that_is_gone_or_disabled_is_not_attached(world, scope, box):
    device = make_device(scope, box, enabled=False)
    world.services = dataclasses.replace(world.services)
    for device_id in (device.id, "00000000-0000-4000-8000-00000000dead"):
        supervisor = ConsumerSupervisor(world.output, device_id, world.services)
        supervisor._lease = world.keeper.take(LEASE, device_id, "w1")
        with pytest.raises(Ended, match="device_deleted"):
            supervisor.run_once()
    assert world.output.attached == []


PICTURE = SubPicture(1_750_000_000.5, True, b"picture")


def publish_sub(world) -> None:
    world.services.sub_bus.publish(world.device_id, "h264", b"avcC", [PICTURE])


def test_an_output_of_the_sub_stream_gets_its_pictures_and_no_parts(world):
    world.output.uses_sub_stream = True
    world.publish(3)
    publish_sub(world)
    world.run_until(lambda: world.output.subs)
    assert [batch.pictures for batch in world.output.subs] == [(PICTURE,)]
    assert (world.output.subs[0].codec, world.output.subs[0].extra_data) == ("h264", b"avcC")
    assert world.output.kept == []
    assert world.services.sub_bus.is_asked(world.device_id)


def test_without_a_sub_stream_the_parts_are_taken_from_the_newest_on_until_there_is_one(world):
    world.output.uses_sub_stream = True
    world.publish(3)
    steps = []

    def done() -> bool:
        ticks = len(steps)
        steps.append(list(world.output.kept))
        if ticks == 14:
            world.publish_next()
        if world.output.kept and not world.output.subs:
            publish_sub(world)
        return bool(world.output.subs)

    world.run_until(done)
    assert world.output.kept == [Position(1, 4)]
    assert world.output.subs


def states_of(world, monkeypatch) -> list[tuple[str, str | None]]:
    """The states that the output goes through."""
    found: list[tuple[str, str | None]] = []
    change = ConsumerState.set

    def note(state: ConsumerState, name: str, reason: str | None = None) -> None:
        if not found or found[-1] != (name, reason):
            found.append((name, reason))
        change(state, name, reason)

    monkeypatch.setattr(ConsumerState, "set", note)
    return found


@pytest.mark.parametrize("error", [RuntimeError("no model"), SystemExit(3), KeyboardInterrupt()])
def test_an_output_that_keeps_failing_is_attached_less_and_less_often_and_its_state_says_why(
    world, monkeypatch, caplog, error
):
    states = states_of(world, monkeypatch)
    attempts: list[float] = []

    def attach(device: DeviceContext) -> Consumption:
        attempts.append(world.clock.monotonic())
        if len(attempts) == 12:
            raise Ended("requested")
        raise error

    world.output.attach = attach
    world.run_until(lambda: False)
    pauses = [later - earlier for earlier, later in pairwise(attempts)]
    assert pauses[-1] > consumer.MAX_FAILED_SECONDS / 2
    assert pauses[0] < 1
    assert states[1][0] == "failed"
    assert caplog.text.count("Traceback") <= 2, "many failures in a row have one cause"


def test_a_plugin_that_is_set_aside_is_not_called_until_it_is_forgiven(world, monkeypatch):
    states = states_of(world, monkeypatch)
    asides = iter([Aside(0, "outputs", "take", 3)] * 3)
    monkeypatch.setattr(consumer.GUARD, "aside", lambda plugin: next(asides, None))
    world.publish(1)
    world.run_until(lambda: len(world.output.kept) == 1)
    assert states[0] == ("set_aside", "it ended 3 processes, the last in 'take' (outputs)")
    assert states[-1] == ("running", None)


def test_a_call_that_hangs_is_left_and_the_output_attached_again(world, monkeypatch):
    for name, seconds in (("_LOOK_SECONDS", 0.005), ("BLOCKED_SECONDS", 0.01), ("GIVEN_UP_SECONDS", 0.03)):
        monkeypatch.setattr(calls, name, seconds)
    states, proceed, hangs = states_of(world, monkeypatch), threading.Event(), iter([True])
    world.publish(3)

    def take(part: Part) -> None:
        if part.sequence == 2 and next(hangs, False):
            proceed.wait()
            raise RuntimeError("too late")

    world.output.on_take = take
    world.run_until(lambda: len(world.output.kept) == 3)
    assert world.sequences() == [1, 2, 3]
    assert [state for state, _ in states].count("blocked") >= 2
    assert "'take' has not returned for 0 s" in {reason for _, reason in states}
    proceed.set()
    wait_until(lambda: "output_failed" in world.output.closed or len(world.output.closed) == 2, "it is closed late")


def test_the_recorder_is_called_directly_and_attached_soon(world):
    world.output.role = RECORDER
    world.publish(1)
    threads = []
    world.output.on_take = lambda part: threads.append(threading.current_thread())
    world.run_until(lambda: len(world.output.kept) == 1)
    assert threads == [threading.current_thread()]
