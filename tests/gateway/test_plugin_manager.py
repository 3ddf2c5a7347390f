"""Plugins are found by entry points; a faulty one is named, and facts reach the others in spite of it."""

import types

import pytest

from gateway import plugin_manager
from gateway.errors import PluginError
from gateway.hookspecs import hookimpl
from gateway.plugin_manager import check_hooks, collect, create_plugin_manager, describe_plugins, notify
from tests.factories import no_plugins


def plugin(**hooks) -> types.ModuleType:
    """A plugin module that implements hooks."""
    module = types.ModuleType("plugin", "Does something\n\nand says more.")
    for name, function in hooks.items():
        setattr(module, name, hookimpl(function, specname=name))
    return module


class FakeEntryPoint:
    dist = None

    def __init__(self, name: str, loaded: object) -> None:
        self.name, self._loaded = name, loaded

    def load(self) -> object:
        if isinstance(self._loaded, Exception):
            raise self._loaded
        return self._loaded


@pytest.fixture
def install(monkeypatch):
    def install(**plugins: object) -> None:
        points = [FakeEntryPoint(name, loaded) for name, loaded in plugins.items()]
        monkeypatch.setattr(plugin_manager, "entry_points", lambda group: points)

    return install


def test_our_plugins_are_found_like_those_of_other_packages():
    described = {item.name: item for item in describe_plugins(create_plugin_manager())}
    own = described["mediasoup_webrtc"]
    assert own.package == "video-aggregation-service"
    assert own.version
    assert own.description
    assert "register_direct_outputs" in own.hooks


def test_a_misspelt_hook_is_not_silent(install):
    @hookimpl
    def register_direct_output(context):
        return []

    module = types.ModuleType("stranger")
    module.register_direct_output = register_direct_output
    install(stranger=module)
    with pytest.raises(PluginError, match="register_direct_output"):
        create_plugin_manager()


def test_a_hook_with_an_argument_that_does_not_exist_names_the_plugin(install):
    install(stranger=plugin(on_stream_state=lambda device, colour: None))
    with pytest.raises(PluginError, match="'stranger' cannot be loaded"):
        create_plugin_manager()


def test_a_plugin_that_cannot_be_imported_is_named(install):
    install(broken=ImportError("No module named 'torch'"))
    with pytest.raises(PluginError, match="plugin 'broken' cannot be loaded: No module named 'torch'"):
        create_plugin_manager()


def test_a_plugin_with_state_is_created_once_for_each_plugin_manager(install):
    class Counter:
        """Counts."""

        def __init__(self) -> None:
            self.count = 0

        @hookimpl
        def on_stream_state(self) -> None:
            self.count += 1

    module = types.ModuleType("counter")
    module.create_plugin = Counter
    install(counter=module)
    first, second = create_plugin_manager(), create_plugin_manager()
    notify(first, "on_stream_state", device_id="d1", state="running", reason=None)
    assert [manager.get_plugin("counter").count for manager in (first, second)] == [1, 0]
    assert [(item.description, item.hooks) for item in describe_plugins(first)] == [("Counts.", ("on_stream_state",))]


def test_registered_objects_of_all_plugins_are_collected():
    manager = no_plugins()
    manager.register(plugin(register_health_checks=lambda config: [1, 2]), name="one")
    manager.register(plugin(register_health_checks=lambda: [3]), name="two")
    assert sorted(collect(manager, "register_health_checks", config=None)) == [1, 2, 3]


@pytest.mark.parametrize("wrong", [None, (), {}, "text"])
def test_a_plugin_that_returns_no_list_is_named(wrong):
    manager = no_plugins()
    manager.register(plugin(register_health_checks=lambda config: wrong), name="stranger")
    with pytest.raises(PluginError, match="plugin 'stranger' must return a list from register_health_checks"):
        collect(manager, "register_health_checks", config=None)


def test_a_plugin_that_fails_to_register_is_named():
    def fail(config):
        raise OSError("no model file")

    manager = no_plugins()
    manager.register(plugin(register_health_checks=fail), name="stranger")
    with pytest.raises(PluginError, match="plugin 'stranger' failed in register_health_checks: no model file"):
        collect(manager, "register_health_checks", config=None)


def test_a_fact_reaches_every_plugin_while_others_fail(caplog):
    def fail(device_id):
        raise RuntimeError("broken")

    reported = []
    manager = no_plugins()
    # pluggy calls the last registered plugin first: a failing one is on either side.
    manager.register(plugin(on_stream_state=fail), name="first")
    manager.register(
        plugin(on_stream_state=lambda device_id, state, reason: reported.append((device_id, state, reason))),
        name="good",
    )
    manager.register(plugin(on_stream_state=fail), name="last")
    notify(manager, "on_stream_state", device_id="d1", state="running", reason=None)
    assert reported == [("d1", "running", None)]
    assert "plugin 'first' failed in on_stream_state" in caplog.text
    assert "plugin 'last' failed in on_stream_state" in caplog.text


def test_plugins_that_implement_known_hooks_pass_the_check():
    manager = no_plugins()
    manager.register(plugin(on_stream_state=lambda state: None), name="good")
    check_hooks(manager)
    assert describe_plugins(manager)[0].description == "Does something"
    assert describe_plugins(manager)[0].hooks == ("on_stream_state",)
