"""The trust in a camera's certificate, from the API to the pipeline."""

import pytest

from gateway.streams.queries import read_device_settings
from tests.factories import device_body
from tests.gateway.api.devices.test_probing import RESULT, StubWorker

URL = "/api/v1/devices"
PRINT = "0a" * 32
PINNED = {"tls_trust": "pinned", "tls_fingerprint": PRINT}
SOURCE = "rtsps://10.0.0.9/a"

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def add(client, **values):
    answer = client.post(URL, json=device_body(source_url=SOURCE, **values))
    assert answer.status_code == 201, answer.json
    return answer.json


def settings_of(app, device):
    return read_device_settings(device["id"], app.extensions["vas"].box)


def test_certificates_are_verified_unless_somebody_says_otherwise(app, client):
    device = add(client)
    assert (device["tls_trust"], device["tls_fingerprint"]) == ("verify", None)
    settings = settings_of(app, device)
    assert (settings.tls_trust, settings.tls_fingerprint) == ("verify", None)


@pytest.mark.parametrize("text", [PRINT.upper(), ":".join(["0A"] * 32), " " + " ".join(["0a"] * 32)])
def test_a_fingerprint_is_stored_in_one_notation(app, client, text):
    device = add(client, tls_trust="pinned", tls_fingerprint=text)
    assert device["tls_fingerprint"] == PRINT
    settings = settings_of(app, device)
    assert (settings.tls_trust, settings.tls_fingerprint) == ("pinned", PRINT)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"tls_trust": "pinned"}, "tls_fingerprint"),
        ({"tls_trust": "pinned", "tls_fingerprint": None}, "tls_fingerprint"),
        ({"tls_trust": "any", "tls_fingerprint": PRINT}, "tls_fingerprint"),
        ({"tls_fingerprint": PRINT}, "tls_fingerprint"),
        ({"tls_trust": "pinned", "tls_fingerprint": "0a" * 20}, "tls_fingerprint"),
        ({"tls_trust": "pinned", "tls_fingerprint": ""}, "tls_fingerprint"),
        ({"tls_trust": "pinned", "tls_fingerprint": "x" * 100_000}, "tls_fingerprint"),
        ({"tls_trust": "pinned", "tls_fingerprint": 7}, "tls_fingerprint"),
        ({"tls_trust": "trust me"}, "tls_trust"),
        ({"tls_trust": None}, "tls_trust"),
    ],
)
@pytest.mark.parametrize("path", ["", "/probe"])
def test_a_fingerprint_comes_with_pinned_and_only_with_it(client, path, values, field):
    body = device_body(source_url=SOURCE, **values) if not path else {"source_url": SOURCE} | values
    answer = client.post(URL + path, json=body)
    assert answer.status_code == 422
    assert list(answer.json["errors"]["json"]) == [field]


@pytest.mark.parametrize("change", [PINNED, {"tls_trust": "any"}])
def test_a_running_pipeline_follows_a_change(app, client, change):
    device = add(client)
    before = settings_of(app, device).source_version
    path = f"{URL}/{device['id']}"
    assert client.patch(path, json=change).status_code == 200
    assert settings_of(app, device).source_version == before + 1
    assert client.patch(path, json=change).status_code == 200
    assert settings_of(app, device).source_version == before + 1, "the same values change nothing"


@pytest.mark.parametrize("trust", ["verify", "any", None])
def test_a_patch_of_the_trust_alone_removes_the_fingerprint(client, trust):
    device = add(client, **PINNED)
    answer = client.patch(f"{URL}/{device['id']}", json={"tls_trust": trust})
    assert (answer.status_code, answer.json["tls_fingerprint"]) == (200, None)
    assert answer.json["tls_trust"] == trust or "verify"


def test_a_patch_of_the_fingerprint_keeps_the_trust(client):
    device = add(client, **PINNED)
    answer = client.patch(f"{URL}/{device['id']}", json={"tls_fingerprint": "FF" * 32})
    assert (answer.json["tls_trust"], answer.json["tls_fingerprint"]) == ("pinned", "ff" * 32)


def test_a_deleted_device_comes_back_with_its_trust(client):
    device = add(client, **PINNED)
    client.delete(f"{URL}/{device['id']}")
    restored = client.post(f"{URL}/{device['id']}/restore").json
    assert (restored["tls_trust"], restored["tls_fingerprint"]) == ("pinned", PRINT)


def test_a_probe_takes_the_trust_to_its_worker(app, client):
    worker = StubWorker(app.extensions["vas"], RESULT)
    assert client.post(f"{URL}/probe", json={"source_url": SOURCE} | PINNED).status_code == 200
    worker.thread.join(5)
    assert (worker.request.tls_trust, worker.request.tls_fingerprint) == ("pinned", PRINT)
