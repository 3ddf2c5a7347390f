"""Changes of many streams at once: nothing for devices that changed meanwhile, one event for each that is stopped."""

from datetime import timedelta

import pytest

from gateway import database
from gateway.events.model import events_of
from gateway.inventory import delete_device
from gateway.states import StreamState, reason_for
from gateway.streams import fleet
from gateway.streams.fleet import Ending, demand_streams, record_stopped, stop_idle, touch_demands
from gateway.streams.model import claim_next_run, request_start, touch_demand, transition
from gateway.streams.queries import read_stream_record
from tests.factories import make_device
from tests.statements import recorded_statements

pytestmark = pytest.mark.usefixtures("bound_database")


@pytest.fixture
def make(bound_database, scope, box):
    return lambda **values: make_device(scope, box, **({"start_mode": "on_demand"} | values)).id


def demanded(scope, device_id: str, seconds_ago: float) -> str:
    request_start(scope, device_id, demanded_at=database.now() - timedelta(seconds=seconds_ago))
    return device_id


def test_a_viewer_who_arrives_keeps_an_idle_device_running(scope, make):
    device, other = (demanded(scope, make(), 300) for _ in range(2))
    touch_demand(scope, device, database.now())
    touch_demand(scope, device, database.now() - timedelta(hours=1))
    assert stop_idle({device: 60, other: 60}) == [other]
    assert stop_idle({device: 60, other: 60}) == []
    assert read_stream_record(other).desired_reason == "idle"


def test_each_device_has_its_own_idle_time(scope, make):
    short, long = (demanded(scope, make(), 45) for _ in range(2))
    assert stop_idle({short: 30, long: 60}) == [short]


def test_a_device_without_any_demand_is_idle(scope, make):
    device = make()
    request_start(scope, device)
    assert stop_idle({device: 60}) == [device]


def test_wanted_devices_that_run_on_demand_are_started_once(scope, make):
    device, disabled, manual, unwanted = make(), make(enabled=False), make(start_mode="manual"), make()
    assert demand_streams([device, disabled, manual]) == [device]
    assert demand_streams([device, disabled, manual]) == []
    assert [read_stream_record(each).desired for each in (device, disabled, manual, unwanted)] == [
        "running",
        "stopped",
        "stopped",
        "stopped",
    ]
    assert database.now() - read_stream_record(device).demanded_at < timedelta(seconds=5)


def test_an_older_demand_does_not_replace_a_newer_one(scope, make):
    device = demanded(scope, make(), -60)
    before = read_stream_record(device).demanded_at
    touch_demands([device])
    assert read_stream_record(device).demanded_at == before


def test_streams_are_recorded_as_stopped_with_one_event_each(scope, make):
    devices = [make() for _ in range(3)]
    endings = {}
    for number, device in enumerate(devices):
        run = claim_next_run(device, "w1")
        transition(device, StreamState.STARTING, run=run)
        endings[device] = Ending(run, reason_for("idle" if number else "device_disabled"))
    claim_next_run(devices[2], "w2")
    record_stopped(endings)
    record_stopped(endings)
    states = [(record.observed, record.reason_code) for record in map(read_stream_record, devices)]
    assert states == [("stopped", "device_disabled"), ("stopped", "idle"), ("starting", None)]
    assert [events_of(scope, device, ["state"]).count() for device in devices] == [2, 2, 1]


def test_a_deleted_device_is_left_out(scope, make):
    device, other = make(), make()
    for each in (device, other):
        demanded(scope, each, 300)
        transition(each, StreamState.STARTING, run=claim_next_run(each, "w1"))
    delete_device(scope, device)
    touch_demands([device])
    assert stop_idle({device: 60, other: 60}) == [other]
    record_stopped({each: Ending(1, reason_for("idle")) for each in (device, other)})
    assert read_stream_record(device) is None
    assert read_stream_record(other).observed == StreamState.STOPPED


def test_a_transaction_has_a_limited_number_of_rows(scope, make, monkeypatch):
    monkeypatch.setattr(fleet, "BATCH", 2)
    devices = [demanded(scope, make(), 300) for _ in range(5)]
    assert sorted(stop_idle(dict.fromkeys(devices, 60))) == sorted(devices)


def test_nothing_is_written_for_no_device():
    with recorded_statements() as statements:
        touch_demands([])
        stop_idle({})
        record_stopped({})
        demand_streams([])
    assert statements.writes == []
