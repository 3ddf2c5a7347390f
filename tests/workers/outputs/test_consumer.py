"""A consumer output gets every part once and in order despite failures, and is never fed by more than one owner."""

import dataclasses
import weakref
from collections.abc import Callable

import pytest

from gateway.clock import FakeClock
from gateway.errors import BusUnavailable, Unavailable
from gateway.leases import Leases, output_lease
from gateway.media import Part, Position
from gateway.outputs import ConsumerOutput, Consumption, DeviceContext
from gateway.redis_client import connect_redis
from gateway.streams.bus import BusWriter, MediaBus
from tests.factories import make_device
from tests.workers.world import StubMessages
from workers.lease_keeper import LeaseKeeper
from workers.outputs import bus_feed, consumer
from workers.outputs.bus_feed import BusFeed
from workers.outputs.consumer import ConsumerServices, ConsumerSupervisor, Ended

LEASE = output_lease("fake")


class FakeConsumption(Consumption):
    def __init__(self, output: "FakeOutput") -> None:
        self._output = output

    @property
    def position(self) -> Position | None:
        return self._output.kept[-1] if self._output.kept else self._output.first

    def take(self, part: Part, init_segment: bytes) -> None:
        self._output.on_take(part)
        self._output.kept.append(part.position)
        self._output.inits.append(init_segment)

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
