"""The state of a recording is true: checked against the stream, the written footage and the deaths of recorders."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
import redis

from gateway.clock import utc_now
from gateway.footage.recorder_pulse import RecorderPulse
from gateway.footage.recorder_status import Evidence, EvidenceReader, describe
from gateway.leases import Leases, WorkerSlots, output_lease
from gateway.redis_client import connect_redis
from gateway.schedules.recording_plan import Decision

NOW = utc_now()
WANTED = Decision(True, cause="continuous")
ID = "a3f0"


def make_row(
    observed="recording", reason=None, *, stream="running", cause=None, desired="running", seconds=60, **values
):
    since = NOW - timedelta(seconds=seconds)
    state = SimpleNamespace(desired=desired, observed=stream, reason_code=cause, reason_message=None, since=since)
    device = SimpleNamespace(stream=state, start_mode=values.get("start_mode", "always"))
    return SimpleNamespace(
        id=1, device_id=ID, mode="continuous", observed=observed, reason_code=reason, reason_message=None, since=since,
        device=device,
    )  # fmt: skip


def shown(row, decision=WANTED, **evidence):
    evidence = {"workers": 1, "has_free_slot": True} | evidence
    status = describe(row, decision, Evidence(**evidence), NOW)
    return status.observed, status.reason and status.reason.code


@pytest.mark.parametrize("age", [0.3, 9.9])
@pytest.mark.parametrize("row", ["recording", "waiting", "interrupted", "off"])
def test_fresh_footage_of_a_running_stream_is_recording(row, age):
    assert shown(make_row(row, "unreachable"), ages={ID: age}) == ("recording", None)


@pytest.mark.parametrize("ages", [{}, {ID: 10.1}, {ID: 4000.0}])
@pytest.mark.parametrize("row", ["recording", "waiting", "interrupted", "off"])
@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        ({"workers": 0}, "recorder_away"),
        ({"has_free_slot": False}, "recorder_busy"),
        ({}, "recorder_starting"),
        ({"owned": frozenset({ID})}, "recorder_stalled"),
        ({"owned": frozenset({ID}), "has_free_slot": False}, "recorder_stalled"),
        ({"deaths": {ID: [90, 92, 94]}}, "recorder_crashing"),
        ({"deaths": {ID: [0, 2, 4]}, "owned": frozenset({ID})}, "recorder_crashing"),
        ({"deaths": {"other": [0, 2, 4], ID: [0, 2]}}, "recorder_starting"),
        ({"workers": None, "has_free_slot": None}, "recorder_stalled"),
    ],
)
def test_ten_seconds_without_footage_are_never_recording(row, ages, evidence, reason):
    observed, code = shown(make_row(row), ages=ages, **evidence)
    assert observed != "recording"
    assert code == reason


@pytest.mark.parametrize("age", [0.3, 9.9])
@pytest.mark.parametrize("stream_seconds", [1, 60])
@pytest.mark.parametrize(
    ("deaths", "is_named"),
    [
        ([0.0, 2.0], False),  # two restarts are no crash loop
        ([0.0, 2.0, 4.0], True),
        ([9.9, 11.9, 13.9], True),
        ([10.1, 12.1, 14.1], False),  # it has survived for ten seconds and more than four
        ([10.1, 12.1, 14.1, 250.0, 290.0], False),
        ([0.1, 60.0, 120.0], True),  # one death a minute: named all the time, without a pause between deaths
        ([59.9, 120.0, 180.0], True),
        ([59.9, 119.9, 179.9, 239.9], True),
        ([120.1, 180.1, 240.1], False),
        ([0.0, 149.0, 299.0], True),
    ],
)
def test_a_recorder_that_writes_between_its_deaths_is_named_until_it_survives(age, stream_seconds, deaths, is_named):
    expected = ("interrupted", "recorder_crashing") if is_named else ("recording", None)
    row = make_row(seconds=stream_seconds)
    assert shown(row, ages={ID: age}, deaths={ID: deaths}) == expected
    assert shown(row, ages={ID: age}, deaths={"other": deaths}) == ("recording", None)


def test_a_crash_loop_has_lasted_since_its_first_death_and_yields_to_what_stops_the_stream():
    evidence = Evidence(ages={ID: 0.3}, deaths={ID: [0.5, 2, 40]})
    assert describe(make_row(), WANTED, evidence, NOW).since == NOW - timedelta(seconds=40)
    for row in (make_row(desired="stopped"), make_row(stream="reconnecting", cause="stalled")):
        assert describe(row, WANTED, evidence, NOW).reason.code != "recorder_crashing"


def test_a_crash_loop_that_is_over_is_not_blamed_for_a_stream_that_has_just_started():
    row = make_row("interrupted", "unreachable", seconds=1)
    assert shown(row, deaths={ID: [60, 62, 64]}) == ("interrupted", "unreachable")
    assert shown(row, deaths={ID: [1, 3, 5]}) == ("interrupted", "recorder_crashing")


@pytest.mark.parametrize(
    ("stream", "cause", "desired", "expected"),
    [
        ("reconnecting", "closed_by_camera", "running", ("interrupted", "closed_by_camera")),
        ("failed", "wrong_secret_key", "running", ("interrupted", "wrong_secret_key")),
        ("starting", None, "running", ("waiting", "stream_starting")),
        ("stopped", None, "running", ("waiting", "stream_starting")),
        ("running", None, "stopped", ("waiting", "stream_stopped")),
        ("stopping", "requested", "stopped", ("waiting", "stream_stopped")),
    ],
)
def test_a_stream_that_does_not_run_is_not_recorded_although_its_recorder_has_not_noticed(
    stream, cause, desired, expected
):
    row = make_row(stream=stream, cause=cause, desired=desired, seconds=0.1)
    assert shown(row, ages={ID: 0.2}) == expected


def test_a_device_on_demand_that_is_wanted_is_about_to_start():
    row = make_row(stream="stopped", desired="stopped", start_mode="on_demand")
    assert shown(row) == ("waiting", "stream_starting")


@pytest.mark.parametrize(("code", "observed"), [("stopped_by_person", "off"), ("not_planned", "waiting")])
def test_footage_that_is_not_wanted_is_not_recording_from_that_moment(code, observed):
    assert shown(make_row(), Decision(False, reason_code=code), ages={ID: 0.2}) == (observed, code)


@pytest.mark.parametrize("reason", ["disk_full", "storage_failed"])
def test_a_fault_of_the_disk_is_told_whatever_the_stream_does(reason):
    assert shown(make_row("interrupted", reason), ages={ID: 1.0}) == ("interrupted", reason)
    assert shown(make_row("interrupted", reason, stream="reconnecting", cause="stalled")) == ("interrupted", reason)


@pytest.mark.parametrize("seconds", [-300, 300])
def test_a_stream_worker_whose_clock_differs_does_not_hide_a_dead_recorder(seconds):
    assert shown(make_row(seconds=seconds), ages={ID: 30.0}) == ("waiting", "recorder_starting")
    assert shown(make_row(seconds=seconds), ages={ID: 0.5}) == ("recording", None)


def test_a_stream_that_has_just_started_has_ten_seconds_for_its_first_footage():
    assert shown(make_row(seconds=5)) == ("recording", None)
    assert shown(make_row("off", seconds=5)) == ("waiting", "recorder_starting")
    assert shown(make_row("interrupted", "unreachable", seconds=5)) == ("interrupted", "unreachable")


@pytest.fixture
def pulse(client):
    return RecorderPulse(client)


def test_ages_are_read_back_by_device(pulse):
    pulse.beat({"a": 0.5, "b": 40.25})
    pulse.beat({})
    ages = pulse.read(["b", "a", "never"])
    assert ages.keys() == {"a", "b"}
    assert 0.5 <= ages["a"] < 5
    assert 40.2 <= ages["b"] < 45
    assert pulse.read([]) == {}


def test_a_recorder_that_is_followed_without_its_end_has_died(pulse):
    for token in (1, 2, 3, 4):
        pulse.attached("a", token)
        pulse.attached("a", token)
        pulse.attached("b", token)
        pulse.detached("b", token)
        pulse.detached("b", token)
    assert {device_id: len(ages) for device_id, ages in pulse.deaths().items()} == {"a": 3}
    pulse.detached("a", 3)
    pulse.attached("a", 5)
    (ages,) = pulse.deaths().values()
    assert len(ages) == 4
    assert ages == sorted(ages)
    assert 0 <= ages[-1] < 5


def test_the_evidence_tells_who_is_there(client, pulse):
    reader = EvidenceReader(client, recorder=lambda: "tape")
    row = make_row("off")
    assert reader.read([row], NOW) == Evidence(workers=0, has_free_slot=False)
    WorkerSlots(client).report("record", "host:1", 1, 2)
    Leases(client).take(output_lease("tape"), ID, "host:1/1/x", 10)
    assert reader.read([row], NOW) == Evidence(workers=1, has_free_slot=True, owned=frozenset({ID}))
    for token in (1, 2):
        pulse.attached(ID, token)
    pulse.beat({ID: 0.0})
    evidence = reader.read([row], NOW)
    assert evidence.ages[ID] < 5
    assert len(evidence.deaths[ID]) == 1, "deaths are read although footage is fresh"


def test_without_redis_the_evidence_is_unknown():
    dead = EvidenceReader(connect_redis("redis://127.0.0.1:1/0", timeout_seconds=0.2), recorder=lambda: None)
    assert dead.read([make_row("off")], NOW) == Evidence()
    assert dead._outage.is_active
    with pytest.raises(redis.RedisError):
        RecorderPulse(connect_redis("redis://127.0.0.1:1/0")).read(["a"])
