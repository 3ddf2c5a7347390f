"""Which requests for the live playlist start an on_demand device."""

import pytest

from gateway.app import create_app
from gateway.streams.model import request_start
from gateway.streams.queries import read_stream_record
from tests.factories import device_body, make_config, no_plugins

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0"}
OWN = {"Referer": "http://localhost/cameras/1"}
#: Each with `cross-site` and the like over TLS and on localhost, without it over plain HTTP.
VIEWERS = [
    {"User-Agent": "VLC/3.0.21 LibVLC/3.0.21"},
    {"User-Agent": "Lavf/61.7.100"},
    {"User-Agent": ""},
    {"User-Agent": "AppleCoreMedia/1.0.0.20G75 (iPhone; U; CPU OS 16_6 like Mac OS X; en_us)", **OWN},
    BROWSER | OWN,
    BROWSER | {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "empty"},
    BROWSER | {"Sec-Fetch-Site": "none", "Sec-Fetch-Dest": "document"},
    BROWSER | {"Origin": "http://localhost"},
    BROWSER | {"Origin": "https://localhost"},
    BROWSER | {"Sec-Fetch-Site": "cross-site", "Origin": "https://app.example.com"},
    BROWSER | {"Sec-Fetch-Site": "cross-site", "Referer": "https://app.example.com/"},
    BROWSER | {"Referer": "https://app.example.com/"},
]
OTHERS = [
    BROWSER,
    BROWSER | {"Sec-Fetch-Site": "cross-site"},
    BROWSER | {"Sec-Fetch-Site": "same-site", **OWN},
    BROWSER | {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    BROWSER | {"Origin": "https://evil.example"},
    BROWSER | {"Origin": "null"},
    BROWSER | {"Origin": "null", **OWN},
    BROWSER | {"Origin": "http://localhost:8080"},
    BROWSER | {"Referer": "https://evil.example/"},
    BROWSER | {"Referer": "http://localhost.evil.example/"},
    BROWSER | {"Referer": "nonsense"},
    {"User-Agent": "AppleCoreMedia/1.0.0.20G75", "Referer": "https://evil.example/"},
    BROWSER | OWN | {"Sec-Purpose": "prefetch"},
    BROWSER | OWN | {"Sec-Purpose": "prefetch;prerender", "Sec-Fetch-Site": "same-origin"},
    BROWSER | OWN | {"Purpose": "prefetch"},
    BROWSER | OWN | {"X-Moz": "prefetch"},
]


@pytest.fixture
def client(config, monkeypatch):
    for name in ("BLOCK_SECONDS", "START_SECONDS"):
        monkeypatch.setattr(f"gateway.api.playback.live.{name}", 0.01)
    values = {name: getattr(config, name) for name in ("database_url", "redis_url", "var_dir")}
    return create_app(make_config(**values, allowed_origins=("https://app.example.com",)), no_plugins()).test_client()


def create(client) -> str:
    return client.post("/api/v1/devices", json=device_body(start_mode="on_demand")).json["id"]


def ask(client, device_id, headers, method="GET"):
    return client.open(f"/api/v1/recordings/devices/{device_id}/playlist", method=method, headers=headers)


def test_a_viewer_starts_an_on_demand_device(client):
    for headers in VIEWERS:
        device_id = create(client)
        assert ask(client, device_id, headers).json["reason"] == "no_footage_yet", headers
        assert read_stream_record(device_id).desired == "running", headers


def test_pages_of_other_sites_and_requests_in_advance_start_nothing(client, scope):
    device_id, running_id = create(client), create(client)
    request_start(scope, running_id)
    for headers in OTHERS:
        answer = ask(client, device_id, headers)
        assert (answer.status_code, answer.json["reason"]) == (404, "no_footage"), headers
        assert "ALLOWED_ORIGINS" in answer.json["message"]
        # Nor do they keep one running that nobody else watches.
        assert ask(client, running_id, headers).json["reason"] == "no_footage_yet", headers
    assert ask(client, device_id, BROWSER | OWN, "HEAD").status_code == 404
    assert read_stream_record(device_id).desired == "stopped"
    assert read_stream_record(running_id).demanded_at is None
