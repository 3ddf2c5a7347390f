"""The OpenAPI document is one for machines: stable names, strict requests with limits, open replies, every error."""

import ast
import re
from typing import Any

import pytest

from gateway import database
from gateway.api.document import operations_of
from gateway.app import create_app
from gateway.captures.clips import CLIP_CANCELLED
from gateway.captures.schedules import SCHEDULE_REASONS
from gateway.jobs.model import JOB_ERRORS
from gateway.states import REASONS
from tests.contracts.repository import python_files, relative
from tests.factories import make_config

_REFERENCE = re.compile(r"#/components/schemas/(\w+)")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    app = create_app(make_config())
    found = app.test_client().get("/api/v1/openapi.json").json
    assert app.test_client().get("/api/v1/openapi.json").json == found
    database.close()
    return found


def reachable(value: Any, schemas: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    waiting = _REFERENCE.findall(str(value))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _REFERENCE.findall(str(schemas[name]))
    return found


def requests_and_replies(document: dict[str, Any]) -> tuple[set[str], set[str]]:
    schemas = document["components"]["schemas"]
    operations = [operation for _, _, operation in operations_of(document)]
    bodies = [operation.get("requestBody") for operation in operations]
    return reachable(bodies, schemas), reachable([operation["responses"] for operation in operations], schemas)


def test_every_operation_has_a_readable_id_of_its_own(document):
    ids = [operation["operationId"] for _, _, operation in operations_of(document)]
    assert len(set(ids)) == len(ids)
    assert [name for name in ids if not re.fullmatch(r"[a-z]+(_[a-z][a-z0-9]*){1,4}", name)] == []
    assert {"list_devices", "create_device", "get_device", "replace_device", "delete_device", "start_stream"} <= set(
        ids
    )


def test_no_operation_needs_a_key_until_there_are_accounts(document):
    assert document["security"] == []


def test_every_operation_documents_a_fault_of_the_request(document):
    for path, method, operation in operations_of(document):
        faults = [code for code in operation["responses"] if code.startswith("4")]
        assert "400" in faults, f"{method} {path}"
        for code in faults:
            answer = operation["responses"][code]
            shared = answer.get("$ref", "").rpartition("/")[2]
            media = (document["components"]["responses"][shared] if shared else answer)["content"]["application/json"]
            assert media["schema"]["$ref"].endswith("/Error"), f"{method} {path} {code}"
            assert media["example"]["code"] == int(code), f"{method} {path} {code}"


def test_replies_are_open_and_requests_are_strict(document):
    schemas = document["components"]["schemas"]
    asked, answered = requests_and_replies(document)
    assert not asked & answered
    assert asked | answered | {"Error"} == set(schemas), "a schema that nobody uses"
    for name in asked:
        assert schemas[name]["additionalProperties"] is False, name
    for name in answered:
        assert "'additionalProperties': False" not in str(schemas[name]), name


def test_no_field_of_a_request_is_mandatory_because_of_its_default(document):
    asked, _ = requests_and_replies(document)
    for name in asked:
        assert "'default':" not in str(document["components"]["schemas"][name]), name
        assert "'readOnly':" not in str(document["components"]["schemas"][name]), name
    assert (
        "(default: always)"
        in document["components"]["schemas"]["DeviceRequest"]["properties"]["start_mode"]["description"]
    )


def test_the_codes_of_reasons_are_listed_with_their_meaning(document):
    code = document["components"]["schemas"]["Reason"]["properties"]["code"]
    known = {CLIP_CANCELLED.code, *SCHEDULE_REASONS, *JOB_ERRORS, *REASONS}
    assert set(code["enum"]) == known == set(code["x-enumDescriptions"])
    assert all(code["x-enumDescriptions"].values())


#: Classes and functions that take the reason of an error reply.
_ERRORS = ("ApiError", "Conflict", "InvalidValue", "NotFound", "RedisErrorsAs", "SealBroken", "Unavailable")
#: Reasons of errors that no request meets.
_INTERNAL = {"file_exists", "invalid_setting", "invalid_transition", "lease_lost", "plugin_failed"}


def test_the_reasons_of_errors_are_listed_with_their_meaning(document):
    listed = document["components"]["schemas"]["Error"]["properties"]["reason"]["x-reasons"]
    given: dict[str, str] = {}
    for path in python_files("gateway", "plugins"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            values = []
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in _ERRORS:
                values = [word.value for word in node.keywords if word.arg == "reason"]
            elif isinstance(node, ast.ClassDef):
                values = [
                    part.value
                    for part in node.body
                    if isinstance(part, ast.Assign) and ast.unparse(part.targets[0]) == "reason"
                ]
            for value in values:
                if isinstance(value, ast.Constant):
                    given[value.value] = f"{relative(path)}:{node.lineno}"
    assert {"name_taken", "no_footage", "cross_site"} <= given.keys()
    assert {code: place for code, place in given.items() if code not in {*listed, *REASONS, *_INTERNAL}} == {}
    assert all(listed.values())


def test_everything_that_a_request_contains_has_a_limit(document):
    schemas = document["components"]["schemas"]
    holes: list[str] = []

    def check(where: str, schema: dict[str, Any]) -> None:
        if "$ref" in schema:
            return
        kinds = schema.get("type", [])
        kinds = kinds if isinstance(kinds, list) else [kinds]
        needed = {
            "string": {"maxLength", "enum"} | ({"format"} if schema.get("format") == "uuid" else set()),
            "array": {"maxItems"},
            "object": {"maxProperties"},
            "integer": {"maximum"},
            "number": {"maximum"},
        }
        is_closed = schema.get("additionalProperties") is False
        for kind in kinds:
            if kind in needed and not needed[kind] & schema.keys() and not (kind == "object" and is_closed):
                holes.append(f"{where}: {kind}")
        for name, part in schema.get("properties", {}).items():
            check(f"{where}.{name}", part)
        if "items" in schema:
            check(f"{where}[]", schema["items"])

    for path, item in document["paths"].items():
        for parameter in item.get("parameters", []):
            # The path is limited by the server, and its numbers by the longest that the rules of a route accept.
            if parameter["schema"].get("type") != "integer" and parameter["name"] != "sound":
                check(f"{path} {parameter['name']}", parameter["schema"])
    for path, method, operation in operations_of(document):
        for parameter in operation.get("parameters", []):
            check(f"{method} {path} {parameter['name']}", parameter["schema"])
    for name in requests_and_replies(document)[0]:
        check(name, schemas[name])
    assert holes == []


def test_binary_replies_have_their_media_type(document):
    for path, method, operation in operations_of(document):
        name = path.rpartition("/")[2]
        if method == "get" and "." in name and not name.endswith(".json"):
            kinds = operation["responses"]["200"]["content"]
            assert "application/json" not in kinds, path
            assert all(media["schema"].get("format") == "binary" for media in kinds.values()), path
