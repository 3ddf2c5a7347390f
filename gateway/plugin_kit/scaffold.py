"""Writes the project of a new plugin from the templates beside this file."""

import keyword
import re
import shutil
from importlib.resources import files
from pathlib import Path
from string import Template

from gateway.errors import InvalidValue, VasError
from gateway.plugin_kit.project import find_installed
from gateway.plugin_version import API_VERSION

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
#: The files of a project by their templates.
_FILES = {
    "pyproject.toml": "pyproject.toml.template",
    "README.md": "README.md.template",
    "vas_${name}.py": "module.py.template",
    "tests/conftest.py": "conftest.py.template",
    "tests/test_${name}.py": "test.py.template",
}


class CannotWrite(VasError):
    """The project cannot be written."""


def check_name(name: str) -> None:
    """Raise InvalidValue unless a new plugin can have this name."""
    if not _NAME.fullmatch(name):
        better = re.sub(r"\W+", "_", name.strip().lower(), flags=re.ASCII).strip("_")
        hint = f", such as '{better}'" if _NAME.fullmatch(better) and better != name else ""
        raise InvalidValue(
            "name",
            f"the name must be lower-case letters, digits and '_', begin with a letter and have at most 40 characters, "
            f"not '{name[:80]}'{hint}",
        )
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise InvalidValue("name", f"'{name}' is a word of Python: choose another name")
    if name.endswith("_") or "__" in name:
        raise InvalidValue("name", f"'{name}' must have no '_' at its end, and no two in a row")
    for point in find_installed():
        if point.name == name:
            package = point.dist.name if point.dist is not None else "another package"
            raise InvalidValue("name", f"'{name}' is the name of a plugin of '{package}': choose another name")


def create_project(name: str, into: Path) -> Path:
    """Write the folder `vas-NAME` into a folder and return it. Raises InvalidValue and CannotWrite."""
    check_name(name)
    if not into.is_dir():
        raise InvalidValue("into", f"there is no folder '{into}'")
    folder = into / f"vas-{name.replace('_', '-')}"
    values = {
        "name": name,
        "project": folder.name,
        "title": name.replace("_", " ").capitalize(),
        "requires": f">={API_VERSION},<{int(API_VERSION.partition('.')[0]) + 1}",
    }
    try:
        folder.mkdir()
    except FileExistsError:
        raise InvalidValue("name", f"'{folder}' exists: choose another name or folder, or remove it") from None
    except OSError as error:
        raise CannotWrite(f"'{folder}' cannot be created: {error.strerror}") from error
    templates = files("gateway.plugin_kit") / "templates"
    try:
        for target, template in _FILES.items():
            path = folder / Template(target).substitute(values)
            path.parent.mkdir(exist_ok=True)
            text = Template((templates / template).read_text(encoding="utf-8")).substitute(values)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise CannotWrite(f"'{folder}' cannot be written: {error.strerror}") from error
    return folder
