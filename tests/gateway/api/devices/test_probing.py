"""`POST /devices/probe`, with a thread in the role of the worker."""

import json
import threading

import pytest

from gateway.api.devices import probing
from gateway.api.services import MAX_PROBES
from gateway.media import SourceInfo, VideoInfo
from gateway.states import StreamState
from gateway.streams.model import claim_next_run, request_start, set_source_info, transition
from tests.factories import PASSWORD, SHOWN_URL, SOURCE_URL

URL = "/api/v1/devices/probe"

RESULT = {
    "reachable": True,
    "reason": None,
    "elapsed_ms": 812,
    "time_to_first_frame_ms": 640,
    "video": {
        "codec": "h264",
        "profile": "Main",
        "width": 1920,
        "height": 1080,
        "fps": 25.0,
        "has_b_frames": False,
        "key_frame_interval_seconds": 2.0,
        "bitrate_kbps": 4000.0,
        "pixel_format": "yuv420p",
    },
    "audio": {"codec": "aac", "sample_rate": 8000, "channels": 1},
    "tracks": [{"index": 0, "type": "video", "codec": "h264"}, {"index": 1, "type": "audio", "codec": "aac"}],
    "advice": [{"level": "info", "code": "long_gop", "message": "a key frame every 2 s delays the first picture"}],
}

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class StubWorker:
    """Takes one probe from the queue and answers it."""

    def __init__(self, wired, result):
        self.wired, self.result, self.request, self.message = wired, result, None, ""
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        taken = self.wired.redis.blpop(["dramatiq:jobs"], timeout=2)
        assert taken, "no message came"
        raw = self.wired.redis.hget("dramatiq:jobs.msgs", taken[1])
        self.message = raw.decode()
        (probe_id,) = json.loads(raw)["args"]
        self.request = self.wired.probes.load_request(probe_id)
        assert self.wired.probes.load_request(probe_id) is None
        if self.result is not None:
            self.wired.probes.store_result(probe_id, self.result)


@pytest.fixture
def wired(app):
    return app.extensions["vas"]


def test_a_probe_returns_the_result_of_the_worker(client, wired):
    worker = StubWorker(wired, RESULT)
    answer = client.post(URL, json={"source_url": SOURCE_URL, "transport": "udp"})
    worker.thread.join(5)
    assert (answer.status_code, answer.json) == (200, RESULT)
    assert (worker.request.source_url, worker.request.transport) == (SOURCE_URL, "udp")
    assert PASSWORD not in worker.message
    assert PASSWORD not in repr(worker.request) + str(worker.request)


def test_an_unreachable_camera_is_a_result(client, wired):
    reason = {"code": "refused", "message": "nothing listens on the camera's port", "remedy": "check the port"}
    StubWorker(
        wired,
        {
            "reachable": False,
            "reason": reason,
            "elapsed_ms": 12,
            "video": None,
            "audio": None,
            "time_to_first_frame_ms": None,
            "tracks": [],
            "advice": [],
        },
    )
    answer = client.post(URL, json={"source_url": "rtsp://10.0.0.1/"})
    assert (answer.status_code, answer.json["reachable"], answer.json["reason"]) == (200, False, reason)


def test_the_stored_password_is_used_for_a_url_as_it_was_shown(client, wired, device):
    worker = StubWorker(wired, RESULT)
    assert client.post(URL, json={"source_url": SHOWN_URL, "device_id": device["id"]}).status_code == 200
    assert worker.request.source_url == SOURCE_URL


@pytest.mark.parametrize(
    "body",
    [
        {"source_url": SHOWN_URL},
        {"source_url": "rtsp://***@10.9.9.9/stream1", "device_id": "DEVICE"},
        {"source_url": "http://10.0.0.1/"},
        {"source_url": "rtsp://127.0.0.1/"},
        {"source_url": "rtsp://10.0.0.1/", "device_id": 7},
        {"source_url": "rtsp://10.0.0.1/", "timeout": 5},
        {},
    ],
)
def test_a_password_never_goes_to_another_address(client, device, wired, body):
    if body.get("device_id") == "DEVICE":
        body = body | {"device_id": device["id"]}
    answer = client.post(URL, json=body)
    assert answer.status_code == 422
    assert wired.redis.llen("dramatiq:jobs") == 0


def test_an_unknown_device_is_not_found(client):
    body = {"source_url": SHOWN_URL, "device_id": "7b1c0d52-6c4f-4f0e-9a3c-0d9c5a1f2b3c"}
    assert client.post(URL, json=body).status_code == 404


def test_without_a_worker_the_error_says_so_and_the_request_is_withdrawn(client, wired, monkeypatch):
    monkeypatch.setattr(probing, "WAIT_SECONDS", 0.2)
    answer = client.post(URL, json={"source_url": SOURCE_URL})
    assert (answer.status_code, answer.json["reason"]) == (503, "no_worker")
    assert wired.redis.keys("vas:probe:*") == []


def test_a_silent_worker_is_told_apart_from_a_missing_one(client, wired, monkeypatch):
    monkeypatch.setattr(probing, "WAIT_SECONDS", 0.5)
    StubWorker(wired, None)
    answer = client.post(URL, json={"source_url": SOURCE_URL})
    assert (answer.status_code, answer.json["reason"]) == (503, "probe_timed_out")


def test_only_some_probes_run_at_the_same_time(client, wired):
    for _ in range(MAX_PROBES):
        assert wired.probe_slots.acquire(blocking=False)
    answer = client.post(URL, json={"source_url": SOURCE_URL})
    assert (answer.status_code, answer.json["reason"]) == (429, "too_many_probes")
    wired.probe_slots.release()
    StubWorker(wired, RESULT)
    assert client.post(URL, json={"source_url": SOURCE_URL}).status_code == 200
    assert wired.probe_slots.acquire(blocking=False), "the slot was given back"


def test_the_request_in_redis_is_encrypted_and_expires(wired):
    from gateway.devices.probes import ProbeRequest

    probe_id = wired.probes.store_request(ProbeRequest(SOURCE_URL))
    key = f"vas:probe:{probe_id}"
    assert PASSWORD.encode() not in wired.redis.get(key)
    assert 0 < wired.redis.ttl(key) <= 60


def test_a_device_that_runs_is_described_by_its_stream_without_a_second_connection(client, wired, device, scope):
    request_start(scope, device["id"])
    run = claim_next_run(device["id"], "worker-1")
    for state in (StreamState.STARTING, StreamState.RUNNING):
        transition(device["id"], state, run=run, worker="worker-1")
    source = SourceInfo(VideoInfo("h264", 1280, 720, fps=25.0))
    set_source_info(device["id"], source, run=run, source_version=1)
    body = {"source_url": SHOWN_URL, "device_id": device["id"]}
    answer = client.post(URL, json=body)
    assert answer.status_code == 200
    assert (answer.json["reachable"], answer.json["video"]["width"]) == (True, 1280)
    assert "not asked again" in answer.json["notes"][0]
    worker = StubWorker(wired, RESULT)
    assert client.post(URL, json=body | {"transport": "udp"}).json == RESULT, "another transport has to be tried"
    worker.thread.join(5)
    worker = StubWorker(wired, RESULT)
    assert client.post(URL, json=body | {"source_url": "rtsp://10.0.0.9/other"}).json == RESULT
    worker.thread.join(5)
