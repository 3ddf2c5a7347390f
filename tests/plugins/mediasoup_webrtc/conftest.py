"""Fixtures of the plugin: an asyncio loop, and a fake SFU on it."""

from collections.abc import Iterator

import pytest

from plugins.mediasoup_webrtc.tokens import control_key
from tests.factories import SFU_SECRET
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
