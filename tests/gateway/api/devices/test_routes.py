"""`/devices`."""

import json
import uuid

import pytest

from gateway.clock import utc_now
from gateway.events.model import record_event
from gateway.streams.model import transition
from gateway.streams.queries import read_device_settings
from gateway.tenancy.tenants import DEFAULT_TENANT_ID
from tests.factories import PASSWORD, SHOWN_URL, SOURCE_URL, device_body

URL = "/api/v1/devices"

#: For rules that are checked before any query.
one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_the_reply_to_a_new_device_is_complete_but_for_the_password(client):
    answer = client.post(URL, json=device_body(name="Front gate", tags=["b", "a", "b"], location="  Hall "))
    assert answer.status_code == 201
    body = answer.json
    assert answer.headers["Location"] == f"{URL}/{body['id']}"
    assert answer.headers["ETag"].startswith('"1.')
    assert body == {
        "id": str(uuid.UUID(body["id"])),
        "name": "Front gate",
        "source_url": SHOWN_URL,
        "sub_source_url": None,
        "transport": "tcp",
        "tls_trust": "verify",
        "tls_fingerprint": None,
        "description": "",
        "location": "Hall",
        "tags": ["a", "b"],
        "start_mode": "manual",
        "idle_seconds": 60,
        "enabled": True,
        "state": "stopped",
        "desired": "stopped",
        "recording": {
            "mode": "off",
            "observed": "off",
            "is_wanted": False,
            "reason": {
                "code": "recording_off",
                "message": "recording is switched off",
                "remedy": "choose another recording mode",
            },
            "since": body["recording"]["since"],
        },
        "has_credentials": True,
        "created_at": body["created_at"],
        "updated_at": body["created_at"],
    }
    assert body["created_at"].endswith("Z")
    assert client.get(answer.headers["Location"]).json == body


def test_a_device_that_always_runs_is_started_at_once(app, client):
    body = device_body()
    del body["start_mode"]  # it is the default
    answer = client.post(URL, json=body)
    assert (answer.json["start_mode"], answer.json["desired"]) == ("always", "running")
    message = app.extensions["vas"].redis.lrange("dramatiq:stream", 0, -1)
    assert len(message) == 1
    assert PASSWORD not in str(app.extensions["vas"].redis.hgetall("dramatiq:stream.msgs"))


@one_database
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\u0000b"}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "a\ud800b"}, "name"),
        ({"name": 5}, "name"),
        ({"name": None}, "name"),
        ({"source_url": "http://10.0.0.1/"}, "source_url"),
        ({"source_url": "rtsp://169.254.169.254/"}, "source_url"),
        ({"source_url": "rtsp://localhost/"}, "source_url"),
        ({"source_url": SHOWN_URL}, "source_url"),
        ({"source_url": None}, "source_url"),
        ({"sub_source_url": "rtsp://127.0.0.1/"}, "sub_source_url"),
        ({"transport": "http"}, "transport"),
        ({"tags": ["x" * 51]}, "tags"),
        ({"tags": [str(n) for n in range(21)]}, "tags"),
        ({"tags": "gate"}, "tags"),
        ({"start_mode": "sometimes"}, "start_mode"),
        ({"idle_seconds": 0}, "idle_seconds"),
        ({"idle_seconds": 1.5}, "idle_seconds"),
        ({"idle_seconds": "60"}, "idle_seconds"),
        ({"idle_seconds": True}, "idle_seconds"),
        ({"idle_seconds": 10**30}, "idle_seconds"),
        ({"enabled": "yes"}, "enabled"),
        ({"enabled": 1}, "enabled"),
        ({"description": "x" * 2001}, "description"),
        ({"owner": "me"}, "owner"),
    ],
)
def test_a_wrong_field_is_named(client, change, field):
    # Not with json=: Flask would refuse to encode a lone surrogate.
    answer = client.post(URL, data=json.dumps(device_body(**change)), content_type="application/json")
    assert answer.status_code == 422, answer.json
    assert list(answer.json["errors"]["json"]) == [field]
    assert answer.json["reason"] in ("invalid_value", "address_not_allowed")
    assert client.get(URL).json == []


def test_all_wrong_fields_are_named_at_once(client):
    answer = client.post(URL, json={"source_url": "ftp://x", "tags": 1})
    assert set(answer.json["errors"]["json"]) == {"name", "source_url", "tags"}


def test_a_name_that_is_taken_is_a_conflict(client, device):
    answer = client.post(URL, json=device_body(name=device["name"].upper()))
    assert (answer.status_code, answer.json["reason"]) == (409, "name_taken")


def test_lists_are_paged_sorted_and_filtered(client):
    for number in range(5):
        client.post(URL, json=device_body(name=f"cam {number}", tags=["odd" if number % 2 else "even"]))
    answer = client.get(URL + "?page=2&page_size=2&sort=-name")
    assert [device["name"] for device in answer.json] == ["cam 2", "cam 1"]
    assert json.loads(answer.headers["X-Pagination"]) == {
        "total": 5,
        "total_pages": 3,
        "first_page": 1,
        "last_page": 3,
        "page": 2,
        "previous_page": 1,
        "next_page": 3,
    }
    assert len(client.get(URL + "?tag=odd").json) == 2
    assert len(client.get(URL + "?tag=odd&tag=even").json) == 0
    assert client.get(URL + "?tag=odd" + "&tag=even" * 20).status_code == 422
    assert [device["name"] for device in client.get(URL + "?q=CAM 3").json] == ["cam 3"]
    assert client.get(URL + "?state=running").json == []
    assert len(client.get(URL + "?state=stopped&page_size=200").json) == 5
    assert client.get(URL + "?page=9").json == []


@one_database
@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=x",
        "page=-1",
        "page_size=201",
        "page=99999999999999",
        "sort=password",
        "state=gone",
        "tag=",
        "page=%00",
        "q=%00",
        "colour=red",
        "page=\u0661",
    ],
)
def test_a_wrong_query_is_refused(client, query):
    answer = client.get(f"{URL}?{query}")
    assert answer.status_code == 422, answer.json
    assert list(answer.json["errors"]["query"]) == [query.partition("=")[0]]


def test_the_reply_of_get_can_be_put_back_unchanged(client, device):
    answer = client.put(f"{URL}/{device['id']}", json=device, headers={"If-Match": '"1"'})
    assert (answer.status_code, answer.json, answer.headers["ETag"][:3]) == (200, device, '"1.')


def test_put_replaces_all_and_keeps_the_password_of_a_shown_url(client, device, app):
    answer = client.put(f"{URL}/{device['id']}", json={"name": "New", "source_url": SHOWN_URL, "tags": ["x"]})
    assert (answer.status_code, answer.headers["ETag"][:3]) == (200, '"2.')
    assert (answer.json["name"], answer.json["tags"], answer.json["location"]) == ("New", ["x"], "")
    assert read_device_settings(device["id"], app.extensions["vas"].box).source_url == SOURCE_URL


@one_database
@pytest.mark.parametrize(
    "url",
    [
        "rtsp://***@10.9.9.9:554/stream1?token=***",
        "rtsp://***@192.168.7.20:554/other",
        "rtsp://192.168.7.20/x?token=***",
    ],
)
def test_a_changed_url_must_contain_its_password_again(client, device, url):
    answer = client.put(f"{URL}/{device['id']}", json={**device, "source_url": url})
    assert answer.status_code == 422
    assert "again" in answer.json["errors"]["json"]["source_url"][0]


def test_credentials_are_gone_when_a_url_without_them_is_put(client, device, app):
    answer = client.put(f"{URL}/{device['id']}", json={**device, "source_url": "rtsp://192.168.7.20/stream1"})
    assert answer.json["has_credentials"] is False
    assert read_device_settings(device["id"], app.extensions["vas"].box).source_url == "rtsp://192.168.7.20/stream1"


@one_database
@pytest.mark.parametrize("if_match", ['"7"', "nonsense", 'W/"7"', '"1', "\u00fc"])
def test_an_outdated_version_is_refused(client, device, if_match):
    answer = client.put(f"{URL}/{device['id']}", json=device, headers={"If-Match": if_match})
    assert (answer.status_code, answer.json["reason"]) == (412, "version_changed")


@pytest.mark.parametrize("if_match", ['"1"', "*", '"7", "1"'])
def test_the_current_version_is_accepted(client, device, if_match):
    answer = client.put(f"{URL}/{device['id']}", json={**device, "location": "x"}, headers={"If-Match": if_match})
    assert answer.status_code == 200


def test_disabling_a_device_stops_it(client):
    device = client.post(URL, json=device_body(start_mode="always")).json
    answer = client.put(f"{URL}/{device['id']}", json={**device, "enabled": False})
    assert answer.json["desired"] == "stopped"


def test_a_deleted_device_is_gone_at_once(client, device):
    transition(device["id"], "starting")
    answer = client.delete(f"{URL}/{device['id']}")
    assert (answer.status_code, answer.data) == (204, b"")
    assert client.get(f"{URL}/{device['id']}").status_code == 404
    assert client.delete(f"{URL}/{device['id']}").status_code == 404
    assert client.get(URL).json == []


@pytest.mark.parametrize(
    "name", ["00000000-0000-4000-8000-00000000dead", "1", "x" * 500, "%00", "..%2f..%2fetc", "null"]
)
@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_a_device_that_does_not_exist_is_not_found(client, name, method):
    options = {"json": device_body()} if method == "put" else {}
    answer = getattr(client, method)(f"{URL}/{name}", **options)
    assert (answer.status_code, answer.json["reason"]) == (404, "not_found")


def test_history_is_newest_first_with_reasons(client, device):
    transition(device["id"], "starting", reason="requested", run=None)
    transition(device["id"], "reconnecting", reason="refused", message="nothing listens on port 554")
    answer = client.get(f"{URL}/{device['id']}/events?page_size=1")
    assert json.loads(answer.headers["X-Pagination"])["total"] == 3
    event = answer.json[0]
    assert (event["from"], event["to"], event["run"]) == ("starting", "reconnecting", None)
    assert event["reason"]["code"] == "refused"
    assert event["reason"]["message"] == "nothing listens on port 554"
    assert event["reason"]["remedy"]
    assert (event["kind"], event["text"], event["reference"], event["by_name"]) == ("state", None, None, None)
    assert client.get(f"{URL}/{uuid.uuid4()}/events").status_code == 404


def test_the_history_contains_snapshots_and_bookmarks_too(client, device):
    transition(device["id"], "starting")
    for kind, text in (("snapshot", "a live picture"), ("bookmark", "'Van' was marked")):
        record_event(DEFAULT_TENANT_ID, device["id"], kind, text, reference="77", by_name="Ann", at=utc_now())

    def kinds(query=""):
        return [event["kind"] for event in client.get(f"{URL}/{device['id']}/events{query}").json]

    assert kinds() == ["bookmark", "snapshot", "state", "device"]
    assert kinds("?kind=snapshot") == ["snapshot"]
    assert kinds("?kind=snapshot&kind=bookmark&page_size=1") == ["bookmark"]
    event = client.get(f"{URL}/{device['id']}/events?kind=bookmark").json[0]
    assert (event["text"], event["reference"], event["by_name"]) == ("'Van' was marked", "77", "Ann")
    assert (event["from"], event["to"], event["reason"], event["run"]) == (None, None, None, None)
    assert kinds("?kind=party") == []
