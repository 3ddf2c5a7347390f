"""Bookmarks are created, listed, changed, deleted and restored; every invalid request gets a clear reply."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway import database
from gateway.app import create_app
from gateway.captures.bookmarks import Bookmark
from gateway.clock import utc_now
from gateway.footage.recordings import Protection
from gateway.jobs.attempts import claim_job, fail_job
from gateway.jobs.model import find_job, list_jobs
from gateway.media import Part
from gateway.redis_client import connect_redis
from gateway.streams.bus import BusWriter
from gateway.tenancy.scopes import EVERY_TENANT, TenantScope
from gateway.tenancy.tenants import Tenant
from tests.factories import make_device, no_plugins
from tests.playback import NOON_MS, make_clip

API = "/api/v1/bookmarks"
AT = "2026-03-11T12:00:02Z"
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def bookmark(client, footage):
    """`bookmark(**body)` requests a bookmark at two seconds after noon, and returns the reply."""

    def ask(headers=None, **body):
        given = {"device_id": footage.device_id, "at": AT, "title": "Delivery"} | body
        return client.post(API, json=given, headers=headers or {})

    return ask


def put_on_bus(config, device_id, clip, start_ms):
    """Put the parts of a live stream on the media bus."""
    writer = BusWriter(connect_redis(config.bus_redis_url), device_id, window_seconds=60, max_bytes=1 << 26)
    writer.open_run(1, clip.init)
    for sequence, part in enumerate(clip.parts, 1):
        start = start_ms / 1000 + part.start - clip.parts[0].start
        writer.publish(Part(device_id, 1, sequence, start, part.duration, part.is_key, part.frames, part.data))


def shown(answer, status=200):
    assert answer.status_code == status, answer.json
    return answer.json


def test_a_bookmark_is_created_with_a_job_for_its_clip_that_holds_the_footage(client, bookmark, footage, scope):
    answer = bookmark(title="  Delivery ", note="at the gate", tags=["b", "a", "b"], before_seconds=1.5)
    made = shown(answer, 201)
    assert client.get(answer.headers["Location"]).json == made
    assert answer.headers["ETag"].startswith('"1.')
    assert (made["title"], made["note"], made["tags"]) == ("Delivery", "at the gate", ["a", "b"])
    assert (made["at"], made["before_seconds"], made["after_seconds"]) == ("2026-03-11T12:00:02.000Z", 1.5, 5)
    assert (made["device_id"], made["created_by"], made["poster_url"]) == (footage.device_id, "127.0.0.1", None)
    clip = made["clip"]
    assert (clip["state"], clip["progress"], clip["url"], clip["notes"]) == ("pending", 0, None, [])
    job = find_job(scope, clip["job_id"])
    assert (job.kind, job.device_id, json.loads(job.parameters)["bookmark_id"]) == (
        "clip",
        footage.device_id,
        made["id"],
    )
    with database.session():
        (held,) = scope.select(Protection)
    assert (held.reference, held.start_ms) == (job.id, NOON_MS)
    assert held.end_ms >= NOON_MS + 4000


@on_sqlite
def test_the_moment_defaults_to_now_and_footage_on_the_bus_is_enough(client, device, config):
    now = int(utc_now().timestamp() * 1000)
    put_on_bus(config, device["id"], make_clip(seconds=4), now - 4000)
    made = shown(client.post(API, json={"device_id": device["id"], "title": "Now", "before_seconds": 0}), 201)
    assert abs(_ms(made["at"]) - now) < 5000
    too_early = client.post(API, json={"device_id": device["id"], "title": "Then", "at": AT})
    assert (too_early.status_code, too_early.json["reason"]) == (404, "no_footage")
    assert abs(_ms(too_early.json["errors"]["nearest_after"]) - (now - 4000)) < 1000


@on_sqlite
def test_the_same_key_gives_the_same_bookmark_and_another_request_is_refused(client, bookmark, scope):
    first = shown(bookmark(headers={"Idempotency-Key": "k1"}), 201)
    assert shown(bookmark(headers={"Idempotency-Key": "k1"}), 201) == first
    assert list_jobs(scope)[1] == 1
    other = bookmark(headers={"Idempotency-Key": "k1"}, title="Other")
    assert (other.status_code, other.json["reason"]) == (409, "key_reused")
    assert client.delete(f"{API}/{first['id']}").status_code == 204
    gone = bookmark(headers={"Idempotency-Key": "k1"})
    assert (gone.status_code, gone.json["reason"]) == (409, "key_reused")


def test_concurrent_requests_with_the_same_key_create_one_bookmark(app, bookmark, footage, scope):
    body = {"device_id": footage.device_id, "at": AT, "title": "Delivery"}

    def ask(_number):
        return app.test_client().post(API, json=body, headers={"Idempotency-Key": "k"})

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(ask, range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert list_jobs(scope)[1] == 1


@on_sqlite
def test_without_redis_a_recorded_moment_is_still_bookmarked_and_a_live_one_is_refused(
    config, client, footage, scope, box
):
    away = create_app(replace(config, redis_url="redis://127.0.0.1:1/0"), no_plugins()).test_client()
    made = shown(away.post(API, json={"device_id": footage.device_id, "at": AT, "title": "Kept"}), 201)
    assert find_job(scope, made["clip"]["job_id"]).state == "queued", "the clock process asks for it"
    live = away.post(API, json={"device_id": make_device(scope, box).id, "title": "Now"})
    assert (live.status_code, live.json["reason"]) == (503, "bus_unavailable")


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"at": "2199-01-01T00:00:00Z"}, "at", "must not be in the future"),
        ({"at": "yesterday"}, "at", "must be a time such as"),
        ({"title": ""}, "title", "1 to 200 characters"),
        ({"before_seconds": 0, "after_seconds": 0}, "before_seconds", "more than 0"),
        ({"before_seconds": 301}, "before_seconds", "from 0 to 300"),
        ({"after_seconds": -1}, "after_seconds", "from 0 to 300"),
        ({"device_id": "no id"}, "device_id", "UUID"),
        ({"colour": "red"}, "colour", "known field"),
    ],
)
@on_sqlite
def test_invalid_bookmarks_are_refused_with_the_name_of_the_field(bookmark, body, field, words):
    answer = bookmark(**body)
    assert answer.status_code == 422
    assert words in str(answer.json["errors"]["json"][field])


@pytest.mark.parametrize("at", ["2026-03-11T11:00:00Z", "2026-03-11T13:00:00Z"])
@on_sqlite
def test_without_footage_the_nearest_is_named(bookmark, at):
    answer = bookmark(at=at)
    assert (answer.status_code, answer.json["reason"]) == (404, "no_footage")
    is_before = at < AT
    name, moment = (
        ("nearest_after", "2026-03-11T12:00:00.000Z") if is_before else ("nearest_before", "2026-03-11T12:00:04.000Z")
    )
    assert answer.json["errors"] == {"nearest_before": None, "nearest_after": None} | {name: moment}
    assert moment in answer.json["message"]


@on_sqlite
def test_the_error_for_a_device_without_any_footage_says_so(client, device):
    answer = client.post(API, json={"device_id": device["id"], "title": "x"})
    assert answer.status_code == 404
    assert "this device has no footage yet" in answer.json["message"]


def test_lists_are_filtered_ordered_and_paged(client, bookmark, footage, scope, box):
    one = shown(bookmark(title="Parcel", tags=["post", "gate"]), 201)
    two = shown(bookmark(title="Visitor", note="asked for the PARCEL", tags=["gate"], at="2026-03-11T12:00:03Z"), 201)
    other = make_device(scope, box)

    def ids(query=""):
        return [item["id"] for item in shown(client.get(f"{API}?{query}"))]

    assert ids() == [two["id"], one["id"]]
    assert ids("order=oldest") == [one["id"], two["id"]]
    assert ids("tag=gate&tag=post") == [one["id"]]
    assert ids("q=parcel") == [two["id"], one["id"]]
    assert ids("q=visitor") == [two["id"]]
    assert ids("q=100%25") == []
    assert ids(f"device_id={other.id}") == []
    assert ids(f"device_id={other.id}&device_id={footage.device_id}") == [two["id"], one["id"]]
    assert ids("start=2026-03-11T12:00:03Z") == [two["id"]]
    assert ids("end=2026-03-11T12:00:03Z") == [one["id"]]
    page = client.get(f"{API}?page=2&page_size=1")
    assert [item["id"] for item in page.json] == [one["id"]]
    assert json.loads(page.headers["X-Pagination"])["total"] == 2
    assert client.get(f"{API}?start=2026-03-12T00:00:00Z&end=2026-03-11T00:00:00Z").status_code == 422
    assert client.get(f"{API}?{'&'.join(f'tag={number}' for number in range(21))}").status_code == 422


def test_the_tags_in_use_are_listed_with_how_many_have_them(client, bookmark, footage, scope, box):
    shown(bookmark(tags=["post", "gate"]), 201)
    shown(bookmark(tags=["post"]), 201)
    deleted = shown(bookmark(tags=["gate", "mistake"]), 201)
    assert client.delete(f"{API}/{deleted['id']}").status_code == 204
    answer = client.get(f"{API}/tags?device_id={footage.device_id}")
    assert shown(answer) == [{"tag": "post", "count": 2}, {"tag": "gate", "count": 1}]
    assert json.loads(answer.headers["X-Pagination"])["total"] == 2
    assert shown(client.get(f"{API}/tags?device_id={make_device(scope, box).id}")) == []


def test_texts_are_changed_without_a_new_clip_and_another_length_requests_one(client, bookmark, scope):
    made = shown(bookmark(), 201)
    path = f"{API}/{made['id']}"
    answer = client.put(path, json=made | {"title": "Parcel", "tags": ["new"]})
    changed = shown(answer)
    assert (changed["title"], changed["tags"], changed["version"], changed["clip"]) == (
        "Parcel",
        ["new"],
        2,
        made["clip"],
    )
    assert shown(client.put(path, json=changed))["version"] == 2, "the same again changes nothing"
    longer = shown(client.put(path, json={"title": "Parcel", "before_seconds": 1}))
    assert (longer["before_seconds"], longer["after_seconds"], longer["tags"]) == (1, 5, [])
    assert longer["clip"]["job_id"] != made["clip"]["job_id"]
    assert find_job(scope, made["clip"]["job_id"]).state == "cancelled"
    assert shown(client.get(f"{API}?q=parcel"))


@on_sqlite
def test_a_change_to_where_there_is_no_footage_changes_nothing(client, bookmark):
    made = shown(bookmark(), 201)
    answer = client.put(f"{API}/{made['id']}", json=made | {"title": "Else", "at": "2026-03-11T13:00:00Z"})
    assert (answer.status_code, answer.json["reason"]) == (404, "no_footage")
    assert client.get(f"{API}/{made['id']}").json == made


@on_sqlite
def test_an_outdated_version_changes_nothing(client, bookmark):
    made = shown(bookmark(), 201)
    path = f"{API}/{made['id']}"
    shown(client.put(path, json={"title": "First"}, headers={"If-Match": '"1"'}))
    late = client.put(path, json={"title": "Second"}, headers={"If-Match": '"1"'})
    assert (late.status_code, late.json["reason"]) == (412, "version_changed")
    assert shown(client.put(path, json={"title": "Second"}, headers={"If-Match": "*"}))["title"] == "Second"


def test_a_deleted_bookmark_is_gone_at_once_and_can_be_restored_for_a_limited_time(client, bookmark, scope):
    made = shown(bookmark(tags=["kept"]), 201)
    path = f"{API}/{made['id']}"
    assert client.delete(path).status_code == 204
    for method, end in (("get", ""), ("delete", ""), ("get", "/clip.mp4"), ("get", "/poster.jpg"), ("post", "/clip")):
        assert getattr(client, method)(path + end).status_code == 404, end
    assert client.get(API).json == []
    assert shown(client.post(f"{path}/restore")) == made
    assert shown(client.post(f"{path}/restore")) == made, "it may be repeated"
    client.delete(path)
    with database.transaction():
        EVERY_TENANT.update(Bookmark, deleted_at=utc_now() - timedelta(minutes=31)).execute()
    assert client.post(f"{path}/restore").status_code == 404


@on_sqlite
def test_another_tenants_bookmark_does_not_exist(client, bookmark, scope, app):
    made = shown(bookmark(), 201)
    other = str(uuid.uuid4())
    with database.transaction():
        Tenant.insert(id=other, name="Other", created_at=utc_now()).execute()
        EVERY_TENANT.update(Bookmark, tenant_id=other).execute()
    path = f"{API}/{made['id']}"
    asked = [
        ("get", "", None),
        ("put", "", {"title": "Mine"}),
        ("delete", "", None),
        ("post", "/restore", None),
        ("post", "/clip", None),
        ("get", "/clip.mp4", None),
        ("get", "/poster.jpg", None),
    ]
    for method, end, body in asked:
        assert getattr(client, method)(path + end, json=body).status_code == 404, (method, end)
    assert client.get(API).json == []
    foreign = TenantScope(other)
    with database.session():
        assert foreign.select(Bookmark).count() == 1


@pytest.mark.parametrize(
    ("ending", "reason"),
    [
        ("failed", "no_footage"),
        ("cancelled", "clip_cancelled"),
        ("deleted", "clip_cancelled"),
    ],
)
@on_sqlite
def test_a_job_that_ends_without_a_result_leaves_no_clip_pending(client, bookmark, scope, ending, reason):
    made = shown(bookmark(), 201)
    job_id = made["clip"]["job_id"]
    if ending == "failed":
        fail_job(claim_job(job_id, "w"), "no_footage", "it is gone", keep_hours=24)
    elif ending == "cancelled":
        assert client.post(f"/api/v1/jobs/{job_id}/cancel").status_code == 202
    else:
        assert client.delete(f"/api/v1/jobs/{job_id}").status_code == 204
    clip = client.get(f"{API}/{made['id']}").json["clip"]
    assert (clip["state"], clip["reason"]["code"], clip["job_id"]) == ("failed", reason, None)
    refused = client.get(f"{API}/{made['id']}/clip.mp4")
    assert (refused.status_code, refused.json["reason"]) == (409, "clip_failed")
    again = shown(client.post(f"{API}/{made['id']}/clip"), 202)
    assert (again["clip"]["state"], again["version"]) == ("pending", 1)
    assert again["clip"]["job_id"] not in (None, job_id)
    assert shown(client.post(f"{API}/{made['id']}/clip"), 202)["clip"]["job_id"] == again["clip"]["job_id"]


@on_sqlite
def test_a_bookmark_outlives_its_device(client, bookmark, footage):
    made = shown(bookmark(), 201)
    assert client.delete(f"/api/v1/devices/{footage.device_id}").status_code == 204
    path = f"{API}/{made['id']}"
    assert client.get(path).json["device_name"] == made["device_name"]
    assert shown(client.put(path, json=made | {"note": "kept"}))["note"] == "kept"
    for refused in (client.put(path, json=made | {"before_seconds": 1}), client.post(f"{path}/clip")):
        assert (refused.status_code, refused.json["reason"]) == (409, "device_deleted")


def _ms(text):
    from gateway.api.time_fields import Moment

    return Moment().deserialize(text)
