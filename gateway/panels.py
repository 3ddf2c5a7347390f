"""The panels of plugins on pages of the UI: collected once a process, their modules read from files with a limit."""

import hashlib
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import NotFound, Unavailable
from gateway.plugin_manager import PluginManager, collect_named
from gateway.plugin_surface import PANEL_PLACES, Panel

#: Bytes of a panel's module.
MOST_BYTES = 512 << 10
#: Panels of one plugin.
MOST_PANELS = 10

_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}", re.ASCII)
_MOST_TITLE = 60


@dataclass(frozen=True, slots=True)
class Module:
    """The text of a panel's module, and a digest that changes with it."""

    data: bytes
    digest: str


@dataclass(frozen=True, slots=True)
class _Read:
    """A module as it was read from a file with this time and size."""

    stamp: tuple[int, int]
    module: Module


class Panels:
    """The panels of all plugins of a process. Thread-safe."""

    def __init__(self, manager: PluginManager) -> None:
        self._manager = manager
        self._panels = collect_panels(manager)
        self._read: dict[tuple[str, str], _Read] = {}

    def of(self, plugin: str) -> list[Panel]:
        """The panels of a plugin that runs."""
        return self._panels.get(plugin, []) if self._manager.has_plugin(plugin) else []

    def read(self, plugin: str, name: str) -> Module:
        """The module of a panel. Raises NotFound; Unavailable `plugin_failed` if its file cannot be read."""
        panel = next((one for one in self.of(plugin) if one.name == name), None)
        if panel is None:
            raise NotFound(f"there is no panel '{name[:60]}' of a plugin '{plugin[:60]}'")
        try:
            return self._load(plugin, panel)
        except OSError as error:
            problem = f"the module of panel '{name}' of plugin '{plugin}' cannot be read"
            raise Unavailable(problem, reason="plugin_failed", detail=str(error)) from error

    def _load(self, plugin: str, panel: Panel) -> Module:
        """Read the file unless it is the one that was read before: an updated package needs no restart."""
        found = panel.module.stat()
        stamp = found.st_mtime_ns, found.st_size
        known = self._read.get((plugin, panel.name))
        if known is None or known.stamp != stamp:
            with panel.module.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
            if len(data) > MOST_BYTES:
                raise OSError(f"it has more than {MOST_BYTES} bytes")
            known = _Read(stamp, Module(data, hashlib.sha256(data).hexdigest()[:16]))
            self._read[plugin, panel.name] = known
        return known.module


def panels_of(manager: PluginManager) -> Panels:
    """The panels of a process."""
    return manager.keep("panels", lambda: Panels(manager))


def collect_panels(manager: PluginManager) -> dict[str, list[Panel]]:
    """The panels of each plugin; a plugin with an invalid one is set aside."""
    accepted: dict[str, list[Panel]] = {}
    found = collect_named(manager, "register_panels")
    for plugin in dict.fromkeys(plugin for plugin, _ in found):
        panels = [panel for name, panel in found if name == plugin]
        problem = _check_panels(panels)
        if problem is None:
            accepted[plugin] = panels
        else:
            manager.disable(plugin, problem)
    return accepted


def _check_panels(panels: list[Panel]) -> str | None:
    """What is wrong with the panels of a plugin; None if nothing is."""
    if len(panels) > MOST_PANELS:
        return f"must return at most {MOST_PANELS} panels, not {len(panels)}"
    problem = next(filter(None, map(_check_panel, panels)), None)
    if problem is not None:
        return problem
    names = [panel.name for panel in panels]
    return next((f"has two panels '{name}'" for name in names if names.count(name) > 1), None)


def _check_panel(panel: Panel) -> str | None:
    if not isinstance(panel, Panel):
        return f"must return Panel objects, not {type(panel).__name__}"
    if not isinstance(panel.name, str) or not _NAME.fullmatch(panel.name):
        return f"the name of panel {panel.name!r:.80} must be at most 50 lower-case letters, digits and '_'"
    if not isinstance(panel.title, str) or not 1 <= len(panel.title.strip()) <= _MOST_TITLE:
        return f"the title of panel '{panel.name}' must be a text of 1 to {_MOST_TITLE} characters"
    if panel.place not in PANEL_PLACES:
        return f"the place of panel '{panel.name}' must be 'device' or 'system', not {panel.place!r:.40}"
    if not isinstance(panel.module, Path) or panel.module.suffix != ".js" or not panel.module.is_absolute():
        return f"the module of panel '{panel.name}' must be the absolute Path of a file that ends with '.js'"
    try:
        found = panel.module.stat()
    except OSError:
        return f"the module of panel '{panel.name}' is missing: '{panel.module.name}'"
    if not stat.S_ISREG(found.st_mode) or found.st_size > MOST_BYTES:
        return f"the module of panel '{panel.name}' must be a file of at most {MOST_BYTES} bytes"
    return None
