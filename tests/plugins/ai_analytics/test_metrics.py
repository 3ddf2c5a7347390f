"""The figures of all analyses for monitoring."""

import pytest

from gateway.metrics.exposition import check_metric, check_values
from gateway.redis_client import connect_redis
from plugins.ai_analytics.figures import FiguresStore
from plugins.ai_analytics.metrics import metrics_of


@pytest.fixture
def store(redis_url):
    client = connect_redis(redis_url)
    yield FiguresStore(client)
    client.close()


def read(store):
    metrics = metrics_of(store)
    for metric in metrics:
        check_metric(metric)
    return {metric.name: check_values(metric, metric.read()) for metric in metrics}


def test_pictures_are_counted_over_all_processes(store):
    assert read(store)["pictures_total"] == [({}, 0)]
    store.count_pictures(7)
    store.count_pictures(5)
    assert read(store)["pictures_total"] == [({}, 12)]


def test_rates_are_sums_over_devices_and_processes(store):
    store.write_device("d1", {"wanted_fps": 5.0, "given_fps": 4.5, "is_slowed": True})
    store.write_device("d2", {"wanted_fps": 2.0, "given_fps": 2.0, "is_slowed": False})
    for worker in ("w1", "w2"):
        detectors = [{"name": "objects", "pictures_per_second": 1.5}]
        store.write_process(worker, {"detectors": detectors, "waiting_events": 1})
    found = read(store)
    assert found["devices"] == [({}, 2)]
    assert (found["wanted_pictures_per_second"], found["pictures_per_second"]) == ([({}, 7.0)], [({}, 6.5)])
    assert (found["slowed_devices"], found["waiting_events"]) == ([({}, 1)], [({}, 2)])
    assert found["detector_pictures_per_second"] == [({"detector": "objects"}, 3.0)]
    assert found["device_pictures_per_second"] == [({"device": "d1"}, 4.5), ({"device": "d2"}, 2.0)]


def test_rubbish_in_redis_is_no_figure(store):
    store.write_device("d1", {"wanted_fps": "many", "given_fps": None})
    store.write_process("w1", {"detectors": ["x", {"name": "objects", "pictures_per_second": "fast"}]})
    found = read(store)
    assert (found["wanted_pictures_per_second"], found["detector_pictures_per_second"]) == ([({}, 0)], [])
