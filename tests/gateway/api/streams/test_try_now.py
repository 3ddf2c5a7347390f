"""`POST /rtsp/streams/{id}/try-now`."""

import pytest

from gateway.devices.sources import parse_source
from tests.factories import SOURCE_URL

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SUB = SOURCE_URL.replace("viewer", "other")


@pytest.fixture
def wired(app):
    return app.extensions["vas"]


def url(device, action="try-now"):
    return f"/api/v1/rtsp/streams/{device['id']}/{action}"


def pause(wired, text):
    source = parse_source(text)
    for _ in range(3):
        wired.logins.refused(source)
    assert wired.logins.check(source) is not None
    return source


def test_the_pauses_of_both_logins_and_of_the_stream_end(client, wired, device):
    client.patch(f"/api/v1/devices/{device['id']}", json={"sub_source_url": SUB})
    client.post(url(device, "start"))
    paused = [pause(wired, SOURCE_URL), pause(wired, SUB)]
    answer = client.post(url(device))
    assert (answer.status_code, answer.json["desired"]) == (202, "running")
    assert [wired.logins.check(source) for source in paused] == [None, None]
    assert wired.try_now.take(device["id"])
    assert not wired.try_now.take(device["id"]), "it counts once"


def test_a_device_that_is_not_to_run_is_not_tried(client, wired, device):
    answer = client.post(url(device))
    assert (answer.status_code, answer.json["reason"]) == (409, "stream_stopped")
    client.patch(f"/api/v1/devices/{device['id']}", json={"enabled": False})
    answer = client.post(url(device))
    assert (answer.status_code, answer.json["reason"]) == (409, "device_disabled")
    assert not wired.try_now.take(device["id"])


def test_an_unknown_device_is_not_found(client):
    assert client.post(url({"id": "7b1c0d52-6c4f-4f0e-9a3c-0d9c5a1f2b3c"})).status_code == 404


def test_a_login_that_no_key_opens_is_no_error(client, wired, device):
    client.post(url(device, "start"))
    wired.box.__init__("another-key-0123456789abcdef")
    assert client.post(url(device)).status_code == 202
