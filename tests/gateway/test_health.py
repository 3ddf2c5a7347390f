"""The health of every component."""

import threading

import pytest

from gateway import health
from gateway.doctor import check_ffmpeg, check_program, check_worker_program, program_checks
from gateway.hookspecs import ComponentHealth, HealthCheck, hookimpl
from gateway.leases import WorkerSlots
from gateway.redis_client import connect_redis
from gateway.secrets import SecretBox
from gateway.streams.bus import MediaBus
from tests.factories import make_config, make_device, no_plugins
from tests.gateway.consumer_plugin import FakeRecorder, consumer_plugin


def ok() -> ComponentHealth:
    return ComponentHealth("ok", detail={"figure": 1})


def down() -> ComponentHealth:
    return ComponentHealth("down", "it is away", "start it")


def fail() -> ComponentHealth:
    raise RuntimeError("rtsp://user:geheim@host/")


def overall(**checks):
    return health.run_checks([HealthCheck(name, check) for name, check in checks.items()])["status"]


def test_the_service_is_down_without_a_vital_component_and_degraded_without_another():
    assert overall(database=ok, redis=ok, sfu=ok) == "ok"
    assert overall(database=ok, redis=ok, sfu=down) == "degraded"
    assert overall(database=ok, redis=down, sfu=ok) == "down"
    assert overall(database=fail, redis=ok, sfu=ok) == "down"


def test_a_check_that_fails_is_down_and_reveals_no_secret():
    answer = health.run_checks([HealthCheck("sfu", fail), HealthCheck("redis", ok)])
    assert answer["components"]["sfu"]["status"] == "down"
    assert "geheim" not in str(answer)
    assert answer["components"]["redis"]["detail"] == {"figure": 1}


def test_a_hanging_check_does_not_delay_the_others(monkeypatch):
    monkeypatch.setattr(health, "CHECK_SECONDS", 0.2)
    release = threading.Event()
    answer = health.run_checks([HealthCheck("slow", lambda: release.wait(20) and ok()), HealthCheck("redis", ok)])
    release.set()
    assert answer["components"]["slow"]["status"] == "down"
    assert "no answer" in answer["components"]["slow"]["reason"]
    assert answer["components"]["redis"]["status"] == "ok"


@pytest.mark.usefixtures("bound_database")
def test_every_component_is_checked(redis_url, tmp_path):
    class Plugin:
        @hookimpl
        def register_health_checks(self, config):
            return [HealthCheck("sfu", ok)]

    plugins = no_plugins()
    plugins.register(Plugin(), name="sfu")
    plugins.register(consumer_plugin(FakeRecorder("tape")), name="tape")
    client = connect_redis(redis_url)
    slots = WorkerSlots(client)
    config = make_config(var_dir=tmp_path)
    checks = health.checks_of_services(config, client, MediaBus(client), slots, plugins)
    found = health.run_checks(checks)
    assert list(found["components"]) == [
        "database",
        "secret_key",
        "plugins",
        "plugin_options",
        "plugin_work",
        "redis",
        "media_bus",
        "stream_slots",
        "record_slots",
        "snapshot_slots",
        "disk",
        "captures",
        "storage",
        "sfu",
    ]
    assert found["status"] == "degraded"
    assert found["components"]["stream_slots"]["remedy"] == "start the stream process (Procfile)"
    assert found["components"]["record_slots"]["reason"] == "no record worker runs"
    slots.report("record", "host:3", 0, 8)
    slots.report("snapshot", "host:4", 0, 2)
    slots.report("stream", "host:1", 3, 8)
    slots.report("stream", "host:2", 8, 8)
    found = health.run_checks(checks)
    assert found["status"] == "ok"
    assert found["components"]["stream_slots"]["detail"] == {"workers": 2, "used": 11, "free": 5, "total": 16}
    slots.report("stream", "host:1", 8, 8)
    slots.report("snapshot", "host:4", 2, 2)
    found = health.run_checks(checks)["components"]
    assert found["stream_slots"]["status"] == "degraded"
    assert "raise STREAM_SLOTS, or start another stream worker" in found["stream_slots"]["remedy"]
    assert "raise SNAPSHOT_THREADS, or start another snapshot worker" in found["snapshot_slots"]["remedy"]


def test_without_any_plugin_the_service_is_down():
    plugins = no_plugins()
    found = health.run_checks([HealthCheck("plugins", lambda: health.check_plugins(plugins)), HealthCheck("redis", ok)])
    assert found["status"] == "down"
    assert "pip install -e ." in found["components"]["plugins"]["remedy"]


@pytest.mark.usefixtures("bound_database")
@pytest.mark.parametrize(("readable", "status", "is_ready"), [(0, "down", False), (2, "degraded", True)])
def test_devices_that_no_key_opens_are_not_ok(scope, box, readable, status, is_ready):
    for _ in range(readable):
        make_device(scope, box)
    other = SecretBox("another-secret-key-0123456789")
    make_device(scope, other)
    make_device(scope, other, sub_source_url="rtsp://viewer:x@192.168.7.21/sub")
    config = make_config()
    found = health.run_checks(
        [HealthCheck("secret_key", lambda: health.check_secret_key(SecretBox.from_config(config)))]
    )
    component = found["components"]["secret_key"]
    assert (found["status"], component["status"]) == (status, status)
    assert component["detail"] == {"devices": 2 + readable, "unreadable": 2, "code": "wrong_secret_key"}
    assert "PREVIOUS_SECRET_KEYS" in component["remedy"]
    plugins = no_plugins()
    assert health.check_readiness(config, plugins)[0] == "no_plugins"
    plugins.register(object(), name="any")
    assert health.check_readiness(config, plugins)[0] == ("" if is_ready else "wrong_secret_key")
    again = make_config(previous_secret_keys=("another-secret-key-0123456789",))
    assert health.check_secret_key(SecretBox.from_config(again)).status == "ok"
    assert health.check_readiness(again, plugins)[0] == ""


def test_redis_that_may_drop_jobs_is_degraded(redis_server, redis_url):
    client = connect_redis(redis_url)
    client.config_set("maxmemory", 1 << 30)
    client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        found = health.check_redis(client)
    finally:
        client.config_set("maxmemory", 0)
        client.config_set("maxmemory-policy", "noeviction")
    assert (found.status, "allkeys-lru" in found.reason, "noeviction" in found.remedy) == ("degraded", True, True)


@pytest.mark.parametrize(("free", "status"), [(50 << 30, "ok"), (900 << 20, "degraded"), (50 << 20, "down")])
def test_a_disk_is_reported_before_it_is_full(monkeypatch, tmp_path, free, status):
    from collections import namedtuple

    usage = namedtuple("usage", "total used free")(100 << 30, 0, free)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    assert health.check_disk(tmp_path / "not" / "yet", "VAR_DIR").status == status


def test_a_database_whose_disk_is_full_is_reported_and_can_still_be_read(monkeypatch, bound_database):
    from collections import namedtuple

    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(100 << 30, 0, 50 << 20))
    found, is_file = health.check_database_and_free_space(bound_database), bound_database.startswith("sqlite")
    assert (found.status, "full" in str(found.reason)) == (("degraded", True) if is_file else ("ok", False))
    assert health.check_database().status == "ok"
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(100 << 30, 0, 50 << 30))
    assert health.check_database_and_free_space(bound_database).status == "ok"


def test_a_missing_program_comes_with_its_remedy(tmp_path):
    assert check_program("no-such-program", "install it").remedy == "install it"
    assert check_ffmpeg("no-such-ffmpeg").status == "down"
    assert check_worker_program(str(tmp_path / "gone")).status == "down"
    assert check_worker_program("").status == "ok"
    names = [check.name for check in program_checks(make_config(), {})]
    assert names == ["ffmpeg", "ffprobe", "sandbox", "mediasoup_worker"]


def test_an_old_ffmpeg_is_detected(tmp_path):
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\necho 'ffmpeg version 4.3.1-0+deb11u1 Copyright'\n")
    program.chmod(0o755)
    assert check_ffmpeg(str(program)).status == "degraded"
    program.write_text("#!/bin/sh\necho 'ffmpeg version n7.1 Copyright'\n")
    assert check_ffmpeg(str(program)).status == "ok"
