"""Finds the plugin under test: the entry point in the `pyproject.toml` of the project that a test is in."""

import re
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from gateway.errors import PluginError
from gateway.plugin_manager import ENTRY_POINT_GROUP


class GivenPlugin:
    """An entry point of a module or object that is at hand."""

    group = ENTRY_POINT_GROUP
    dist = None

    def __init__(self, name: str, plugin: Any) -> None:
        self.name, self._plugin = name, plugin
        self.value = getattr(plugin, "__name__", type(plugin).__name__)

    def load(self) -> Any:
        """The module or object."""
        return self._plugin


def find_entry_point(start: Path, name: str | None = None) -> EntryPoint:
    """The plugin of the nearest `pyproject.toml` above a file or folder; `name` if it has several.

    Its folder (and `src` in it) becomes importable, so that nothing must be installed. Raises PluginError.
    """
    project = find_project(start)
    file = project / "pyproject.toml"
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PluginError(f"'{file}' cannot be read: {error}") from error
    points = content.get("project", {}).get("entry-points", {}).get(ENTRY_POINT_GROUP, {})
    if name is None and len(points) > 1:
        raise PluginError(f"'{file}' has several plugins, {', '.join(sorted(points))}: 'plugin_under_test' names one")
    chosen = name or next(iter(points), None)
    if chosen not in points:
        expected = f'[project.entry-points."{ENTRY_POINT_GROUP}"]'
        raise PluginError(
            f"'{file}' has no plugin {repr(chosen) if chosen else ''} below {expected}".replace("  ", " ")
        )
    value = points[chosen]
    if not isinstance(value, str) or not re.fullmatch(r"[\w.]+(:[\w.]+)?", value):
        raise PluginError(f"the plugin '{chosen}' in '{file}' must be 'module', not {value!r}")
    for folder in folders_of(project):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    return EntryPoint(chosen, value, ENTRY_POINT_GROUP)


def find_project(start: Path) -> Path:
    """The folder of the nearest `pyproject.toml`. Raises PluginError."""
    project = next((one for one in (start, *start.parents) if (one / "pyproject.toml").is_file()), None)
    if project is None:
        raise PluginError(f"there is no pyproject.toml above '{start}': define the fixture 'plugin_under_test'")
    return project


def folders_of(project: Path) -> list[Path]:
    """The folders of a project in which its modules may be."""
    return [folder for folder in (project / "src", project) if folder.is_dir()]
