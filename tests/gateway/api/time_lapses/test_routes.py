"""Requests for time-lapses: the number of their pictures, and a clear reply to every invalid request."""

import json
import uuid
from dataclasses import replace

import pytest

from gateway import database
from gateway.clock import utc_now
from gateway.footage.recordings import Protection
from gateway.inventory import find_device
from gateway.jobs.model import find_job
from gateway.tenancy.scopes import TenantScope
from gateway.tenancy.tenants import Tenant
from tests.factories import device_body, make_device
from tests.gateway.rows import make_snapshot
from tests.playback import NOON_MS

API = "/api/v1"
START, END = "2026-03-11T12:00:00Z", "2026-03-11T12:01:00Z"
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def ask(client, device):
    """`ask(**body)` requests a time-lapse and returns the reply."""

    def ask(headers=None, device_id=None, **body):
        path = f"{API}/snapshots/devices/{device_id or device['id']}/time-lapse"
        return client.post(path, json={"start": START, "end": END} | body, headers=headers or {})

    return ask


def parameters_of(scope, answer) -> dict:
    """The parameters that a worker gets."""
    assert answer.status_code == 202, answer.json
    return json.loads(find_job(scope, answer.json["id"]).parameters)


def test_a_time_lapse_is_a_job_that_holds_its_footage(client, ask, footage, scope):
    answer = ask(length_seconds=2, width=640, name="a day")
    assert answer.status_code == 202, answer.json
    job = answer.json
    assert (job["kind"], job["state"], job["device_id"]) == ("time_lapse", "queued", footage.device_id)
    assert client.get(answer.headers["Location"]).json == answer.json
    parameters = parameters_of(scope, answer)
    assert (parameters["name"], parameters["width"], parameters["source"], parameters["seconds"]) == (
        "a day.mp4",
        640,
        "recordings",
        2,
    )
    with database.session():
        (held,) = scope.select(Protection)
    assert (held.reference, held.start_ms, held.end_ms) == (answer.json["id"], NOON_MS, NOON_MS + 60_000)


@pytest.mark.parametrize(
    ("body", "step_ms", "speed"),
    [
        ({}, 80, 2),  # half a minute
        ({"length_seconds": 2}, 1200, 30),
        ({"speed": 50, "fps": 10}, 5000, 50),
        ({"every_seconds": 3}, 3000, 75),
        ({"every_seconds": 3, "length_seconds": 6}, 3000, 10),  # each is shown for 0.3 seconds
        ({"every_seconds": 1, "length_seconds": 2}, 1200, 30),  # the movie has no frames for more
    ],
    ids=str,
)
@on_sqlite
def test_speed_and_number_of_pictures_follow_from_the_request(ask, footage, scope, body, step_ms, speed):
    parameters = parameters_of(scope, ask(**body))
    assert (parameters["step_ms"], parameters["speed"]) == pytest.approx((step_ms, speed))


@on_sqlite
def test_each_snapshot_is_a_picture_unless_an_interval_is_requested(ask, device, scope):
    camera = find_device(scope, device["id"])
    make_snapshot(scope, camera, NOON_MS)
    parameters = parameters_of(scope, ask(source="snapshots"))
    assert (parameters["step_ms"], parameters["seconds"], parameters["speed"]) == (None, None, None)
    with database.session():
        assert scope.select(Protection).count() == 0
    assert parameters_of(scope, ask(source="snapshots", every_seconds=10))["step_ms"] == 10_000


@on_sqlite
def test_the_same_key_again_gives_the_same_job(ask, footage):
    key = {"Idempotency-Key": "abc"}
    first = ask(headers=key)
    assert ask(headers=key).json["id"] == first.json["id"]
    other = ask(headers=key, fps=10)
    assert (other.status_code, other.json["reason"]) == (409, "key_reused")


@pytest.mark.parametrize(
    ("body", "reason", "words"),
    [
        ({"end": START}, "invalid_value", "'end' must be after 'start'"),
        ({"start": "2100-01-01T00:00:00Z", "end": "2100-01-01T01:00:00Z"}, "invalid_value", "future"),
        ({"start": "2024-03-01T00:00:00Z"}, "range_too_long", "366 days"),
        ({"source": "films"}, "invalid_value", "recordings, snapshots"),
        ({"speed": 2, "length_seconds": 2}, "invalid_value", "'speed' must be omitted"),
        ({"speed": 0.5}, "invalid_value", "'speed' must be a number from 1"),
        ({"speed": "2"}, "invalid_value", "'speed' must be a number from 1"),
        ({"length_seconds": 61}, "invalid_value", "at most 60"),
        ({"fps": 0}, "invalid_value", "'fps'"),
        ({"width": 8}, "invalid_value", "'width'"),
        ({"every_seconds": 0}, "invalid_value", "'every_seconds'"),
        ({"end": "2026-03-12T12:00:00Z", "speed": 1}, "range_too_large", "36000"),
        ({"colour": "red"}, "invalid_value", "'colour'"),
    ],
    ids=lambda value: str(value)[:40],
)
@on_sqlite
def test_invalid_time_lapses_are_refused_with_what_would_be_right(ask, body, reason, words):
    answer = ask(**body)
    assert (answer.status_code, answer.json["reason"]) == (422, reason)
    assert words in answer.json["message"]


@on_sqlite
def test_an_empty_range_names_the_nearest(client, ask, footage, scope):
    later = {"start": "2026-03-11T13:00:00Z", "end": "2026-03-11T14:00:00Z"}
    answer = ask(**later)
    assert (answer.status_code, answer.json["reason"]) == (404, "no_footage")
    assert answer.json["errors"] == {"nearest_before": "2026-03-11T12:00:04.000Z", "nearest_after": None}
    answer = ask(**later, source="snapshots")
    assert (answer.status_code, answer.json["reason"]) == (404, "no_snapshots")
    assert answer.json["message"] == "there are no snapshots in this range: there are no snapshots of this device yet"
    make_snapshot(scope, find_device(scope, footage.device_id), NOON_MS + 3 * 3_600_000)
    assert ask(**later, source="snapshots").json["errors"] == {
        "nearest_before": None,
        "nearest_after": "2026-03-11T15:00:00.000Z",
    }
    empty = client.post(f"{API}/devices", json=device_body()).json
    assert "this device has no footage yet" in ask(device_id=empty["id"]).json["message"]


@on_sqlite
def test_exports_and_time_lapses_stay_within_their_space(app, ask, footage, scope):
    wired = app.extensions["vas"]
    size = parameters_of(scope, ask())["bytes"]
    app.extensions["vas"] = replace(wired, config=replace(wired.config, exports_max_bytes=2 * size - 1))
    answer = ask()
    assert (answer.status_code, answer.json["reason"]) == (409, "exports_full")
    app.extensions["vas"] = replace(wired, config=replace(wired.config, exports_max_bytes=2 * size))
    assert ask().status_code == 202


def test_another_tenants_device_does_not_exist(ask, box):
    other = TenantScope(str(uuid.uuid4()))
    with database.transaction():
        Tenant.insert(id=other.tenant_id, name="other", created_at=utc_now()).execute()
    assert ask(device_id=make_device(other, box).id).status_code == 404
