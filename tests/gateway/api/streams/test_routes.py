"""`/streams` and `/rtsp/streams`."""

import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from gateway import database
from gateway.api.base import request_stream
from gateway.errors import Conflict, NotFound
from gateway.media import AudioInfo, Part, SourceInfo, VideoInfo
from gateway.streams.bus import BusWriter
from gateway.streams.model import Stream, claim_next_run, set_source_info, transition
from tests.factories import device_body
from tests.statements import recorded_statements


def start(client, device):
    return client.post(f"/api/v1/rtsp/streams/{device['id']}/start")


def stop(client, device):
    return client.post(f"/api/v1/rtsp/streams/{device['id']}/stop")


def queued(app):
    return app.extensions["vas"].redis.llen("dramatiq:stream")


def test_start_and_stop_set_the_desired_state_and_may_be_repeated(app, client, device):
    for _ in range(3):
        answer = start(client, device)
        assert (answer.status_code, answer.json["desired"], answer.json["observed"]) == (202, "running", "stopped")
    assert queued(app) == 1
    for _ in range(3):
        answer = stop(client, device)
        assert (answer.status_code, answer.json["desired"]) == (202, "stopped")


def test_a_disabled_device_cannot_be_started_but_stopped(client):
    device = client.post("/api/v1/devices", json=device_body(enabled=False)).json
    answer = start(client, device)
    assert (answer.status_code, answer.json["reason"]) == (409, "device_disabled")
    assert stop(client, device).status_code == 202


@pytest.mark.parametrize("action", ["start", "stop"])
def test_an_unknown_stream_is_not_found(client, action):
    assert client.post(f"/api/v1/rtsp/streams/{uuid.uuid4()}/{action}").status_code == 404
    assert client.get(f"/api/v1/rtsp/streams/{uuid.uuid4()}/{action}").status_code == 405


def test_a_running_stream_shows_its_statistics(app, client, device):
    run = claim_next_run(device["id"], "host:1")
    transition(device["id"], "starting", run=run)
    transition(device["id"], "running", run=run)
    video = VideoInfo("h264", 1920, 1080, 25.0, "Main", "yuv420p", has_b_frames=True, key_frame_interval_seconds=2.0)
    set_source_info(device["id"], SourceInfo(video, AudioInfo("aac", 8000, 1)), run=run, source_version=1)
    app.extensions["vas"].live.write(
        device["id"],
        {
            "fps": 24.9,
            "bitrate_kbps": 3900.5,
            "last_part_at": time.time() - 0.4,
            "viewers": 2,
            "worker": "host:1",
            "notes": ["without sound: its codec 'g726' is not supported"],
            "transport": "udp",
            "camera_server": "Cam/1.0",
            "login": "digest MD5",
            "clock_rate": 0.9996,
            "lost_packets": 12,
            "ffmpeg_restarts": 1,
            "camera_sessions": 2,
            "outputs": [{"name": "webrtc", "mode": "transcode", "reason": "WebRTC cannot play B-frames"}],
        },
    )
    stream = client.get(f"/api/v1/streams/{device['id']}").json
    assert 300 <= stream.pop("last_part_age_ms") < 5000
    assert stream.pop("since").endswith("Z")
    assert stream == {
        "device_id": device["id"],
        "device_name": device["name"],
        "desired": "stopped",
        "observed": "running",
        "reason": None,
        "run": 1,
        "restarts": 0,
        "video": {
            "codec": "h264",
            "profile": "Main",
            "width": 1920,
            "height": 1080,
            "fps": 25.0,
            "has_b_frames": True,
            "key_frame_interval_seconds": 2.0,
        },
        "audio": {"codec": "aac", "sample_rate": 8000, "channels": 1},
        "fps": 24.9,
        "bitrate_kbps": 3900.5,
        "viewers": 2,
        "outputs": [
            {
                "name": "webrtc",
                "plugin": None,
                "mode": "transcode",
                "state": "running",
                "reason": "WebRTC cannot play B-frames",
                "since": None,
                "lag_seconds": None,
                "figures": {},
            }
        ],
        "is_reencoded": True,
        "reencode_reason": "WebRTC cannot play B-frames",
        "notes": ["without sound: its codec 'g726' is not supported"],
        "transport": "udp",
        "camera_server": "Cam/1.0",
        "login": "digest MD5",
        "clock_rate": 0.9996,
        "lost_packets": 12,
        "ffmpeg_restarts": 1,
        "camera_sessions": 2,
        "worker": "host:1",
        "recording": {
            "mode": "off",
            "observed": "off",
            "is_wanted": False,
            "reason": {
                "code": "recording_off",
                "message": "recording is switched off",
                "remedy": "choose another recording mode",
            },
            "since": stream["recording"]["since"],
        },
    }


def test_lists_show_all_streams_or_the_active_ones(client):
    stopped, failed, lost = (client.post("/api/v1/devices", json=device_body(name=n)).json for n in "abc")
    transition(failed["id"], "starting")
    transition(failed["id"], "failed", reason="unauthorized")
    transition(lost["id"], "starting")
    transition(lost["id"], "reconnecting", reason="refused")
    assert [stream["device_name"] for stream in client.get("/api/v1/streams").json] == ["a", "b", "c"]
    active = client.get("/api/v1/streams/active")
    assert [stream["device_id"] for stream in active.json] == [lost["id"]]
    assert active.json[0]["reason"]["code"] == "refused"
    assert active.headers["X-Pagination"]
    found = client.get("/api/v1/streams?state=stopped").json
    assert [stream["device_id"] for stream in found] == [stopped["id"]]


def test_streams_of_several_devices_can_be_listed(client):
    first, _, third = (client.post("/api/v1/devices", json=device_body()).json["id"] for _ in range(3))
    transition(third, "starting", run=claim_next_run(third, "w"))
    wanted = f"device={first}&device={third}&device={uuid.uuid4()}"
    answer = client.get(f"/api/v1/streams?{wanted}")
    assert sorted(stream["device_id"] for stream in answer.json) == sorted([first, third])
    assert '"total": 2' in answer.headers["X-Pagination"]
    assert [stream["device_id"] for stream in client.get(f"/api/v1/streams/active?{wanted}").json] == [third]
    wrong = client.get("/api/v1/streams?device=roof")
    assert (wrong.status_code, wrong.json["reason"]) == (422, "invalid_value")


def test_newest_footage_is_an_mp4_from_the_newest_key_frame(app, client, device):
    wired = app.extensions["vas"]
    url = f"/api/v1/streams/{device['id']}/latest.mp4"
    answer = client.get(url)
    assert (answer.status_code, answer.json["reason"]) == (404, "no_footage")
    writer = BusWriter(wired.redis, device["id"], window_seconds=15, max_bytes=1 << 20)
    writer.open_run(1, b"INIT")
    now = time.time()
    for sequence, is_key, data in ((1, True, b"old"), (2, True, b"key"), (3, False, b"new")):
        writer.publish(Part(device["id"], 1, sequence, now + sequence * 0.5, 0.5, is_key, 12, data))
    answer = client.get(url)
    assert (answer.status_code, answer.mimetype, answer.data) == (200, "video/mp4", b"INITkeynew")
    assert answer.headers["Cache-Control"] == "no-store"
    assert client.get(f"/api/v1/streams/{uuid.uuid4()}/latest.mp4").json["reason"] == "not_found"


def test_a_viewer_starts_an_on_demand_device(app, client, scope):
    device = client.post("/api/v1/devices", json=device_body(start_mode="on_demand")).json
    with app.app_context():
        record = request_stream(scope, device["id"])
    assert record.desired == "running"
    assert record.demanded_at is not None
    assert queued(app) == 1


def test_a_viewer_of_a_stopped_or_disabled_device_gets_the_cause(app, client, scope, device):
    disabled = client.post("/api/v1/devices", json=device_body(enabled=False)).json
    with app.app_context():
        for device_id, reason in ((device["id"], "stream_stopped"), (disabled["id"], "device_disabled")):
            with pytest.raises(Conflict) as conflict:
                request_stream(scope, device_id)
            assert conflict.value.reason == reason
        with pytest.raises(NotFound):
            request_stream(scope, str(uuid.uuid4()))


def test_a_viewer_of_a_running_device_is_noted(app, client, scope, device):
    start(client, device)
    before = datetime.now(UTC) - timedelta(seconds=6)
    with database.transaction():
        scope.update(Stream, demanded_at=before).where(Stream.device_id == device["id"]).execute()
    with app.app_context():
        record = request_stream(scope, device["id"])
        assert record.demanded_at > before + timedelta(seconds=5)
        with recorded_statements() as statements:
            request_stream(scope, device["id"])
    assert statements.writes == [], "a player asks several times a second"
