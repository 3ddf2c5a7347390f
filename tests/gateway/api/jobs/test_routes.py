"""Exports are requested, observed, cancelled, downloaded by ranges and deleted; invalid requests get a clear reply."""

import json
import uuid
from dataclasses import replace

import pytest

from gateway import database
from gateway.app import create_app
from gateway.clock import format_time, utc_now
from gateway.footage.recordings import Protection, Recording
from gateway.jobs.attempts import claim_job, fail_job, finish_job
from gateway.jobs.model import create_job, find_job
from gateway.tenancy.scopes import TenantScope
from gateway.tenancy.tenants import Tenant
from tests.factories import device_body, make_device, no_plugins
from tests.playback import NOON_MS, make_clip

API = "/api/v1"
START, END = "2026-03-11T12:00:00Z", "2026-03-11T12:00:04Z"


@pytest.fixture
def export(client, footage):
    """`export(**body)` requests an export and returns the reply."""

    def export(headers=None, device_id=None, **body):
        path = f"{API}/recordings/devices/{device_id or footage.device_id}/export"
        return client.post(path, json={"start": START, "end": END} | body, headers=headers or {})

    return export


@pytest.fixture
def done(client, export, config):
    """A finished job, and the bytes of its result."""

    def finish(name="Front gate.mp4", **body):
        job = export(**body).json
        attempt = claim_job(job["id"], "w")
        content = bytes(range(256)) * 40
        config.exports_dir.mkdir(parents=True, exist_ok=True)
        (config.exports_dir / f"{job['id']}-1.mp4").write_bytes(content)
        facts = {"file": f"{job['id']}-1.mp4", "size": len(content), "name": name, "content_type": "video/mp4"}
        times = {"start_ms": NOON_MS, "end_ms": NOON_MS + 4000, "duration_seconds": 4.0, "notes": ["one gap"]}
        finish_job(attempt, facts | times, keep_hours=24)
        return client.get(f"{API}/jobs/{job['id']}").json, content

    return finish


def test_an_export_is_a_job_that_holds_its_footage(client, export, footage, scope):
    answer = export(cut="exact", name="evidence")
    assert answer.status_code == 202, answer.json
    job = answer.json
    assert (job["kind"], job["state"], job["progress"], job["result"], job["error"]) == (
        "export",
        "queued",
        0,
        None,
        None,
    )
    assert job["device_id"] == footage.device_id
    assert job["device_name"]
    assert client.get(answer.headers["Location"]).json == job
    assert [one["id"] for one in client.get(f"{API}/jobs").json] == [job["id"]]
    with database.session():
        (held,) = scope.select(Protection)
    assert (held.kind, held.reference, held.start_ms, held.end_ms) == ("export", job["id"], NOON_MS, NOON_MS + 4000)
    assert parameters_of(scope, job)["name"] == "evidence.mp4"


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("snapshot_id", "snapshots/{}/image"),
        ("bookmark_id", "bookmarks/{}/clip.mp4"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_results_that_are_snapshots_or_clips_are_not_files_of_the_job(client, scope, device, name, path):
    kept = str(uuid.uuid4())
    job, _ = create_job(scope, name.removesuffix("_id"), {}, device_id=device["id"])
    finish_job(claim_job(job.id, "w"), {name: kept}, keep_hours=24)
    result = client.get(f"{API}/jobs/{job.id}").json["result"]
    assert result["url"] == f"{API}/{path.format(kept)}"
    assert {key: value for key, value in result.items() if value and key != "url"} == {name: kept}
    answer = client.get(f"{API}/jobs/{job.id}/result")
    assert (answer.status_code, answer.json["reason"]) == (404, "result_elsewhere")
    assert result["url"] in answer.json["message"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_message_starts_a_worker_and_without_redis_the_clock_does(client, export, redis_server):
    import redis

    queue = redis.Redis.from_url(redis_server.url)
    assert export().status_code == 202
    assert queue.llen("dramatiq:jobs") == 1
    redis_server.freeze()
    try:
        assert export().status_code == 202
    finally:
        redis_server.thaw()
    queue.close()


def test_the_same_key_again_gives_the_same_job(export):
    key = {"Idempotency-Key": "abc"}
    first = export(headers=key)
    again = export(headers=key)
    assert (again.status_code, again.json["id"]) == (202, first.json["id"])
    other = export(headers=key, cut="exact")
    assert (other.status_code, other.json["reason"]) == (409, "key_reused")
    assert export().json["id"] != first.json["id"]


@pytest.mark.parametrize(
    ("body", "reason", "words"),
    [
        ({"end": START}, "invalid_value", "'end' must be after 'start'"),
        ({"start": "2026-03-11T12:00:00"}, "invalid_value", "offset"),
        ({"start": "yesterday"}, "invalid_value", "'start'"),
        ({"start": "2100-01-01T00:00:00Z", "end": "2100-01-01T01:00:00Z"}, "invalid_value", "future"),
        ({"start": "2026-03-01T00:00:00Z"}, "range_too_long", "at most 24 hours"),
        ({"cut": "about"}, "invalid_value", "key_frames, exact"),
        ({"name": "a\nb"}, "invalid_value", "control"),
        ({"name": "x" * 300}, "invalid_value", "'name'"),
        ({"speed": 2}, "invalid_value", "'speed'"),
    ],
    ids=lambda value: str(value)[:40],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_invalid_exports_are_refused_with_what_would_be_right(export, body, reason, words):
    answer = export(**body)
    assert (answer.status_code, answer.json["reason"]) == (422, reason)
    assert words in answer.json["message"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_range_without_footage_names_the_nearest(export, client):
    answer = export(start="2026-03-11T13:00:00Z", end="2026-03-11T13:01:00Z")
    assert (answer.status_code, answer.json["reason"]) == (404, "no_footage")
    assert answer.json["errors"] == {"nearest_before": "2026-03-11T12:00:04.000Z", "nearest_after": None}
    assert "before is at 2026-03-11T12:00:04.000Z" in answer.json["message"]
    empty = client.post(f"{API}/devices", json=device_body()).json
    assert "this device has no footage yet" in export(device_id=empty["id"]).json["message"]


def test_an_end_in_the_future_is_cut_to_now(export, footage, scope):
    now_ms = int(utc_now().timestamp() * 1000)
    footage.record(make_clip(seconds=4), now_ms - 10_000)
    job = export(start=format_time(now_ms - 20_000), end=format_time(now_ms + 3_600_000)).json
    assert abs(parameters_of(scope, job)["end_ms"] - now_ms) < 10_000


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_exports_stay_within_their_space(app, export, scope):
    wired = app.extensions["vas"]

    def limit(size):
        app.extensions["vas"] = replace(wired, config=replace(wired.config, exports_max_bytes=size))

    size = parameters_of(scope, export().json)["bytes"]
    limit(size - 1)
    answer = export()
    assert (answer.status_code, answer.json["reason"]) == (422, "range_too_large")
    limit(2 * size - 1)
    answer = export()
    assert (answer.status_code, answer.json["reason"]) == (409, "exports_full")
    # Time-lapses share the space.
    create_job(scope, "time_lapse", {"bytes": 1})
    limit(2 * size)
    assert export().json["reason"] == "exports_full"
    limit(2 * size + 1)
    assert export().status_code == 202


def parameters_of(scope, job: dict) -> dict:
    """The parameters that a worker gets."""
    return json.loads(find_job(scope, job["id"]).parameters)


def test_a_result_is_fetched_whole_by_ranges_and_resumed(client, done):
    job, content = done()
    assert job["state"] == "done"
    result = job["result"]
    assert (result["size"], result["name"], result["start"], result["end"]) == (
        len(content),
        "Front gate.mp4",
        "2026-03-11T12:00:00.000Z",
        "2026-03-11T12:00:04.000Z",
    )
    assert (result["duration_seconds"], result["notes"]) == (4.0, ["one gap"])
    whole = client.get(result["url"])
    assert (whole.status_code, whole.data, whole.content_type) == (200, content, "video/mp4")
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert whole.headers["Content-Disposition"] == 'attachment; filename="Front gate.mp4"'
    etag = whole.headers["ETag"]

    def part(value, **headers):
        return client.get(result["url"], headers={"Range": value} | headers)

    middle = part("bytes=100-199")
    assert (middle.status_code, middle.data) == (206, content[100:200])
    assert middle.headers["Content-Range"] == f"bytes 100-199/{len(content)}"
    assert part("bytes=-10").data == content[-10:]
    assert part("bytes=5000-", **{"If-Range": etag}).data == content[5000:]
    assert part("bytes=5000-", **{"If-Range": '"another"'}).data == content
    beyond = part("bytes=999999-")
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{len(content)}")
    assert beyond.json["reason"]
    several = part("bytes=0-1,5-6")
    assert (several.status_code, several.data) == (200, content)
    assert client.get(result["url"], headers={"If-None-Match": etag}).status_code == 304
    assert client.head(result["url"]).headers["Content-Length"] == str(len(content))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_name_is_safe_in_any_system_and_kept_in_any_script(client, export, done, scope):
    for wished, expected in (
        ("../../etc/passwd", "etc_passwd.mp4"),
        ("../etc.mp4", "etc.mp4"),
        ('a"b;c', "a_b;c.mp4"),
        ("Tür 東.MP4", "Tür 東.mp4"),
        ("門\u202e4pm.exe", "門4pm.exe.mp4"),
        ("...", "export.mp4"),
    ):
        job = export(name=wished).json
        assert parameters_of(scope, job)["name"] == expected
    job, _ = done(name="Tür 東.mp4")
    disposition = client.get(job["result"]["url"]).headers["Content-Disposition"]
    assert "filename*=UTF-8''T%C3%BCr%20%E6%9D%B1.mp4" in disposition


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_name_defaults_to_the_device_and_its_local_time(export, footage, scope):
    with database.transaction():
        scope.update(Recording, time_zone="Asia/Kolkata").where(Recording.device_id == footage.device_id).execute()
    job = export(start="2026-03-11T11:00:00Z").json
    assert parameters_of(scope, job)["name"] == f"{job['device_name']} 2026-03-11 17.30.00.mp4"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_folder_of_exports_may_be_relative_to_the_working_directory(done, config, tmp_path, monkeypatch):
    job, content = done()
    monkeypatch.chdir(tmp_path)
    app = create_app(replace(config, exports_dir=config.exports_dir.relative_to(tmp_path)), no_plugins())
    answer = app.test_client().get(job["result"]["url"])
    assert (answer.status_code, answer.data) == (200, content)


def test_a_missing_result_has_its_own_reason(client, export, done, config):
    waiting = export().json
    answer = client.get(f"{API}/jobs/{waiting['id']}/result")
    assert (answer.status_code, answer.json["reason"]) == (409, "job_unfinished")
    job, _ = done()
    for path in config.exports_dir.iterdir():
        path.unlink()
    answer = client.get(job["result"]["url"])
    assert (answer.status_code, answer.json["reason"]) == (404, "result_gone")


def test_a_job_is_cancelled_and_deleted(client, export, done, config):
    job = export().json
    answer = client.post(f"{API}/jobs/{job['id']}/cancel")
    assert (answer.status_code, answer.json["state"]) == (202, "cancelled")
    finished, _ = done()
    answer = client.post(f"{API}/jobs/{finished['id']}/cancel")
    assert (answer.status_code, answer.json["reason"]) == (409, "job_finished")
    assert client.delete(f"{API}/jobs/{finished['id']}").status_code == 204
    assert not list(config.exports_dir.iterdir())
    assert client.get(f"{API}/jobs/{finished['id']}").status_code == 404
    assert client.delete(f"{API}/jobs/{finished['id']}").status_code == 404


def test_a_failed_job_gives_its_cause_and_remedy(client, export):
    job = export().json
    fail_job(claim_job(job["id"], "w"), "disk_full", "only 5 MiB are left", keep_hours=24)
    error = client.get(f"{API}/jobs/{job['id']}").json["error"]
    assert (error["code"], error["message"]) == ("disk_full", "only 5 MiB are left")
    assert error["remedy"]


def test_jobs_and_footage_of_another_tenant_answer_404(client, app, export, box):
    other = TenantScope(str(uuid.uuid4()))
    with database.transaction():
        Tenant.insert(id=other.tenant_id, name="other", created_at=utc_now()).execute()
    device = make_device(other, box)
    job, _ = create_job(other, "export", {}, device_id=device.id)
    finish_job(claim_job(job.id, "w"), {"file": "x.mp4"}, keep_hours=24)
    for method, path in (
        ("get", f"/jobs/{job.id}"),
        ("get", f"/jobs/{job.id}/result"),
        ("post", f"/jobs/{job.id}/cancel"),
        ("delete", f"/jobs/{job.id}"),
    ):
        assert getattr(client, method)(API + path).status_code == 404, path
    assert export(device_id=device.id).status_code == 404
    assert client.get(f"{API}/jobs").json == []


def test_lists_are_filtered_and_paged(client, export):
    ids = [export().json["id"] for _ in range(3)]
    claim_job(ids[0], "w")
    answer = client.get(f"{API}/jobs?page_size=2")
    assert len(answer.json) == 2
    assert json.loads(answer.headers["X-Pagination"])["total"] == 3
    assert [job["id"] for job in client.get(f"{API}/jobs?state=running").json] == [ids[0]]
    assert client.get(f"{API}/jobs?kind=clip").json == []
    assert client.get(f"{API}/jobs?device_id={uuid.uuid4()}").json == []
    assert client.get(f"{API}/jobs?state=lost").status_code == 422


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_job_outlives_its_device(client, done, footage):
    job, content = done()
    assert client.delete(f"{API}/devices/{footage.device_id}").status_code == 204
    again = client.get(f"{API}/jobs/{job['id']}").json
    assert (again["device_id"], again["device_name"]) == (footage.device_id, None)
    assert client.get(again["result"]["url"]).data == content


def test_a_failed_export_is_tried_again_with_its_footage_held(client, export, scope):
    job = export().json
    fail_job(claim_job(job["id"], "w"), "disk_full", keep_hours=1)
    with database.session():
        assert list(scope.select(Protection)) == []
    again = client.post(f"{API}/jobs/{job['id']}/retry")
    assert (again.status_code, again.json["state"]) == (202, "queued")
    with database.session():
        (held,) = scope.select(Protection)
    assert held.reference == job["id"]
    assert held.start_ms < NOON_MS < NOON_MS + 4000 < held.end_ms


def test_an_export_that_has_no_room_any_more_is_not_tried_again(client, app, export):
    job = export().json
    fail_job(claim_job(job["id"], "w"), "disk_full", keep_hours=1)
    wired = app.extensions["vas"]
    app.extensions["vas"] = replace(wired, config=replace(wired.config, exports_max_bytes=1))
    assert client.post(f"{API}/jobs/{job['id']}/retry").json["reason"] == "exports_full"


def test_a_job_of_a_snapshot_is_requested_anew(client, scope):
    job, _ = create_job(scope, "snapshot", {})
    fail_job(claim_job(job.id, "w"), "no_footage", keep_hours=1)
    assert client.post(f"{API}/jobs/{job.id}/retry").json["reason"] == "not_retried"
