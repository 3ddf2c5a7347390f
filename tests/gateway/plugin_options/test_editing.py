"""Stored options: levels, versions, secrets, and rows that follow their devices."""

import threading
import uuid

import marshmallow as ma
import pytest

from gateway import database
from gateway.clock import utc_now
from gateway.device_bin import discard_device, restore_device
from gateway.errors import NotFound, VersionChanged
from gateway.inventory import delete_device, reseal_devices
from gateway.plugin_options.editing import InvalidOptions, OptionsEditor
from gateway.plugin_options.model import DevicePluginOptionsRow, PluginOptionsRow
from gateway.plugin_options.registry import registry_of
from gateway.plugin_options.sealing import reseal_options
from gateway.plugin_options.store import Place
from gateway.secrets import SecretBox
from gateway.tenancy.scopes import EVERY_TENANT, TenantScope
from gateway.tenancy.tenants import Tenant
from tests.factories import SECRET_KEY, make_device
from tests.options_plugin import NAME, DeviceSchema, InstallationSchema, with_options

pytestmark = pytest.mark.usefixtures("bound_database")

FORMS = registry_of(with_options()).find(NAME)
HERE = Place(NAME)


@pytest.fixture
def other_scope(bound_database):
    """A second tenant."""
    tenant_id = str(uuid.uuid4())
    with database.transaction():
        Tenant.insert(id=tenant_id, name="other", created_at=utc_now()).execute()
    return TenantScope(tenant_id)


@pytest.fixture
def editor(scope, box):
    return OptionsEditor(scope, box)


def rows(model) -> int:
    with database.session():
        return EVERY_TENANT.select(model).count()


def test_values_are_inherited_from_the_installation_by_tags_and_devices(scope, box, editor):
    device = make_device(scope, box, tags=("gate", "north"))
    editor.replace(FORMS, HERE, {"server": "s", "volume": 10, "pause": 1})
    editor.replace(FORMS, Place(NAME, "north"), {"volume": 20})
    editor.replace(FORMS, Place(NAME, "other"), {"volume": 99})
    view = editor.replace(FORMS, Place(NAME, device_id=device.id), {"melody": "dong"}, by_name="me")
    assert view.values == {"melody": "dong"}
    assert {name: view.effective[name] for name in ("melody", "volume", "pause", "enabled")} == {
        "melody": "dong",
        "volume": 20,
        "pause": 1,
        "enabled": True,
    }
    assert (view.origins["volume"].level, view.origins["volume"].tag) == ("tag", "north")
    assert (view.inherited["melody"], view.inherited_origins["melody"].level) == ("ding", "default")
    assert view.stored.changed_by == "me"
    assert "server" not in view.effective
    assert editor.read(FORMS, HERE).tags == ["north", "other"]


def test_a_secret_is_sealed_kept_when_missing_and_removed_by_null(scope, box, editor):
    place = Place(NAME, device_id=make_device(scope, box).id)
    view = editor.replace(FORMS, place, {"pin": "4711", "volume": 1})
    with database.session():
        row = EVERY_TENANT.select(DevicePluginOptionsRow).get()
    assert "4711" not in row.content + row.sealed
    assert (view.secrets, "pin" in view.values, "pin" in view.effective) == ({"pin": True}, False, False)
    assert "4711" not in repr(view)
    view = editor.replace(FORMS, place, {"volume": 2})
    assert (view.secrets["pin"], view.origins["pin"].level) == (True, "device")
    assert editor.replace(FORMS, place, {"pin": None, "volume": 2}).secrets["pin"] is False


def test_a_secret_of_one_device_cannot_be_used_for_another(scope, box, editor):
    one, two = (Place(NAME, device_id=make_device(scope, box).id) for _ in range(2))
    editor.replace(FORMS, one, {"pin": "4711"})
    editor.replace(FORMS, two, {"pin": "0815"})
    with database.transaction():
        sealed = EVERY_TENANT.select(DevicePluginOptionsRow).where(DevicePluginOptionsRow.device_id == one.device_id)
        EVERY_TENANT.update(DevicePluginOptionsRow, sealed=sealed.get().sealed).where(
            DevicePluginOptionsRow.device_id == two.device_id
        ).execute()
    (problem,) = editor.read(FORMS, two).problems
    assert (problem.name, "can no longer be decrypted" in problem.message) == ("pin", True)
    # It is kept until a person changes it.
    assert editor.replace(FORMS, two, {"volume": 1}).secrets["pin"] is True
    assert editor.replace(FORMS, two, {"pin": "1"}).problems == []


def test_values_that_do_not_fit_are_refused_by_name(scope, box, editor):
    place = Place(NAME, device_id=make_device(scope, box).id)
    for values, names in (
        ({"volume": 101, "melody": "x"}, {"volume", "melody"}),
        ({"server": "s"}, {"server"}),
        ({"melody": "dong", "volume": 90}, {"volume"}),
        ({"places": [{"a": float("inf")}]}, {"_schema"}),
    ):
        with pytest.raises(InvalidOptions) as caught:
            editor.replace(FORMS, place, values)
        assert set(caught.value.normalized_messages()) == names
    editor.replace(FORMS, HERE, {"volume": 90})
    with pytest.raises(InvalidOptions, match="at most 80"):
        editor.replace(FORMS, place, {"melody": "dong"})
    assert rows(DevicePluginOptionsRow) == 0


def test_texts_are_stored_as_they_are_used(editor):
    assert editor.replace(FORMS, HERE, {"server": "  a  "}).values == {"server": "a"}


def test_the_same_values_change_nothing(scope, box, editor):
    values = {"volume": 1, "pin": None}
    first = editor.replace(FORMS, HERE, values)
    assert editor.replace(FORMS, HERE, values).version == first.version


def test_a_stale_version_is_refused_also_after_a_deletion(scope, editor):
    place = Place(NAME, "gate")
    assert editor.read(FORMS, place).version == 0
    first = editor.replace(FORMS, place, {"volume": 1}, if_version=0).version
    with pytest.raises(VersionChanged):
        editor.replace(FORMS, place, {"volume": 2}, if_version=0)
    editor.delete(place)
    assert editor.read(FORMS, place).version == 0
    editor.delete(place)
    again = editor.replace(FORMS, place, {"volume": 3}).version
    assert again > first
    with pytest.raises(VersionChanged):
        editor.delete(place, first)


def test_of_two_writers_at_once_one_is_refused(scope, box):
    place, results = Place(NAME, device_id=make_device(scope, box).id), []
    start = threading.Barrier(2)

    def write(volume: int) -> None:
        start.wait()
        try:
            results.append(OptionsEditor(scope, box).replace(FORMS, place, {"volume": volume}, if_version=0).version)
        except VersionChanged:
            results.append(None)

    threads = [threading.Thread(target=write, args=(volume,)) for volume in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(result is None for result in results) == [False, True]


def test_options_go_with_their_device_and_come_back_with_it(scope, box, editor):
    device = make_device(scope, box)
    place = Place(NAME, device_id=device.id)
    editor.replace(FORMS, place, {"volume": 7, "pin": "4711"})
    discard_device(scope, device.id)
    assert rows(DevicePluginOptionsRow) == 0
    for change in (
        lambda: editor.read(FORMS, place),
        lambda: editor.replace(FORMS, place, {}),
        lambda: editor.delete(place),
    ):
        with pytest.raises(NotFound, match="no device"):
            change()
    with pytest.raises(NotFound):
        editor.read_device([FORMS], device.id)
    restore_device(scope, device.id, bin_hours=1)
    view = editor.read(FORMS, place)
    assert (view.values, view.secrets, view.problems) == ({"volume": 7}, {"pin": True}, [])
    delete_device(scope, device.id)
    assert rows(DevicePluginOptionsRow) == 0


def test_a_rotated_key_encrypts_options_anew_also_in_the_bin(scope, box, editor):
    devices = [make_device(scope, box) for _ in range(2)]
    for device in devices:
        editor.replace(FORMS, Place(NAME, device_id=device.id), {"pin": "4711"})
    editor.replace(FORMS, HERE, {"key": "k"})
    editor.replace(FORMS, Place(NAME, "gate"), {"volume": 1})
    discard_device(scope, devices[1].id)
    new = SecretBox("another-key-0123456789", [SECRET_KEY])
    assert [reseal_options(EVERY_TENANT, new), reseal_options(EVERY_TENANT, new)] == [2, 0]
    assert [reseal_devices(EVERY_TENANT, new), reseal_devices(EVERY_TENANT, new)] == [2, 0]
    restore_device(scope, devices[1].id, bin_hours=1)
    only_new = OptionsEditor(scope, SecretBox("another-key-0123456789"))
    for place in (HERE, *(Place(NAME, device_id=device.id) for device in devices)):
        assert only_new.read(FORMS, place).problems == []


def test_what_no_longer_fits_a_newer_schema_is_named_and_kept(scope, box, editor):
    class Newer(ma.Schema):
        volume = ma.fields.Integer(load_default=5, validate=ma.validate.Range(max=10))
        pin = ma.fields.Integer(load_default=0)

    device = make_device(scope, box)
    place = Place(NAME, device_id=device.id)
    editor.replace(FORMS, place, {"volume": 70, "pause": 3, "pin": "4711"})
    newer = registry_of(with_options(InstallationSchema, Newer)).find(NAME)
    view = editor.read(newer, place)
    assert view.effective == {"volume": 5, "pin": 0}
    assert {one.name for one in view.problems} == {"volume", "pause", "pin"}
    assert "4711" not in str(view.values) + str(view.effective)
    assert view.values == {"volume": 70, "pause": 3}
    assert editor.read(FORMS, place).effective["volume"] == 70, "kept"
    assert editor.replace(newer, place, {"volume": 3}).problems == []


def test_a_text_that_became_a_secret_is_sealed_with_the_next_change(scope, box, editor):
    class Before(ma.Schema):
        pin = ma.fields.String()

    place = Place(NAME, device_id=make_device(scope, box).id)
    editor.replace(registry_of(with_options(None, Before)).find(NAME), place, {"pin": "4711"})
    view = editor.read(FORMS, place)
    assert (view.values, view.secrets) == ({}, {"pin": True})
    assert "pin" not in view.effective
    editor.replace(FORMS, place, {"volume": 1})
    with database.session():
        row = EVERY_TENANT.select(DevicePluginOptionsRow).get()
    assert ("4711" in row.content, editor.read(FORMS, place).secrets) == (False, {"pin": True})


def test_another_tenant_has_options_of_its_own(scope, other_scope, box, editor):
    editor.replace(FORMS, HERE, {"volume": 1, "key": "k"})
    other = OptionsEditor(other_scope, box)
    view = other.read(FORMS, HERE)
    assert (view.values, view.secrets["key"], view.effective["volume"]) == ({}, False, 50)
    other.replace(FORMS, HERE, {"volume": 2})
    assert editor.read(FORMS, HERE).values == {"volume": 1}
    with pytest.raises(NotFound):
        other.read(FORMS, Place(NAME, device_id=make_device(scope, box).id))


def test_the_options_of_a_plugin_that_is_gone_stay(scope, editor):
    editor.replace(FORMS, HERE, {"volume": 1})
    assert rows(PluginOptionsRow) == 1
    assert registry_of(with_options(name="another")).all()[0].plugin == "another"
    assert editor.read(FORMS, HERE).values == {"volume": 1}
    assert editor.replace(FORMS, HERE, {"volume": 2}, at=utc_now()).values == {"volume": 2}


def test_all_plugins_of_a_device_are_read_at_once(scope, box, editor):
    device = make_device(scope, box)
    another = registry_of(with_options(None, DeviceSchema, name="another")).find("another")
    editor.replace(another, Place("another", device_id=device.id), {"volume": 9})
    views = editor.read_device([another, FORMS], device.id)
    assert [(view.place.plugin, view.effective["volume"]) for view in views] == [("another", 9), (NAME, 50)]
