"""The replies of the options of plugins."""

from dataclasses import asdict
from typing import Any

from gateway.plugin_options.editing import OptionsView


def options_view(view: OptionsView) -> dict[str, Any]:
    """The options of a plugin at one place."""
    return {
        "plugin": view.place.plugin,
        "level": view.level,
        "tag": view.place.tag or None,
        "device_id": view.place.device_id,
        "values": view.values,
        "secrets": view.secrets,
        "effective": view.effective,
        "origins": {name: asdict(origin) for name, origin in view.origins.items()},
        "inherited": view.inherited,
        "inherited_origins": {name: asdict(origin) for name, origin in view.inherited_origins.items()},
        "problems": [asdict(problem) for problem in view.problems],
        "missing": view.missing,
        "tags": view.tags,
        "schema": view.forms.json_schema(view.level),
        "changed_at": view.stored.changed_at,
        "changed_by": view.stored.changed_by,
    }
