"""JSON Schema (2020-12) of options, from which the UI builds forms and the OpenAPI document its types.

Beside the standard keywords: `x-kind` (which part of a form), `x-order` (its place), `x-unit`, `x-scope` (`device` for
what a device may override, otherwise `installation`); `writeOnly` marks secrets.
"""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from apispec.ext.marshmallow import OpenAPIConverter

#: Limits of what the fields of a schema do not limit themselves. `json_limits.py` enforces them.
MAX_CHARACTERS, MAX_ENTRIES, MAX_NUMBER = 65_536, 32_768, 2**53 - 1

#: Nested schemas become part of the schema that contains them.
_CONVERTER = OpenAPIConverter("3.1.0", lambda _schema: None, None)
_OWN_METADATA = ("kind", "unit", "secret", "role")


def describe_field(field: ma.fields.Field, *, default: Any, order: int, scope: str) -> dict[str, Any]:
    """The JSON Schema of a field. Raises whatever a field of the plugin raises. `default`: as JSON, None without."""
    metadata = field.metadata
    build = getattr(field, "json_schema", None)
    schema = {**_metadata_of(field), **build()} if build else dict(_CONVERTER.field2property(field))
    _limit(schema)
    schema.pop("default", None)
    schema.pop("readOnly", None)
    schema["title"] = str(metadata.get("title") or (field.data_key or field.name).replace("_", " ").capitalize())
    schema |= {"x-kind": str(metadata.get("kind") or _kind_of(field)), "x-order": order, "x-scope": scope}
    if metadata.get("unit"):
        schema["x-unit"] = str(metadata["unit"])
    if metadata.get("secret"):
        schema |= {"x-kind": "secret", "writeOnly": True}
    elif default is not None:
        schema["default"] = default
    return schema


def describe_object(properties: Mapping[str, dict[str, Any]], required: list[str]) -> dict[str, Any]:
    """The JSON Schema of an object with these properties and no others."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": dict(properties),
        "additionalProperties": False,
    }
    return schema | ({"required": required} if required else {})


def _metadata_of(field: ma.fields.Field) -> dict[str, Any]:
    return {name: value for name, value in field.metadata.items() if name not in _OWN_METADATA}


def _kind_of(field: ma.fields.Field) -> str:
    if isinstance(field, ma.fields.List):
        inner = _kind_of(field.inner)
        return {"choice": "choices", "text": "texts"}.get(inner, "json")
    if isinstance(field, ma.fields.Boolean):
        return "switch"
    if isinstance(field, ma.fields.Integer | ma.fields.Float):
        return "number"
    if isinstance(field, ma.fields.Enum) or (isinstance(field, ma.fields.String) and _has_choices(field)):
        return "choice"
    if isinstance(field, ma.fields.String):
        return "lines" if getattr(field, "lines", False) else "text"
    return "json"


def _has_choices(field: ma.fields.Field) -> bool:
    return any(isinstance(check, ma.validate.OneOf) for check in field.validators)


def _limit(schema: dict[str, Any]) -> None:
    """Give each part of a schema that has no limit the general one. Parts of a value have no defaults of their own."""
    kinds = schema.get("type", [])
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if "string" in kinds and "enum" not in schema:
        schema.setdefault("maxLength", MAX_CHARACTERS)
    if "array" in kinds:
        schema.setdefault("maxItems", MAX_ENTRIES)
    if "object" in kinds and schema.get("additionalProperties") is not False:
        schema.setdefault("maxProperties", MAX_ENTRIES)
    if {"integer", "number"} & set(kinds):
        schema.setdefault("minimum", -MAX_NUMBER)
        schema.setdefault("maximum", MAX_NUMBER)
    for part in (*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")):
        if isinstance(part, dict):
            part.pop("default", None)
            _limit(part)
