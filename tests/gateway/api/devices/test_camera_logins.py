"""User and password of a camera in fields of their own, exactly as the camera has them."""

import json
import logging

import pytest

from gateway.devices.sources import parse_source
from gateway.streams.queries import read_device_settings
from tests.factories import SHOWN_URL, SOURCE_URL, device_body
from tests.gateway.api.devices.test_probing import RESULT, StubWorker

URL = "/api/v1/devices"
HOST = "rtsp://10.0.0.9:554/cam/realmonitor?channel=1"
SUB = "rtsp://10.0.0.9:554/cam/realmonitor?channel=2"

#: Passwords that people have: each sign that means something in a URL, blanks, letters of other languages, long ones,
#: and such as look encoded.
PASSWORDS = [
    *("p@ss", "a:b", "a/b", "what?", "no#1", "100%", "a+b", "a&b=c", "=x", "wow!", "$HOME", "x^2", "a[1]", "]["),
    *("a|b", "back\\slash", 'a"b', " lead and trail ", "éü€", "Z" * 63, "p%40ss", "%2F", "a@b:c/d?e#f%g"),
    *("'; DROP", "é", "***", "<>{}`~"),
]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def add(client, **values):
    answer = client.post(URL, json=device_body(**({"source_url": HOST} | values)))
    assert answer.status_code == 201, answer.json
    return answer.json


def logins_of(app, device):
    settings = read_device_settings(device["id"], app.extensions["vas"].box)
    sub = settings.sub_source_url and parse_source(settings.sub_source_url).credentials
    return parse_source(settings.source_url).credentials, sub


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_password_reaches_the_camera_as_it_was_typed_and_is_never_shown(app, client, caplog, password):
    caplog.set_level(logging.DEBUG)
    device = add(client, username="ad min", password=password, sub_source_url=SUB)
    assert logins_of(app, device) == (("ad min", password), ("ad min", password))
    assert device["source_url"] == HOST.replace("//", "//***@")
    assert device["sub_source_url"] == SUB.replace("//", "//***@")
    assert device["has_credentials"]
    path = f"{URL}/{device['id']}"
    replies = [client.get(path), client.get(URL), client.get(f"{path}/events"), client.get(f"/api/v1/streams/{path}")]
    shown = str([reply.json for reply in replies]) + caplog.text + str(device)
    assert "password" not in shown
    if password not in ("***", "=x", "][", "a:b"):
        assert password not in shown
    assert "ad min" not in shown


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_probe_tries_a_password_as_it_was_typed(app, client, password):
    worker = StubWorker(app.extensions["vas"], RESULT)
    answer = client.post(f"{URL}/probe", json={"source_url": HOST, "username": "admin", "password": password})
    worker.thread.join(5)
    assert answer.status_code == 200, answer.json
    assert parse_source(worker.request.source_url).credentials == ("admin", password)


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_password_in_the_url_is_used_as_it_is_or_its_character_is_named(client, app, password):
    answer = client.post(URL, json=device_body(source_url=HOST.replace("//", f"//admin:{password}@")))
    if answer.status_code == 201:
        found = logins_of(app, answer.json)[0]
        # What looks encoded is decoded: nobody can tell.
        assert found == ("admin", {"p%40ss": "p@ss", "%2F": "/", "é": "é"}.get(password, password))
        return
    (message,) = answer.json["errors"]["json"]["source_url"]
    if password == "***":
        assert "in place of ***" in message
        return
    named = message.partition("contains ")[2].partition(":")[0].strip("'")
    assert named == "a blank" or named in password or named == "é"
    assert "write it as %" in message
    assert "the field 'password'" in message


def test_the_document_has_the_login_in_requests_alone(client):
    schemas = client.get("/api/v1/openapi.json").json["components"]["schemas"]
    for name in ("DeviceRequest", "DevicePatch", "ProbeArgs"):
        assert {"username", "password"} <= schemas[name]["properties"].keys()
    assert not {"username", "password"} & schemas["Device"]["properties"].keys()


def test_only_the_password_is_changed_and_the_user_kept(app, client):
    device = add(client, username="admin", password="old", sub_source_url=SUB)
    answer = client.patch(f"{URL}/{device['id']}", json={"password": "n/w"})
    assert answer.status_code == 200, answer.json
    assert logins_of(app, device) == (("admin", "n/w"), ("admin", "n/w"))
    assert answer.json["source_url"] == device["source_url"]


def test_only_the_user_is_changed_and_the_password_kept(app, client):
    device = add(client, username="admin", password="p", sub_source_url=SUB)
    client.patch(f"{URL}/{device['id']}", json={"username": "viewer"})
    assert logins_of(app, device) == (("viewer", "p"), ("viewer", "p"))


def test_secrets_elsewhere_in_the_url_are_kept(app, client):
    device = add(client, source_url=SOURCE_URL)
    body = device_body(name=device["name"], source_url=SHOWN_URL, username="a", password="b")
    assert client.put(f"{URL}/{device['id']}", json=body).status_code == 200
    url = read_device_settings(device["id"], app.extensions["vas"].box).source_url
    assert url == "rtsp://a:b@192.168.7.20:554/stream1?token=t0k3n-n0t-t0-be-seen"


def test_a_login_is_removed_by_empty_texts_and_kept_by_null(app, client):
    device = add(client, username="admin", password="p")
    client.patch(f"{URL}/{device['id']}", json={"username": None, "password": None})
    assert logins_of(app, device)[0] == ("admin", "p")
    answer = client.patch(f"{URL}/{device['id']}", json={"username": "", "password": ""})
    assert (answer.json["source_url"], answer.json["has_credentials"]) == (HOST, False)


def test_an_address_that_moved_takes_a_new_login_in_place_of_the_hidden_one(app, client):
    device = add(client, username="admin", password="p")
    moved = device["source_url"].replace("10.0.0.9", "10.0.0.10")
    assert client.patch(f"{URL}/{device['id']}", json={"source_url": moved}).status_code == 422
    change = {"source_url": moved, "password": "q"}
    answer = client.patch(f"{URL}/{device['id']}", json=change)
    assert answer.status_code == 422, "the stored user is not sent to another address"
    assert client.patch(f"{URL}/{device['id']}", json=change | {"username": "u"}).status_code == 200
    assert logins_of(app, device)[0] == ("u", "q")


def test_a_sub_stream_of_another_host_or_login_keeps_its_own(app, client):
    other = "rtsp://10.0.0.77/b"
    device = add(client, username="admin", password="p", sub_source_url=other)
    assert logins_of(app, device) == (("admin", "p"), None)
    device = add(client, username="admin", password="p", sub_source_url=SUB.replace("//", "//x:y@"))
    assert logins_of(app, device) == (("admin", "p"), ("x", "y"))


def test_two_streams_that_are_shown_alike_keep_their_own_logins(app, client):
    device = add(client, source_url=HOST.replace("//", "//a:1@"), sub_source_url=HOST.replace("//", "//b:2@"))
    client.patch(f"{URL}/{device['id']}", json={"password": "3"})
    assert logins_of(app, device) == (("a", "3"), ("b", "3"))


def test_a_probe_keeps_what_is_not_sent_of_the_login(app, client):
    device = add(client, username="admin", password="p", sub_source_url=SUB)
    for shown in (device["source_url"], device["sub_source_url"]):
        worker = StubWorker(app.extensions["vas"], RESULT)
        body = {"source_url": shown, "device_id": device["id"], "password": "q", "try_now": True}
        assert client.post(f"{URL}/probe", json=body).status_code == 200
        worker.thread.join(5)
        assert worker.request.source_url == shown.replace("***", "admin:q")
        assert worker.request.tries_now


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"password": "p"}, "username"),
        ({"username": "", "password": "p"}, "username"),
        ({"username": "a", "password": "b", "source_url": "rtsp://c:d@10.0.0.9/"}, "source_url"),
        ({"username": "a", "password": "x" * 129}, "password"),
        ({"username": "a" * 80, "password": "x" * 80}, "source_url"),
        ({"username": "a", "password": "€" * 128}, "source_url"),
        ({"username": "a", "password": "a\nb"}, "password"),
        ({"username": "a", "password": "a\x00b"}, "password"),
        ({"username": "a", "password": "\ud800"}, "password"),
        ({"username": "a", "password": 7}, "password"),
        ({"username": ["a"]}, "username"),
    ],
)
def test_a_login_that_cannot_be_used_is_named(client, values, field):
    # Not with json=: Flask would replace a lone surrogate.
    body = json.dumps(device_body(**({"source_url": HOST} | values)))
    answer = client.post(URL, data=body, content_type="application/json")
    assert answer.status_code == 422, answer.json
    assert list(answer.json["errors"]["json"]) == [field]


def test_a_login_that_no_key_opens_is_replaced(app, client, config):
    device = add(client, username="admin", password="p")
    app.extensions["vas"].box._ciphers.clear()
    app.extensions["vas"].box.__init__("another-key-0123456789abcdef")
    path = f"{URL}/{device['id']}"
    assert client.patch(path, json={"password": "q"}).status_code == 422
    assert client.patch(path, json={"username": "admin", "password": "q"}).status_code == 200
    assert logins_of(app, device)[0] == ("admin", "q")
