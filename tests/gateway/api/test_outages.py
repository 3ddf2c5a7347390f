"""Replies while the database or Redis is unavailable."""

import time

import pytest

from gateway.app import create_app
from tests.conftest import free_port
from tests.factories import device_body, make_config, no_plugins

SHAPE = {"code", "status", "message", "errors", "reason"}


@pytest.fixture
def no_redis(config):
    """The application with an unavailable Redis."""
    url = f"redis://127.0.0.1:{free_port()}/0"
    plugins = no_plugins()
    plugins.register(object(), "a plugin")
    return create_app(make_config(database_url=config.database_url, redis_url=url), plugins).test_client()


@pytest.fixture
def no_database(redis_url):
    """The application with an unavailable PostgreSQL."""
    url = f"postgresql://vas:geheim@127.0.0.1:{free_port()}/vas"
    return create_app(make_config(database_url=url, redis_url=redis_url), no_plugins()).test_client()


def test_without_redis_devices_and_desired_states_are_still_stored(no_redis):
    device = no_redis.post("/api/v1/devices", json=device_body(start_mode="always"))
    assert device.status_code == 201
    url = f"/api/v1/devices/{device.json['id']}"
    assert no_redis.get("/api/v1/devices").json == [device.json]
    assert no_redis.put(url, json=device.json).status_code == 200
    assert no_redis.post(f"/api/v1/rtsp/streams/{device.json['id']}/start").status_code == 202
    assert no_redis.post(f"/api/v1/rtsp/streams/{device.json['id']}/stop").status_code == 202
    assert no_redis.delete(url).status_code == 204


def test_without_redis_live_statistics_are_null(no_redis):
    no_redis.post("/api/v1/devices", json=device_body())
    stream = no_redis.get("/api/v1/streams").json[0]
    assert stream["observed"] == "stopped"
    assert (stream["fps"], stream["viewers"], stream["outputs"]) == (None, None, [])


def test_without_redis_its_address_is_not_disclosed(no_redis):
    device = no_redis.post("/api/v1/devices", json=device_body()).json["id"]
    for path in (f"/api/v1/streams/{device}/latest.mp4", f"/api/v1/recordings/devices/{device}/live/init-1.mp4"):
        answer = no_redis.get(path)
        assert (answer.status_code, answer.json["message"]) == (503, "the media bus does not answer")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_frozen_redis_delays_one_request_and_not_the_next(config, redis_server):
    client = create_app(config, no_plugins()).test_client()
    device = client.post("/api/v1/devices", json=device_body()).json
    poster = f"/api/v1/devices/{device['id']}/poster.jpg"
    redis_server.freeze()
    try:
        for path, status in (("/api/v1/streams", 200), (poster, 503)):
            client.get(path)
            began = time.monotonic()
            assert client.get(path).status_code == status
            assert time.monotonic() - began < 0.5
    finally:
        redis_server.thaw()


def test_without_redis_requests_that_need_it_get_a_clear_error(no_redis):
    device = no_redis.post("/api/v1/devices", json=device_body()).json
    footage = no_redis.get(f"/api/v1/streams/{device['id']}/latest.mp4")
    assert (footage.status_code, footage.json["reason"]) == (503, "bus_unavailable")
    probe = no_redis.post("/api/v1/devices/probe", json={"source_url": "rtsp://10.0.0.1/"})
    path = f"/api/v1/snapshots/devices/{device['id']}/capture/live"
    pictures = [
        no_redis.get(f"/api/v1/devices/{device['id']}/poster.jpg"),
        no_redis.post(path),
        no_redis.post(path, headers={"Idempotency-Key": "abc"}),
    ]
    for answer in (probe, *pictures):
        assert (answer.status_code, answer.json["reason"]) == (503, "redis_unavailable")
        assert answer.headers["Retry-After"]
        assert "127.0.0.1" not in answer.json["message"]


def test_without_redis_health_is_down_and_readiness_stays_ok(no_redis):
    health = no_redis.get("/api/v1/health")
    assert (health.status_code, health.json["status"]) == (200, "down")
    assert health.json["components"]["redis"]["remedy"]
    assert health.json["components"]["database"]["status"] == "ok"
    assert no_redis.get("/api/v1/health/ready").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/v1/devices", None),
        ("POST", "/api/v1/devices", device_body()),
        ("GET", "/api/v1/devices/7b1c0d52-6c4f-4f0e-9a3c-0d9c5a1f2b3c", None),
        ("PUT", "/api/v1/devices/7b1c0d52-6c4f-4f0e-9a3c-0d9c5a1f2b3c", device_body()),
        ("DELETE", "/api/v1/devices/7b1c0d52-6c4f-4f0e-9a3c-0d9c5a1f2b3c", None),
        ("GET", "/api/v1/streams", None),
        ("POST", "/api/v1/rtsp/streams/7b1c0d52-6c4f-4f0e-9a3c-0d9c5a1f2b3c/start", None),
        ("GET", "/api/v1/health/ready", None),
    ],
)
def test_without_a_database_the_reply_is_503(no_database, method, path, body):
    answer = no_database.open(path, method=method, json=body)
    assert (answer.status_code, set(answer.json)) == (503, SHAPE)
    assert "geheim" not in answer.text


def test_without_a_database_health_and_plugins_still_answer(no_database):
    health = no_database.get("/api/v1/health").json
    assert health["status"] == "down"
    assert health["components"]["database"] | {"latency_ms": 0} == {
        "status": "down",
        "reason": "the database does not answer",
        "remedy": "check DATABASE_URL and that the server runs",
        "detail": {"kind": "PostgreSQL"},
        "latency_ms": 0,
    }
    assert no_database.get("/api/v1/health/live").status_code == 200
    assert no_database.get("/api/v1/plugins").status_code == 200


def test_an_outdated_schema_is_reported_with_its_remedy(redis_url, tmp_path):
    config = make_config(database_url=f"sqlite:///{tmp_path}/empty.db", redis_url=redis_url)
    client = create_app(config, no_plugins()).test_client()
    answer = client.get("/api/v1/devices")
    assert (answer.status_code, answer.json["reason"]) == (503, "database_unavailable")
    assert "vas release" in answer.json["message"]
    assert client.get("/api/v1/health").json["components"]["database"]["remedy"] == "run 'vas release'"
    assert client.get("/api/v1/health/ready").status_code == 503
