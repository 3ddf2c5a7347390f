"""A running product with plugins: the four examples at work, and the same calls that a trial makes."""

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from gateway.plugin_manager import ENTRY_POINT_GROUP
from gateway.testing.fixtures import demo_camera, make_settings, running_product
from gateway.testing.trial import PluginTrial
from gateway.testing.under_test import GivenPlugin
from tests.contracts.repository import ROOT
from tests.gateway.testing import echo

__all__ = ["demo_camera", "running_product"]

pytestmark = pytest.mark.integration

EXAMPLES = ("webhook", "motion_count", "rtp_destination", "folder_archive")
TITLE = "A parcel"


@pytest.fixture(scope="module")
def plugin_under_test():
    """The plugin that notes its calls."""
    return EntryPoint("echo", "tests.gateway.testing.echo", ENTRY_POINT_GROUP)


@pytest.fixture(scope="module")
def product_settings():
    """A product that records, with the examples."""
    return {"recording_mode": "continuous", "plugins": [ROOT / "docs/plugins/examples" / name for name in EXAMPLES]}


@pytest.fixture(scope="module")
def product(running_product):
    """The product under its short name."""
    return running_product


@pytest.fixture(scope="module")
def receiver():
    """A receiver of webhooks; `receiver.got` has the messages."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            server.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_values):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.got = []
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def device_id(product, demo_camera, receiver, tmp_path_factory):
    """A camera for which all plugins are switched on, with a bookmark."""
    folder = tmp_path_factory.mktemp("archive")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtp:
        rtp.bind(("127.0.0.1", 0))
        rtp.settimeout(30)
        product.set_options("webhook", {"url": f"http://127.0.0.1:{receiver.server_port}/"})
        product.set_options("folder_archive", {"folder": str(folder)})
        product.set_options("echo", {"word": "a word", "key": "a key"})
        device_id = product.add_device("Gate", demo_camera)["id"]
        product.set_options("rtp_destination", {"address": f"127.0.0.1:{rtp.getsockname()[1]}"}, device_id=device_id)
        product.set_options("echo", {"enabled": True}, device_id=device_id)
        product.set_options("ai_analytics", {"is_on": True, "detectors": [], "sensitivity": 80}, device_id=device_id)
        product.wait_for_state(device_id, "running")
        product.folder_of_archive, product.packet = folder, rtp.recv(2000)
    product.api.post("/bookmarks", {"device_id": device_id, "title": TITLE})
    return device_id


def test_all_plugins_run(product):
    plugins = {one["name"]: one["state"] for one in product.api.get("/plugins")}
    assert {name: plugins.get(name) for name in (*EXAMPLES, "echo")} == dict.fromkeys((*EXAMPLES, "echo"), "running")


def test_rtp_is_sent_to_the_address_of_the_option(product, device_id):
    version_and_type = product.packet[0] >> 6, product.packet[1] & 0x7F
    assert version_and_type == (2, 96)


def test_the_webhook_gets_the_bookmark(product, device_id, receiver):
    product.wait_until(lambda: receiver.got, 20, "the bookmark is posted")
    assert (receiver.got[0]["device"], receiver.got[0]["title"]) == ("Gate", TITLE)
    jobs = [job for job in product.api.get("/jobs") if job["kind"] == "webhook.post"]
    product.wait_until(lambda: product.api.get(f"/jobs/{jobs[0]['id']}")["state"] == "done", 10, "the job is done")


def test_motion_is_counted(product, device_id):
    query = {"start": "2020-01-01T00:00:00Z", "end": "2099-01-01T00:00:00Z"}
    counts = product.wait_until(lambda: product.api.get("/motion_count", **query), 30, "motion is counted")
    assert counts[0]["device_id"] == device_id


def test_footage_is_copied_into_the_folder(product, device_id):
    product.api.post(f"/recordings/devices/{device_id}/stop")
    product.wait_until(lambda: list(product.folder_of_archive.rglob("*.mp4")), 30, "footage is copied")
    assert product.api.get("/health")["components"]["folder_archive"]["status"] == "ok"


@pytest.fixture
def calls_of_trial(migrated_database, tmp_path):
    """The calls of the plugin in a trial."""
    path = tmp_path / "trial.db"
    path.write_bytes(migrated_database.read_bytes())
    trial = PluginTrial(GivenPlugin("echo", echo), make_settings(tmp_path, path))
    trial.set_options({"word": "a word", "key": "a key"})
    trial.set_options({"enabled": True}, device_id=trial.device.id)
    file = trial.folder / "calls.jsonl"
    trial.attach()
    trial.attach_direct()
    trial.feed(seconds=2)
    trial.facts.bookmark(title=TITLE)
    trial.run_waiting_jobs()
    (event,) = trial.events
    trial.fact("on_event", event=event)
    trial.run_service("noting", until=lambda: '"service"' in file.read_text())
    trial.detach()
    trial.close()
    return file


def read_calls(path: Path) -> dict[str, dict]:
    """The first call of each kind; in the order in which they came."""
    found: dict[str, dict] = {}
    for line in path.read_text().splitlines():
        found.setdefault(json.loads(line)["call"], json.loads(line)["values"])
    return found


def test_a_trial_makes_the_same_calls_as_a_product(product, device_id, calls_of_trial):
    file = Path(product.env["VAR_DIR"]) / "plugins/echo/calls.jsonl"
    product.wait_until(lambda: "on_event" in read_calls(file), 20, "the event is reported")
    product.set_options("echo", {"enabled": False}, device_id=device_id)
    product.wait_until(lambda: "close" in read_calls(file), 30, "the output is closed")
    real, tried = read_calls(file), read_calls(calls_of_trial)
    # A service that is stopped with the product is not seen here.
    tried.pop("service_stopped")
    # The sound of a camera is no part of the film, and a trial has no recorder.
    assert real.keys() == tried.keys()
    # What a camera does not say, or not yet, is None.
    for name in ("main", "video"):
        one, other = real["direct"][name], tried["direct"][name]
        assert one.keys() == other.keys()
        for field in [field for field in one if "NoneType" in (one[field], other[field])]:
            del one[field], other[field]
    for call, values in real.items():
        assert values == tried[call], call
    assert [call for call in real if call in ORDER] == [call for call in tried if call in ORDER] == ORDER


#: Calls of one output in order; those of services, jobs and direct outputs come from other processes.
ORDER = ["attach", "position", "tick", "take", "close"]
