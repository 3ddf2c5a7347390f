"""The certificate of a camera is read without trusting it, and without a word to the camera."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from gateway.config import Config
from gateway.devices.sources import parse_source
from tests.factories import make_config
from tests.workers.rtsp.camera import ScriptedCamera, run
from tests.workers.rtsp.certificates import make_certificate
from workers.rtsp.certificate import describe_certificate, read_certificate
from workers.rtsp.target import RtspTarget
from workers.streams.sources import shown_certificate


def local_config() -> Config:
    return make_config(allow_loopback_sources=True)


@pytest.mark.parametrize("days", [10, -1])
def test_a_certificate_is_shown_with_its_name_and_end_also_when_it_is_expired(tmp_path, days):
    certificate = make_certificate(tmp_path, days=days)

    async def scenario():
        async with ScriptedCamera(tls=certificate.server) as camera:
            found = await shown_certificate(f"rtsps://u:p@127.0.0.1:{camera.port}/a", local_config())
            assert camera.requests == []
        assert found.fingerprint == certificate.fingerprint
        assert found.subject == found.issuer == "CN=camera"
        assert abs(found.expires - datetime.now(UTC) - timedelta(days=days)) < timedelta(minutes=5)

    run(scenario)


def test_a_camera_without_tls_has_none():
    async def scenario():
        async with ScriptedCamera() as camera:
            assert await shown_certificate(f"rtsp://127.0.0.1:{camera.port}/a", local_config()) is None
            assert camera.connections == 0
            assert await shown_certificate(f"rtsps://127.0.0.1:{camera.port}/a", local_config()) is None

    run(scenario)


def test_nobody_is_asked_whom_the_policy_refuses(tmp_path):
    certificate = make_certificate(tmp_path)

    async def scenario():
        async with ScriptedCamera(tls=certificate.server) as camera:
            assert await shown_certificate(f"rtsps://127.0.0.1:{camera.port}/a", make_config()) is None
            assert camera.connections == 0

    run(scenario)


def test_a_camera_that_does_not_answer_is_waited_for_within_the_time():
    async def scenario():
        async def be_silent(_reader, _writer):
            await asyncio.sleep(60)

        server = await asyncio.start_server(be_silent, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        target = RtspTarget(parse_source(f"rtsps://127.0.0.1:{port}/a"), ("127.0.0.1",))
        assert await read_certificate(target, seconds=0.2) is None
        server.close()

    run(scenario)


def test_of_a_certificate_that_breaks_the_rules_the_fingerprint_is_known():
    found = describe_certificate(b"no certificate")
    assert len(found.fingerprint) == 64
    assert (found.subject, found.expires) == (None, None)
