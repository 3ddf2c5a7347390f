"""Health names what the analysis cannot do: a detector, the machine, the database."""

import pytest

from gateway.redis_client import connect_redis
from plugins.ai_analytics.figures import FiguresStore
from plugins.ai_analytics.health import check_analytics

DEVICE = {"wanted_fps": 5.0, "given_fps": 4.9, "is_slowed": False}
DETECTOR = {"name": "objects", "problem": None}


@pytest.fixture
def store(redis_url):
    client = connect_redis(redis_url)
    yield FiguresStore(client)
    client.close()


def check(store, device=None, process=None):
    store.write_device("d1", DEVICE | (device or {}))
    store.write_process("w1", {"detectors": [DETECTOR], "waiting_events": 0, "lost_events": 0} | (process or {}))
    return check_analytics(store)


def test_all_is_well(store):
    assert check_analytics(store).status == "ok"
    found = check(store)
    assert found.status == "ok"
    assert (found.detail["devices"], found.detail["wanted_pictures_per_second"]) == (1, 5.0)


@pytest.mark.parametrize(
    ("device", "process", "part"),
    [
        ({}, {"detectors": [{"name": "http", "problem": "it did not answer"}]}, "detector 'http': it did not answer"),
        ({"is_slowed": True}, {}, "fewer pictures than wanted are analysed for 1 of 1 devices"),
        ({}, {"lost_events": 3}, "3 events were lost"),
        ({}, {"problem": "the database does not answer"}, "events wait: the database"),
    ],
)
def test_what_is_wrong_is_named(store, device, process, part):
    found = check(store, device, process)
    assert found.status == "degraded"
    assert part in found.reason
    assert found.remedy


def test_figures_expire_and_rubbish_is_ignored(store):
    store.write_device("d1", DEVICE)
    client = store._redis
    assert 0 < client.ttl("vas:analytics:device:d1") <= 15
    client.set("vas:analytics:device:d2", b"rubbish")
    client.set("vas:analytics:device:d3", b"[" * 100_000)
    assert list(store.read_devices(["d1", "d2", "d3", "d4"])) == ["d1"]
    assert list(store.read_all()[0]) == ["d1"]


def test_redis_away_is_named():
    found = check_analytics(FiguresStore(connect_redis("redis://127.0.0.1:1/0")))
    assert found.status == "degraded"
