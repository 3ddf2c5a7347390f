"""`/plugins/{name}` shows one plugin with its work; jobs of plugins are jobs like others."""

import types
from datetime import timedelta

import pytest

from gateway import database
from gateway.app import create_app
from gateway.clock import utc_now
from gateway.hookspecs import hookimpl
from gateway.jobs.attempts import claim_job, fail_job, finish_job
from gateway.jobs.model import create_job, request_cancel
from gateway.plugin_tasks import PluginJob, PluginMigration, PluginSchedule, PluginService
from gateway.plugin_work.migrating import drop_tables, migrate_plugins
from gateway.plugin_work.registrations import read_registered
from gateway.plugin_work.schedules import PluginScheduleRow
from gateway.plugin_work.services import RUNNING, PluginWorkers, ServiceState, ServiceStates
from gateway.redis_client import connect_redis
from tests.factories import no_plugins

API = "/api/v1"


def create_table(run, column_types):
    run(f"CREATE TABLE notes_list (tenant_id {column_types.id} NOT NULL)")


@pytest.fixture
def client(config):
    manager = no_plugins()
    module = types.ModuleType("notes", "Keeps notes.")
    for hook, found in {
        "register_jobs": [PluginJob("notes.copy", lambda attempt, context: {}, "Copy notes")],
        "register_services": [PluginService("send", lambda stop: None)],
        "register_schedules": [PluginSchedule("tidy", 60, lambda: None)],
        "register_migrations": [PluginMigration(1, "create", create_table)],
    }.items():
        setattr(module, hook, hookimpl(lambda found=found: found, specname=hook))
    manager.register(module, name="notes")
    client = create_app(config, manager).test_client()
    migrate_plugins(read_registered(manager))
    yield client
    drop_tables("notes")
    database.close()


@pytest.fixture
def read(client):
    def read():
        answer = client.get(f"{API}/plugins/notes")
        assert answer.status_code == 200, answer.json
        return answer.json

    return read


def test_a_plugin_is_shown_with_its_work(read, redis_url, config):
    found = read()
    assert found["name"] == "notes"
    assert found["description"] == "Keeps notes."
    assert found["jobs"] == [{"kind": "notes.copy", "title": "Copy notes"}]
    assert found["tables"] == ["notes_list"]
    assert found["folder_bytes"] is None
    assert [problem["reason"] for problem in found["work_problems"]] == ["no plugins worker runs for it"]
    (service,), (schedule,) = found["services"], found["schedules"]
    assert (service["name"], service["state"]) == ("send", None)
    assert (schedule["name"], schedule["next_at"], schedule["is_running"]) == ("tidy", None, False)
    redis = connect_redis(redis_url)
    PluginWorkers(redis).report("w1", [], 1, 1)
    ServiceStates(redis).report(
        "notes", "send", ServiceState(RUNNING, "w1", 1_750_000_000_000, pid=3, cpu_percent=0.5, memory_bytes=9)
    )
    with database.transaction():
        PluginScheduleRow.insert(
            plugin="notes", name="tidy", next_at=utc_now() + timedelta(seconds=9), failures=1, error="OSError: no"
        ).execute()
    folder = config.var_dir / "plugins/notes"
    folder.mkdir(parents=True)
    (folder / "file").write_bytes(bytes(100))
    found = read()
    (service,), (schedule,) = found["services"], found["schedules"]
    assert service == {
        "name": "send", "state": "running", "since": "2025-06-15T15:06:40.000Z", "worker": "w1",
        "restarts": 0, "deaths": 0, "error": None, "cpu_percent": 0.5, "memory_bytes": 9,
    }  # fmt: skip
    assert (schedule["error"], schedule["failures"]) == ("OSError: no", 1)
    assert (found["work_problems"], found["folder_bytes"]) == ([], 100)


def test_an_unknown_plugin_is_not_found(client):
    assert client.get(f"{API}/plugins/other").status_code == 404


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_without_redis_the_rest_is_shown(read, redis_server):
    redis_server.freeze()
    try:
        assert read()["services"][0]["state"] is None
    finally:
        redis_server.thaw()


@pytest.mark.parametrize(
    ("result", "shown"),
    [
        ({"answer": 42}, {"url": None, "data": {"answer": 42}, "name": None, "start": None}),
        ({"start_ms": "soon", "notes": 3, "snapshot_id": []}, {"url": None, "start": None, "notes": []}),
        ({"file": 7, "size": "big"}, {"url": None, "size": None}),
    ],
)
def test_what_a_plugins_job_returns_is_shown_as_it_is(client, scope, result, shown):
    job, _ = create_job(scope, "notes.copy", {})
    finish_job(claim_job(job.id, "w"), result, keep_hours=1)
    answer = client.get(f"{API}/jobs/{job.id}").json
    assert (answer["title"], answer["kind"]) == ("Copy notes", "notes.copy")
    assert {name: answer["result"][name] for name in shown} == shown
    assert client.get(f"{API}/jobs/{job.id}/result").status_code == 404
    assert client.get(f"{API}/jobs", query_string={"kind": "notes.copy"}).json == [answer]


def test_a_plugins_job_may_have_a_file(client, scope, config):
    config.exports_dir.mkdir(parents=True)
    job, _ = create_job(scope, "notes.copy", {})
    (config.exports_dir / f"{job.id}-1.txt").write_bytes(b"hello")
    facts = {"file": f"{job.id}-1.txt", "name": "notes.txt", "size": 5, "content_type": "text/plain"}
    finish_job(claim_job(job.id, "w"), facts, keep_hours=1)
    url = client.get(f"{API}/jobs/{job.id}").json["result"]["url"]
    answer = client.get(url)
    assert (answer.data, answer.mimetype) == (b"hello", "text/plain")


def test_a_job_of_an_uninstalled_plugin_is_shown_without_a_title(client, scope):
    job, _ = create_job(scope, "gone.copy", {})
    assert client.get(f"{API}/jobs/{job.id}").json["title"] is None


def retry(client, job_id):
    return client.post(f"{API}/jobs/{job_id}/retry")


def test_a_failed_or_cancelled_job_can_be_tried_again(client, scope):
    job, _ = create_job(scope, "notes.copy", {"a": 1})
    assert retry(client, job.id).json["reason"] == "job_unfinished"
    fail_job(claim_job(job.id, "w"), "plugin_failed", "no", keep_hours=1)
    again = retry(client, job.id)
    assert (again.status_code, again.json["state"], again.json["error"]) == (202, "queued", None)
    attempt = claim_job(job.id, "w")
    assert (attempt.attempt, attempt.parameters) == (1, {"a": 1})
    request_cancel(scope, job.id, keep_hours=1)
    finish_job(attempt, {}, keep_hours=1)
    assert retry(client, job.id).json["reason"] == "job_finished"
    other, _ = create_job(scope, "notes.copy", {})
    request_cancel(scope, other.id, keep_hours=1)
    assert retry(client, other.id).json["state"] == "queued"
    assert retry(client, "00000000-0000-4000-8000-00000000dead").status_code == 404
