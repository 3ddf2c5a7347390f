"""Clip and poster of a bookmark: ranges, versions and file names; events of changes for plugins."""

import io

import pytest
from PIL import Image

from gateway.app import create_app
from gateway.captures.clips import ClipResult, save_clip
from gateway.captures.files import CLIPS, CaptureFiles
from gateway.hookspecs import hookimpl
from gateway.jobs.attempts import claim_job, finish_job
from gateway.tenancy.scopes import TenantScope
from tests.factories import no_plugins
from tests.playback import NOON_MS, FootageFactory, make_clip

API = "/api/v1/bookmarks"
CLIP = bytes(range(256)) * 40

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def events():
    """The calls of `on_bookmark`."""
    return []


@pytest.fixture
def app(config, events):
    class Listener:
        @hookimpl
        def on_bookmark(self, device_id, bookmark):
            events.append((device_id, bookmark))

    manager = no_plugins()
    manager.register(Listener())
    return create_app(config, manager)


@pytest.fixture
def pending(client, device, config, scope):
    """A bookmark whose clip is not made yet."""
    FootageFactory(config, scope, device["id"]).record(make_clip(seconds=4), NOON_MS)
    body = {"device_id": device["id"], "at": "2026-03-11T12:00:02Z", "title": "Who/what: \u00e4?", "tags": ["t"]}
    return client.post(API, json=body).json


@pytest.fixture
def ready(client, pending, config, scope: TenantScope):
    """The same with a clip of some bytes and a picture of 320 x 180."""
    files = CaptureFiles.from_config(config)
    clip, poster = (files.key(CLIPS, scope.tenant_id, f"{pending['id']}-1.{end}") for end in ("mp4", "jpg"))
    picture = io.BytesIO()
    Image.new("RGB", (320, 180), (30, 90, 60)).save(picture, "JPEG")
    files.write(clip, CLIP)
    files.write(poster, picture.getvalue())
    attempt = claim_job(pending["clip"]["job_id"], "w")
    save_clip(attempt, ClipResult(clip, len(CLIP), NOON_MS, NOON_MS + 4000, 4.0, "h264", ("a note",), poster))
    finish_job(attempt, {"bookmark_id": pending["id"]}, keep_hours=24)
    return client.get(f"{API}/{pending['id']}").json


def test_a_pending_clip_is_refused_with_the_reason(client, pending):
    for name, code, reason in (("clip.mp4", 409, "clip_pending"), ("poster.jpg", 404, "no_picture")):
        answer = client.get(f"{API}/{pending['id']}/{name}")
        assert (answer.status_code, answer.json["reason"]) == (code, reason)


def test_a_ready_clip_is_described_and_sent_by_ranges(client, ready, pending):
    clip = ready["clip"]
    assert clip == {
        "state": "ready",
        "progress": 1,
        "job_id": None,
        "reason": None,
        "url": f"{API}/{ready['id']}/clip.mp4",
        "start": "2026-03-11T12:00:00.000Z",
        "end": "2026-03-11T12:00:04.000Z",
        "duration_seconds": 4,
        "size": len(CLIP),
        "codec": "h264",
        "notes": ["a note"],
    }
    whole = client.get(clip["url"])
    assert (whole.status_code, whole.data, whole.mimetype) == (200, CLIP, "video/mp4")
    assert whole.headers["Content-Length"] == str(len(CLIP))
    assert whole.headers["Content-Disposition"].startswith("inline;")
    part = client.get(clip["url"], headers={"Range": "bytes=256-511"})
    assert (part.status_code, part.data) == (206, CLIP[256:512])
    assert part.headers["Content-Range"] == f"bytes 256-511/{len(CLIP)}"
    beyond = client.get(clip["url"], headers={"Range": f"bytes={len(CLIP)}-"})
    assert (beyond.status_code, beyond.json["reason"]) == (416, "range_not_satisfiable")
    same = client.get(clip["url"], headers={"If-None-Match": whole.headers["ETag"]})
    assert (same.status_code, same.data) == (304, b"")
    assert "no-cache" in whole.headers["Cache-Control"], "the same address gives another clip once it is made again"
    assert client.get(f"/api/v1/jobs/{pending['clip']['job_id']}").json["result"]["url"] == clip["url"]


def test_a_download_has_a_name_that_is_valid_on_every_system(client, ready):
    answer = client.get(f"{ready['clip']['url']}?download=1")
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("attachment;")
    assert "2026-03-11 12.00.02 Who_what_ _" in disposition
    assert client.get(f"{ready['clip']['url']}?download=2").status_code == 422


def test_the_poster_is_scaled_down_and_never_up(client, ready, monkeypatch):
    for width, size in ((None, (320, 180)), (160, (160, 90)), (4000, (320, 180))):
        answer = client.get(ready["poster_url"] + (f"?width={width}" if width else ""))
        assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
        assert Image.open(io.BytesIO(answer.data)).size == size
    small = f"{ready['poster_url']}?width=160"
    seen = client.get(small).headers["ETag"]
    with monkeypatch.context() as patch:
        # No conversion for a client that has it already.
        patch.setattr("gateway.api.bookmarks.media.convert_picture", None)
        assert client.get(small, headers={"If-None-Match": seen}).status_code == 304
    assert client.get(f"{ready['poster_url']}?width=3").status_code == 422


def test_a_missing_file_has_its_own_reason(client, ready, config):
    for path in config.captures_dir.rglob("*.*"):
        path.unlink()
    for url in (ready["clip"]["url"], ready["poster_url"]):
        answer = client.get(url)
        assert (answer.status_code, answer.json["reason"]) == (404, "file_missing")


def test_the_existing_clip_stays_while_a_new_one_is_made(client, ready):
    again = client.post(f"{API}/{ready['id']}/clip").json["clip"]
    assert (again["state"], again["url"], again["size"]) == ("pending", ready["clip"]["url"], len(CLIP))
    assert client.get(ready["clip"]["url"]).data == CLIP
    assert client.post(f"/api/v1/jobs/{again['job_id']}/cancel").status_code == 202
    ended = client.get(f"{API}/{ready['id']}").json["clip"]
    assert (ended["state"], ended["reason"]["code"]) == ("ready", "clip_cancelled")


def test_plugins_receive_each_change_once(client, pending, device, events):
    path = f"{API}/{pending['id']}"
    client.put(path, json=pending | {"title": "New"})
    client.put(path, json=pending | {"title": "New"})
    client.delete(path)
    client.post(f"{path}/restore")
    client.post(f"{path}/restore")
    assert [bookmark.change for _, bookmark in events] == ["created", "changed", "deleted", "restored"]
    assert {(device_id, bookmark.id, bookmark.at_ms) for device_id, bookmark in events} == {
        (device["id"], pending["id"], NOON_MS + 2000)
    }
    assert events[1][1].title == "New"


def test_a_clip_goes_to_the_snapshot_worker_and_without_one_to_the_jobs_worker(client, pending, app, redis_server):
    import redis

    queue = redis.Redis.from_url(redis_server.url)
    assert (queue.llen("dramatiq:jobs"), queue.llen("vas:captures")) == (1, 0)
    wired = app.extensions["vas"]
    wired.slots.report("snapshot", "w", 0, 2)
    wired.snapshot_worker.until = 0
    client.put(f"{API}/{pending['id']}", json=pending | {"before_seconds": 1})
    assert (queue.llen("dramatiq:jobs"), queue.llen("vas:captures")) == (1, 1)
