"""Changes of many devices: one transaction, and a result for each."""

import threading
import uuid

import pytest

from gateway.devices.model import Device
from gateway.tenancy.scopes import EVERY_TENANT
from tests.factories import PASSWORD, SHOWN_URL, device_body

one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

START, STOP, TAGS = "/api/v1/rtsp/streams/start", "/api/v1/rtsp/streams/stop", "/api/v1/devices/tags"
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def ids(client):
    """Three devices; the last one is disabled."""
    bodies = [device_body(tags=["a"]), device_body(), device_body(enabled=False, tags=["b"])]
    return [client.post("/api/v1/devices", json=body).json["id"] for body in bodies]


def states(client):
    return {stream["device_id"]: stream["desired"] for stream in client.get("/api/v1/streams").json}


def test_many_streams_are_started_with_a_result_for_each(app, client, ids):
    wanted = [ids[1], NOBODY, ids[2], ids[0], ids[1].upper()]
    answer = client.post(START, json={"device_ids": wanted})
    assert answer.status_code == 200
    assert (answer.json["succeeded"], answer.json["failed"]) == (2, 2)
    assert [(item["device_id"], item["status"], item["reason"]) for item in answer.json["results"]] == [
        (ids[1], 202, None),
        (NOBODY, 404, "not_found"),
        (ids[2], 409, "device_disabled"),
        (ids[0], 202, None),
    ]
    assert all(bool(item["message"]) == (item["reason"] is not None) for item in answer.json["results"])
    assert states(client) == {ids[0]: "running", ids[1]: "running", ids[2]: "stopped"}
    assert app.extensions["vas"].redis.llen("dramatiq:stream") == 2
    assert client.post(START, json={"device_ids": wanted}).json == answer.json, "it may be repeated"


def test_many_streams_are_stopped_with_a_result_for_each(client, ids):
    client.post(START, json={"device_ids": ids})
    answer = client.post(STOP, json={"device_ids": [ids[0], NOBODY, ids[2]]}).json
    assert [(item["device_id"], item["status"]) for item in answer["results"]] == [
        (ids[0], 202),
        (NOBODY, 404),
        (ids[2], 202),
    ]
    assert states(client) == {ids[0]: "stopped", ids[1]: "running", ids[2]: "stopped"}


def test_tags_are_added_and_removed_and_found(client, ids):
    answer = client.post(TAGS, json={"device_ids": [*ids, NOBODY], "add": ["new", "b"], "remove": ["a", "none"]}).json
    assert [(item["status"], item["reason"]) for item in answer["results"]] == [(200, None)] * 3 + [(404, "not_found")]
    devices = {device["id"]: device for device in client.get("/api/v1/devices").json}
    assert {tuple(device["tags"]) for device in devices.values()} == {("b", "new")}
    assert len(client.get("/api/v1/devices?q=new").json) == 3
    assert len(client.get(f"/api/v1/devices?q={SHOWN_URL[6:20]}").json) == 3, "the shown URL is still found"
    assert client.get(f"/api/v1/devices?q={PASSWORD}").json == []
    for device_id in ids:
        assert client.get(f"/api/v1/devices/{device_id}").headers["ETag"].startswith('"2.')


def test_tags_that_change_nothing_leave_the_version(client, ids):
    for _ in range(2):
        client.post(TAGS, json={"device_ids": ids, "add": ["a"]})
    versions = [client.get(f"/api/v1/devices/{device_id}").headers["ETag"][:3] for device_id in ids]
    assert versions == ['"1.', '"2.', '"2.']


def test_a_device_with_too_many_tags_keeps_what_it_has(client, ids):
    full = [f"t{number}" for number in range(20)]
    client.patch(f"/api/v1/devices/{ids[1]}", json={"tags": full})
    answer = client.post(TAGS, json={"device_ids": ids, "add": ["x"]}).json
    assert [item["reason"] for item in answer["results"]] == [None, "too_many_tags", None]
    assert answer["results"][1]["status"] == 422
    assert set(client.get(f"/api/v1/devices/{ids[1]}").json["tags"]) == set(full)
    answer = client.post(TAGS, json={"device_ids": [ids[1]], "add": ["x"], "remove": ["t0"]}).json
    assert answer["succeeded"] == 1


@one_database
@pytest.mark.parametrize(
    ("path", "body"),
    [
        (START, {}),
        (START, {"device_ids": []}),
        (START, {"device_ids": [NOBODY] * 501}),
        (START, {"device_ids": [{}] * 100_000}),
        (START, {"device_ids": ["x"]}),
        (START, {"device_ids": [None]}),
        (START, {"device_ids": NOBODY}),
        (STOP, {"device_ids": [NOBODY], "force": True}),
        (TAGS, {"device_ids": [NOBODY]}),
        (TAGS, {"device_ids": [NOBODY], "add": [], "remove": []}),
        (TAGS, {"device_ids": [NOBODY], "add": ["a"], "remove": ["a"]}),
        (TAGS, {"device_ids": [NOBODY], "add": ["a" * 51]}),
        (TAGS, {"device_ids": [NOBODY], "add": [str(number) for number in range(21)]}),
        (TAGS, {"device_ids": [NOBODY], "add": [{}] * 100_000}),
    ],
)
def test_a_malformed_request_changes_nothing_and_is_answered_shortly(client, path, body):
    answer = client.post(path, json=body)
    assert answer.status_code == 422
    assert len(answer.data) < 2000


def test_the_largest_request_is_answered(client, ids):
    answer = client.post(START, json={"device_ids": [*ids, *(str(uuid.uuid4()) for _ in range(497))]}).json
    assert (answer["succeeded"], answer["failed"], len(answer["results"])) == (2, 498, 500)


def test_changes_at_the_same_time_lose_no_tag(app, client, ids):
    orders = [ids, ids[::-1], ids[1:] + ids[:1]]
    answers = []

    def send(number):
        body = {"device_ids": orders[number % 3], "add": [f"t{number}"]}
        answers.append(app.test_client().post(TAGS, json=body).status_code)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == [200] * 6
    for device_id in ids:
        assert {f"t{number}" for number in range(6)} <= set(client.get(f"/api/v1/devices/{device_id}").json["tags"])


def test_without_redis_the_wish_is_kept(client, app, ids, monkeypatch):
    monkeypatch.setattr(app.extensions["vas"].redis_outage, "until", float("inf"))
    assert client.post(START, json={"device_ids": ids}).json["succeeded"] == 2
    assert states(client)[ids[0]] == "running"
    assert EVERY_TENANT.select(Device).count() == 3
