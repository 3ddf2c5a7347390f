"""Fixtures of the plugin: an asyncio loop, and a fake SFU on it."""

from collections.abc import Iterator

import pytest

from gateway.outputs import OutputContext
from plugins.mediasoup_webrtc import control, output
from plugins.mediasoup_webrtc.tokens import control_key
from tests.factories import SFU_SECRET, make_config
from tests.plugins.mediasoup_webrtc.sfu import FakeSfu
from workers.streams.loop import MediaLoop


@pytest.fixture
def media_loop() -> Iterator[MediaLoop]:
    loop = MediaLoop()
    yield loop
    loop.close()


@pytest.fixture
def sfu(media_loop: MediaLoop) -> Iterator[FakeSfu]:
    sfu = FakeSfu(media_loop, control_key(SFU_SECRET)).start()
    yield sfu
    sfu.stop()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short intervals of an output."""
    monkeypatch.setattr(control, "_MAX_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(control, "_FIRST_SECONDS", 0)
    monkeypatch.setattr(output, "_POLL_SECONDS", 0.02)
    monkeypatch.setattr(output, "_ATTACH_SECONDS", 1.0)
    monkeypatch.setattr(output, "_RESYNC_SECONDS", 0.05)


@pytest.fixture
def context(quick: None, sfu: FakeSfu, media_loop: MediaLoop) -> OutputContext:
    return OutputContext(make_config(mediasoup_ws_url=sfu.url), media_loop.loop, "host:1")
