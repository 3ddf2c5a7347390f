"""`/metrics`: Prometheus reads it, also while components are away."""

import uuid

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway import database
from gateway.app import create_app
from gateway.clock import FakeClock, to_ms, utc_now
from gateway.events.model import record_event
from gateway.hookspecs import hookimpl
from gateway.jobs.model import create_job
from gateway.metrics.scrape import CACHE_SECONDS, Metrics
from gateway.plugin_surface import Metric
from gateway.redis_client import connect_redis
from gateway.streams.bus import MediaBus
from gateway.streams.model import claim_next_run, transition
from gateway.tenancy.scopes import TenantScope
from gateway.tenancy.tenants import Tenant
from tests.factories import SECRETS, make_device, no_plugins


def read(client, query=""):
    answer = client.get(f"/api/v1/metrics{query}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return parse(answer.text)


def parse(text):
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_figures_of_the_product_are_shown(app, client, device, scope):
    run = claim_next_run(device["id"], "host:1")
    transition(device["id"], "starting", run=run)
    transition(device["id"], "running", run=run)
    app.extensions["vas"].live.write(device["id"], {"viewers": 2, "bitrate_kbps": 8.0})
    create_job(scope, "export", {}, device_id=device["id"])
    now_ms = to_ms(database.now())
    record_event(scope.tenant_id, device["id"], "gap", start_ms=now_ms - 60_000, goes_on=True)
    found = read(client)
    assert found["vas_streams", "running"] == 1
    assert found["vas_devices", "true"] == 1
    assert found["vas_stream_viewers",] == 2
    assert found["vas_stream_receive_bytes_per_second",] == 1000
    assert found["vas_jobs", "queued"] == 1
    assert found["vas_component_status", "database", "ok"] == 1
    assert found["vas_recording_gaps_open",] == 1
    assert 60 <= found["vas_recording_recent_gap_seconds", "1h"] < 120
    assert found["vas_events_total",] >= 1
    assert found["vas_footage_local_bytes",] == 0
    assert {value for key, value in found.items() if key[0] == "vas_metrics_collected"} == {1}


def test_each_device_is_shown_only_on_request_and_no_address_or_password_of_it(client, device):
    assert not [key for key in read(client) if device["id"] in key]
    found = read(client, "?per_device=1")
    assert found["vas_device_info", *sorted([device["id"], device["name"]])] == 1
    assert found["vas_device_stream_running", device["id"]] == 0
    text = client.get("/api/v1/metrics?per_device=1").text
    assert not [secret for secret in (*SECRETS, "192.168.7.20") if secret in text]


@pytest.mark.parametrize("query", ["?per_device=2", "?per_device=true", "?devices=1"])
def test_another_query_is_refused(client, query):
    assert client.get(f"/api/v1/metrics{query}").status_code == 422


def test_devices_of_another_tenant_are_not_shown(client, device, box):
    tenant = TenantScope(str(uuid.uuid4()))
    with database.transaction():
        Tenant.insert(id=tenant.tenant_id, name="other", created_at=utc_now()).execute()
    other = make_device(tenant, box)
    found = read(client, "?per_device=1")
    assert found["vas_devices", "true"] == 1
    assert not [key for key in found if other.id in key]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_reading_is_repeated_for_some_seconds(config, redis_url, scope, box):
    database.connect(config)
    clock, redis_client = FakeClock(), connect_redis(redis_url)
    metrics = Metrics(config, redis_client, MediaBus(redis_client), no_plugins(), monotonic=clock.monotonic)

    def devices():
        return parse(metrics.read(scope, per_device=False))["vas_devices", "true"]

    assert devices() == 0
    make_device(scope, box)
    assert devices() == 0
    clock.advance(CACHE_SECONDS)
    assert devices() == 1
    redis_client.close()
    database.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_without_redis_the_rest_is_shown(config, redis_server):
    client = create_app(config, no_plugins()).test_client()
    redis_server.stop()
    try:
        found = read(client)
    finally:
        redis_server.start()
        database.close()
    assert found["vas_component_status", "down", "redis"] == 1
    assert (found["vas_metrics_collected", "streams"], found["vas_metrics_collected", "live"]) == (1, 0)
    assert found["vas_devices", "true"] == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_without_a_database_the_rest_is_shown(config, monkeypatch):
    class Plugin:
        @hookimpl
        def register_metrics(self):
            return [Metric("rings_total", "counter", "Rings.", lambda: 3)]

    def fail():
        raise database.DatabaseUnavailable("the database does not answer")

    manager = no_plugins()
    manager.register(Plugin(), name="bell")
    client = create_app(config, manager).test_client()
    monkeypatch.setattr(database, "session", fail)
    found = read(client, "?per_device=1")
    monkeypatch.undo()
    database.close()
    assert found["vas_component_status", "database", "down"] == 1
    assert (found["vas_metrics_collected", "streams"], found["vas_metrics_collected", "workers"]) == (0, 1)
    assert found["vas_plugin_bell_rings_total",] == 3
