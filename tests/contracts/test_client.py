"""A client that is generated from the OpenAPI document works against the running application."""

import importlib
import json
import re
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from werkzeug.serving import make_server

from gateway import database
from gateway.app import create_app
from gateway.captures.queue import CaptureRequest
from gateway.tenancy.tenants import DEFAULT_TENANT_ID
from tests.contracts.repository import ROOT
from tests.factories import SOURCE_URL, make_config
from tests.gateway.api.snapshot_worker import draw_picture, keep_picture
from tests.options_plugin import with_options

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class GeneratedClient:
    """The operations and models of the generated package, by their names."""

    def __init__(self, package: ModuleType, address: str) -> None:
        self._package = package
        self._client = importlib.import_module(f"{package.__name__}.client").Client(base_url=address)
        self.models = importlib.import_module(f"{package.__name__}.models")

    def call(self, group: str, operation: str, /, *arguments: Any, **options: Any) -> Any:
        """The status and the parsed body of a call."""
        module = importlib.import_module(f"{self._package.__name__}.api.{group}.{operation}")
        answer = module.sync_detailed(*arguments, client=self._client, **options)
        return answer.status_code, answer.parsed, answer


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The package that openapi-python-client makes with the settings in docs/api.md, without a warning."""
    folder = tmp_path_factory.mktemp("client")
    app = create_app(make_config(), with_options())
    (folder / "openapi.json").write_text(json.dumps(app.test_client().get("/api/v1/openapi.json").json))
    database.close()
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    (folder / "client.yml").write_text(re.search(r"```yaml\n(.*?)```", page, re.DOTALL)[1] + "post_hooks: []\n")
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning"]
    command += ["--path", "openapi.json", "--output-path", "vas_client", "--config", "client.yml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout.upper(), done.stdout
    sys.path.insert(0, str(folder))
    yield importlib.import_module("vas_client")
    sys.path.remove(str(folder))


@pytest.fixture
def client(package, config) -> Iterator[GeneratedClient]:
    app = create_app(config, with_options())
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield GeneratedClient(package, f"http://127.0.0.1:{server.port}")
    server.shutdown()
    thread.join(10)
    database.close()


def test_the_generated_client_works_against_the_running_application(client, config):
    models = client.models
    wanted = models.DeviceRequest(name="Front gate", source_url=SOURCE_URL, tags=["gate"])
    wanted.start_mode = models.DeviceRequestStartMode.MANUAL
    status, device, answer = client.call("devices", "create_device", body=wanted)
    assert (status, device.name, device.start_mode) == (201, "Front gate", "manual")
    assert answer.headers["Location"].endswith(str(device.id))

    assert [found.id for found in client.call("devices", "list_devices", tag=["gate"], page_size=10)[1]] == [device.id]
    stream = client.call("streams", "start_stream", device.id)[1]
    assert (stream.desired, stream.observed, stream.recording.observed) == ("running", "stopped", "off")
    assert stream.recording.reason.code == models.ReasonCode.RECORDING_OFF

    status, error, _ = client.call("devices", "create_device", body=wanted)
    assert (status, type(error), error.reason) == (409, models.Error, "name_taken")
    status, error, _ = client.call("devices", "create_device", body=models.DeviceRequest(name="", source_url="x"))
    assert (status, set(error.errors["json"])) == (422, {"name", "source_url"})

    snapshot_id = uuid.uuid4()
    request = CaptureRequest(id=str(snapshot_id), tenant_id=DEFAULT_TENANT_ID, device_id=str(device.id))
    keep_picture(config, request, 1_773_230_400_000, draw_picture(64, 36))
    status, picture, _ = client.call("snapshots", "get_snapshot_image", snapshot_id)
    assert status == 200
    assert picture.payload.read(2) == b"\xff\xd8"

    health = client.call("health", "get_health")[1]
    assert health.components["stream_slots"].status == "down"
    assert client.call("devices", "delete_device", device.id)[0] == 204
    assert client.call("devices", "get_device", device.id)[0] == 404


def test_the_options_of_a_plugin_are_typed_for_a_generated_client(client):
    models = client.models
    wanted = models.DeviceRequest(name="Front gate", source_url=SOURCE_URL)
    _, device, _ = client.call("devices", "create_device", body=wanted)
    values = models.DoorBellDeviceValuesRequest(volume=7, names=["a"], pin="4711")
    body = models.DoorBellDeviceOptionsRequest(values=values)
    status, answer, _ = client.call("plugin_options", "replace_device_door_bell_options", device.id, body=body)
    assert (status, answer.values.volume, answer.effective.pause, answer.secrets["pin"]) == (200, 7, 60, True)
    assert (answer.origins["volume"].level, answer.origins["pause"].level) == ("device", "default")
    body.values.volume = 101
    status, error, _ = client.call("plugin_options", "replace_device_door_bell_options", device.id, body=body)
    assert (status, set(error.errors["json"]["values"])) == (422, {"volume"})
    assert len(client.call("plugin_options", "list_device_plugins", device.id)[1]) == 1
    assert client.call("plugin_options", "get_plugin_options", "door_bell")[1].missing == ["server"]


def test_a_new_field_and_a_plugins_code_do_not_break_a_generated_client(client):
    reason = client.models.Reason.from_dict({"code": "unknown", "message": "m", "remedy": "", "severity": 3})
    assert reason.additional_properties == {"severity": 3}
