"""Secrets never appear in a reply, a log, the queue, Redis, the database file or a repr."""

import logging

import pytest

from gateway.app import create_app
from gateway.inventory import find_device
from gateway.logs import RedactingFormatter
from gateway.streams.queries import read_device_settings
from tests.factories import PASSWORD, SECRET_KEY, SECRETS, SFU_SECRET, SOURCE_URL, device_body, no_plugins

SUB_URL = SOURCE_URL.replace("stream1", "stream2")


def assert_clean(text: object, where: str) -> None:
    found = [secret for secret in SECRETS if secret in str(text)]
    assert not found, f"{found} in {where}"


@pytest.fixture
def app(config):
    return create_app(config, no_plugins())


def test_no_reply_in_the_life_of_a_device_contains_a_secret(app, config, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG)
    caplog.handler.setFormatter(RedactingFormatter())
    monkeypatch.setattr("gateway.api.devices.probing.WAIT_SECONDS", 0.05)
    client = app.test_client()
    body = device_body(sub_source_url=SUB_URL, start_mode="always")
    replies = [client.post("/api/v1/devices", json=body)]
    device = replies[0].json
    url = f"/api/v1/devices/{device['id']}"
    replies += [
        client.post("/api/v1/devices", json=body),
        client.get("/api/v1/devices"),
        client.get("/api/v1/devices?q=viewer"),
        client.get(url),
        client.put(url, json=device),
        client.put(url, json=body | {"name": "x" * 200}),
        client.put(url, json=body | {"source_url": SOURCE_URL + "#"}),
        client.put(url, json=body | {"source_url": SOURCE_URL + "?tcp"}),
        client.put(url, json=body | {"source_url": SOURCE_URL.replace("192.168.7.20", "169.254.169.254")}),
        client.put(url, json=body | {"source_url": SOURCE_URL.replace("192.168.7.20:554", "h@h")}),
        client.put(url, json=body | {"sub_source_url": SUB_URL}, headers={"If-Match": '"99"'}),
        client.post("/api/v1/devices/probe", json={"source_url": SOURCE_URL}),
        client.post("/api/v1/devices/probe", json={"source_url": device["source_url"], "device_id": device["id"]}),
        client.post(f"/api/v1/rtsp/streams/{device['id']}/start"),
        client.get("/api/v1/streams"),
        client.get(url + "/events"),
        client.get("/api/v1/health"),
        client.get("/api/v1/plugins"),
        client.get("/api/v1/openapi.json"),
        client.delete(url),
    ]
    for reply in replies:
        assert_clean(reply.text, f"the reply {reply.status_code} to {reply.request.method} {reply.request.path}")
        assert_clean(reply.headers, "headers")
    assert_clean(caplog.text, "the log")


def test_stored_data_contains_no_secret(app, config, tmp_path):
    client = app.test_client()
    client.post("/api/v1/devices", json=device_body(sub_source_url=SUB_URL, start_mode="always"))
    redis = app.extensions["vas"].redis
    for key in redis.keys("*"):
        kind = redis.type(key)
        value = {
            b"string": redis.get,
            b"hash": redis.hgetall,
            b"list": lambda k: redis.lrange(k, 0, -1),
            b"zset": lambda k: redis.zrange(k, 0, -1),
        }.get(kind, lambda _: b"")(key)
        assert_clean(value, f"Redis {key}")
    for path in tmp_path.glob("vas.db*"):
        assert_clean(path.read_bytes().decode("latin-1"), path.name)


def test_no_repr_contains_a_secret(app, config, scope, box):
    device = app.test_client().post("/api/v1/devices", json=device_body()).json
    wired = app.extensions["vas"]
    settings = read_device_settings(device["id"], wired.box)
    for value in (config, wired, wired.box, settings, find_device(scope, device["id"]), app.config):
        assert_clean(repr(value), type(value).__name__)


def test_an_unexpected_error_is_logged_without_secrets(app, monkeypatch, capsys):
    handler = logging.StreamHandler()
    handler.setFormatter(RedactingFormatter())
    logger = logging.getLogger("gateway.api.errors")
    logger.addHandler(handler)

    def fail(*_args, **_options):
        raise RuntimeError(f"cannot open {SOURCE_URL}")

    monkeypatch.setattr("gateway.api.devices.routes.list_devices", fail)
    reply = app.test_client().get("/api/v1/devices")
    logger.removeHandler(handler)
    assert reply.status_code == 500
    assert_clean(reply.text, "the reply")
    logged = capsys.readouterr().err
    assert "RuntimeError" in logged
    assert_clean(logged, "the log")


def test_a_config_error_quotes_no_secret():
    from gateway.config import Config
    from gateway.errors import ConfigError

    for name in ("DATABASE_URL", "REDIS_URL", "MEDIA_REDIS_URL"):
        with pytest.raises(ConfigError) as error:
            Config.from_environment(
                {name: f"ftp://user:{PASSWORD}@host/", "SECRET_KEY": SECRET_KEY, "SFU_SECRET": SFU_SECRET}
            )
        assert_clean(error.value, name)
