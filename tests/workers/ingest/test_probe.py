"""A source is probed by one session, which says what the camera sends, why nothing comes, and what is unusual."""

import asyncio
import base64
import io
from functools import partial

import pytest
from PIL import Image

from gateway.config import Config
from gateway.devices.login_budget import LoginBudget
from gateway.devices.sources import SourcePolicy
from gateway.redis_client import connect_redis
from gateway.sources.registry import SourceRegistry
from tests.cameras.faulty import (
    CLOSES_AT_ONCE,
    FORBIDDEN,
    GARBAGE_PAYLOAD,
    HAS_METADATA_TRACK,
    HAS_ONLY_AUDIO,
    NEVER_ANSWERS,
    NOT_FOUND,
    PLAYS,
    REFUSES,
    SENDS_GARBAGE,
    SENDS_ONLY_AUDIO,
    UNAUTHORIZED,
    FaultyCamera,
)
from tests.factories import make_config
from workers.ingest import probe as probe_module
from workers.ingest.probe import ProbeResult, probe
from workers.streams.sources import SessionOpener

CONFIG = make_config(connect_timeout_seconds=1.0)
POLICY = SourcePolicy(allow_loopback=True)


@pytest.fixture
def camera():
    with FaultyCamera(PLAYS) as camera:
        yield camera


def look_at(url: str, policy: SourcePolicy = POLICY, config: Config = CONFIG) -> ProbeResult:
    """Probe a camera, with a budget of logins of its own."""
    logins = LoginBudget(connect_redis("redis://127.0.0.1:1"), "secret")
    opening = partial(SessionOpener(SourceRegistry(), config, logins, policy=policy).open, url)
    return asyncio.run(probe(config, opening))


def test_a_camera_is_described_by_what_it_sends(camera):
    found = look_at(camera.url)
    video = found.source.video
    assert found.reason is None
    assert (video.codec, video.width, video.height, video.has_b_frames) == ("h264", 640, 360, False)
    assert video.fps == pytest.approx(15, abs=1)
    assert video.key_frame_interval_seconds == pytest.approx(1, abs=0.1)
    assert video.bitrate_kbps == pytest.approx(500, rel=0.5)
    assert 0 < found.source.time_to_first_frame_ms <= found.elapsed_ms
    assert (found.server, found.login, found.transport) == ("test camera", "none", "tcp")
    assert camera.connections == 1, "one connection is enough"
    assert "TEARDOWN" in camera.requests, "the camera is free for the next session"


def test_a_probe_shows_a_picture_of_the_camera(camera):
    with Image.open(io.BytesIO(base64.b64decode(look_at(camera.url).picture))) as image:
        assert (image.format, image.size) == ("JPEG", (640, 360))
        assert len(image.resize((16, 9)).getcolors(200)) > 4, "it is not one grey area"


def test_tracks_that_are_not_used_are_listed_and_not_requested(camera):
    camera.behave(HAS_METADATA_TRACK)
    found = look_at(camera.url)
    assert found.source.video.codec == "h264"
    assert found.source.audio.codec == "pcm_alaw"
    assert {track.type for track in found.source.tracks} == {"video", "audio", "data"}
    assert camera.requests.count("SETUP") == 2


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        (REFUSES, "refused"),
        (UNAUTHORIZED, "unauthorized"),
        (FORBIDDEN, "forbidden"),
        (NOT_FOUND, "not_found"),
        (NEVER_ANSWERS, "timed_out"),
        (CLOSES_AT_ONCE, "closed_by_camera"),
        (HAS_ONLY_AUDIO, "no_video"),
        (SENDS_ONLY_AUDIO, "no_video"),
    ],
)
def test_a_camera_that_gives_no_video_has_its_reason(camera, monkeypatch, behaviour, code):
    monkeypatch.setattr(probe_module, "FIRST_SECONDS", 2.0)
    camera.behave(behaviour)
    assert look_at(camera.url).reason.code == code


@pytest.mark.parametrize("behaviour", [SENDS_GARBAGE, GARBAGE_PAYLOAD])
def test_bytes_that_are_no_video_have_a_reason(camera, monkeypatch, behaviour):
    monkeypatch.setattr(probe_module, "FIRST_SECONDS", 2.0)
    camera.behave(behaviour)
    reason = look_at(camera.url).reason
    assert reason.code != "unknown"
    assert reason.remedy


def test_a_name_that_does_not_resolve_has_its_reason():
    assert look_at("rtsp://no-such-camera.invalid/x").reason.code == "unknown_host"


def test_an_address_that_the_settings_forbid_is_not_connected_to(camera):
    assert look_at(camera.url, SourcePolicy()).reason.code == "address_not_allowed"
    assert camera.connections == 0
