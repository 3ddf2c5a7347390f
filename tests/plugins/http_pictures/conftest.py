"""What the tests of the plugin share: a camera, and sessions with it as a worker opens them."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from gateway.config import Config
from gateway.devices.login_budget import LoginBudget
from gateway.devices.sources import SourcePolicy
from gateway.redis_client import connect_redis
from gateway.sources.registry import SourceRegistry
from gateway.sources.tls import VERIFIED, TlsTrust
from plugins.http_pictures.source import HttpPictures
from tests.cameras.http_pictures import HttpCamera
from tests.factories import make_config
from workers.ingest.probe import ProbeResult, probe
from workers.streams.sources import SessionOpener

CONFIG = make_config(connect_timeout_seconds=2.0, allow_loopback_sources=True)


def build_opener(
    config: Config = CONFIG, trust: TlsTrust = VERIFIED, policy: SourcePolicy | None = None
) -> SessionOpener:
    """An opener with a budget of logins of its own."""
    registry = SourceRegistry([("http_pictures", HttpPictures(config))])
    policy = policy or SourcePolicy(allow_loopback=True, ports=registry.ports)
    logins = LoginBudget(connect_redis("redis://127.0.0.1:1"), "secret")
    return SessionOpener(registry, config, logins, trust=trust, policy=policy)


@pytest.fixture
def camera():
    with HttpCamera() as camera:
        yield camera


@pytest.fixture
def look_at() -> Callable[..., ProbeResult]:
    """Probe a URL."""

    def look(url: str, **options: Any) -> ProbeResult:
        opener = build_opener(**options)
        return asyncio.run(probe(CONFIG, lambda: opener.open(url)))

    return look
