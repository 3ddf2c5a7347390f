"""The bin of deleted devices over the API."""

from datetime import timedelta

import pytest

from gateway.clock import utc_now
from gateway.devices.bin import DeletedDevice
from gateway.streams.model import transition
from gateway.tenancy.scopes import EVERY_TENANT
from tests.factories import device_body

URL = "/api/v1/devices"
SCHEDULES = "/api/v1/snapshots/schedules"
SCHEDULE = {"name": "every hour", "every_seconds": 3600}


def test_a_deleted_device_comes_back_with_everything_it_had(client):
    device = client.post(URL, json=device_body(name="Gate", tags=["a", "b"])).json
    url = f"{URL}/{device['id']}"
    recording = f"/api/v1/recordings/devices/{device['id']}"
    transition(device["id"], "starting")
    assert client.put(recording, json={"mode": "continuous", "keep_days": 3}).status_code == 200
    schedule = client.post(SCHEDULES, json={**SCHEDULE, "device_id": device["id"]})
    assert schedule.status_code == 201
    assert client.delete(url).status_code == 204
    assert client.get(url).status_code == 404
    restored = client.post(f"{url}/restore")
    assert restored.status_code == 200
    assert restored.json == client.get(url).json
    changing = {"updated_at", "recording"}
    assert {k: v for k, v in restored.json.items() if k not in changing} == {
        k: v for k, v in device.items() if k not in changing
    }
    assert client.get(recording).json["keep_days"] == 3
    assert client.get(recording).json["mode"] == "continuous"
    assert [event["to"] for event in client.get(f"{url}/events?kind=state").json] == ["starting"]
    listed = client.get(SCHEDULES, query_string={"device_id": device["id"]}).json
    assert [one["id"] for one in listed] == [schedule.json["id"]]
    assert client.post(f"{url}/restore").status_code == 200, "may be repeated"


def test_a_restored_device_that_ran_is_started_and_fences_off_its_old_owner(app, client):
    device = client.post(URL, json=device_body(start_mode="always")).json
    app.extensions["vas"].redis.flushdb()
    client.delete(f"{URL}/{device['id']}")
    restored = client.post(f"{URL}/{device['id']}/restore").json
    assert (restored["desired"], restored["state"]) == ("running", "stopped")
    assert app.extensions["vas"].redis.llen("dramatiq:stream") == 1
    assert not transition(device["id"], "starting", run=0)


def test_the_bin_lists_what_can_be_restored_and_until_when(client, device):
    assert client.get(f"{URL}/deleted").json == []
    client.delete(f"{URL}/{device['id']}")
    (one,) = client.get(f"{URL}/deleted").json
    assert (one["id"], one["name"], one["bytes"]) == (device["id"], device["name"], 0)
    assert one["until"] > one["deleted_at"]


def test_a_name_that_was_taken_meanwhile_is_a_conflict_and_loses_nothing(client, device):
    client.delete(f"{URL}/{device['id']}")
    other = client.post(URL, json=device_body(name=device["name"].upper())).json
    answer = client.post(f"{URL}/{device['id']}/restore")
    assert (answer.status_code, answer.json["reason"]) == (409, "name_taken")
    client.put(f"{URL}/{other['id']}", json={**other, "name": "Another"})
    assert client.post(f"{URL}/{device['id']}/restore").status_code == 200


def test_after_its_time_a_device_can_no_longer_be_restored(client, device, config):
    client.delete(f"{URL}/{device['id']}")
    late = utc_now() - timedelta(hours=config.bin_hours, seconds=1)
    EVERY_TENANT.update(DeletedDevice, deleted_at=late).execute()
    assert client.post(f"{URL}/{device['id']}/restore").status_code == 404
    assert client.get(f"{URL}/deleted").json == []


def test_a_device_is_removed_for_good_on_request(client, device):
    client.delete(f"{URL}/{device['id']}")
    assert client.delete(f"{URL}/deleted/{device['id']}").status_code == 204
    assert client.delete(f"{URL}/deleted/{device['id']}").status_code == 404
    assert client.post(f"{URL}/{device['id']}/restore").status_code == 404


@pytest.mark.parametrize("name", ["00000000-0000-4000-8000-00000000dead", "1", "%00", "x" * 300])
def test_a_device_that_was_never_there_cannot_be_restored(client, name):
    assert client.post(f"{URL}/{name}/restore").status_code == 404
    assert client.delete(f"{URL}/deleted/{name}").status_code == 404
