"""Completes the OpenAPI document: operation ids, open replies beside strict requests, errors and their examples."""

import copy
import re
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

from flask import Flask

_METHODS = ("get", "post", "put", "patch", "delete")
_VERBS = {"post": "create", "put": "replace", "patch": "update", "delete": "delete"}
#: Endings of view classes that say how the resource is addressed, not what it is.
_ADDRESSED = re.compile(r"_by_(id|device)$")
_SCHEMA = "#/components/schemas/"
#: Marks an operation that ignores unknown names in its query.
IGNORES_UNKNOWN_QUERY = "x-ignores-unknown-query"


#: What a reply 304 says.
NOT_MODIFIED = "not modified: If-None-Match names this version"


def complete_document(
    document: dict[str, Any],
    app: Flask,
    error_examples: dict[int, dict[str, Any]],
    add: Callable[[dict[str, Any]], None] | None = None,
) -> None:
    """Complete a document that apispec has made of the routes of `app`. `add` adds further operations and schemas."""
    document["security"] = []
    _name_operations(document, app)
    if add is not None:
        add(document)
    for _, method, operation in operations_of(document):
        operation["parameters"] = [_without_null(item) for item in operation.get("parameters", [])]
        if method == "get" and "ETag" in operation["responses"].get("200", {}).get("headers", {}):
            operation["responses"].setdefault("304", {"description": NOT_MODIFIED})
        _document_errors(operation, error_examples, document["components"].setdefault("responses", {}))
    _separate_requests(document)


def operations_of(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and operation of every operation of a document."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in _METHODS:
                yield path, method, operation


# ---- operation ids ----------------------------------------------------------------------------------------------


def _name_operations(document: dict[str, Any], app: Flask) -> None:
    """Give each operation its id: that of `doc(operationId=…)`, or one made of the name of its view."""
    views = {
        re.sub(r"<(?:[^<>]+:)?(\w+)>", r"{\1}", rule.rule): (rule.endpoint, rule.defaults or {})
        for rule in app.url_map.iter_rules()
    }
    taken: set[str] = set()
    for path, method, operation in operations_of(document):
        endpoint, _ = views[path]
        name = operation.get("operationId") or _describe(app.view_functions[endpoint], method, operation)
        if "{sound}" in path:  # a second address of the same view
            name += "_with_sound"
        if name in taken:
            name = f"{endpoint.partition('.')[0]}_{name}"
        taken.add(name)
        operation["operationId"] = name


def _describe(view: Callable[..., Any], method: str, operation: dict[str, Any]) -> str:
    view_class = getattr(view, "view_class", None)
    if view_class is None:
        return view.__name__
    noun = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", view_class.__name__).lower()
    noun = _ADDRESSED.sub("", noun)
    if method == "get":
        body = operation["responses"].get("200", {}).get("content", {}).get("application/json", {})
        return f"{'list' if body.get('schema', {}).get('type') == 'array' else 'get'}_{noun}"
    return f"{_VERBS[method]}_{noun.removesuffix('s') if method == 'post' else noun}"


# ---- parameters and errors --------------------------------------------------------------------------------------


def _without_null(parameter: dict[str, Any]) -> dict[str, Any]:
    """A parameter whose schema has no null, which a query and a header cannot carry."""
    schema = dict(parameter.get("schema", {}))
    if isinstance(schema.get("type"), list):
        kinds = [kind for kind in schema["type"] if kind != "null"]
        schema["type"] = kinds[0] if len(kinds) == 1 else kinds
    if "enum" in schema:
        schema["enum"] = [word for word in schema["enum"] if word is not None]
    if schema.get("default", ...) is None:
        del schema["default"]
    return parameter | {"schema": schema} if schema else parameter


def _document_errors(
    operation: dict[str, Any], examples: dict[int, dict[str, Any]], shared: dict[str, dict[str, Any]]
) -> None:
    """Add 400, which any request may get, and let each error that has an example refer to it in `shared`."""
    responses = operation["responses"]
    responses.setdefault(
        "400",
        {
            "description": HTTPStatus.BAD_REQUEST.phrase,
            "content": {"application/json": {"schema": {"$ref": f"{_SCHEMA}Error"}}},
        },
    )
    for code, response in list(responses.items()):
        if code.isdigit() and int(code) in examples and "content" in response:
            name = HTTPStatus(int(code)).name
            shared.setdefault(
                name,
                {
                    "description": HTTPStatus(int(code)).phrase,
                    "content": {
                        "application/json": {
                            "schema": {"$ref": f"{_SCHEMA}Error"},
                            "example": examples[int(code)],
                        }
                    },
                },
            )
            responses[code] = {"$ref": f"#/components/responses/{name}"}
    operation["responses"] = dict(sorted(responses.items()))


# ---- requests and replies ---------------------------------------------------------------------------------------


def _separate_requests(document: dict[str, Any]) -> None:
    """Make replies open and requests strict.

    A reply may get new fields, so no schema of a reply forbids them. A schema that is used in both directions gets a
    second form, `…Request`, without read-only fields: a client may send them back, and they are ignored. Requests have
    no `default`: generators take a field with one for mandatory, so it becomes part of the description.
    """
    schemas = document["components"]["schemas"]
    _describe_patches(document, schemas)
    operations = [operation for _, _, operation in operations_of(document)]
    bodies = [operation["requestBody"] for operation in operations if "requestBody" in operation]
    replies = [operation["responses"] for operation in operations] + [document["components"].get("responses", {})]
    answered = _reachable(replies, schemas)
    requests = {name: _as_request(copy.deepcopy(schema)) for name, schema in schemas.items()}
    asked = _reachable(bodies, requests)
    names = {name: f"{name}Request" if name in answered else name for name in asked}
    for name in answered:
        _open(schemas[name])
    found = {name: schemas[name] for name in answered}
    found |= {names[name]: _renamed(requests[name], names) for name in asked}
    for body in bodies:
        _renamed(body, names)
    document["components"]["schemas"] = dict(sorted(found.items()))


def _describe_patches(document: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Give each PATCH the fields of the PUT of its path: all of them optional, and null for a default."""
    for item in document["paths"].values():
        if "patch" not in item:
            continue
        [replacement] = item["put"]["requestBody"]["content"].values()
        name = replacement["schema"]["$ref"].removeprefix(_SCHEMA)
        whole = copy.deepcopy(schemas[name])
        required = whole.pop("required", [])
        whole["properties"] = {
            field: schema if field in required else with_null(schema)
            for field, schema in whole["properties"].items()
            if not schema.get("readOnly")
        }
        schemas[f"{name}Patch"] = whole | {"additionalProperties": False}
        for media in item["patch"]["requestBody"]["content"].values():
            media["schema"] = {"$ref": f"{_SCHEMA}{name}Patch"}


def with_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema that accepts null too."""
    if not schema.keys() & {"$ref", "anyOf", "type"}:
        return schema
    if "$ref" in schema or "anyOf" in schema:
        choices = schema.get("anyOf", [schema])
        return schema if {"type": "null"} in choices else {"anyOf": [*choices, {"type": "null"}]}
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    schema = {key: value for key, value in schema.items() if key != "default"}
    if "enum" in schema and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    return schema | {"type": kinds if "null" in kinds else [*kinds, "null"]}


def _reachable(roots: Any, schemas: dict[str, Any]) -> set[str]:
    """The names of the schemas that are referred to, directly or by others."""
    found: set[str] = set()
    waiting = list(_references(roots))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _references(schemas[name])
    return found


def _references(value: Any) -> Iterator[str]:
    for part in _dicts(value):
        if str(part.get("$ref", "")).startswith(_SCHEMA):
            yield part["$ref"].removeprefix(_SCHEMA)


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    """All objects within a JSON value, itself included."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            yield found
            waiting += found.values()
        elif isinstance(found, list):
            waiting += found


def _renamed(value: Any, names: dict[str, str]) -> Any:
    """The value with references to other names, changed in place."""
    for part in _dicts(value):
        reference = str(part.get("$ref", ""))
        if reference.startswith(_SCHEMA):
            part["$ref"] = _SCHEMA + names[reference.removeprefix(_SCHEMA)]
    return value


def _as_request(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema of a body, without what only replies contain."""
    fields = schema.get("properties", {})
    for name in [name for name, part in fields.items() if part.get("readOnly")]:
        del fields[name]
    for part in fields.values():
        value = part.pop("default", None)
        if value not in (None, "", [], {}):
            shown = f"default: {str(value).lower() if isinstance(value, bool) else value}"
            part["description"] = f"{part['description']} ({shown})" if part.get("description") else shown
    return schema


def _open(schema: dict[str, Any]) -> None:
    """Let a schema of replies grow, and drop what only requests contain."""
    for name in [name for name, part in schema.get("properties", {}).items() if part.get("writeOnly")]:
        del schema["properties"][name]
    if "required" in schema:
        schema["required"] = [name for name in schema["required"] if name in schema.get("properties", {})]
    for part in _dicts(schema):
        if part.get("additionalProperties") is False:
            del part["additionalProperties"]
    for field in schema.get("properties", {}).values():
        field.pop("default", None)
