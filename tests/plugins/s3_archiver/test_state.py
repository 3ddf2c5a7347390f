"""The state of the uploads: figures, Redis, health, and the resources of the API."""

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest
import redis

from gateway import database
from gateway.app import create_app
from gateway.devices.model import Device
from gateway.jobs.model import list_jobs
from gateway.plugin_loading import load_plugins
from gateway.plugin_work.registrations import read_one
from plugins.s3_archiver.failures import StoreFailure
from plugins.s3_archiver.health import judge
from plugins.s3_archiver.service import PluginSettings
from plugins.s3_archiver.settings import KINDS, Settings, UploadSettings
from plugins.s3_archiver.status import Meter, Status, StatusStore, Waiting, build_status, describe_failure
from tests.conftest import wait_until
from tests.plugins.s3_archiver.world import FOOTAGE, Clock, make_world

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
URL = "/api/v1/plugins/s3_archiver"


def make_status(meter: Meter | None = None, failure: StoreFailure | None = None, **values) -> Status:
    known = {
        "settings": Settings(FOOTAGE, UploadSettings()),
        "failure": failure,
        "failed_since": NOW if failure else None,
        "next_try_at": NOW if failure else None,
        "opens_in": 0.0,
        "active": [],
        "meter": meter or Meter(Clock()),
        "now": NOW,
    }
    return build_status(**(known | values))


def test_the_rate_is_that_of_the_last_minute():
    clock = Clock()
    meter = Meter(clock)
    for _ in range(60):
        meter.sent(1000)
        clock.seconds += 1
    assert 950 < meter.rate() < 1050
    clock.seconds += 120
    assert meter.rate() == 0


def test_the_expected_end_is_that_of_the_rate_at_which_the_backlog_shrinks():
    clock = Clock()
    meter = Meter(clock)
    meter.set_backlog(Waiting(bytes=1000))
    clock.seconds += 10
    meter.set_backlog(Waiting(bytes=900))
    assert meter.seconds_left() == pytest.approx(90)
    clock.seconds += 10
    meter.set_backlog(Waiting(bytes=2000))
    assert meter.seconds_left() is None  # it grows
    assert make_status(meter).ends_at is None
    meter.set_backlog(Waiting())
    assert meter.seconds_left() == 0


def test_states():
    assert make_status().state == "idle"
    assert make_status(active=[("segments", "k", 10, 5)]).state == "uploading"
    assert make_status(settings=Settings(None, UploadSettings())).state == "unconfigured"
    closed = make_status(opens_in=3600)
    assert (closed.state, closed.next_try_at) == ("closed", "2026-06-01T13:00:00Z")
    failing = make_status(failure=StoreFailure("s3_full", "quota"))
    assert failing.state == "failing"
    assert failing.reason == describe_failure(StoreFailure("s3_full", "quota"))


def test_health_of_each_state():
    assert judge(make_status(), NOW).status == "ok"
    failing = judge(make_status(failure=StoreFailure("s3_bucket_missing")), NOW)
    assert (failing.status, failing.reason) == ("degraded", "the bucket does not exist")
    assert failing.remedy
    meter = Meter(Clock())
    meter.set_backlog(Waiting(5_000_000_000, 3, NOW - timedelta(hours=30), 0))
    late = judge(make_status(meter), NOW)
    assert late.status == "degraded"
    assert "5.0 GB" in late.reason
    assert "30 hours" in late.reason
    assert "bandwidth" in late.remedy
    assert "window" in judge(make_status(meter, opens_in=60), NOW).remedy
    assert judge(replace(make_status(meter), ends_at="2026-06-02T12:00:00Z"), NOW).status == "ok"
    meter.set_backlog(Waiting(5, 3, NOW - timedelta(hours=23), 0))
    assert judge(make_status(meter), NOW).status == "ok"


@pytest.fixture
def client(redis_url):
    found = redis.Redis.from_url(redis_url)
    yield found
    found.close()


def test_the_state_is_read_as_it_was_written_and_nonsense_is_refused(client):
    store = StatusStore(client)
    assert store.read() is None
    status = make_status(failure=StoreFailure("s3_full"))
    store.write(status)
    assert store.read() == status
    for text in (b"x", b"[]", b'{"state": "nonsense"}', b'{"state": "idle", "active": 1}'):
        client.set("vas:s3_archiver:status", text)
        assert store.read() is None


def test_a_request_to_retry_is_heard_once(client):
    asking, hearing = StatusStore(client), StatusStore(client)
    asking.ask_to_retry()
    assert not hearing.asked_to_retry()  # it was before the process began
    asking.ask_to_retry()
    assert hearing.asked_to_retry()
    assert not hearing.asked_to_retry()


@pytest.fixture
def api(config, bound_database, scope):
    world = make_world(config, scope)
    app = create_app(config, load_plugins(config))
    return app.test_client(), world


pytest_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def configure(api_client) -> None:
    values = {
        "bucket": "footage",
        "endpoint": "http://127.0.0.1:1",
        "allow_http": True,
        "access_key": "AK",
        "secret_key": "hidden-secret",
    }
    found = api_client.get(f"{URL}/options")
    answer = api_client.put(f"{URL}/options", json={"values": values}, headers={"If-Match": found.headers["ETag"]})
    assert answer.status_code == 200, answer.json
    assert "hidden-secret" not in answer.text


@pytest_sqlite
def test_the_state_by_the_api(api, config, client):
    api_client, world = api
    assert api_client.get(f"{URL}/status").json["state"] == "unconfigured", "without a bucket no process reports"
    configure(api_client)
    api_client = create_app(config, load_plugins(config)).test_client()
    assert api_client.get(f"{URL}/status").json["state"] == "unknown"
    mine, foreign = ("segments", f"{world.scope.tenant_id}/d/k", 10, 5), ("segments", "another-tenant/d/k", 10, 5)
    status = make_status(failure=StoreFailure("s3_access_denied", "AccessDenied"), active=[mine, foreign])
    StatusStore(client).write(status)
    answer = api_client.get(f"{URL}/status").json
    assert answer == asdict(status) | {"active": status.active[:1]}
    assert answer["reason"]["remedy"]


@pytest_sqlite
def test_disabled_devices_are_archived_like_the_others(api, config):
    _, world = api
    plugin = load_plugins(config).context_of("s3_archiver")
    chosen = {kind: {world.device_id} for kind in KINDS}
    assert PluginSettings(plugin).devices() == chosen
    with database.transaction():
        world.scope.update(Device, enabled=False).execute()
    assert PluginSettings(load_plugins(config).context_of("s3_archiver")).devices() == chosen


@pytest_sqlite
def test_objects_by_the_api(api):
    api_client, world = api
    snapshot, clip = world.add_snapshot(), world.add_clip()
    outbox = world.outbox()
    for item in outbox.pending([]):
        outbox.postpone(item, StoreFailure("file_missing"))
    answer = api_client.get(f"{URL}/objects")
    assert [(row["kind"], row["state"]) for row in answer.json] == [("clips", "waiting"), ("snapshots", "waiting")]
    assert {row["subject_id"] for row in answer.json} == {snapshot.id, clip.id}
    assert all(row["remedy"] and row["error_code"] == "file_missing" for row in answer.json)
    assert [row["kind"] for row in api_client.get(f"{URL}/objects?kind=clips").json] == ["clips"]
    assert api_client.get(f"{URL}/objects?state=archived").json == []
    assert len(api_client.get(f"{URL}/objects?device_id={world.device_id}").json) == 2
    assert api_client.get(f"{URL}/objects?kind=other").status_code == 422


@pytest_sqlite
def test_a_test_of_the_connection_is_a_job(api, scope):
    api_client, _ = api
    answer = api_client.post(f"{URL}/test")
    assert answer.status_code == 202
    jobs, _ = list_jobs(scope, kind="s3_archiver.test")
    assert [job.id for job in jobs] == [answer.json["job_id"]]


@pytest_sqlite
def test_retry_by_the_api(api, client):
    api_client, _ = api
    hearing = StatusStore(client)
    hearing.asked_to_retry()
    assert api_client.post(f"{URL}/retry").status_code == 204
    assert hearing.asked_to_retry()


@pytest_sqlite
def test_health_without_an_uploading_process(api):
    api_client, _ = api

    def read():
        return api_client.get("/api/v1/health").json["components"]["s3_archiver"]

    assert read()["status"] == "ok"
    configure(api_client)
    wait_until(lambda: read()["status"] == "degraded", "the new options are known")
    found = read()
    assert "plugins" in found["remedy"]


def test_a_state_of_another_version_is_read(client):
    StatusStore(client).write(replace(make_status(), warn_hours=5))
    text = client.get("vas:s3_archiver:status").decode().replace('"warn_hours": 5', '"new_field": 1')
    client.set("vas:s3_archiver:status", text)
    assert StatusStore(client).read().warn_hours == 24


@pytest_sqlite
def test_uploads_are_needed_with_a_bucket(api, config):
    (service,) = read_one(load_plugins(config), "s3_archiver").services.values()
    assert not service.is_needed()
    configure(api[0])
    (service,) = read_one(load_plugins(config), "s3_archiver").services.values()
    assert service.is_needed()
