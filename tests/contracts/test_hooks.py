"""Every hook has a heading in plugins/README.md, a test that names it, and a plugin that uses it."""

import inspect
import re
import sys
import tomllib
import types
from importlib.metadata import EntryPoint

import pytest

from gateway.hookspecs import Hooks
from gateway.plugin_manager import ENTRY_POINT_GROUP, create_plugin_manager, describe_plugins, notify
from tests.contracts.repository import ROOT, python_files

HOOKS = [name for name, member in vars(Hooks).items() if inspect.isfunction(member)]
REFERENCE = (ROOT / "plugins/README.md").read_text(encoding="utf-8")
HEADINGS = re.findall(r"^### (\w+)$", REFERENCE.partition("\n## Hooks\n")[2], re.MULTILINE)


def test_every_hook_has_a_heading_and_every_heading_a_hook():
    assert sorted(HEADINGS) == sorted(HOOKS)


@pytest.mark.parametrize("hook", HOOKS)
def test_the_reference_shows_the_hooks_arguments(hook: str):
    text = REFERENCE.partition(f"### {hook}\n")[2].partition("\n### ")[0]
    signature = re.search(rf"`{hook}\((.*?)\) ->", text)
    assert signature, "the line below the heading is the signature"
    shown = [argument.partition(":")[0].strip() for argument in signature[1].split(",")]
    assert shown == [name for name in inspect.signature(getattr(Hooks, hook)).parameters if name != "self"]


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_belongs_to_one_of_the_two_families_and_has_a_docstring(hook: str):
    assert hook.startswith(("register_", "on_"))
    assert inspect.getdoc(getattr(Hooks, hook))


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_used_by_one_of_our_plugins(hook: str):
    assert getattr(create_plugin_manager().hook, hook).get_hookimpls(), hook


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_named_by_a_test(hook: str):
    tests = [path for path in python_files("tests") if "contracts" not in path.parts]
    assert any(re.search(rf"\b{hook}\b", path.read_text(encoding="utf-8")) for path in tests)


def test_the_example_plugin_works_as_documented(monkeypatch, caplog):
    files = dict(re.findall(r"```(toml|python)\n(.*?)```", REFERENCE, re.DOTALL))
    points = tomllib.loads(files["toml"])["project"]["entry-points"][ENTRY_POINT_GROUP]
    ((name, module_name),) = points.items()
    assert f"`{module_name}.py`" in REFERENCE
    module = types.ModuleType(module_name)
    exec(files["python"], vars(module))
    monkeypatch.setitem(sys.modules, module_name, module)
    point = EntryPoint(name, module_name, ENTRY_POINT_GROUP)
    monkeypatch.setattr("gateway.plugin_manager.entry_points", lambda group: [point])
    manager = create_plugin_manager()
    notify(manager, "on_stream_state", device_id="7", state="reconnecting", reason="refused")
    assert "device 7 is lost: refused" in caplog.text
    (described,) = describe_plugins(manager)
    assert (described.name, described.hooks) == (name, ("on_stream_state",))
    assert described.description == "Rings when a camera is lost."


@pytest.mark.parametrize("folder", sorted(path.parent.name for path in (ROOT / "plugins").glob("*/__init__.py")))
def test_each_of_our_plugins_has_a_readme(folder: str):
    assert (ROOT / "plugins" / folder / "README.md").is_file()
