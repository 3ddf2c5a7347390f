"""`register_panels` is checked; a module is read within its limit, and again when its file has changed."""

import os
from pathlib import Path

import pytest

from gateway.errors import NotFound, Unavailable
from gateway.hookspecs import hookimpl
from gateway.panels import MOST_BYTES, Panels, collect_panels
from gateway.plugin_surface import Panel
from tests.factories import no_plugins


class Plugin:
    """Has panels."""

    def __init__(self, *panels: object) -> None:
        self.panels = panels

    @hookimpl
    def register_panels(self):
        return list(self.panels)


def manager_with(**plugins):
    manager = no_plugins()
    for name, panels in plugins.items():
        manager.register(Plugin(*panels), name=name)
    return manager


@pytest.fixture
def module(tmp_path):
    path = tmp_path / "rates.js"
    path.write_text("export function mount() {}\n")
    return path


def panel(module, name="rates", title="Rates", place="device"):
    return Panel(name, title, place, module)


def test_a_module_is_read_and_read_again_when_it_has_changed(module):
    panels = Panels(manager_with(bell=[panel(module)]))
    first = panels.read("bell", "rates")
    assert first.data == b"export function mount() {}\n"
    assert panels.read("bell", "rates") is first
    module.write_text("export function mount() { return 7; }\n")
    assert panels.read("bell", "rates").digest != first.digest


@pytest.mark.parametrize(("plugin", "name"), [("bell", "other"), ("other", "rates"), ("bell", "../rates")])
def test_another_panel_does_not_exist(module, plugin, name):
    with pytest.raises(NotFound):
        Panels(manager_with(bell=[panel(module)])).read(plugin, name)


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: os.truncate(path, MOST_BYTES + 1)])
def test_a_module_that_cannot_be_read_later_is_named(module, spoil):
    panels = Panels(manager_with(bell=[panel(module)]))
    spoil(module)
    with pytest.raises(Unavailable, match="panel 'rates' of plugin 'bell' cannot be read") as raised:
        panels.read("bell", "rates")
    assert raised.value.reason == "plugin_failed"
    assert str(module) not in raised.value.message


def test_a_plugin_that_was_set_aside_has_no_panels(module):
    manager = manager_with(bell=[panel(module)])
    panels = Panels(manager)
    manager.disable("bell", "it failed")
    assert panels.of("bell") == []


@pytest.mark.parametrize(
    ("build", "part"),
    [
        (lambda path: ["rates"], "must return Panel objects, not str"),
        (lambda path: [panel(path, name="Rates")], "lower-case"),
        (lambda path: [panel(path, name="../rates")], "lower-case"),
        (lambda path: [panel(path, name="a" * 51)], "at most 50"),
        (lambda path: [panel(path, title=" ")], "the title of panel 'rates'"),
        (lambda path: [panel(path, title="a" * 61)], "1 to 60 characters"),
        (lambda path: [panel(path, place="list")], "must be 'device' or 'system', not 'list'"),
        (lambda path: [panel(str(path))], "must be the absolute Path"),
        (lambda path: [panel(Path("rates.js"))], "must be the absolute Path"),
        (lambda path: [panel(path.rename(path.with_suffix(".html")))], "ends with '.js'"),
        (lambda path: [panel(path.with_name("other.js"))], "the module of panel 'rates' is missing: 'other.js'"),
        (lambda path: os.truncate(path, MOST_BYTES + 1) or [panel(path)], "a file of at most"),
        (lambda path: path.unlink() or path.mkdir() or [panel(path)], "must be a file"),
        (lambda path: [panel(path), panel(path)], "has two panels 'rates'"),
        (lambda path: [panel(path, name=f"rates{number}") for number in range(11)], "at most 10 panels"),
    ],
)
def test_a_plugin_with_an_invalid_panel_is_set_aside_alone(module, build, part):
    good = module.with_name("good.js")
    good.write_text("")
    manager = manager_with(bad=build(module), good=[panel(good)])
    assert list(collect_panels(manager)) == ["good"]
    assert part in manager.faulty[0].reason
