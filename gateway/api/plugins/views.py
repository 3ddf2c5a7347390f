"""Parts of plugins as the API shows them."""

from typing import Any
from urllib.parse import quote

from gateway.api.base import API_PREFIX
from gateway.errors import Unavailable
from gateway.panels import Panels


def panel_views(panels: Panels, plugin: str) -> list[dict[str, Any]]:
    """The panels of a plugin, as in the schema `Panel`."""
    return [
        {"name": panel.name, "title": panel.title, "place": panel.place, "url": _url(panels, plugin, panel.name)}
        for panel in panels.of(plugin)
    ]


def _url(panels: Panels, plugin: str, name: str) -> str:
    """The address of a module. It changes with the module, because a page loads each address once."""
    address = f"{API_PREFIX}/plugins/{quote(plugin, safe='')}/panels/{name}.js"
    try:
        return f"{address}?v={panels.read(plugin, name).digest}"
    except Unavailable:
        return address
