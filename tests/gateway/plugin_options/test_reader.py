"""`plugin.options`: what plugins read, how soon they see a change, and how little the database is asked."""

import pytest

from gateway import database
from gateway.bulk_changes import change_tags
from gateway.database import DatabaseUnavailable
from gateway.errors import NotFound, PluginError
from gateway.inventory import DeviceValues, delete_device, replace_device
from gateway.plugin_options import reader
from gateway.plugin_options.changes import find_changes
from gateway.plugin_options.editing import OptionsEditor
from gateway.plugin_options.reader import OptionsCache, PluginOptions, options_cache_of
from gateway.plugin_options.registry import registry_of
from gateway.plugin_options.store import Place
from tests.factories import SOURCE_URL, make_config, make_device
from tests.options_plugin import NAME, with_options

pytestmark = pytest.mark.usefixtures("bound_database")

FORMS = registry_of(with_options()).find(NAME)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def cache(box, clock):
    return OptionsCache(registry_of(with_options()), box, clock=clock)


@pytest.fixture
def options(cache):
    return PluginOptions(NAME, cache)


@pytest.fixture
def editor(scope, box):
    return OptionsEditor(scope, box)


def test_a_plugin_reads_values_with_defaults_and_opened_secrets(scope, box, options, editor):
    device = make_device(scope, box, tags=("gate",))
    off = make_device(scope, box, enabled=False)
    editor.replace(FORMS, Place(NAME), {"server": "s", "key": "k", "volume": 3})
    editor.replace(FORMS, Place(NAME, device_id=device.id), {"pin": "4711"})
    assert {name: options.installation()[name] for name in ("server", "key", "volume", "pause")} == {
        "server": "s",
        "key": "k",
        "volume": 3,
        "pause": 60,
    }
    assert (options.device(device.id)["pin"], options.device(device.id)["volume"]) == ("4711", 3)
    assert "server" not in options.device(device.id)
    assert (options.device(off.id)["pin"], list(options.devices())) == (None, [device.id])
    with pytest.raises(TypeError):
        options.device(device.id)["volume"] = 4


def test_a_change_is_seen_a_second_later_and_not_asked_for_before(scope, box, options, editor, clock, monkeypatch):
    device = make_device(scope, box)
    asked = []
    count_changes = reader.count_changes
    monkeypatch.setattr(reader, "count_changes", lambda: asked.append(clock.now) or count_changes())
    assert options.device(device.id)["volume"] == 50
    editor.replace(FORMS, Place(NAME, device_id=device.id), {"volume": 1})
    clock.now = 0.9
    assert [options.device(device.id)["volume"] for _ in range(5)] == [50] * 5
    assert asked == [0.0]
    clock.now = 1.0
    assert options.device(device.id)["volume"] == 1
    assert asked == [0.0, 1.0]


@pytest.mark.parametrize("change", ["replace", "bulk"])
def test_a_change_of_a_devices_tags_changes_its_options(scope, box, options, editor, clock, change):
    device = make_device(scope, box)
    editor.replace(FORMS, Place(NAME, "gate"), {"volume": 9})
    assert options.device(device.id)["volume"] == 50
    if change == "replace":
        replace_device(scope, device.id, DeviceValues(device.name, SOURCE_URL, tags=("gate",)), box)
    else:
        change_tags(scope, [device.id], add=["gate"], remove=[], most=20)
    clock.now = 1.0
    assert options.device(device.id)["volume"] == 9


def test_a_device_created_just_now_is_known_and_a_deleted_one_is_not(scope, box, options, clock):
    assert options.devices() == {}
    device = make_device(scope, box)
    assert options.device(device.id)["volume"] == 50
    assert list(options.devices()) == [device.id]
    delete_device(scope, device.id)
    clock.now = 1.0
    assert options.devices() == {}
    with pytest.raises(NotFound):
        options.device(device.id)


def test_without_a_database_the_last_values_stay(scope, box, options, editor, clock, cache):
    device = make_device(scope, box)
    editor.replace(FORMS, Place(NAME, device_id=device.id), {"volume": 1})
    assert options.device(device.id)["volume"] == 1
    database.close()
    database.connect(make_config(database_url="postgresql://127.0.0.1:1/none"))
    clock.now = 5.0
    assert options.device(device.id)["volume"] == 1
    with pytest.raises(DatabaseUnavailable):
        OptionsCache(registry_of(with_options()), box).current()


def test_a_plugin_without_usable_options_is_told_so(box):
    for schemas, message in ((None, "has no options"), (int, "cannot be used")):
        cache = OptionsCache(registry_of(with_options(None, schemas)), box)
        with pytest.raises(PluginError, match=message):
            PluginOptions(NAME, cache).installation()


def test_the_parts_of_a_process_share_one_cache(tmp_path):
    manager, config = with_options(), make_config(var_dir=tmp_path)
    assert options_cache_of(manager, config) is options_cache_of(manager, config)


def test_the_hook_is_told_of_those_whose_options_changed(scope, box, cache, editor):
    gate, other = make_device(scope, box, tags=("gate",)), make_device(scope, box)

    def changes(*actions) -> list:
        before = cache.refresh()
        for action in actions:
            action()
        after = cache.refresh()
        assert find_changes(before, after, "another") == []
        return find_changes(before, after, NAME)

    def put(values, **place):
        return lambda: editor.replace(FORMS, Place(NAME, **place), values)

    assert changes() == []
    assert changes(put({"volume": 1})) == [None]
    assert changes(put({"volume": 1}, tag="gate")) == [None]
    assert changes(put({"volume": 2}, device_id=gate.id)) == [gate.id]
    assert changes(put({"volume": 3}), put({"volume": 2}, device_id=other.id)) == [None, other.id]
    assert changes(lambda: editor.delete(Place(NAME, device_id=gate.id))) == [gate.id]
    assert changes(lambda: change_tags(scope, [other.id], add=["north"], remove=[], most=9)) == []
    assert changes(lambda: change_tags(scope, [other.id], add=["gate"], remove=[], most=9)) == [other.id]
    assert changes(lambda: make_device(scope, box)) == []
    assert changes(lambda: delete_device(scope, other.id)) == []
    assert changes(lambda: editor.delete(Place(NAME, tag="gate"))) == [None]


def test_a_switch_is_found_by_its_role_and_turned_for_one_device(scope, box, options, clock):
    device, other = make_device(scope, box), make_device(scope, box)
    assert options.switches("bell") == {device.id: True, other.id: True}
    assert options.turn("bell", scope, device.id, is_on=False, by_name="mqtt") == 1
    clock.now += 2
    assert options.switches("bell") == {device.id: False, other.id: True}
    assert options.switches("nothing") == {}
    assert options.turn("nothing", scope, device.id, is_on=False, by_name="mqtt") == 0
    with pytest.raises(NotFound):
        options.turn("bell", scope, "00000000-0000-4000-8000-0000000000cc", is_on=False, by_name="mqtt")
