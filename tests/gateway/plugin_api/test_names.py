"""The names that plugins import: all exist, and an import costs only what is used."""

import ast
import subprocess
import sys
from importlib import import_module

import pytest

from gateway import plugin_api
from gateway.plugin_api import web
from tests.contracts.repository import ROOT


@pytest.mark.parametrize("name", plugin_api.__all__)
def test_every_name_is_there(name: str):
    assert getattr(plugin_api, name) is not None


def test_a_name_that_is_not_there_is_told_by_name():
    with pytest.raises(ImportError, match="Recorder"):
        from gateway.plugin_api import Recorder  # noqa: F401


def test_no_name_is_listed_twice_and_none_is_missing():
    for module in (plugin_api, web):
        assert len(module.__all__) == len(set(module.__all__))
    assert set(plugin_api._MODULE_OF) | {"database"} <= set(plugin_api.__all__)


def test_programs_that_check_types_see_the_names_that_are_imported_late():
    """The imports under TYPE_CHECKING are those that `__getattr__` does."""
    tree = ast.parse((ROOT / "gateway/plugin_api/__init__.py").read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {node.module: tuple(alias.name for alias in node.names) for node in block.body}
    assert seen.pop("gateway.plugin_api") == ("database",)
    assert seen == plugin_api.LATE
    for module, names in seen.items():
        assert all(getattr(import_module(module), name) is getattr(plugin_api, name) for name in names)


def test_an_import_needs_no_library_that_the_loader_of_plugins_does_not_need():
    program = (
        "import sys, gateway.plugin_manager; before = set(sys.modules); import gateway.plugin_api; "
        "print(sorted({name.partition('.')[0] for name in set(sys.modules) - before} - {'gateway'} "
        "- set(sys.stdlib_module_names)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
