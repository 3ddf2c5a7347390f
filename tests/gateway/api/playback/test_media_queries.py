"""Addresses of media accept the parameters that portals and caches add; everything else refuses unknown names."""

import pytest

from gateway.clock import format_time
from tests.playback import NOON_MS

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SIGNED = "token=abc&utm=1&_HLS_foo=2&Expires=1&Signature=x%2Fy&token=def"


def test_unknown_names_at_addresses_of_media_are_ignored(client, device, footage):
    url = f"/api/v1/recordings/devices/{device['id']}"
    times = f"start={format_time(NOON_MS)}&end={format_time(NOON_MS + 4000)}"
    playlist = client.get(f"{url}/playlist?{times}&{SIGNED}")
    assert playlist.status_code == 200
    assert playlist.data == client.get(f"{url}/playlist?{times}").data
    for address in (
        f"/api/v1/devices/{device['id']}/poster.jpg",
        f"{url}/playlist",
        f"{url}/segments/1.mp4",
        f"{url}/segments/1/init.mp4",
        "/api/v1/snapshots/00000000-0000-4000-8000-000000000000/image",
        "/api/v1/bookmarks/00000000-0000-4000-8000-000000000000/clip.mp4",
        "/api/v1/bookmarks/00000000-0000-4000-8000-000000000000/poster.jpg",
    ):
        assert client.get(f"{address}?{SIGNED}").status_code == client.get(address).status_code != 422, address


@pytest.mark.parametrize(
    "address",
    [
        "devices",
        "streams",
        "streams/active",
        "recordings",
        "recordings/coverage",
        "snapshots",
        "snapshots/tags",
        "bookmarks",
        "jobs",
    ],
)
def test_unknown_names_elsewhere_are_refused(client, address):
    answer = client.get(f"/api/v1/{address}?utm=1")
    assert answer.status_code == 422
    assert answer.json["errors"]["query"] == {"utm": ["is not a known field"]}


def test_known_names_at_addresses_of_media_are_checked(client, device):
    assert client.get(f"/api/v1/devices/{device['id']}/poster.jpg?width=wide&token=abc").status_code == 422
    assert client.get(f"/api/v1/recordings/devices/{device['id']}/playlist?start=x&token=abc").status_code == 422
