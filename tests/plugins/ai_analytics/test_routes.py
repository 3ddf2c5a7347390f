"""`/detections`: search, boxes and the state of the analysis, for the tenant that asks."""

import pytest

from gateway import database
from gateway.app import create_app
from gateway.events.model import Event
from gateway.events.plugin_events import PluginEvents
from gateway.inventory import tenant_of
from gateway.redis_client import connect_redis
from gateway.tenancy.scopes import EVERY_TENANT
from plugins import ai_analytics
from plugins.ai_analytics.figures import FiguresStore
from plugins.ai_analytics.model import Boxes, save_boxes
from plugins.ai_analytics.tracker import Sighting
from tests.factories import no_plugins

START = 1_750_000_000_000
NOWHERE = "00000000-0000-4000-8000-00000000dead"


@pytest.fixture
def client(config, tables):
    manager = no_plugins()
    manager.register(ai_analytics, name="ai_analytics")
    yield create_app(config, manager).test_client()
    database.close()


@pytest.fixture
def events(device, config):
    events = PluginEvents("ai_analytics", config, tenant_of)
    first = events.record(
        device.id, "object", start_ms=START, end_ms=START + 5000, label="person", zone="gate", score=0.8,
        data={"zones": ["gate", "door"], "detector": "objects", "best_ms": START + 2000, "box": [0.1, 0.2, 0.3, 0.4]},
    )  # fmt: skip
    second = events.record(device.id, "object", start_ms=START + 10_000, label="car", score=0.5)
    third = events.record(device.id, "motion", start_ms=START + 20_000, end_ms=START + 21_000, score=0.2)
    PluginEvents("another", config, tenant_of).record(device.id, "object", start_ms=START, label="person")
    boxes = [Sighting(START + 200 * step, 0.1, 0.2, 0.3, 0.4, 0.8) for step in range(25)]
    save_boxes(device.tenant_id, device.id, first, "person", boxes)
    return first, second, third


def get(client, path: str, status: int = 200):
    answer = client.get(f"/api/v1{path}")
    assert answer.status_code == status, answer.json
    return answer.json


def test_detections_are_listed_newest_first(client, device, events):
    found = get(client, "/detections")
    assert [one["id"] for one in found] == [events[2], events[1], events[0]]
    assert found[2] == {
        "id": events[0],
        "device_id": device.id,
        "kind": "object",
        "label": "person",
        "zone": "gate",
        "zones": ["gate", "door"],
        "score": 0.8,
        "start": "2025-06-15T15:06:40.000Z",
        "end": "2025-06-15T15:06:45.000Z",
        "detector": "objects",
        "best_at": "2025-06-15T15:06:42.000Z",
        "box": [0.1, 0.2, 0.3, 0.4],
        "snapshot_id": None,
    }
    assert found[1]["end"] is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("label=person", [0]),
        ("kind=motion", [2]),
        ("zone=gate", [0]),
        ("min_score=0.5", [1, 0]),
        ("start=2025-06-15T15:06:46Z", [2, 1]),
        ("end=2025-06-15T15:06:50Z", [0]),
        ("start=2025-06-15T15:06:44Z&end=2025-06-15T15:06:49Z", [0]),
        (f"device_id={NOWHERE}", []),
        ("page_size=1&page=2", [1]),
    ],
)
def test_detections_are_searched(client, events, query, expected):
    assert [one["id"] for one in get(client, f"/detections?{query}")] == [events[index] for index in expected]


def test_boxes_of_a_detection_and_of_a_time(client, device, events):
    found = get(client, f"/detections/{events[0]}/boxes")
    assert (found["event_id"], found["label"], len(found["boxes"])) == (events[0], "person", 25)
    assert found["boxes"][1] == [START + 200, 0.1, 0.2, 0.3, 0.4, 0.8]
    range_ = "start=2025-06-15T15:06:41Z&end=2025-06-15T15:06:42Z"
    found = get(client, f"/devices/{device.id}/detections?{range_}")
    assert [box[0] - START for box in found["tracks"][0]["boxes"]] == [1000, 1200, 1400, 1600, 1800]
    assert found["is_complete"] is True


def test_what_does_not_exist_is_not_found(client, events):
    range_ = "start=2025-06-15T15:06:41Z&end=2025-06-15T15:06:42Z"
    get(client, "/detections/999999/boxes", 404)
    get(client, f"/detections/{10**30}/boxes", 404)
    get(client, f"/devices/{NOWHERE}/detections?{range_}", 404)
    get(client, f"/devices/{NOWHERE}/analysis", 404)


@pytest.mark.parametrize(
    "query", ["", "start=2025-06-15T15:00:00Z", "start=2025-06-15T15:00:00Z&end=2025-06-15T17:00:00Z", "start=x&end=y"]
)
def test_boxes_of_more_than_an_hour_are_refused(client, device, query):
    get(client, f"/devices/{device.id}/detections?{query}", 422)


def test_wrong_queries_are_refused(client, device):
    for query in ("kind=x", "min_score=2", "min_score=nan", "start=x", "device_id=x", "label=" + "x" * 100):
        get(client, f"/detections?{query}", 422)


def test_another_tenants_rows_do_not_exist(client, device, events):
    mark = "%s" if database.is_postgresql() else "?"
    with database.transaction():
        run = database.proxy.obj.execute_sql
        run(f"INSERT INTO tenants (id, name, created_at) VALUES ({mark}, 'other', CURRENT_TIMESTAMP)", (NOWHERE,))
        EVERY_TENANT.update(Event, tenant_id=NOWHERE).execute()
        EVERY_TENANT.update(Boxes, tenant_id=NOWHERE).execute()
    assert get(client, "/detections") == []
    get(client, f"/detections/{events[0]}/boxes", 404)
    range_ = "start=2025-06-15T15:06:41Z&end=2025-06-15T15:06:42Z"
    assert get(client, f"/devices/{device.id}/detections?{range_}")["tracks"] == []


def test_the_state_of_the_analysis(client, device, config):
    assert get(client, f"/devices/{device.id}/analysis")["is_running"] is False
    store = FiguresStore(connect_redis(config.redis_url))
    store.write_device(device.id, {
        "source": "sub_stream", "wanted_fps": 5.0, "given_fps": 4.8, "ms_per_picture": 1.3,
        "last_picture_ms": START, "damaged_pictures": 0, "problems": ["detector 'objects': it hangs"],
    })  # fmt: skip
    found = get(client, f"/devices/{device.id}/analysis")
    assert (found["is_running"], found["source"], found["given_fps"]) == (True, "sub_stream", 4.8)
    assert found["problems"] == ["detector 'objects': it hangs"]
    store.write_device(device.id, {"source": "../x", "problems": 7})
    assert get(client, f"/devices/{device.id}/analysis")["source"] is None
