"""The lanes of a timeline."""

import random

import pytest

from gateway.clock import format_time
from gateway.events.model import record_event, record_events

#: Midnight of 30 November 2026, UTC, and the length of a day.
DAY_MS, DAY = 1_795_996_800_000, 86_400_000


@pytest.fixture
def read(client, device):
    def read(start=DAY_MS, end=DAY_MS + DAY, query=""):
        url = f"/api/v1/devices/{device['id']}/events/lanes?from={format_time(start)}&to={format_time(end)}{query}"
        return client.get(url)

    return read


@pytest.fixture
def record(device, scope):
    def record(start, end=None, kind="object", **values):
        times = {"start_ms": DAY_MS + start, "end_ms": None if end is None else DAY_MS + end}
        return record_event(scope.tenant_id, device["id"], kind, goes_on=end is None, **times, **values)

    return record


def test_events_that_are_near_are_one_run_and_labels_have_lanes_of_their_own(record, read):
    record(1_000, 2_000, label="person")
    record(2_500, 4_000, label="person")
    record(60_000, 61_000, label="person")
    record(3_000, 3_500, label="car")
    answer = read(query="&resolution_seconds=1").json
    assert answer["lanes"] == [
        {"kind": "object", "label": "car", "events": 1, "runs": [[3_000, 3_500, 1]]},
        {"kind": "object", "label": "person", "events": 3, "runs": [[1_000, 4_000, 2], [60_000, 61_000, 1]]},
    ]
    assert answer["is_complete"] is True


def test_runs_are_cut_at_the_range_and_our_own_kinds_are_left_out(record, read):
    record(-5_000, 1_000)
    record(DAY - 1_000, DAY + 9_000)
    record(10_000, 11_000, kind="state")
    (lane,) = read().json["lanes"]
    assert [run[:2] for run in lane["runs"]] == [[0, 1_000], [DAY - 1_000, DAY]]
    assert read(query="&kind=state").json["lanes"][0]["events"] == 1


def test_a_day_of_ten_thousand_events_is_small(read, device, scope):
    dice = random.Random(1)
    one = {"tenant_id": scope.tenant_id, "device_id": device["id"], "kind": "object"}
    starts = [DAY_MS + dice.randrange(DAY - 30_000) for _ in range(10_000)]
    for at in range(0, len(starts), 1000):
        record_events(
            [
                one | {"label": dice.choice(["person", "car"]), "start_ms": start, "end_ms": start + 5_000}
                for start in starts[at : at + 1000]
            ]
        )
    answer = read(query="&resolution_seconds=0.1")
    assert len(answer.data) <= 50_000
    assert sum(lane["events"] for lane in answer.json["lanes"]) == 10_000
    assert sum(run[2] for lane in answer.json["lanes"] for run in lane["runs"]) == 10_000


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("start", "end", "query"), [(5, 5, ""), (5, 4, ""), (0, 400 * DAY, ""), (0, 5, "&resolution_seconds=0")]
)
def test_bad_ranges_are_refused(read, start, end, query):
    assert read(DAY_MS + start, DAY_MS + end, query).status_code == 422


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_unknown_device_is_not_found(client):
    url = "/api/v1/devices/22222222-2222-4222-8222-222222222222/events/lanes"
    assert client.get(f"{url}?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z").status_code == 404


@pytest.fixture
def neighbours(client, device):
    def neighbours(at, query=""):
        url = f"/api/v1/devices/{device['id']}/events/neighbours?at={format_time(DAY_MS + at)}{query}"
        answer = client.get(url)
        assert answer.status_code == 200, answer.json
        return [answer.json[side] and answer.json[side]["label"] for side in ("previous", "next")]

    return neighbours


def test_the_events_before_and_after_a_moment_are_those_of_plugins(record, neighbours):
    record(1_000, 9_000, label="person", plugin="eyes")
    record(5_000, 6_000, label="car", plugin="eyes")
    record(7_000, 7_000, kind="state")
    record(30 * DAY, None, label="dog", plugin="eyes")
    assert neighbours(500) == [None, "person"]
    assert neighbours(1_000) == [None, "car"]
    assert neighbours(5_001) == ["car", "dog"]
    assert neighbours(31 * DAY) == ["dog", None]
    assert neighbours(5_001, "&label=person&label=cat") == ["person", None]
    assert neighbours(5_001, "&kind=sound") == [None, None]


def test_neighbours_of_an_unknown_device_or_moment_are_refused(client, device):
    unknown = "/api/v1/devices/22222222-2222-4222-8222-222222222222/events/neighbours?at=2026-11-30T00:00:00Z"
    assert client.get(unknown).status_code == 404
    assert client.get(f"/api/v1/devices/{device['id']}/events/neighbours").status_code == 422
