"""The OpenAPI document, and the API against it: any request gets a documented reply and never a 500."""

import os
import re
import shutil
import uuid

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings, strategies
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode, checks

from gateway import database
from gateway.api.document import IGNORES_UNKNOWN_QUERY
from gateway.app import create_app
from gateway.captures.bookmark_changes import create_bookmark
from gateway.captures.bookmarks import BookmarkValues
from gateway.captures.queue import CaptureRequest
from gateway.streams.model import transition
from gateway.tenancy.scopes import TenantScope
from gateway.tenancy.tenants import DEFAULT_TENANT_ID
from tests.contracts.repository import relative, tracked_files
from tests.factories import device_body, make_config, no_plugins
from tests.gateway.api.snapshot_worker import draw_picture, keep_picture

#: A nightly run tries more and different examples: SCHEMATHESIS_EXAMPLES=500.
MANY = os.environ.get("SCHEMATHESIS_EXAMPLES")
EXAMPLES = int(MANY or 30)


@pytest.fixture(scope="module")
def model_app(sqlite_model, redis_server, tmp_path_factory):
    """The application, its settings, and a database with one resource of each kind, whose ids are in KNOWN."""
    folder = tmp_path_factory.mktemp("api")
    folders = {f"{name}_dir": folder / name for name in ("recordings", "exports", "captures")}
    path = folder / "vas.db"
    shutil.copy(sqlite_model, path)
    config = make_config(database_url=f"sqlite:///{path}", redis_url=redis_server.url, var_dir=folder, **folders)
    app = create_app(config, no_plugins())
    device = app.test_client().post("/api/v1/devices", json=device_body(tags=["gate"])).json
    transition(device["id"], "starting", reason="requested")
    snapshot_id, bookmark_id = str(uuid.uuid4()), str(uuid.uuid4())
    request = CaptureRequest(id=snapshot_id, tenant_id=DEFAULT_TENANT_ID, device_id=device["id"])
    keep_picture(config, request, 1_773_230_400_000, draw_picture(64, 36))
    create_bookmark(
        TenantScope(DEFAULT_TENANT_ID),
        bookmark_id,
        BookmarkValues(1_773_230_400_000, "A van"),
        device_id=device["id"],
        device_name=device["name"],
        asked={},
    )
    schedule = (
        app.test_client()
        .post("/api/v1/snapshots/schedules", json={"device_id": device["id"], "every_seconds": 60})
        .json
    )
    app.config["KNOWN"] = {
        "device_id": device["id"],
        "snapshot_id": snapshot_id,
        "bookmark_id": bookmark_id,
        "schedule_id": schedule["id"],
    }
    database.close()
    return app, config, path.rename(folder / "model.db")


@pytest.fixture
def api_app(model_app, redis_url, monkeypatch):
    """The application over its own database and an empty Redis, without workers."""
    app, config, model = model_app
    monkeypatch.setattr("gateway.api.devices.probing.WAIT_SECONDS", 0.01)
    for name in ("BLOCK_SECONDS", "START_SECONDS", "HINT_SECONDS"):
        monkeypatch.setattr(f"gateway.api.playback.live.{name}", 0.01)
    # Names in generated URLs are not resolved: the time of the resolver is not under test.
    monkeypatch.setattr("gateway.devices.sources.resolve_host", lambda host: [])
    shutil.copy(model, model.with_name("vas.db"))
    database.connect(config)
    yield app
    database.close()


RECORDING = "/recordings/devices/{device_id}"
CAPTURE = "/snapshots/devices/{device_id}/capture"
LIVE_FILES = ("init-{run}.mp4", "{run}-{sequence}.m4s", "{run}-{first}-{last}.m4s")
OPERATIONS = [
    ("GET", "/devices"),
    ("POST", "/devices"),
    ("GET", "/devices/{device_id}"),
    ("PUT", "/devices/{device_id}"),
    ("PATCH", "/devices/{device_id}"),
    ("DELETE", "/devices/{device_id}"),
    ("GET", "/devices/{device_id}/events"),
    ("GET", "/devices/{device_id}/events/lanes"),
    ("GET", "/devices/{device_id}/events/neighbours"),
    ("GET", "/events"),
    ("GET", "/events/stream"),
    ("GET", "/events/values"),
    ("GET", "/events/{event_id}"),
    ("POST", "/devices/probe"),
    ("POST", "/devices/tags"),
    ("POST", "/rtsp/streams/start"),
    ("POST", "/rtsp/streams/stop"),
    ("POST", "/rtsp/streams/{device_id}/start"),
    ("POST", "/rtsp/streams/{device_id}/stop"),
    ("POST", "/rtsp/streams/{device_id}/try-now"),
    ("GET", "/streams"),
    ("GET", "/streams/active"),
    ("GET", "/streams/{device_id}"),
    ("GET", "/streams/{device_id}/latest.mp4"),
    ("GET", "/plugins"),
    ("GET", "/plugins/{name}/options"),
    ("PUT", "/plugins/{name}/options"),
    ("GET", "/plugins/{name}/options/tags/{tag}"),
    ("PUT", "/plugins/{name}/options/tags/{tag}"),
    ("DELETE", "/plugins/{name}/options/tags/{tag}"),
    ("GET", "/devices/{device_id}/plugins"),
    ("GET", "/devices/{device_id}/plugins/{name}"),
    ("PUT", "/devices/{device_id}/plugins/{name}"),
    ("DELETE", "/devices/{device_id}/plugins/{name}"),
    ("GET", "/plugins/{name}"),
    ("GET", "/plugins/{name}/panels/{panel}.js"),
    ("GET", "/metrics"),
    ("GET", "/health"),
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    ("GET", "/recordings"),
    ("GET", "/recordings/storage"),
    ("GET", "/recordings/coverage"),
    ("GET", f"{RECORDING}"),
    ("PUT", f"{RECORDING}"),
    ("PATCH", f"{RECORDING}"),
    ("POST", f"{RECORDING}/start"),
    ("POST", f"{RECORDING}/stop"),
    ("POST", f"{RECORDING}/resume"),
    ("GET", f"{RECORDING}/events"),
    ("POST", f"{RECORDING}/events"),
    ("GET", f"{RECORDING}/dates"),
    ("GET", f"{RECORDING}/dates/{{day}}/segments"),
    ("GET", f"{RECORDING}/timeline"),
    ("GET", f"{RECORDING}/coverage"),
    ("DELETE", f"{RECORDING}/footage"),
    ("GET", f"{RECORDING}/protections"),
    ("POST", f"{RECORDING}/protections"),
    ("DELETE", f"{RECORDING}/protections/{{protection_id}}"),
    ("GET", f"{RECORDING}/playlist"),
    ("GET", f"{RECORDING}/segments/{{segment_id}}.mp4"),
    ("GET", f"{RECORDING}/segments/{{segment_id}}/init.mp4"),
    ("GET", f"{RECORDING}/segments/{{segment_id}}/sound/{{offset}}-{{length}}.m4s"),
    *((("GET", f"{RECORDING}/live/{sound}{name}")) for sound in ("", "{sound}/") for name in LIVE_FILES),
    ("POST", f"{RECORDING}/export"),
    ("GET", "/jobs"),
    ("GET", "/jobs/{job_id}"),
    ("DELETE", "/jobs/{job_id}"),
    ("POST", "/jobs/{job_id}/cancel"),
    ("POST", "/jobs/{job_id}/retry"),
    ("GET", "/jobs/{job_id}/result"),
    ("GET", "/devices/{device_id}/poster.jpg"),
    ("POST", f"{CAPTURE}/live"),
    ("POST", f"{CAPTURE}/historical"),
    ("GET", "/snapshots"),
    ("GET", "/snapshots/tags"),
    ("GET", "/snapshots/{snapshot_id}"),
    ("PUT", "/snapshots/{snapshot_id}"),
    ("PATCH", "/snapshots/{snapshot_id}"),
    ("DELETE", "/snapshots/{snapshot_id}"),
    ("POST", "/snapshots/{snapshot_id}/restore"),
    ("GET", "/snapshots/{snapshot_id}/image"),
    ("GET", "/snapshots/schedules"),
    ("POST", "/snapshots/schedules"),
    ("GET", "/snapshots/schedules/{schedule_id}"),
    ("PUT", "/snapshots/schedules/{schedule_id}"),
    ("PATCH", "/snapshots/schedules/{schedule_id}"),
    ("DELETE", "/snapshots/schedules/{schedule_id}"),
    ("POST", "/snapshots/devices/{device_id}/time-lapse"),
    ("GET", "/devices/deleted"),
    ("DELETE", "/devices/deleted/{device_id}"),
    ("POST", "/devices/{device_id}/restore"),
    ("GET", "/recordings/devices/{device_id}/expiring"),
    ("POST", "/recordings/storage/trust-clock"),
    ("POST", "/recordings/storage/archives/{archive}/test"),
    ("POST", "/recordings/storage/archives/{archive}/retry"),
    ("GET", "/bookmarks"),
    ("GET", "/bookmarks/tags"),
    ("POST", "/bookmarks"),
    ("GET", "/bookmarks/{bookmark_id}"),
    ("PUT", "/bookmarks/{bookmark_id}"),
    ("PATCH", "/bookmarks/{bookmark_id}"),
    ("DELETE", "/bookmarks/{bookmark_id}"),
    ("POST", "/bookmarks/{bookmark_id}/restore"),
    ("POST", "/bookmarks/{bookmark_id}/clip"),
    ("GET", "/bookmarks/{bookmark_id}/clip.mp4"),
    ("GET", "/bookmarks/{bookmark_id}/poster.jpg"),
]

UNAVAILABLE = {
    (503, "/health/ready"),
    (503, "/devices/probe"),
    (503, f"{RECORDING}/playlist"),
    (503, "/devices/{device_id}/poster.jpg"),
}

CHECKS = [
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
    checks.negative_data_rejection,
]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["as documented", "malformed"])
# A stream of events has no end; its replies are tested in tests/gateway/api/events.
@pytest.mark.parametrize(("method", "path"), [one for one in OPERATIONS if one != ("GET", "/events/stream")])
def test_every_reply_is_documented(api_app, method, path, mode):
    operation = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", api_app)[f"/api/v1{path}"][method]
    described = document(api_app)["paths"][f"/api/v1{path}"][method.lower()]
    documented = described["responses"]
    # Schemathesis takes every name that the document does not contain for a fault.
    accepted = CHECKS[:-1] if described.get(IGNORES_UNKNOWN_QUERY) else CHECKS
    answered = []

    @settings(
        max_examples=EXAMPLES,
        derandomize=not MANY,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), is_known=strategies.booleans())
    def ask(case, is_known):
        if is_known:
            known = api_app.config["KNOWN"]
            case.path_parameters |= {name: known[name] for name in known.keys() & (case.path_parameters or {}).keys()}
            if mode is GenerationMode.POSITIVE and isinstance(case.body, dict) and "device_id" in case.body:
                case.body["device_id"] = known["device_id"]
        has_source = isinstance(case.body, dict) and "source_url" in case.body
        if is_known and mode is GenerationMode.POSITIVE and has_source:
            # The document cannot express all rules of a source URL: a valid one lets the other fields be tested.
            case.body |= {"source_url": f"rtsp://10.0.0.{len(answered) + 1}/x", "sub_source_url": None}
            case.body |= {"name": f"camera {len(answered)}"} if "name" in case.body else {}
            (case.headers or {}).pop("If-Match", None)
        # Schemathesis does not decode the compressed replies of a WSGI application.
        answer = case.call(headers={"Accept-Encoding": "identity"})
        answered.append(answer.status_code)
        # No worker answers probes here, and no camera sends; both replies are documented.
        assert answer.status_code < 500 or (answer.status_code, path) in UNAVAILABLE
        # Schemathesis accepts any status if there is a default response, as every operation has.
        assert str(answer.status_code) in documented
        case.validate_response(answer, checks=accepted)

    try:
        ask()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, "no request could be made from the document"
    assert answered or mode is GenerationMode.NEGATIVE
    if (
        mode is GenerationMode.POSITIVE
        and method in ("POST", "PUT")
        and path.startswith("/devices")
        and not {"probe", "plugins"} & set(path.split("/"))
    ):
        assert {200, 201}.intersection(answered), "no well-formed device was accepted"


def document(app):
    return app.test_client().get("/api/v1/openapi.json").json


def test_every_operation_is_described(api_app):
    for path, operations in document(api_app)["paths"].items():
        for method, operation in operations.items():
            if method != "parameters":
                assert operation.get("summary"), f"{method} {path}"
                assert operation["tags"], f"{method} {path}"
                assert any(code.startswith("2") for code in operation["responses"]), f"{method} {path}"


#: The beginning of all paths, and those of plugins that the guide for their authors builds.
_OF_EXAMPLES = {"/api/v1", "/api/v1/motion_count", "/api/v1/plugins/night_watch/options"}


def test_every_path_in_the_documents_exists():
    app = create_app(make_config())
    database.close()
    known = {re.sub(r"{\w+}", "{}", path) for path in document(app)["paths"]} | {"/api/v1/openapi.json"}
    missing = []
    for page in (path for path in tracked_files() if path.suffix == ".md"):
        text = page.read_text(encoding="utf-8").replace("$API/", "/api/v1/")
        for address in re.findall(r"/api/v1/[\w{}$./-]*", text):
            path = re.sub(r"{\w+}|\$\w+|\bID\b", "{}", address).rstrip("/.")
            if path not in known | _OF_EXAMPLES:
                missing.append(f"{relative(page)}: {address}")
    assert missing == []


def test_every_parameter_is_described(api_app):
    for path, operations in document(api_app)["paths"].items():
        shared = operations.get("parameters", [])
        for method, operation in operations.items():
            if method != "parameters":
                for parameter in (*shared, *operation.get("parameters", [])):
                    assert parameter.get("description"), f"{method} {path} {parameter['name']}"


def test_every_error_has_the_one_shape(api_app):
    found = document(api_app)
    for path, operations in found["paths"].items():
        for method, operation in operations.items():
            for code, answer in operation.get("responses", {}).items() if method != "parameters" else ():
                if code.startswith(("4", "5")):
                    named = answer.get("$ref", "").rpartition("/")[2]
                    whole = found["components"]["responses"][named] if named else answer
                    reference = whole["content"]["application/json"]["schema"]["$ref"]
                    assert reference == "#/components/schemas/Error", f"{method} {path} {code}"


def test_the_document_has_these_operations_and_no_others(api_app):
    found = {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, operations in document(api_app)["paths"].items()
        for method in operations
        if method != "parameters"
    }
    assert found == set(OPERATIONS)
