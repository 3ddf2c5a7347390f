"""Queries, creation, changes and deletion of devices."""

import uuid

import peewee
import pytest

from gateway import database
from gateway.devices.demo import remember_demo_device
from gateway.devices.model import Device, DeviceTag
from gateway.errors import InvalidValue, VersionChanged
from gateway.events.model import Event
from gateway.inventory import (
    DeviceValues,
    NameTaken,
    create_device,
    delete_device,
    find_device,
    list_devices,
    replace_device,
    reseal_devices,
)
from gateway.secrets import SecretBox
from gateway.states import StreamState
from gateway.streams.model import Stream, transition
from gateway.tenancy.scopes import EVERY_TENANT
from tests.factories import PASSWORD, SECRET_KEY, SHOWN_URL, SOURCE_URL, make_device

pytestmark = pytest.mark.usefixtures("bound_database")


def names(found):
    return [device.name for device in found[0]]


def test_a_source_is_stored_sealed_and_shown_redacted(scope, box):
    device = make_device(scope, box, sub_source_url="rtsp://10.0.0.1/sub")
    assert (device.source_url, device.sub_source_url, device.has_credentials) == (
        SHOWN_URL,
        "rtsp://10.0.0.1/sub",
        True,
    )
    assert device.open_source(box) == SOURCE_URL
    with database.session():
        row = EVERY_TENANT.select(Device).dicts().first()
    assert PASSWORD not in str(row)


@pytest.mark.parametrize(
    ("mode", "enabled", "desired"),
    [
        ("always", True, "running"),
        ("always", False, "stopped"),
        ("manual", True, "stopped"),
        ("on_demand", True, "stopped"),
    ],
)
def test_a_new_device_is_desired_to_run_when_its_start_mode_is_always(scope, box, mode, enabled, desired):
    assert make_device(scope, box, start_mode=mode, enabled=enabled).stream.desired == desired


def test_names_differ_by_more_than_case(scope, box):
    make_device(scope, box, name="Stra\u00dfe")
    with pytest.raises(NameTaken):
        make_device(scope, box, name="STRASSE")
    other = make_device(scope, box, name="other")
    with pytest.raises(NameTaken):
        replace_device(scope, other.id, DeviceValues("strasse", None), box)


def test_lists_are_sorted_filtered_and_counted(scope, box):
    for name, tags, place in (
        ("beta", ("a",), "Hall"),
        ("Alpha", ("a", "b"), "Roof"),
        ("gamma", ("b",), "100% roof_1"),
    ):
        make_device(scope, box, name=name, tags=tags, location=place)
    assert names(list_devices(scope)) == ["Alpha", "beta", "gamma"]
    assert names(list_devices(scope, sort="-name", limit=2)) == ["gamma", "beta"]
    assert names(list_devices(scope, sort="-created_at", offset=1)) == ["Alpha", "beta"]
    assert names(list_devices(scope, tags=["a", "b"])) == ["Alpha"]
    assert names(list_devices(scope, text="ROOF")) == ["Alpha", "gamma"]
    assert names(list_devices(scope, text="100%")) == ["gamma"]
    assert names(list_devices(scope, text="f_1")) == ["gamma"]
    assert names(list_devices(scope, text="192.168.7.20")) == ["Alpha", "beta", "gamma"]
    assert names(list_devices(scope, text=PASSWORD)) == []
    assert names(list_devices(scope, states=["running"])) == []
    assert list_devices(scope, limit=1)[1] == 3


def test_a_replaced_device_keeps_its_password_when_none_is_given(scope, box):
    device = make_device(scope, box, sub_source_url="rtsp://u:subpw@10.0.0.1/sub")
    changed = replace_device(scope, device.id, DeviceValues("new name", None, keeps_sub_source=True), box)
    assert changed.open_source(box) == SOURCE_URL
    assert changed.open_sub_source(box) == "rtsp://u:subpw@10.0.0.1/sub"
    assert (changed.version, changed.source_version) == (2, 1)


def test_only_a_change_that_a_pipeline_must_follow_raises_the_source_version(scope, box):
    device = make_device(scope, box)
    step = lambda **values: replace_device(  # noqa: E731
        scope, device.id, DeviceValues(**({"name": device.name, "source_url": None} | values)), box
    )
    assert step(description="x").source_version == 1
    assert step(description="x", transport="udp").source_version == 2
    assert step(description="x", transport="udp", source_url="rtsp://10.0.0.2/").source_version == 3
    assert step(description="x", transport="udp", sub_source_url="rtsp://10.0.0.2/s").source_version == 4


def test_the_same_values_change_nothing(scope, box):
    device = make_device(scope, box, tags=("a",), start_mode="always")
    again = replace_device(scope, device.id, DeviceValues(device.name, SOURCE_URL, tags=("a",)), box)
    assert (again.version, again.updated_at) == (1, device.updated_at)


def test_a_version_that_the_caller_has_not_read_is_not_overwritten(scope, box):
    device = make_device(scope, box)
    replace_device(scope, device.id, DeviceValues("one", None), box, if_version=1)
    with pytest.raises(VersionChanged):
        replace_device(scope, device.id, DeviceValues("two", None), box, if_version=1)
    assert find_device(scope, device.id).name == "one"


def test_the_desired_state_follows_the_settings(scope, box):
    device = make_device(scope, box)
    step = lambda **values: replace_device(scope, device.id, DeviceValues(device.name, None, **values), box).stream  # noqa: E731
    assert step(start_mode="always").desired == "running"
    assert step(start_mode="always", enabled=False).desired == "stopped"
    assert step(start_mode="manual", enabled=True).desired == "stopped"
    assert step(start_mode="always").desired == "running"
    stream = step(start_mode="on_demand")
    assert stream.desired == "running"
    assert stream.demanded_at is not None


def test_nothing_of_a_deleted_device_remains(scope, box):
    device = make_device(scope, box, tags=("a",))
    transition(device.id, StreamState.STARTING)
    delete_device(scope, device.id)
    with database.session():
        assert [EVERY_TENANT.select(model).count() for model in (Device, Stream, DeviceTag, Event)] == [0] * 4


def test_a_demo_device_is_remembered_once(scope):
    assert remember_demo_device(scope, "Harbour")
    assert not remember_demo_device(scope, "Harbour")


def test_after_a_key_rotation_every_device_is_sealed_with_the_new_key(scope):
    device = create_device(scope, DeviceValues("x", SOURCE_URL), SecretBox(SECRET_KEY))
    new = SecretBox("another-secret-key-98765", [SECRET_KEY])
    assert reseal_devices(EVERY_TENANT, new) == 1
    assert reseal_devices(EVERY_TENANT, new) == 0
    assert find_device(scope, device.id).open_source(SecretBox("another-secret-key-98765")) == SOURCE_URL


def test_after_a_lost_key_the_password_can_be_entered_again(scope):
    device = create_device(scope, DeviceValues("x", SOURCE_URL, SOURCE_URL + "2"), SecretBox("a-key-that-is-lost-now"))
    box = SecretBox(SECRET_KEY)
    with pytest.raises(InvalidValue, match="'source_url' can no longer be decrypted"):
        replace_device(scope, device.id, DeviceValues("x", None), box)
    with pytest.raises(InvalidValue, match="'sub_source_url' can no longer be decrypted"):
        replace_device(scope, device.id, DeviceValues("x", SOURCE_URL, keeps_sub_source=True), box)
    assert replace_device(scope, device.id, DeviceValues("x", SOURCE_URL), box).open_source(box) == SOURCE_URL


def test_only_a_duplicate_name_is_reported_as_a_taken_name(scope, box, monkeypatch):
    """Another broken constraint, here the primary key, is an error of the code and keeps its own type."""
    monkeypatch.setattr("gateway.inventory.uuid.uuid4", lambda: uuid.UUID(int=1))
    create_device(scope, DeviceValues(name="Door", source_url=SOURCE_URL), box)
    with pytest.raises(peewee.IntegrityError):
        create_device(scope, DeviceValues(name="Gate", source_url=SOURCE_URL), box)
