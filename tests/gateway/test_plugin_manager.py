"""Plugins are found by entry points; a faulty one is named, and facts reach the others in spite of it."""

import threading
import types

import pytest

from gateway import plugin_manager
from gateway.errors import PluginError
from gateway.hookspecs import hookimpl
from gateway.plugin_manager import (
    check_hooks,
    collect,
    collect_consumer_outputs,
    create_plugin_manager,
    describe_plugins,
    notify,
)
from tests.factories import make_config, no_plugins


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
        if isinstance(self._loaded, BaseException):
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


def fail(error: BaseException):
    def raise_it(*_: object, **__: object) -> None:
        raise error

    return raise_it


def needs(version: int | str) -> types.ModuleType:
    module = plugin(on_stream_state=lambda state: None)
    setattr(module, "api_version" if isinstance(version, int) else "requires_plugin_api", version)
    return module


def creating(create) -> types.ModuleType:
    module = types.ModuleType("stranger")
    module.create_plugin = create
    return module


@pytest.mark.parametrize(
    ("loaded", "reason", "remedy"),
    [
        (plugin(on_stream_state=lambda device, colour: None), "colour", "PLUGINS_OFF"),
        (ImportError("no such symbol"), "cannot be loaded: no such symbol", "PLUGINS_OFF"),
        (ModuleNotFoundError("No module named 'torch'", name="torch"), "No module named 'torch'", "install 'torch'"),
        (SystemExit(3), "it raised SystemExit", "PLUGINS_OFF"),
        (creating(fail(OSError("no model file"))), "cannot be loaded: no model file", "PLUGINS_OFF"),
        (creating(fail(KeyboardInterrupt())), "it raised KeyboardInterrupt", "PLUGINS_OFF"),
        (needs(99), "it needs version 99 of the plugin API; this VAS has 1.", "update VAS"),
        (needs(">=99,<100"), "it needs version >=99,<100 of the plugin API; this VAS has 1.", "update VAS"),
        (needs("1"), "'requires_plugin_api' must be a text like '>=1.0,<2', not '1'", "correct 'requires_plugin_api'"),
        (needs(0), "it needs version 0 of the plugin API", "update the plugin"),
    ],
)
def test_a_plugin_that_cannot_be_loaded_is_named_and_the_others_run(install, caplog, loaded, reason, remedy):
    install(broken=loaded, good=plugin(register_health_checks=lambda config: [1]))
    manager = create_plugin_manager()
    broken, good = describe_plugins(manager)
    assert (broken.name, broken.state, good.state) == ("broken", "failed", "running")
    assert reason in broken.reason
    assert remedy in broken.remedy
    assert "plugin 'broken' does not run" in caplog.text
    assert collect(manager, "register_health_checks", config=None) == [1]


def test_a_misspelt_hook_is_not_silent(install):
    @hookimpl
    def register_direct_output(context):
        return []

    module = types.ModuleType("stranger")
    module.register_direct_output = register_direct_output
    install(stranger=module, good=plugin(on_stream_state=lambda state: None))
    described = {found.name: found for found in describe_plugins(create_plugin_manager())}
    assert described["stranger"].state == "failed"
    assert "register_direct_output" in described["stranger"].reason
    assert described["good"].state == "running"


def test_a_plugin_that_hangs_while_it_is_loaded_is_given_up(install, monkeypatch):
    monkeypatch.setattr(plugin_manager, "LOAD_SECONDS", 0.05)
    ended = threading.Event()
    install(slow=creating(ended.wait), good=plugin(on_stream_state=lambda state: None))
    described = {found.name: found for found in describe_plugins(create_plugin_manager())}
    ended.set()
    assert described["slow"].reason == "cannot be loaded: load did not return within 0.05 s"
    assert described["good"].state == "running"


def test_of_two_plugins_with_one_name_the_second_is_named_with_its_rival(monkeypatch):
    first, second = FakeEntryPoint("twin", plugin()), FakeEntryPoint("twin", plugin())
    first.dist = types.SimpleNamespace(name="vas-twin", version="1.0")
    second.dist = types.SimpleNamespace(name="other-twin", version="2.0")
    monkeypatch.setattr(plugin_manager, "entry_points", lambda group: [first, second])
    described = describe_plugins(create_plugin_manager())
    assert [(found.package, found.state) for found in described] == [("other-twin", "failed"), ("vas-twin", "running")]
    assert described[0].reason == "'vas-twin' has a plugin of the same name"


def test_a_plugin_that_is_switched_off_is_not_even_imported(install):
    install(bad=AssertionError("it was imported"))
    manager = create_plugin_manager(make_config(plugins_off=("bad",)))
    (described,) = describe_plugins(manager)
    assert (described.state, described.reason) == ("off", "it is switched off (PLUGINS_OFF)")


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


@pytest.mark.parametrize(
    ("register", "reason"),
    [
        *[(lambda config, wrong=wrong: wrong, "must return a list") for wrong in (None, (), {}, "text")],
        (fail(OSError("no model file")), "failed in register_health_checks: no model file"),
        (fail(SystemExit()), "failed in register_health_checks: it raised SystemExit"),
    ],
)
def test_a_plugin_that_fails_to_register_is_set_aside_alone(register, reason):
    manager = no_plugins()
    module = plugin(on_stream_state=lambda state: None)
    module.register_health_checks = hookimpl(register, specname="register_health_checks")
    manager.register(module, name="stranger")
    manager.register(plugin(register_health_checks=lambda: [3]), name="good")
    assert collect(manager, "register_health_checks", config=None) == [3]
    described = {found.name: found for found in describe_plugins(manager)}
    assert (described["stranger"].state, described["good"].state) == ("failed", "running")
    assert reason in described["stranger"].reason
    assert not manager.hook.on_stream_state.get_hookimpls()


def test_a_plugin_that_hangs_while_it_registers_is_given_up(monkeypatch):
    monkeypatch.setattr(plugin_manager, "REGISTER_SECONDS", 0.05)
    ended, manager = threading.Event(), no_plugins()

    def wait() -> None:
        ended.wait()

    manager.register(plugin(register_health_checks=wait), name="slow")
    manager.register(plugin(register_health_checks=lambda: [3]), name="good")
    assert collect(manager, "register_health_checks", config=None) == [3]
    ended.set()
    assert manager.faulty[0].reason.endswith("register_health_checks did not return within 0.05 s")


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ({"name": None}, "must have a 'name'"),
        ({"name": "x" * 101}, "must have a 'name'"),
        ({"name": "tape"}, "there is another output 'tape'"),
        ({"name": "other", "role": "recorder"}, "both have the role 'recorder'"),
        ({"name": "other", "process": "a b"}, "the 'process' of output 'other' must be"),
    ],
)
def test_an_output_that_cannot_be_used_sets_its_plugin_aside(output, reason):
    manager = no_plugins()
    good = types.SimpleNamespace(name="tape", role="recorder")
    manager.register(plugin(register_consumer_outputs=lambda: [good]), name="good")
    manager.register(plugin(register_consumer_outputs=lambda: [types.SimpleNamespace(**output)]), name="stranger")
    assert collect_consumer_outputs(manager, None) == [good]
    assert good.plugin == "good"
    assert reason in manager.faulty[0].reason


def test_a_fact_reaches_every_plugin_while_others_fail(caplog):
    def end(device_id):
        raise SystemExit("broken")

    reported = []
    manager = no_plugins()
    # pluggy calls the last registered plugin first: a failing one is on either side.
    manager.register(plugin(on_stream_state=end), name="first")
    manager.register(
        plugin(on_stream_state=lambda device_id, state, reason: reported.append((device_id, state, reason))),
        name="good",
    )
    manager.register(plugin(on_stream_state=end), name="last")
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


def test_each_plugin_gets_its_own_context():
    class Plugin:
        def __init__(self):
            self.contexts = []

        @hookimpl
        def register_health_checks(self, plugin):
            self.contexts.append(plugin)
            return []

        @hookimpl
        def on_stream_state(self, device_id, plugin):
            self.contexts.append(plugin)

    manager, one, two = no_plugins(), Plugin(), Plugin()
    manager.register(one, name="one")
    manager.register(two, name="two")
    collect(manager, "register_health_checks", config=None)
    notify(manager, "on_stream_state", device_id="d1", state="running", reason=None)
    assert [context.name for context in one.contexts] == ["one", "one"]
    assert [context.name for context in two.contexts] == ["two", "two"]
    assert one.contexts[0] is one.contexts[1] is manager.context_of("one")


def test_a_context_whose_process_gives_it_no_parts_says_so():
    with pytest.raises(PluginError, match="'one'"):
        no_plugins().context_of("one").devices()
