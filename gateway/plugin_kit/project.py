"""The project of a plugin: a folder with `pyproject.toml` (or `setup.cfg`), or an installed package."""

import configparser
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from gateway.plugin_kit.findings import ERROR, WARNING, Finding
from gateway.plugin_manager import ENTRY_POINT_GROUP

_TARGET = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*)?", re.ASCII)
_SECTION = f'[project.entry-points."{ENTRY_POINT_GROUP}"]'


@dataclass(slots=True)
class Project:
    """The plugins of a project by name, as `module` or `module:object`, and the folders in which its modules are."""

    points: dict[str, str] = field(default_factory=dict)
    folders: list[Path] = field(default_factory=list)
    package: str = ""
    findings: list[Finding] = field(default_factory=list)


def open_project(target: str) -> Project:
    """The project in a folder, or the installed plugin of this name."""
    path = Path(target).expanduser()
    try:
        if path.is_file() and path.name in ("pyproject.toml", "setup.cfg"):
            path = path.parent
        if path.is_dir():
            return _read_folder(path)
        exists = path.exists()
    except (OSError, ValueError):
        exists = False
    point = next((one for one in find_installed() if one.name == target), None)
    if point is not None:
        name = point.dist.name if point.dist is not None else ""
        return Project({point.name: point.value}, package=name)
    problem = (
        f"'{target}' is neither a folder nor a 'pyproject.toml'"
        if exists
        else f"there is no folder '{target}', and no plugin of this name is installed"
    )
    return Project(findings=[Finding(ERROR, problem, "give the folder of the project, or a name of 'vas plugin list'")])


def find_installed() -> list[EntryPoint]:
    """The entry points of all installed plugins."""
    return list(entry_points(group=ENTRY_POINT_GROUP))


def _read_folder(folder: Path) -> Project:
    project = Project(folders=[one for one in (folder / "src", folder) if one.is_dir()])
    try:
        points = _read_points(folder, project)
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        project.findings.append(Finding(ERROR, f"'{folder}' cannot be read: {error}", file=str(folder)))
        return project
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        file = str(folder / "pyproject.toml")
        project.findings.append(
            Finding(ERROR, f"it is not TOML: {error}", "correct it", file, int(line[1]) if line else None)
        )
        return project
    file = str(folder / ("pyproject.toml" if (folder / "pyproject.toml").is_file() else "setup.cfg"))
    if not points and not project.findings:
        remedy = f'write {_SECTION} with a line NAME = "MODULE"'
        project.findings.append(Finding(ERROR, "the project has no plugin", remedy, file))
    for name, value in points.items():
        if not isinstance(value, str) or not _TARGET.fullmatch(value):
            problem = f"the plugin '{name}' must name a module, such as \"vas_{name}\", not {value!r:.80}"
            project.findings.append(Finding(ERROR, problem, "correct it", file))
        else:
            project.points[name] = value
    if not any(one.is_file() for one in folder.glob("README*")):
        problem = "the project has no README"
        project.findings.append(Finding(WARNING, problem, "write what it does, and its options", str(folder)))
    return project


def _read_points(folder: Path, project: Project) -> dict[str, Any]:
    pyproject, setup = folder / "pyproject.toml", folder / "setup.cfg"
    points: dict[str, Any] = {}
    if not pyproject.is_file() and not setup.is_file():
        problem = f"'{folder}' has no pyproject.toml"
        remedy = "give the folder of a project; 'vas plugin new NAME' writes one"
        project.findings.append(Finding(ERROR, problem, remedy))
    if pyproject.is_file():
        content = tomllib.loads(pyproject.read_text(encoding="utf-8"))
        own = content.get("project")
        own = own if isinstance(own, Mapping) else {}
        project.package = own.get("name") if isinstance(own.get("name"), str) else ""
        groups = own.get("entry-points")
        found = groups.get(ENTRY_POINT_GROUP) if isinstance(groups, Mapping) else None
        points = dict(found) if isinstance(found, Mapping) else {}
    if not points and setup.is_file():
        parser = configparser.ConfigParser(interpolation=None)
        parser.read(setup, encoding="utf-8")
        project.package = parser.get("metadata", "name", fallback=project.package)
        lines = parser.get("options.entry_points", ENTRY_POINT_GROUP, fallback="").splitlines()
        pairs = (line.partition("=") for line in lines if "=" in line)
        points = {name.strip(): value.strip() for name, _, value in pairs}
    return points
