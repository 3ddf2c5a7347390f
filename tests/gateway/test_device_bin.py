"""Deletion that can be undone: the bin keeps the footage, the history and the encrypted sources."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.clock import FakeClock
from gateway.device_bin import deleted_devices, discard_device, purge_device, restore_device
from gateway.errors import NotFound
from gateway.events.model import Event, record_event
from gateway.footage.recordings import LeaseLost, claim_recording, observe_recording, recordings_wanted
from gateway.inventory import find_device, list_devices, reseal_devices
from gateway.secrets import SecretBox
from gateway.storage.local import ensure_storage
from gateway.storage.retention import Retention
from gateway.tenancy.scopes import EVERY_TENANT, TenantScope
from tests.factories import SECRET_KEY, SOURCE_URL, make_config, make_device
from tests.footage import MINUTE_MS, NOON_MS, make_footage

pytestmark = pytest.mark.usefixtures("bound_database")

NOW = datetime.fromtimestamp(NOON_MS / 1000, UTC)
DAY = timedelta(hours=24)


@pytest.fixture
def config(tmp_path):
    return make_config(recordings_dir=tmp_path / "recordings", keep_days=0, free_bytes_floor=1)


@pytest.fixture
def storage(config):
    return ensure_storage(config)


@pytest.fixture
def footage(scope, storage):
    made = make_footage(scope, storage)
    for number in range(3):
        made.add(NOON_MS - (number + 2) * MINUTE_MS, sequence=number)
    return made


def retain(config, storage, at: datetime, **options) -> None:
    Retention(config, storage, FakeClock(at.timestamp()), **options).run()


def test_the_footage_of_a_device_in_the_bin_is_kept_until_its_time_is_over(scope, footage, storage, config):
    discard_device(scope, footage.device_id, at=NOW)
    retain(config, storage, NOW + DAY - timedelta(seconds=1))
    assert len(footage.starts()) == len(footage.files()) == 3
    retain(config, storage, NOW + DAY + timedelta(seconds=1))
    assert footage.files() == []
    assert footage.recording() is None
    assert deleted_devices(scope, bin_hours=1e6) == []


def test_footage_in_the_bin_obeys_the_limits_of_age_and_size(scope, footage, storage, config):
    discard_device(scope, footage.device_id, at=NOW)
    retain(make_config(recordings_dir=config.recordings_dir, keep_bytes=1, free_bytes_floor=1), storage, NOW)
    assert footage.files() == []


def test_a_removed_device_loses_its_footage_at_once(scope, footage, storage, config):
    discard_device(scope, footage.device_id, at=NOW)
    purge_device(scope, footage.device_id)
    retain(config, storage, NOW)
    assert footage.files() == []


def test_a_restored_device_has_its_footage_and_refuses_writes_of_its_old_recorder(scope, footage, storage, config):
    claimed = claim_recording(footage.device_id, "w1")
    discard_device(scope, footage.device_id, at=NOW)
    assert claim_recording(footage.device_id, "w2") is None
    assert recordings_wanted(NOON_MS) == []
    restore_device(scope, footage.device_id, bin_hours=24, at=NOW + timedelta(hours=1))
    with pytest.raises(LeaseLost):
        observe_recording(claimed.recording_id, claimed.fencing_token, "recording")
    retain(config, storage, NOW + 2 * DAY)
    assert len(footage.files()) == 3


def test_the_history_goes_with_the_device_only_when_it_is_purged(scope, box):
    device = make_device(scope, box)
    record_event(device.tenant_id, device.id, "snapshot", "Snapshot", reference="1", at=NOW)
    discard_device(scope, device.id, at=NOW)
    kinds = [event.kind for event in EVERY_TENANT.select(Event).order_by(Event.id)]
    assert kinds == ["device", "snapshot", "device"], "created, pictured, deleted"
    purge_device(scope, device.id)
    assert EVERY_TENANT.select(Event).count() == 0


def test_a_tenant_sees_and_restores_only_its_own(scope, box):
    device = make_device(scope, box)
    other = TenantScope("00000000-0000-4000-8000-0000000000ff")
    with pytest.raises(NotFound):
        discard_device(other, device.id)
    discard_device(scope, device.id, at=NOW)
    assert deleted_devices(other, bin_hours=24, at=NOW) == []
    for forbidden in (
        lambda: restore_device(other, device.id, bin_hours=24, at=NOW),
        lambda: purge_device(other, device.id),
    ):
        with pytest.raises(NotFound):
            forbidden()
    assert restore_device(scope, device.id, bin_hours=24, at=NOW).name == device.name


def test_a_key_rotation_reaches_the_bin(scope):
    device = make_device(scope, SecretBox(SECRET_KEY))
    discard_device(scope, device.id, at=NOW)
    new = SecretBox("another-secret-key-98765", [SECRET_KEY])
    assert (reseal_devices(EVERY_TENANT, new), reseal_devices(EVERY_TENANT, new)) == (1, 0)
    restored = restore_device(scope, device.id, bin_hours=24, at=NOW)
    assert restored.open_source(SecretBox("another-secret-key-98765")) == SOURCE_URL


def test_many_devices_are_deleted_and_restored_in_any_order(scope, box):
    devices = [make_device(scope, box, tags=("x",)) for _ in range(5)]
    for device in devices:
        discard_device(scope, device.id, at=NOW)
    assert list_devices(scope) == ([], 0)
    for device in reversed(devices):
        restore_device(scope, device.id, bin_hours=24, at=NOW)
    assert list_devices(scope)[1] == 5
    assert find_device(scope, devices[0].id).tags == ["x"]
