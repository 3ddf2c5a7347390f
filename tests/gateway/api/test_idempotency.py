"""Idempotency-Key: every request that creates something can be repeated; once it is created, always the same reply."""

import threading
from datetime import timedelta

import peewee
import pytest

from gateway import database, request_keys
from gateway.app import create_app
from gateway.clock import utc_now
from gateway.devices.model import Device
from gateway.errors import Conflict
from gateway.request_keys import RequestKey, StoredReply, answer_once, find_reply
from gateway.tenancy.scopes import EVERY_TENANT, TenantScope
from gateway.tenancy.tenants import Tenant
from tests.factories import PASSWORD, device_body, no_plugins

one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def cases(device):
    recording = f"/api/v1/recordings/devices/{device['id']}"
    return {
        "/api/v1/devices": device_body(start_mode="always", tags=["a"]),
        "/api/v1/snapshots/schedules": {"device_id": device["id"], "every_seconds": 60},
        f"{recording}/events": {"label": "door"},
        f"{recording}/protections": {"start": "2026-03-11T12:00:00Z", "end": "2026-03-11T12:05:00Z"},
    }


def count(client, device):
    lists = ("devices", "snapshots/schedules", f"recordings/devices/{device['id']}/events")
    numbers = [len(client.get(f"/api/v1/{path}").json) for path in lists]
    return [*numbers, len(client.get(f"/api/v1/recordings/devices/{device['id']}/protections").json)]


@pytest.mark.parametrize("number", range(4))
def test_a_repeated_request_gets_the_first_reply_and_creates_nothing(app, client, device, number):
    path, body = list(cases(device).items())[number]
    first = client.post(path, json=body, headers={"Idempotency-Key": "k1"})
    assert first.status_code == 201, first.json
    after = count(client, device)
    queued = app.extensions["vas"].redis.llen("dramatiq:stream")
    for _ in range(3):
        again = client.post(path, json=body, headers={"Idempotency-Key": "k1"})
        assert (again.status_code, again.json) == (201, first.json)
        for name in ("Location", "ETag", "Content-Type"):
            assert again.headers.get(name) == first.headers.get(name), name
    assert count(client, device) == after
    assert app.extensions["vas"].redis.llen("dramatiq:stream") == queued
    plain = {"json": body | ({"name": "another"} if path.endswith("/devices") else {})}
    assert client.post(path, **plain).status_code == 201
    assert sum(count(client, device)) == sum(after) + 1


def test_a_key_belongs_to_one_request(client, device):
    bodies = cases(device)
    key = {"Idempotency-Key": "k"}
    assert client.post("/api/v1/devices", json=bodies["/api/v1/devices"], headers=key).status_code == 201
    for path, body in bodies.items():
        changed = body | ({"name": "other"} if path.endswith("/devices") else {})
        answer = client.post(path, json=changed, headers=key)
        assert (answer.status_code, answer.json["reason"]) == (409, "key_reused"), path


def test_the_reply_is_repeated_after_a_change_and_after_the_end_of_the_resource(client):
    body, key = device_body(), {"Idempotency-Key": "k"}
    first = client.post("/api/v1/devices", json=body, headers=key)
    url = f"/api/v1/devices/{first.json['id']}"
    assert client.get(url).headers["ETag"] == first.headers["ETag"]
    client.patch(url, json={"name": "renamed"})
    assert client.post("/api/v1/devices", json=body, headers=key).json == first.json
    client.delete(url)
    assert client.post("/api/v1/devices", json=body, headers=key).json == first.json
    assert client.get(url).status_code == 404


def test_a_refused_request_leaves_its_key_free(client, device):
    key = {"Idempotency-Key": "k"}
    taken = device_body(name=device["name"])
    assert client.post("/api/v1/devices", json=taken, headers=key).json["reason"] == "name_taken"
    assert client.post("/api/v1/devices", json={}, headers=key).status_code == 422
    assert client.post("/api/v1/devices", json=device_body(), headers=key).status_code == 201


@one_database
@pytest.mark.parametrize(("key", "status"), [("x" * 200, 201), ("x" * 201, 422), ("", 422), ("schlüssel ü", 201)])
def test_keys_have_a_length(client, key, status):
    answer = client.post("/api/v1/devices", json=device_body(), headers={"Idempotency-Key": key})
    assert answer.status_code == status


def test_two_requests_at_once_create_one_device(app):
    body = device_body()
    answers = []
    gate = threading.Barrier(8)

    def send():
        gate.wait()
        answers.append(app.test_client().post("/api/v1/devices", json=body, headers={"Idempotency-Key": "k"}))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [answer.status_code for answer in answers] == [201] * 8
    assert len({answer.json["id"] for answer in answers}) == 1
    assert EVERY_TENANT.select(Device).count() == 1


def test_a_crash_before_the_reply_is_stored_leaves_neither_device_nor_key(client, monkeypatch):
    body, key = device_body(), {"Idempotency-Key": "k"}

    def crash(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr("gateway.api.idempotency._store", crash)
        with pytest.raises(KeyboardInterrupt):
            client.post("/api/v1/devices", json=body, headers=key)
    assert EVERY_TENANT.select(Device).count() == EVERY_TENANT.select(RequestKey).count() == 0
    assert client.post("/api/v1/devices", json=body, headers=key).status_code == 201


def test_a_crash_after_the_reply_is_stored_repeats_the_reply(app, client, monkeypatch):
    body, key = device_body(start_mode="always"), {"Idempotency-Key": "k"}

    def crash(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr("gateway.api.services.ApiServices.send_start", crash)
        with pytest.raises(KeyboardInterrupt):
            client.post("/api/v1/devices", json=body, headers=key)
    again = client.post("/api/v1/devices", json=body, headers=key)
    assert again.status_code == 201
    assert [row.id for row in EVERY_TENANT.select(Device)] == [again.json["id"]]


def test_no_password_is_stored_with_a_key(client):
    client.post("/api/v1/devices", json=device_body(), headers={"Idempotency-Key": "k"})
    [row] = EVERY_TENANT.select(RequestKey)
    assert PASSWORD not in str(row.__data__)


@one_database
def test_a_repeated_request_is_answered_although_its_host_is_not_resolved_any_more(client, monkeypatch):
    body, key = device_body(source_url="rtsp://camera.local/x"), {"Idempotency-Key": "k"}
    monkeypatch.setattr("gateway.devices.sources.resolve_host", lambda host: [])
    first = client.post("/api/v1/devices", json=body, headers=key)
    monkeypatch.setattr("gateway.devices.sources.resolve_host", lambda host: ["127.0.0.1"])
    assert client.post("/api/v1/devices", json=body, headers=key).json == first.json


# ---- the store --------------------------------------------------------------------------------------------------


@pytest.fixture
def other(scope):
    tenant_id = "11111111-1111-4111-8111-111111111111"
    with database.transaction():
        Tenant.insert(id=tenant_id, name="other", created_at=utc_now()).execute()
    return TenantScope(tenant_id)


def make(text):
    return lambda: StoredReply(201, text)


def test_keys_are_of_their_tenant(bound_database, scope, other):
    assert answer_once(scope, "k", "m", make("1")) == (StoredReply(201, "1"), True)
    assert answer_once(other, "k", "x", make("2")) == (StoredReply(201, "2"), True)
    assert find_reply(scope, "k", "m").body == "1"
    with pytest.raises(Conflict):
        find_reply(scope, "k", "x")


def test_a_key_is_forgotten_after_a_day(bound_database, scope):
    long_ago = utc_now() - timedelta(hours=24, seconds=1)
    answer_once(scope, "k", "m", make("old"), at=long_ago)
    assert find_reply(scope, "k", "m") is None
    assert find_reply(scope, "k", "another") is None
    assert answer_once(scope, "k", "another", make("new")) == (StoredReply(201, "new"), True)
    assert EVERY_TENANT.select(RequestKey).count() == 1


def test_the_store_is_bounded_for_each_tenant(bound_database, scope, other, monkeypatch):
    monkeypatch.setattr(request_keys, "MAX_KEYS", 3)
    answer_once(other, "k", "m", make("theirs"))
    for number in range(6):
        answer_once(scope, f"k{number}", "m", make(str(number)), at=utc_now() + timedelta(milliseconds=number))
    kept = sorted(row.name for row in scope.select(RequestKey))
    assert kept == ["k3", "k4", "k5"]
    assert find_reply(other, "k", "m").body == "theirs"


def test_the_loser_of_a_race_gets_the_winners_reply(bound_database, scope, monkeypatch):
    answer_once(scope, "k", "m", make("first"))
    real, calls = request_keys.find_reply, []

    def see_nothing_at_first(*arguments, **options):
        calls.append(1)
        return None if len(calls) == 1 else real(*arguments, **options)

    monkeypatch.setattr(request_keys, "find_reply", see_nothing_at_first)
    assert answer_once(scope, "k", "m", make("second")) == (StoredReply(201, "first"), False)


def test_a_failing_creation_is_not_taken_for_a_race(bound_database, scope):
    def fail():
        raise peewee.IntegrityError("something else")

    with pytest.raises(peewee.IntegrityError):
        answer_once(scope, "k", "m", fail)
    assert find_reply(scope, "k", "m") is None


@one_database
def test_every_operation_that_creates_takes_a_key(config):
    """But for tokens of viewers: a second one does no harm, and a stored one would be a secret in the database."""
    app = create_app(config, no_plugins())
    document = app.test_client().get("/api/v1/openapi.json").json
    database.close()
    for path, item in document["paths"].items():
        if "post" in item and ({"201"} & item["post"]["responses"].keys()):
            names = {parameter["name"] for parameter in item["post"]["parameters"]}
            assert "Idempotency-Key" in names, path
            assert "409" in item["post"]["responses"], path
