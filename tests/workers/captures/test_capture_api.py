"""Pictures requested over HTTP and taken by a real snapshot worker: API and worker work together."""

import io
import threading

import numpy
import pytest
from PIL import Image

from gateway import database
from gateway.app import create_app
from gateway.captures.queue import CaptureQueue, CaptureRequest
from gateway.clock import format_time
from gateway.jobs.attempts import claim_job
from gateway.leases import SNAPSHOT, WorkerSlots
from tests.cameras.counter import read_counter
from tests.factories import no_plugins
from tests.playback import NOON_MS, make_clip
from workers.capture_service import SnapshotWorker

API = "/api/v1"

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def client(config, camera):
    app = create_app(config, no_plugins())
    yield app.test_client()
    database.close()


@pytest.fixture
def worker(config, camera):
    """A snapshot worker with the camera's footage."""
    worker = SnapshotWorker(CaptureQueue.connect(config), camera.captures.capture, lambda job_id: None, threads=2)
    WorkerSlots(camera.redis).report(SNAPSHOT, "here", 0, 2)
    worker.start()
    yield worker
    # Its threads wait for the next request: two dummy requests wake them.
    closing = threading.Thread(target=worker.close)
    closing.start()
    camera.redis.rpush("vas:captures", "none", "none")
    closing.join(10)


def number_in(data: bytes) -> int | None:
    return read_counter(numpy.asarray(Image.open(io.BytesIO(data)).convert("L")))


def test_a_live_and_a_historical_snapshot_show_the_frames_of_their_moments(client, camera, worker):
    camera.send(make_clip(seconds=5, key_seconds=2))
    camera.footage.record(make_clip(seconds=4, key_seconds=2, first_frame=7), NOON_MS)
    path = f"{API}/snapshots/devices/{camera.device_id}/capture"
    live = client.post(f"{path}/live")
    assert (live.status_code, live.json["at"]) == (201, format_time(NOON_MS + 4000)), live.json
    assert number_in(client.get(live.json["image_url"]).data) == 100
    past = client.post(f"{path}/historical", json={"at": format_time(NOON_MS + 533)})
    assert (past.status_code, past.json["at"]) == (201, format_time(NOON_MS + 520)), past.json
    assert number_in(client.get(past.json["image_url"]).data) == 7 + 13
    # A picture is not enlarged, also in another format.
    png = client.get(past.json["image_url"] + "?format=png&width=7680").data
    assert Image.open(io.BytesIO(png)).size == (384, 216)
    assert number_in(png) == 20


def test_a_failed_snapshot_has_a_reason_or_the_nearest_footage(client, camera, worker):
    path = f"{API}/snapshots/devices/{camera.device_id}/capture"
    live = client.post(f"{path}/live")
    assert (live.status_code, live.json["reason"]) == (409, "no_picture")
    assert "stopped" in live.json["message"]
    camera.footage.record(make_clip(seconds=4), NOON_MS)
    past = client.post(f"{path}/historical", json={"at": format_time(NOON_MS + 60_000)})
    assert (past.status_code, past.json["reason"]) == (404, "no_footage")
    assert past.json["errors"] == {"nearest_before": format_time(NOON_MS + 4000), "nearest_after": None}


def test_a_poster_is_the_newest_live_frame_or_the_last_recorded_one(client, camera, worker):
    camera.footage.record(make_clip(seconds=4, key_seconds=2, first_frame=7), NOON_MS)
    camera.clock.advance(60)
    recorded = client.get(f"{API}/devices/{camera.device_id}/poster.jpg?width=300")
    assert (recorded.status_code, number_in(recorded.data)) == (200, 7 + 50)
    camera.send(make_clip(seconds=5, key_seconds=2), NOON_MS + 60_000)
    live = client.get(f"{API}/devices/{camera.device_id}/poster.jpg")
    assert (live.status_code, number_in(live.data)) == (200, 100)


def test_the_job_of_a_request_makes_the_snapshot(client, camera):
    camera.footage.record(make_clip(seconds=4, key_seconds=2, first_frame=7), NOON_MS)
    body = {"at": format_time(NOON_MS + 533), "tags": ["gate"]}
    answer = client.post(f"{API}/snapshots/devices/{camera.device_id}/capture/historical", json=body)
    assert answer.status_code == 202, answer.json
    request = CaptureRequest.from_dict(claim_job(answer.json["id"], "w").parameters)
    camera.capture(request)
    snapshot = client.get(f"{API}/snapshots/{request.id}").json
    assert (snapshot["at"], snapshot["tags"]) == (format_time(NOON_MS + 520), ["gate"])
