"""Projects of plugins for the tests of `vas plugin`."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import database
from gateway.plugin_kit.findings import Finding
from gateway.plugin_kit.inspection import Inspection

#: The first lines of a module that is right.
HEAD = '''"""Does something."""

from gateway.plugin_api import *

requires_plugin_api = ">=1.0,<2"


'''


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Path]:
    """Write the project of a plugin `one`; returns its folder."""

    def write(code: str, *, head: str = HEAD, name: str = "one") -> Path:
        folder = tmp_path / f"vas-{name}"
        folder.mkdir()
        points = f'[project.entry-points."gateway.plugins"]\n{name} = "vas_{name}"\n'
        (folder / "pyproject.toml").write_text(f'[project]\nname = "vas-{name}"\nversion = "1"\n{points}')
        (folder / "README.md").write_text("# One\n")
        (folder / f"vas_{name}.py").write_text(head + code)
        return folder

    return write


@pytest.fixture
def inspect(project, tmp_path, monkeypatch) -> Callable[..., list[Finding]]:
    """What the child process of `vas plugin check` finds in a module, here without a process."""

    def run(code: str, **options: str) -> list[Finding]:
        folder = project(code, **options)
        monkeypatch.syspath_prepend(str(folder))
        monkeypatch.delitem(sys.modules, "vas_one", raising=False)
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        messages: list[dict] = []
        request = {
            "name": "one",
            "value": "vas_one",
            "package": "vas-one",
            "folders": [str(folder)],
            "scratch": str(scratch),
        }
        Inspection(request, lambda message: messages.append(json.loads(json.dumps(message)))).run()
        return [Finding(**message["finding"]) for message in messages if "finding" in message]

    path = list(sys.path)
    yield run
    sys.path[:] = path
    sys.modules.pop("vas_one", None)
    database.close()
