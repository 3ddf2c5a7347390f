"""PATCH, If-Match and If-None-Match: the same for every resource that can be replaced."""

import threading

import pytest

from gateway.api import merge_patch
from gateway.api.merge_patch import merge, repeat_unless_conditional
from gateway.api.recordings.schemas import RecordingSchema
from gateway.errors import VersionChanged
from gateway.streams.model import transition
from tests.factories import SHOWN_URL, device_body

one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
MERGE = "application/merge-patch+json"


@pytest.fixture
def url(device):
    return f"/api/v1/devices/{device['id']}"


def patch(client, url, body, **headers):
    return client.patch(url, json=body, headers={"Content-Type": MERGE} | headers)


# ---- PATCH ------------------------------------------------------------------------------------------------------


def test_a_patch_changes_only_what_it_names(client, device, url, app):
    sealed = client.get(url).json
    answer = patch(client, url, {"name": "Back door", "tags": ["b", "a"]})
    assert answer.status_code == 200
    assert answer.json == sealed | {
        "name": "Back door",
        "tags": ["a", "b"],
        "updated_at": answer.json["updated_at"],
    }
    assert answer.json["source_url"] == SHOWN_URL, "the password is kept"
    assert answer.headers["ETag"].startswith('"2.')
    assert client.get(url).json == answer.json
    unchanged = patch(client, url, {})
    assert (unchanged.status_code, unchanged.headers["ETag"]) == (200, answer.headers["ETag"])


def test_a_patch_may_be_sent_as_plain_json(client, url):
    assert client.patch(url, json={"location": "Hall"}).json["location"] == "Hall"


def test_null_restores_a_default(client, url):
    patch(client, url, {"description": "x", "tags": ["a"], "idle_seconds": 7, "start_mode": "on_demand"})
    shown = patch(client, url, {"description": None, "tags": None, "idle_seconds": None, "start_mode": None}).json
    assert (shown["description"], shown["tags"], shown["idle_seconds"], shown["start_mode"]) == ("", [], 60, "always")


@one_database
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": None}, "name"),
        ({"source_url": None}, "source_url"),
        ({"nmae": "x"}, "nmae"),
        ({"nmae": None}, "nmae"),
        ({"name": "x" * 101}, "name"),
        ({"tags": "a"}, "tags"),
        ({"tags": {"0": "a"}}, "tags"),
        ({"enabled": 1}, "enabled"),
        ({"name": {"a": {"a": {"a": {"a": {"a": {"a": None}}}}}}}, "name"),
        ({"source_url": "http://x"}, "source_url"),
        ({"source_url": SHOWN_URL + "2"}, "source_url"),
    ],
)
def test_a_patch_is_as_strict_as_a_replacement(client, url, body, field):
    before = client.get(url).json
    answer = patch(client, url, body)
    assert answer.status_code == 422
    assert field in answer.json["errors"]["json"]
    assert client.get(url).json == before


@one_database
@pytest.mark.parametrize("body", [b"[]", b"7", b'"x"', b"null", b"{", b"", b'{"name":' + b"[" * 9000])
def test_a_body_that_is_no_object_is_refused(client, url, body):
    assert client.patch(url, data=body, content_type=MERGE).status_code in (400, 422)
    assert client.patch(url, data=b"name=x", content_type="application/x-www-form-urlencoded").status_code == 415


def test_fields_that_can_only_be_read_are_ignored(client, device, url):
    assert patch(client, url, {"id": "x", "state": None, "name": "y"}).json["id"] == device["id"]


def test_a_deeply_nested_value_of_a_known_field_is_refused_not_followed():
    deep = {}
    for _ in range(900):
        deep = {"monday": deep}
    merged = merge_patch._merge({"plan": {}}, {"plan": deep})
    assert set(merged["plan"]) == {"monday"}


def test_a_day_of_a_plan_is_replaced_alone(client, device):
    url = f"/api/v1/recordings/devices/{device['id']}"
    plan = {"monday": [["08:00", "12:00"]], "friday": [["22:00", "06:00"]]}
    patch(client, url, {"mode": "scheduled", "plan": plan, "time_zone": "Europe/Berlin", "keep_days": 3})
    shown = patch(client, url, {"plan": {"monday": None, "sunday": [["00:00", "24:00"]]}, "keep_days": None}).json
    assert shown["plan"] == {"friday": [["22:00", "06:00"]], "sunday": [["00:00", "24:00"]]}
    assert (shown["mode"], shown["time_zone"], shown["keep_days"]) == ("scheduled", "Europe/Berlin", None)
    assert patch(client, url, {"plan": {"someday": []}}).status_code == 422
    assert client.get(url).json["plan"] == shown["plan"]


def test_a_schedule_changes_from_an_interval_to_times(client, device):
    made = client.post("/api/v1/snapshots/schedules", json={"device_id": device["id"], "every_seconds": 60}).json
    url = f"/api/v1/snapshots/schedules/{made['id']}"
    assert patch(client, url, {"times": ["08:00"]}).status_code == 422, "both were given"
    shown = patch(client, url, {"times": ["08:00"], "every_seconds": None}).json
    assert (shown["times"], shown["every_seconds"], shown["name"]) == (["08:00"], None, made["name"])


def test_a_patch_with_an_old_version_changes_nothing(client, url):
    seen = client.get(url).headers["ETag"]
    assert patch(client, url, {"name": "a"}, **{"If-Match": seen}).status_code == 200
    late = patch(client, url, {"name": "b"}, **{"If-Match": seen})
    assert (late.status_code, late.json["reason"]) == (412, "version_changed")
    assert client.get(url).json["name"] == "a"
    assert patch(client, url, {"name": "b"}, **{"If-Match": "*"}).status_code == 200


def test_patches_at_the_same_time_lose_nothing(app, url):
    fields = ("name", "description", "location")
    threads = [
        threading.Thread(target=lambda f=field: patch(app.test_client(), url, {f: f"new {f}"})) for field in fields
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    shown = app.test_client().get(url).json
    assert {field: shown[field] for field in fields} == {field: f"new {field}" for field in fields}


def test_a_change_is_repeated_only_without_a_condition():
    calls = []

    def change():
        calls.append(1)
        raise VersionChanged("again")

    for headers, expected in (({"if_match": None}, 5), ({"if_match": '"1"'}, 1)):
        calls.clear()
        with pytest.raises(VersionChanged):
            repeat_unless_conditional(change, headers)
        assert len(calls) == expected


def test_a_missing_resource_cannot_be_patched(client):
    for path in ("devices", "recordings/devices", "snapshots", "bookmarks"):
        assert patch(client, f"/api/v1/{path}/00000000-0000-4000-8000-000000000000", {}).status_code == 404
    assert patch(client, "/api/v1/snapshots/schedules/7", {}).status_code == 404


# ---- ETags ------------------------------------------------------------------------------------------------------


def test_what_the_caller_has_is_not_sent_again(client, url):
    first = client.get(url)
    seen = first.headers["ETag"]
    for condition in (seen, f'"x", {seen}', f"W/{seen}", "*"):
        for method in (client.get, client.head):
            answer = method(url, headers={"If-None-Match": condition})
            assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", seen)
    assert client.get(url, headers={"If-None-Match": '"1"'}).json == first.json
    assert client.get(url, headers={"If-None-Match": ""}).status_code == 200


def test_a_changed_observation_is_sent_although_the_version_is_the_same(client, device, url):
    seen = client.get(url).headers["ETag"]
    transition(device["id"], "starting", reason="requested")
    answer = client.get(url, headers={"If-None-Match": seen})
    assert (answer.status_code, answer.json["state"]) == (200, "starting")
    assert answer.headers["ETag"] != seen
    # What is observed is no conflict for a change of what was read before.
    assert client.put(url, json=device_body(), headers={"If-Match": seen}).status_code == 200


@pytest.mark.parametrize("form", ['"{version}"', '"{version}.0"', 'W/"{version}.abc"', '"9", "{version}.0"'])
def test_if_match_looks_at_the_version_alone(client, url, form):
    assert client.put(url, json=device_body(), headers={"If-Match": form.format(version=1)}).status_code == 200
    assert client.put(url, json=device_body(), headers={"If-Match": form.format(version=7)}).status_code == 412


@one_database
@pytest.mark.parametrize("condition", ["7", '"7', '"x.1"', '"1x.1"', '" 1"', 'W/"7"', '".1"', '""', '"', "x"])
def test_another_if_match_is_no_match(client, url, condition):
    assert client.put(url, json=device_body(), headers={"If-Match": condition}).status_code in (412, 422)


@one_database
def test_a_very_long_condition_is_refused(client, url):
    answer = client.put(url, json=device_body(), headers={"If-Match": '"1",' * 300})
    assert answer.status_code == 422


def test_every_single_resource_has_a_304(client, device):
    made = client.post("/api/v1/snapshots/schedules", json={"device_id": device["id"], "every_seconds": 60}).json
    for path in (f"devices/{device['id']}", f"recordings/devices/{device['id']}", f"snapshots/schedules/{made['id']}"):
        seen = client.get(f"/api/v1/{path}").headers["ETag"]
        assert client.get(f"/api/v1/{path}", headers={"If-None-Match": seen}).status_code == 304, path


def test_the_whole_plan_is_dropped_by_null():
    shown = {"mode": "off", "plan": {"monday": [("08:00", "12:00")]}, "time_zone": "UTC"}
    assert merge(RecordingSchema, shown, {"plan": None})["plan"] == {}
