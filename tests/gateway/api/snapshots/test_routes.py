"""Snapshots are taken, listed, described, deleted and restored; every invalid request gets a clear reply."""

import io
import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from PIL import Image

from gateway import database
from gateway.captures.queue import CaptureAnswer, CaptureRequest
from gateway.captures.snapshots import Snapshot
from gateway.clock import format_time, utc_now
from gateway.jobs.attempts import claim_job
from gateway.jobs.model import find_job
from gateway.tenancy.scopes import TenantScope
from gateway.tenancy.tenants import Tenant
from tests.factories import device_body, make_device
from tests.gateway.api.snapshot_worker import FakeSnapshotWorker, draw_picture, keep_picture

API = "/api/v1"
NOON_MS = 1_773_230_400_000  # 2026-03-11T12:00:00Z

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def worker(config):
    with FakeSnapshotWorker(config) as worker:
        yield worker


@pytest.fixture
def capture(client, device):
    """`capture(**body)` requests a live snapshot, or with `at` a recorded one, and returns the reply."""

    def capture(headers=None, device_id=None, **body):
        kind = "historical" if "at" in body else "live"
        path = f"{API}/snapshots/devices/{device_id or device['id']}/capture/{kind}"
        return client.post(path, json=body, headers=headers or {})

    return capture


@pytest.fixture
def keep(config, device, scope):
    """`keep(at_ms, **values)` stores a snapshot and returns its id."""

    def keep(at_ms=NOON_MS, picture=None, **values):
        values = {"tenant_id": scope.tenant_id, "device_id": device["id"]} | values
        return keep_picture(config, CaptureRequest(id=str(uuid.uuid4()), **values), at_ms, picture).id

    return keep


@pytest.fixture
def strangers(scope, box, config):
    """The id of a snapshot and of a device of another tenant."""
    other = TenantScope(str(uuid.uuid4()))
    with database.transaction():
        Tenant.insert(id=other.tenant_id, name="other", created_at=utc_now()).execute()
    device = make_device(other, box)
    request = CaptureRequest(id=str(uuid.uuid4()), tenant_id=other.tenant_id, device_id=device.id, tags=("theirs",))
    return keep_picture(config, request, NOON_MS).id, device.id


def ids_of(answer) -> list[str]:
    assert answer.status_code == 200, answer.json
    return [snapshot["id"] for snapshot in answer.json]


def test_a_live_snapshot_is_stored_and_shown(client, capture, worker, device):
    answer = capture(tags=["gate", "evidence", "gate"], note="white van")
    assert answer.status_code == 201, answer.json
    snapshot = answer.json
    assert (snapshot["kind"], snapshot["device_id"], snapshot["device_name"]) == ("live", device["id"], device["name"])
    assert (snapshot["tags"], snapshot["note"]) == (["evidence", "gate"], "white van")
    assert (snapshot["width"], snapshot["height"], snapshot["created_by"]) == (1280, 720, "127.0.0.1")
    read = client.get(answer.headers["Location"])
    assert (read.json, read.headers["ETag"]) == (snapshot, answer.headers["ETag"])
    (asked,) = worker.asked
    assert (asked.accuracy, asked.at_ms, asked.tags) == ("key_frame", None, ("evidence", "gate"))


@ON_SQLITE
def test_a_recorded_snapshot_has_the_time_of_its_frame(capture, worker):
    def reply(request):
        keep_picture(worker.config, request, request.at_ms - 20)
        return CaptureAnswer(at_ms=request.at_ms - 20)

    worker.reply = reply
    answer = capture(at=format_time(NOON_MS))
    assert (answer.status_code, answer.json["at"], answer.json["kind"]) == (
        201,
        format_time(NOON_MS - 20),
        "historical",
    )
    assert (worker.asked[0].accuracy, worker.asked[0].at_ms) == ("exact", NOON_MS)


@ON_SQLITE
def test_the_body_is_optional(client, device, worker):
    answer = client.post(f"{API}/snapshots/devices/{device['id']}/capture/live")
    assert answer.status_code == 201, answer.json


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (CaptureAnswer(reason="no_picture", message="the camera refused the password"), 409, "refused the password"),
        (CaptureAnswer(reason="no_picture"), 409, "start the device"),
        (CaptureAnswer(reason="picture_damaged"), 409, "nearby moment"),
        (CaptureAnswer(reason="disk_full", message="the disk is full"), 503, "disk is full"),
        (CaptureAnswer(reason="unheard_of"), 503, ""),
    ],
    ids=lambda value: getattr(value, "reason", None) and f"{value.reason} {value.message or ''}",
)
@ON_SQLITE
def test_a_missing_picture_has_a_clear_cause(client, capture, worker, answer, status, words):
    worker.reply = lambda request: answer
    refused = capture()
    assert (refused.status_code, refused.json["reason"]) == (status, answer.reason)
    assert words in refused.json["message"]
    assert client.get(f"{API}/snapshots").json == []


@ON_SQLITE
def test_a_moment_without_footage_names_the_nearest(capture, worker):
    worker.reply = lambda request: CaptureAnswer(reason="no_footage", message="none", nearest_before_ms=NOON_MS)
    answer = capture(at=format_time(NOON_MS + 60_000))
    assert (answer.status_code, answer.json["reason"]) == (404, "no_footage")
    assert answer.json["errors"] == {"nearest_before": format_time(NOON_MS), "nearest_after": None}
    assert f"before is at {format_time(NOON_MS)}" in answer.json["message"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"at": "2100-01-01T00:00:00Z"}, "'at' must not be in the future"),
        ({"at": "yesterday"}, "'at'"),
        ({"accuracy": "about"}, "key_frame, exact"),
        ({"wait_seconds": 11}, "from 0 to 10"),
        ({"tags": ["x" * 51]}, "50"),
        ({"tags": [str(number) for number in range(21)]}, "20"),
        ({"note": "a\u0000b"}, "control"),
        ({"tags": ["a\u0000b"]}, "'tags': must not contain control characters"),
        ({"size": 3}, "'size'"),
    ],
    ids=lambda value: str(value)[:30],
)
@ON_SQLITE
def test_invalid_captures_are_refused_with_what_would_be_right(capture, worker, body, words):
    answer = capture(**body)
    assert (answer.status_code, answer.json["reason"]) == (422, "invalid_value")
    assert words in answer.json["message"]
    assert not worker.asked


def test_without_a_worker_a_job_takes_the_picture(client, capture, scope):
    answer = capture(tags=["gate"])
    assert answer.status_code == 202, answer.json
    job = client.get(answer.headers["Location"]).json
    assert (job["kind"], job["state"], job["id"]) == ("snapshot", "queued", answer.json["id"])
    request = CaptureRequest.from_dict(json.loads(find_job(scope, job["id"]).parameters))
    assert (request.device_id, request.tags, request.kind) == (job["device_id"], ("gate",), "live")


@ON_SQLITE
def test_a_late_picture_becomes_a_job_that_takes_it_once(client, capture, worker, scope):
    worker.reply = lambda request: None
    slow = capture(wait_seconds=0.05)
    assert slow.status_code == 202, slow.json
    (asked,) = worker.asked
    assert json.loads(find_job(scope, slow.json["id"]).parameters)["id"] == asked.id
    at_once = capture(wait_seconds=0)
    assert (at_once.status_code, len(worker.asked)) == (202, 1)


@ON_SQLITE
def test_a_picture_that_is_stored_just_after_the_deadline_is_found(capture, worker):
    def reply(request):
        keep_picture(worker.config, request, NOON_MS)  # and no answer

    worker.reply = reply
    assert capture(wait_seconds=0.3).status_code == 201


def test_the_same_key_again_gives_the_same_picture(client, capture, worker):
    key = {"Idempotency-Key": "abc"}
    first = capture(headers=key, note="one")
    again = capture(headers=key, note="one")
    assert (again.status_code, again.json) == (201, first.json)
    assert len(worker.asked) == 1
    other = capture(headers=key, note="two")
    assert (other.status_code, other.json["reason"]) == (409, "key_reused")
    assert client.delete(f"{API}/snapshots/{first.json['id']}").status_code == 204
    deleted = capture(headers=key, note="one")
    assert (deleted.status_code, deleted.json["reason"]) == (409, "snapshot_deleted")


@ON_SQLITE
def test_the_same_key_again_gives_the_same_job(client, capture, worker, config, scope):
    worker.reply = lambda request: None
    key = {"Idempotency-Key": "abc"}
    first = capture(headers=key, wait_seconds=0.05)
    again = capture(headers=key, wait_seconds=2)
    assert (first.status_code, again.status_code, again.json["id"]) == (202, 202, first.json["id"])
    # The reply is now what the job has made.
    attempt = claim_job(first.json["id"], "w")
    made = keep_picture(config, CaptureRequest.from_dict(attempt.parameters), NOON_MS)
    assert capture(headers=key).json["id"] == made.id


@ON_SQLITE
def test_without_redis_the_error_says_so(capture, redis_server):
    redis_server.stop()
    try:
        answer = capture()
        assert (answer.status_code, answer.json["reason"]) == (503, "redis_unavailable")
    finally:
        redis_server.start()


@ON_SQLITE
def test_many_concurrent_captures_are_all_answered(app, device, worker):
    def ask(_):
        return app.test_client().post(f"{API}/snapshots/devices/{device['id']}/capture/live", json={}).status_code

    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(ask, range(60))) == {201}


def test_lists_are_filtered_ordered_and_paged(client, keep, device):
    other = client.post(f"{API}/devices", json=device_body(name="Yard")).json
    one = keep(NOON_MS, tags=("gate", "van"), note="White van")
    two = keep(NOON_MS + 1000, kind="historical", tags=("gate",), note="An der Tür")
    three = keep(NOON_MS + 2000, kind="scheduled", device_id=other["id"])

    def found(query=""):
        return ids_of(client.get(f"{API}/snapshots{query}"))

    assert found() == [three, two, one]
    assert found("?order=oldest") == [one, two, three]
    assert found(f"?device_id={other['id']}") == [three]
    assert found(f"?device_id={other['id']}&device_id={device['id']}") == [three, two, one]
    assert found("?kind=live&kind=scheduled") == [three, one]
    assert found("?tag=gate") == [two, one]
    assert found("?tag=gate&tag=van") == [one]
    assert found("?q=white%20van") == [one]
    assert found("?q=yar") == [three]
    assert found("?q=tÜR") == found("?q=TÜR") == found("?q=der tür") == [two]
    assert found("?q=GATE") == [two, one]
    client.put(f"{API}/snapshots/{one}", json={"note": "Weiße Straße", "tags": ["Äpfel"]})
    assert found("?q=STRASSE") == found("?q=äPFEL") == [one]
    assert found("?q=van") == []
    client.put(f"{API}/snapshots/{one}", json={"note": "White van", "tags": ["gate", "van"]})
    assert found("?q=%25") == []
    assert found(f"?start={format_time(NOON_MS + 1000)}&end={format_time(NOON_MS + 2000)}") == [two]
    page = client.get(f"{API}/snapshots?page=2&page_size=2")
    assert ids_of(page) == [one]
    assert json.loads(page.headers["X-Pagination"])["total"] == 3
    backwards = f"?start={format_time(2)}&end={format_time(1)}"
    for wrong in ("?order=best", "?kind=poster", "?start=now", "?device_id=1", backwards):
        assert client.get(f"{API}/snapshots{wrong}").status_code == 422, wrong


def test_the_tags_in_use_are_listed_with_how_many_have_them(client, keep, device, strangers):
    other = client.post(f"{API}/devices", json=device_body(name="Yard")).json
    for tags in (("gate", "van"), ("gate", "Tür"), ("gate",)):
        keep(tags=tags)
    keep(tags=("van",), device_id=other["id"])
    deleted = keep(tags=("van", "mistake"))
    assert client.delete(f"{API}/snapshots/{deleted}").status_code == 204

    def listed(query=""):
        answer = client.get(f"{API}/snapshots/tags{query}")
        assert answer.status_code == 200, answer.json
        return [(tag["tag"], tag["count"]) for tag in answer.json], json.loads(answer.headers["X-Pagination"])["total"]

    assert listed() == ([("gate", 3), ("van", 2), ("Tür", 1)], 3)
    assert listed(f"?device_id={other['id']}") == ([("van", 1)], 1)
    assert listed(f"?device_id={other['id']}&device_id={device['id']}&page=2&page_size=2") == ([("Tür", 1)], 3)
    assert listed(f"?device_id={strangers[1]}") == ([], 0)
    for wrong in ("?device_id=1", "?page_size=0", "?tag=gate"):
        assert client.get(f"{API}/snapshots/tags{wrong}").status_code == 422, wrong


def test_tags_and_note_are_replaced_by_clients_that_have_read_the_newest_version(client, keep):
    path = f"{API}/snapshots/{keep(tags=('pre_roll_filter',))}"
    read = client.get(path)
    changed = client.put(
        path,
        json=read.json | {"tags": ["b", "a", "b"], "note": "line\nline"},
        headers={"If-Match": read.headers["ETag"]},
    )
    assert changed.status_code == 200, changed.json
    assert (changed.json["tags"], changed.json["note"]) == (["a", "b"], "line\nline")
    assert client.get(path).json == changed.json
    late = client.put(path, json={"tags": []}, headers={"If-Match": read.headers["ETag"]})
    assert (late.status_code, late.json["reason"]) == (412, "version_changed")
    same = client.put(path, json=changed.json, headers={"If-Match": "*"})
    assert same.headers["ETag"] == changed.headers["ETag"]
    assert client.put(path, json={"at": 3, "colour": "red"}).status_code == 422
    assert client.put(path, json=["gate"]).json["message"] == "must be a JSON object"
    assert client.put(path, json={}).json["tags"] == []


def test_a_deleted_snapshot_is_gone_and_can_be_restored_for_a_limited_time(client, keep, config, scope):
    snapshot_id = keep(tags=("gate",))
    path = f"{API}/snapshots/{snapshot_id}"
    before = client.get(path).json
    assert client.delete(path).status_code == 204
    for method, url in (("get", path), ("get", f"{path}/image"), ("put", path), ("delete", path)):
        body = {"json": {}} if method == "put" else {}
        assert getattr(client, method)(url, **body).status_code == 404, url
    assert client.get(f"{API}/snapshots").json == []
    assert client.post(f"{path}/restore").json == before
    assert client.post(f"{path}/restore").status_code == 200
    assert client.get(f"{path}/image").status_code == 200
    long_ago = utc_now() - timedelta(minutes=config.undo_minutes + 1)
    with database.transaction():
        scope.update(Snapshot, deleted_at=long_ago).where(Snapshot.id == snapshot_id).execute()
    assert client.post(f"{path}/restore").status_code == 404


@ON_SQLITE
def test_snapshots_outlive_their_device(client, keep, device):
    snapshot_id = keep()
    assert client.delete(f"{API}/devices/{device['id']}").status_code == 204
    snapshot = client.get(f"{API}/snapshots/{snapshot_id}").json
    assert (snapshot["device_id"], snapshot["device_name"]) == (device["id"], device["name"])
    assert client.get(snapshot["image_url"]).status_code == 200


def test_another_tenants_snapshots_and_devices_do_not_exist(client, capture, strangers, worker):
    snapshot_id, device_id = strangers
    path = f"{API}/snapshots/{snapshot_id}"
    for method, url in (
        ("get", path),
        ("get", f"{path}/image"),
        ("delete", path),
        ("post", f"{path}/restore"),
        ("get", f"{API}/devices/{device_id}/poster.jpg"),
        ("get", f"{API}/devices/{device_id}/events"),
    ):
        assert getattr(client, method)(url).status_code == 404, url
    assert client.put(path, json={"note": "mine"}).status_code == 404
    assert capture(device_id=device_id).status_code == 404
    assert capture(device_id=device_id, at=format_time(NOON_MS)).status_code == 404
    assert client.get(f"{API}/snapshots?device_id={device_id}").json == []
    assert not worker.asked


@ON_SQLITE
def test_the_picture_is_sent_unchanged_and_may_be_cached_indefinitely(client, keep):
    picture = draw_picture()
    path = f"{API}/snapshots/{keep(picture=picture)}/image"
    whole = client.get(path)
    assert (whole.status_code, whole.data, whole.content_type) == (200, picture, "image/jpeg")
    assert "immutable" in whole.headers["Cache-Control"]
    assert "private" in whole.headers["Cache-Control"]
    for seen in (whole.headers["ETag"], f"W/{whole.headers['ETag']}"):
        assert client.get(path, headers={"If-None-Match": seen}).status_code == 304, seen
    middle = client.get(path, headers={"Range": "bytes=10-19"})
    assert (middle.status_code, middle.data) == (206, picture[10:20])
    assert client.get(path, headers={"Range": "bytes=99999999-"}).status_code == 416
    assert client.head(path).headers["Content-Length"] == str(len(picture))


@pytest.mark.parametrize(
    ("format_name", "width", "size"),
    [
        ("jpeg", 320, (320, 180)),
        ("png", None, (1280, 720)),
        ("webp", 100, (100, 56)),
        ("png", 4000, (1280, 720)),
    ],
)
@ON_SQLITE
def test_the_picture_comes_in_other_formats_and_widths_but_is_never_enlarged(
    client, keep, format_name, width, size, monkeypatch
):
    path = f"{API}/snapshots/{keep()}/image?format={format_name}" + (f"&width={width}" if width else "")
    answer = client.get(path)
    assert (answer.status_code, answer.content_type) == (200, f"image/{format_name}")
    image = Image.open(io.BytesIO(answer.data))
    assert (image.format, image.size) == (format_name.upper(), size)
    with monkeypatch.context() as patch:
        # No conversion for a client that has it already.
        patch.setattr("gateway.api.snapshots.image.convert_picture", None)
        assert client.get(path, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    part = client.get(path, headers={"Range": "bytes=0-9"})
    assert (part.status_code, part.data) == (206, answer.data[:10])


@ON_SQLITE
def test_a_download_is_named_after_device_and_local_time(client, keep, device):
    renamed = device | {"name": 'Tür "1"'}
    assert client.put(f"{API}/devices/{device['id']}", json=renamed).status_code == 200
    recording = client.get(f"{API}/recordings/devices/{device['id']}").json
    client.put(f"{API}/recordings/devices/{device['id']}", json=recording | {"time_zone": "Asia/Kolkata"})
    path = f"{API}/snapshots/{keep()}/image"
    named = client.get(f"{path}?download=1&format=png").headers["Content-Disposition"]
    assert named.startswith('attachment; filename="T_r _1_ 2026-03-11 17.30.00.png"')
    assert "filename*=UTF-8''T%C3%BCr%20_1_%202026-03-11%2017.30.00.png" in named
    assert client.get(path).headers["Content-Disposition"].startswith("inline;")


@pytest.mark.parametrize("query", ["?width=8", "?width=9000", "?width=abc", "?format=gif", "?download=yes"])
@ON_SQLITE
def test_an_invalid_conversion_is_refused(client, keep, query):
    assert client.get(f"{API}/snapshots/{keep()}/image{query}").status_code == 422


@ON_SQLITE
def test_a_missing_or_damaged_file_has_its_own_reason(client, keep, config):
    path = f"{API}/snapshots/{keep(picture=draw_picture()[:2000])}/image"
    answer = client.get(f"{path}?width=100")
    assert (answer.status_code, answer.json["reason"]) == (409, "picture_damaged")
    for file in config.captures_dir.rglob("*.jpg"):
        file.unlink()
    for query in ("", "?width=100"):
        answer = client.get(path + query)
        assert (answer.status_code, answer.json["reason"]) == (404, "file_missing")


@ON_SQLITE
def test_without_a_free_place_a_capture_becomes_a_job_at_once(app, capture, worker):
    waits, taken = app.extensions["vas"].waits, []
    while give_back := waits.take():
        taken.append(give_back)
    answer = capture(wait_seconds=10)
    assert (answer.status_code, worker.asked) == (202, [])
    taken[0]()
    assert capture().status_code == 201
    assert waits.taken == len(taken) - 1, "the place was given back"
