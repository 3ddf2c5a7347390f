"""`vas archive`: what it shows, compares and finds again, also in an empty database."""

import pytest
from click.testing import CliRunner, Result

from gateway import database
from gateway.cli import main
from gateway.devices.model import Device
from gateway.footage.copies import SegmentCopy
from gateway.footage.recordings import Recording
from gateway.footage.segments import FifteenMinuteRollup, Segment, SegmentParts
from gateway.storage.local import ensure_storage
from gateway.tenancy.scopes import EVERY_RECORDING, EVERY_TENANT
from tests.archives import FolderArchive, archive_footage
from tests.factories import SECRET_KEY, SFU_SECRET, make_config
from tests.footage import MINUTE_MS, NOON_MS, Footage, make_footage

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def archive(tmp_path, monkeypatch) -> FolderArchive:
    archive = FolderArchive(tmp_path / "archive")
    monkeypatch.setattr("gateway.archive_cli.collect", lambda manager, hook: [archive])
    return archive


@pytest.fixture
def footage(bound_database, scope, tmp_path, archive) -> Footage:
    footage = make_footage(scope, ensure_storage(make_config(recordings_dir=tmp_path / "recordings")))
    for number in range(3):
        footage.add(NOON_MS + number * MINUTE_MS, sequence=1 + 10 * number)
    archive_footage(footage, archive)
    return footage


@pytest.fixture
def vas(footage, bound_database, redis_url, tmp_path):
    def run(*arguments: str) -> Result:
        environment = {
            "DATABASE_URL": bound_database,
            "REDIS_URL": redis_url,
            "RECORDINGS_DIR": str(tmp_path / "recordings"),
            "VAR_DIR": str(tmp_path),
            "SECRET_KEY": SECRET_KEY,
            "SFU_SECRET": SFU_SECRET,
        }
        done = CliRunner().invoke(main, ["archive", *arguments], env=environment)
        database.connect(make_config(database_url=bound_database))
        return done

    return run


def test_the_status_shows_the_bytes_of_each_tier(vas):
    shown = vas("status").output
    assert "waiting for a copy: 0.00 GB" in shown
    assert "archive 'folder': 0 objects to delete" in shown


def test_a_check_names_what_it_repaired_and_refuses_another_bucket(vas, footage, archive):
    archive.delete(footage.key(NOON_MS))
    assert "compared 3 copies: 1 copy gone, waiting for a new one" in vas("check").output
    for key in archive.objects():
        archive.delete(key)
    refused = vas("check")
    assert refused.exit_code == 1
    assert "vas archive check --accept" in refused.output
    assert "2 copy gone" in vas("check", "--accept").output


def test_an_empty_database_finds_its_footage_again(vas, footage, archive):
    with database.transaction():
        for model in (SegmentCopy, SegmentParts):
            model.delete().execute()
        for model in (Segment, FifteenMinuteRollup):
            EVERY_RECORDING.delete(model).execute()
        for model in (Recording, Device):
            EVERY_TENANT.delete(model).execute()
    shown = vas("scan").output
    assert f"3 of a device that is not in the database: {footage.device_id}" in shown
    assert "--create-devices" in shown
    assert "3 adopted" in vas("scan", "--create-devices").output
    with database.session():
        device = EVERY_TENANT.select(Device).first()
        assert (device.id, device.enabled, device.name) == (
            footage.device_id,
            False,
            f"Restored {footage.device_id[:8]}",
        )
    assert "nothing to do" in vas("scan").output


def test_an_unknown_archive_is_named(vas):
    refused = vas("check", "--archive", "other")
    assert refused.exit_code == 1
    assert "no installed plugin has an archive 'other'" in refused.output
