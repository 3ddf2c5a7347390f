"""The recorder tells when it last wrote, and one that dies leaves a trace."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.clock import utc_now
from gateway.footage.recorder_pulse import RecorderPulse
from gateway.redis_client import connect_redis
from gateway.streams.model import Stream
from gateway.tenancy.scopes import EVERY_TENANT
from plugins.hls_recorder.health import check_recorders
from plugins.hls_recorder.metrics import RecorderMetricsStore
from tests.plugins.hls_recorder.world import World

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def pulsing(world, redis_url) -> World:
    return World(replace(world.config, redis_url=redis_url), world.scope, world.device)


def test_the_age_of_the_newest_written_part_is_sent(pulsing, redis_url):
    pulse = RecorderPulse(connect_redis(redis_url))
    pulsing.attach()
    pulsing.output.pulse.send()
    assert pulse.read([pulsing.device.id]) == {}
    pulsing.record(3)
    pulsing.wait(4)
    pulsing.output.pulse.send()
    assert 4 <= pulse.read([pulsing.device.id])[pulsing.device.id] < 8
    pulsing.detach()
    pulsing.output.close()
    pulsing.output.close()


def test_a_recorder_that_dies_again_and_again_is_named_in_health(pulsing, redis_url):
    store = RecorderMetricsStore(connect_redis(redis_url))
    for _ in range(2):
        pulsing.attach()
        pulsing.detach()
    for _ in range(4):
        pulsing.attach()
        pulsing.kill()
    assert len(RecorderPulse(store.client).deaths()[pulsing.device.id]) == 3
    EVERY_TENANT.update(Stream, since=utc_now() - timedelta(seconds=30)).execute()
    health = check_recorders(store)
    assert (health.status, health.detail["recording"]) == ("degraded", 0)
    assert "no record worker runs" in health.reason
    store.client.set("vas:worker:record:host:1", "1/8")
    health = check_recorders(store)
    assert (health.status, health.detail["wanted"], health.detail["recording"]) == ("degraded", 1, 0)
    assert "crashes again and again" in health.reason


def test_an_attachment_that_fails_is_no_death(pulsing, redis_url):
    pulsing.output._config = replace(pulsing.config, recordings_dir=pulsing.config.recordings_dir / "a" / "file")
    pulsing.config.recordings_dir.mkdir(parents=True)
    (pulsing.config.recordings_dir / "a").write_text("no folder")
    for _ in range(5):
        pulsing.fail_to_attach()
    assert RecorderPulse(connect_redis(redis_url)).deaths() == {}
