"""The poster of a device: its newest picture, made once for all clients, without a long wait."""

import io
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest
from PIL import Image

from gateway.app import create_app
from gateway.captures.posters import Posters
from gateway.captures.queue import CaptureAnswer, CaptureRequest
from tests.conftest import wait_until
from tests.factories import device_body, no_plugins
from tests.gateway.api.snapshot_worker import FakeSnapshotWorker, draw_picture, keep_picture

API = "/api/v1"

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def worker(config):
    with FakeSnapshotWorker(config) as worker:
        yield worker


@pytest.fixture
def clock(app):
    """The clock of the posters, which stands still until it is set."""

    class Clock:
        now = time.time()

        def __call__(self) -> float:
            return self.now

    posters: Posters = app.extensions["vas"].posters
    posters._clock = Clock()
    return posters._clock


@pytest.fixture
def poster(client, device):
    """`poster(width=…)` requests the poster of the device."""

    def poster(query="", headers=None, device_id=None):
        return client.get(f"{API}/devices/{device_id or device['id']}/poster.jpg{query}", headers=headers or {})

    return poster


def test_a_poster_is_the_newest_picture_and_carries_its_time(poster, worker):
    before = datetime.now(UTC)
    answer = poster()
    assert (answer.status_code, answer.content_type) == (200, "image/jpeg"), answer.data[:300]
    assert Image.open(io.BytesIO(answer.data)).size == (640, 360)
    assert abs((parsedate_to_datetime(answer.headers["Last-Modified"]) - before).total_seconds()) < 5
    assert answer.headers["Cache-Control"] == "private, max-age=5"
    assert poster(headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_a_poster_is_reused_for_some_seconds(poster, worker, clock, config):
    first = poster()
    clock.now += config.poster_seconds - 0.5
    again = poster()
    assert (again.data, again.headers["ETag"], len(worker.asked)) == (first.data, first.headers["ETag"], 1)
    assert again.headers["Cache-Control"] == "private, max-age=1"
    clock.now += 1
    assert poster().status_code == 200
    assert len(worker.asked) == 2


def test_widths_are_rounded_up_to_a_few_sizes(poster, worker):
    for wish, made in ((16, 160), (161, 320), (4000, 1920)):
        assert Image.open(io.BytesIO(poster(f"?width={wish}").data)).width == made
    poster("?width=300")
    assert len(worker.asked) == 3
    for query in ("?width=15", "?width=no"):
        assert poster(query).status_code == 422


def test_concurrent_requests_wait_for_one_picture(app, device, worker):
    ready = threading.Event()

    def reply(request):
        ready.wait(5)
        return worker.take_picture(request)

    worker.reply = reply

    def ask(_):
        answer = app.test_client().get(f"{API}/devices/{device['id']}/poster.jpg")
        return answer.status_code, answer.data

    with ThreadPoolExecutor(6) as pool:
        answers = pool.map(ask, range(6))
        ready.set()
        assert len(set(answers)) == 1
    assert len(worker.asked) == 1


def test_with_a_late_worker_the_last_poster_is_sent_without_a_wait(poster, worker, clock, config):
    first = poster()
    clock.now += config.poster_seconds + 1
    worker.reply = lambda request: None
    assert poster().data == first.data
    # The next requests do not ask the worker for some time, because nothing would come.
    assert [poster().data for _ in range(20)] == [first.data] * 20
    assert len(worker.asked) <= 2
    unknown = poster("?width=160")
    assert (unknown.status_code, unknown.json["reason"]) == (503, "no_worker")


def test_a_device_that_stopped_sending_keeps_its_last_poster(poster, worker, clock, config):
    first = poster()
    clock.now += config.poster_seconds + 1
    worker.reply = lambda request: CaptureAnswer(reason="no_picture", message="it is stopped")
    assert poster().data == first.data
    # The worker is asked for a newer one only after some time.
    asked = len(worker.asked)
    assert poster().data == first.data
    assert len(worker.asked) == asked


@pytest.mark.parametrize("has_worker", [True, False])
def test_without_a_live_picture_the_newest_snapshot_is_the_poster(poster, config, device, scope, has_worker):
    now_ms = int(time.time() * 1000)
    for age_ms, color in ((3_600_000, "red"), (60_000, "blue")):
        request = CaptureRequest(id=str(uuid.uuid4()), tenant_id=scope.tenant_id, device_id=device["id"])
        keep_picture(config, request, now_ms - age_ms, draw_picture(color=color))
    if has_worker:
        with FakeSnapshotWorker(config, lambda request: CaptureAnswer(at_ms=now_ms - 600_000, picture=draw_picture())):
            answer = poster()
    else:
        answer = poster()
    assert answer.status_code == 200
    image = Image.open(io.BytesIO(answer.data))
    assert image.size == (640, 360)
    assert max(range(3), key=lambda band: image.getpixel((300, 100))[band]) == 2, "blue is the newest"


def test_a_device_without_any_picture_gives_the_cause(poster, worker, client):
    worker.reply = lambda request: CaptureAnswer(reason="no_picture", message="its stream is stopped; start the device")
    answer = poster()
    assert (answer.status_code, answer.json["reason"]) == (404, "no_picture")
    assert "start the device" in answer.json["message"]
    poster()
    assert len(worker.asked) == 1
    gone = client.post(f"{API}/devices", json=device_body()).json["id"]
    client.delete(f"{API}/devices/{gone}")
    assert poster(device_id=gone).json["reason"] == "not_found"


def test_without_a_worker_and_a_picture_the_error_names_the_process(poster):
    answer = poster()
    assert (answer.status_code, answer.json["reason"]) == (503, "no_worker")
    assert "start the snapshot process" in answer.json["message"]


def test_two_processes_make_one_poster(app, config, device, worker):
    other = create_app(config, no_plugins())
    begun, ended = threading.Event(), threading.Event()

    def reply(request):
        begun.set()
        ended.wait(5)
        return worker.take_picture(request)

    def ask(process):
        answer = process.test_client().get(f"{API}/devices/{device['id']}/poster.jpg")
        return answer.status_code, answer.data

    worker.reply = reply
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(ask, app)
        assert begun.wait(5)
        second = pool.submit(ask, other)
        wait_until(lambda: other.extensions["vas"].waits.taken == 1, "the other process waits")
        ended.set()
        assert second.result(5) == first.result(5)
    assert len(worker.asked) == 1
    assert (app.extensions["vas"].waits.taken, other.extensions["vas"].waits.taken) == (0, 0)


def test_when_the_client_that_has_a_poster_made_goes_away_the_others_have_it_made(app, device, worker):
    posters = app.extensions["vas"].posters
    flight, is_first = posters.join(device["id"], 640)
    assert (is_first, flight.claim()) == (True, True)
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(lambda: app.test_client().get(f"{API}/devices/{device['id']}/poster.jpg").status_code)
        wait_until(lambda: app.extensions["vas"].waits.taken == 1, "the other client waits")
        flight.close()
        assert other.result(5) == 200
    assert len(worker.asked) == 1


def test_without_a_free_place_the_last_poster_is_sent(app, poster, worker, clock, config):
    first = poster()
    clock.now += config.poster_seconds + 1
    waits = app.extensions["vas"].waits
    while waits.take():
        pass
    assert poster().data == first.data
    assert (poster("?width=160").status_code, poster("?width=160").json["reason"]) == (503, "no_worker")


def test_without_redis_the_error_says_so(poster, redis_server):
    redis_server.stop()
    try:
        answer = poster()
        assert (answer.status_code, answer.json["reason"]) == (503, "redis_unavailable")
    finally:
        redis_server.start()
