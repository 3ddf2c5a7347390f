"""Types of the options of each plugin in the OpenAPI document: operations of its own, with typed values."""

import copy
import re
from collections.abc import Callable, Sequence
from typing import Any

from gateway.api.base import API_PREFIX
from gateway.api.document import with_null
from gateway.plugin_options.registry import PluginForms
from gateway.plugin_options.resolve import DEVICE, INSTALLATION

_SCHEMA = "#/components/schemas/"
_GENERAL = "PluginOptions"
#: The general addresses, what the plugin's name stands for in each, and the level of their options.
_PATHS = (
    (f"{API_PREFIX}/plugins/{{name}}/options", INSTALLATION),
    (f"{API_PREFIX}/plugins/{{name}}/options/tags/{{tag}}", DEVICE),
    (f"{API_PREFIX}/devices/{{device_id}}/plugins/{{name}}", DEVICE),
)


def add_typed_options(find_forms: Callable[[], Sequence[PluginForms]], document: dict[str, Any]) -> None:
    """Add, for each plugin with options, the operations at its own addresses. The general ones remain."""
    schemas = document["components"]["schemas"]
    for forms in find_forms():
        name = "".join(part.capitalize() for part in re.findall(r"[A-Za-z0-9]+", forms.plugin))
        for path, level in _PATHS:
            if not forms.forms_of(level):
                continue
            typed = f"{name}{level.capitalize()}Options"
            if typed not in schemas:
                schemas[f"{name}{level.capitalize()}Values"] = _values(forms, level)
                schemas[typed] = _typed(schemas[_GENERAL], f"{name}{level.capitalize()}Values")
            document["paths"][path.replace("{name}", forms.plugin)] = _item(
                document["paths"][path], forms.plugin, f"{_SCHEMA}{typed}"
            )


def _values(forms: PluginForms, level: str) -> dict[str, Any]:
    properties = copy.deepcopy(forms.json_schema(level)["properties"])
    return {
        "type": "object",
        "description": f"Options of the plugin {forms.plugin}.",
        "properties": {name: with_null(schema) for name, schema in properties.items()},
        "additionalProperties": False,
    }


def _typed(general: dict[str, Any], values: str) -> dict[str, Any]:
    typed = copy.deepcopy(general)
    for name in ("values", "effective", "inherited"):
        before = typed["properties"][name]
        typed["properties"][name] = {"$ref": f"{_SCHEMA}{values}"} | {
            key: before[key] for key in ("description", "readOnly") if key in before
        }
    return typed


def _item(general: dict[str, Any], plugin: str, schema: str) -> dict[str, Any]:
    item = copy.deepcopy(general)
    if "parameters" in item:
        item["parameters"] = [part for part in item["parameters"] if part["name"] != "name"]
    for method, operation in item.items():
        if method == "parameters":
            continue
        operation["parameters"] = [part for part in operation.get("parameters", []) if part.get("name") != "name"]
        operation["operationId"] = operation["operationId"].replace("plugin", re.sub(r"\W+", "_", plugin), 1)
        operation["summary"] = f"{operation['summary']}: {plugin}"
        contents = [operation["requestBody"]["content"]] if "requestBody" in operation else []
        contents += [reply["content"] for reply in operation["responses"].values() if "content" in reply]
        for media in (media for content in contents for media in content.values()):
            if media["schema"].get("$ref") == f"{_SCHEMA}{_GENERAL}":
                media["schema"] = {"$ref": schema}
                media.pop("example", None)
    return item
