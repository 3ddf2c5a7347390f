"""The health check and the metrics of recording."""

import pytest

from gateway.plugin_manager import collect, create_plugin_manager
from gateway.redis_client import connect_redis
from plugins.hls_recorder.health import check_recorders
from plugins.hls_recorder.metrics import MetricsMeter, RecorderMetrics, RecorderMetricsStore
from plugins.hls_recorder.output import HlsRecorder
from tests.factories import make_config

one_kind = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def metrics_store(redis_url):
    client = connect_redis(redis_url)
    yield RecorderMetricsStore(client)
    client.close()


def test_the_plugin_has_an_output_and_a_health_check(world):
    """By the hooks `register_consumer_outputs` and `register_health_checks`; `on_segment` is called for each file."""
    manager = create_plugin_manager()
    [output] = [
        found
        for found in collect(manager, "register_consumer_outputs", context=world.output._context)
        if isinstance(found, HlsRecorder)
    ]
    assert output.name == "hls_recorder"
    assert "recorder" in {check.name for check in collect(manager, "register_health_checks", config=make_config())}
    assert [found.plugin_name for found in manager.hook.on_segment.get_hookimpls()] == ["hls_recorder"]


@one_kind
def test_a_recorded_device_is_healthy(world, metrics_store):
    world.attach()
    world.record(5)
    health = check_recorders(metrics_store)
    assert health.status == "ok"
    assert (health.detail["wanted"], health.detail["recording"]) == (1, 1)


@one_kind
@pytest.mark.parametrize(("reason", "status"), [("disk_full", "degraded"), ("unreachable", "ok")])
def test_only_reasons_of_recording_itself_degrade_health(world, metrics_store, reason, status):
    world.change(observed="interrupted", reason_code=reason)
    health = check_recorders(metrics_store)
    assert health.status == status
    assert bool(health.remedy) == (status == "degraded")


@one_kind
def test_a_slow_disk_is_reported(world, metrics_store):
    metrics_store.write("worker-1", RecorderMetrics(3, 1000.0, 0, 0.4))
    metrics_store.write("worker-2", RecorderMetrics(4, 500.0, 7, 9.0))
    health = check_recorders(metrics_store)
    assert health.status == "degraded"
    assert (health.detail["devices"], health.detail["bytes_per_second"], health.detail["index_waiting"]) == (
        7,
        1500.0,
        7,
    )


@one_kind
def test_health_is_reported_without_redis(world):
    client = connect_redis("redis://127.0.0.1:1/0", timeout_seconds=0.2)
    assert check_recorders(RecorderMetricsStore(client)).status == "ok"


def test_metrics_are_those_since_the_last_reading(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("plugins.hls_recorder.metrics.time.monotonic", lambda: now[0])
    meter = MetricsMeter()
    now[0] += 5
    assert meter.measure(2, 5000, [103.5, 104.5], 3) == RecorderMetrics(2, 1000.0, 3, 1.5)
    now[0] += 5
    assert meter.measure(2, 5000, [], 0).bytes_per_second == 0
