"""Wanted devices of outputs get an owner and a stream while slots are free; a failing output does not affect others."""

import pytest

from gateway.isolation.guard import GUARD
from gateway.leases import Leases, WorkerSlots, output_lease
from gateway.outputs import RECORDER, ConsumerOutput
from gateway.redis_client import connect_redis
from gateway.states import DesiredState
from gateway.streams.messages import RUN_CONSUMER, RUN_OUTPUT, Messages, build_broker
from gateway.streams.queries import read_stream_record
from tests.factories import make_config, make_device
from workers.outputs.reconciler import STARTS_PER_PASS, ConsumerReconciler


class FakeOutput(ConsumerOutput):
    role = RECORDER

    def __init__(self, name: str, wants: list[str] | Exception) -> None:
        self.name, self.wants = name, wants

    def wanted(self) -> list[str]:
        if isinstance(self.wants, Exception):
            raise self.wants
        return self.wants

    def attach(self, device):
        raise AssertionError("the clock process attaches nothing")


class World:
    def __init__(self, redis_url: str) -> None:
        self.client = connect_redis(redis_url)
        self.sent: list[tuple[str, ...]] = []
        self.messages = Messages(build_broker(make_config(redis_url=redis_url)), self.client)
        self.messages._send = lambda actor, *arguments, queue: self.sent.append((actor, *arguments))
        self.slots = WorkerSlots(self.client)
        self.slots.report("record", "w1", used=0, total=64)

    def make_pass(self, *outputs: FakeOutput) -> list[tuple[str, ...]]:
        self.sent.clear()
        reconciler = ConsumerReconciler(list(outputs), Leases(self.client), self.slots, self.messages)
        wanted = reconciler.read_wanted()
        reconciler.demand_streams(wanted)
        reconciler.reconcile(wanted)
        return sorted(self.sent)


@pytest.fixture
def world(bound_database, redis_url):
    world = World(redis_url)
    yield world
    world.client.close()


def test_a_wanted_device_without_an_owner_is_requested_once(world, scope, box):
    ids = sorted(make_device(scope, box).id for _ in range(2))
    output = FakeOutput("recorder", ids)
    Leases(world.client).take(output_lease("recorder"), ids[0], "w1", 60)
    assert world.make_pass(output) == [(RUN_CONSUMER, "recorder", ids[1])]
    assert world.make_pass(output) == []
    world.messages.consumer_taken("recorder", ids[1])
    assert world.make_pass(output) == [(RUN_CONSUMER, "recorder", ids[1])]


def test_the_owner_of_one_output_does_not_own_another(world, scope, box):
    device_id = make_device(scope, box).id
    Leases(world.client).take(output_lease("recorder"), device_id, "w1", 60)
    sent = world.make_pass(FakeOutput("recorder", [device_id]), FakeOutput("analyser", [device_id]))
    assert sent == [(RUN_CONSUMER, "analyser", device_id)]


def test_requests_are_limited_by_free_slots_and_per_pass(world, scope, box):
    ids = [make_device(scope, box).id for _ in range(STARTS_PER_PASS + 2)]
    world.slots.report("record", "w1", used=61, total=64)
    assert len(world.make_pass(FakeOutput("recorder", ids))) == 3
    world.slots.report("record", "w1", used=0, total=64)
    assert len(world.make_pass(FakeOutput("archiver", ids))) == STARTS_PER_PASS
    world.slots.report("record", "w1", used=64, total=64)
    assert world.make_pass(FakeOutput("analyser", ids)) == []


def test_an_output_that_fails_to_list_its_devices_does_not_affect_others(world, scope, box, caplog):
    device_id = make_device(scope, box).id
    sent = world.make_pass(FakeOutput("broken", RuntimeError("no")), FakeOutput("recorder", [device_id]))
    assert sent == [(RUN_CONSUMER, "recorder", device_id)]
    assert "'broken'" in caplog.text


def test_only_on_demand_devices_are_started_while_they_are_wanted(world, scope, box):
    on_demand = make_device(scope, box, start_mode="on_demand").id
    manual = make_device(scope, box, start_mode="manual").id
    disabled = make_device(scope, box, start_mode="on_demand", enabled=False).id
    world.make_pass(FakeOutput("recorder", [on_demand, manual, disabled]))
    desired = {device_id: read_stream_record(device_id).desired for device_id in (on_demand, manual, disabled)}
    assert desired == {
        on_demand: DesiredState.RUNNING,
        manual: DesiredState.STOPPED,
        disabled: DesiredState.STOPPED,
    }
    assert read_stream_record(on_demand).demanded_at is not None


class OtherOutput(FakeOutput):
    role = None


def test_each_output_is_requested_of_the_workers_that_run_it_and_its_wait_is_named(world, scope, box):
    device_id = make_device(scope, box).id
    sent = []
    world.messages._send = lambda actor, *arguments, queue: sent.append((actor, queue, *arguments))
    recorder, plain, apart = FakeOutput("recorder", [device_id]), *(OtherOutput(n, [device_id]) for n in "ab")
    apart.process = "analytics"
    world.make_pass(recorder, plain, apart)
    assert sent == [(RUN_CONSUMER, "record", "recorder", device_id)]
    reasons = {problem.plugin: (problem.reason, problem.remedy) for problem in GUARD.problems.list()}
    assert reasons == {
        "a": ("outputs wait: no worker 'outputs' runs", "start `python -m workers outputs`"),
        "b": ("outputs wait: no worker 'outputs analytics' runs", "start `python -m workers outputs analytics`"),
    }
    world.slots.report("outputs", "w2", used=0, total=1)
    world.slots.report("outputs.analytics", "w3", used=0, total=1)
    world.make_pass(recorder, plain, apart)
    assert sent[1:] == [
        (RUN_OUTPUT, "outputs", "a", device_id),
        (RUN_OUTPUT, "outputs.analytics", "b", device_id),
    ]
    assert GUARD.problems.list() == []
