"""The plugins of a worker process are told of changes of their options, each of its own."""

import pytest

from gateway.plugin_options.editing import OptionsEditor
from gateway.plugin_options.reader import PluginOptions, options_cache_of
from gateway.plugin_options.registry import registry_of
from gateway.plugin_options.store import Place
from tests.conftest import wait_until
from tests.factories import make_config, make_device, no_plugins
from tests.options_plugin import NAME, options_plugin, with_options
from workers.options_watch import OptionsWatch


@pytest.fixture
def editor(bound_database, scope, box):
    return OptionsEditor(scope, box)


def test_on_options_is_called_with_the_new_values_already_known(scope, box, editor):
    told: list = []
    manager = with_options(told=told)
    others: list = []
    manager.register(options_plugin(told=others), name="another")
    forms, cache = registry_of(manager).find(NAME), options_cache_of(manager, make_config())
    device, options = make_device(scope, box), PluginOptions(NAME, cache)
    watch = OptionsWatch.of(manager, make_config())
    watch.look()
    editor.replace(forms, Place(NAME, device_id=device.id), {"volume": 1})
    assert options.device(device.id)["volume"] == 50, "readers do not wait for the database"
    assert watch.look() <= 1
    assert (told, options.device(device.id)["volume"]) == ([device.id], 1)
    watch.look()
    editor.replace(forms, Place(NAME), {"volume": 2})
    watch.look()
    assert (told, others) == ([device.id, None], [])


def test_a_change_between_the_first_use_and_the_first_look_is_told(scope, box, editor):
    told: list = []
    manager = with_options(told=told)
    cache = options_cache_of(manager, make_config())
    device = make_device(scope, box)
    PluginOptions(NAME, cache).device(device.id)
    editor.replace(registry_of(manager).find(NAME), Place(NAME, device_id=device.id), {"volume": 1})
    OptionsWatch.of(manager, make_config()).look()
    assert told == [device.id]


def test_the_thread_looks_until_it_is_stopped(scope, box, editor):
    told: list = []
    manager = with_options(told=told)
    watch, cache = OptionsWatch.of(manager, make_config()), options_cache_of(manager, make_config())
    watch.start()
    wait_until(lambda: cache.is_watched, "the first look")
    editor.replace(registry_of(manager).find(NAME), Place(NAME), {"volume": 1})
    wait_until(lambda: told == [None], "the hook is called", 5)
    watch.stop()
    watch.stop()
    assert not cache.is_watched


def test_without_options_there_is_no_thread(bound_database):
    manager = no_plugins()
    watch = OptionsWatch.of(manager, make_config())
    watch.start()
    watch.stop()
    assert options_cache_of(manager, make_config()).first is None
