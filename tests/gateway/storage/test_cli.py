"""`vas storage`: what it shows, what it changes, and what a person must confirm."""

import json
import os
import time

import pytest
from click.testing import CliRunner, Result

from gateway import database
from gateway.cli import main
from gateway.clock import FakeClock
from gateway.footage.segments import SegmentState
from gateway.redis_client import connect_redis
from gateway.storage.health import check_storage
from gateway.storage.local import MARKER, ensure_storage
from gateway.storage.report import SUSPICIOUS, StorageReport, StorageReports
from gateway.storage.retention import Retention
from tests.factories import SECRET_KEY, SFU_SECRET, make_config
from tests.footage import MINUTE_MS, Footage, make_footage
from workers.storage.report_writer import ReportWriter

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

NOW_MS = int(time.time() * 1000) - 3_600_000


@pytest.fixture
def root(tmp_path):
    return tmp_path / "recordings"


@pytest.fixture
def footage(bound_database, scope, root) -> Footage:
    footage = make_footage(scope, ensure_storage(make_config(recordings_dir=root)))
    for index in range(4):
        footage.add(NOW_MS + index * MINUTE_MS, sequence=1 + 10 * index)
        os.utime(path(footage, index), (1, 1))
    return footage


@pytest.fixture
def vas(footage, bound_database, redis_url, root, tmp_path):
    def run(*arguments: str) -> Result:
        environment = {
            "DATABASE_URL": bound_database,
            "REDIS_URL": redis_url,
            "RECORDINGS_DIR": str(root),
            "VAR_DIR": str(tmp_path),
            "SECRET_KEY": SECRET_KEY,
            "SFU_SECRET": SFU_SECRET,
        }
        done = CliRunner().invoke(main, ["storage", *arguments], env=environment)
        database.connect(make_config(database_url=bound_database))
        return done

    return run


def path(footage: Footage, index: int):
    return footage.storage.root / footage.key(NOW_MS + index * MINUTE_MS, 1, 1 + 10 * index)


def test_status_shows_the_state_of_the_store(vas):
    done = vas("status")
    assert done.exit_code == 0, done.output
    assert "state" in done.output
    assert "ok" in done.output
    assert "free" in done.output


def test_check_reports_and_changes_nothing(vas, footage):
    assert vas("check").exit_code == 0
    path(footage, 1).unlink()
    done = vas("check")
    assert done.exit_code == 1
    assert footage.key(NOW_MS + MINUTE_MS, 1, 11) in done.output.replace("\n", "")
    assert [segment.state for segment in footage.segments()] == [SegmentState.CLOSED] * 4


def test_repair_repairs_and_reports_what_it_did(vas, footage):
    path(footage, 1).unlink()
    done = vas("repair")
    assert done.exit_code == 0
    assert "1 file missing" in done.output
    footage.check_consistent()
    assert "nothing to repair" in vas("repair").output


def test_mostly_missing_footage_is_given_up_only_by_a_person(vas, footage):
    for index in range(3):
        path(footage, index).unlink()
    done = vas("repair")
    assert done.exit_code == 1
    assert "3 of 4" in done.output
    assert [segment.state for segment in footage.segments()] == [SegmentState.CLOSED] * 4
    assert vas("repair", "--accept").exit_code == 0
    footage.check_consistent()


def test_footage_copied_to_another_disk_is_adopted(vas, footage, root):
    (root / MARKER).unlink()
    assert "mounted" in vas("check").output
    assert vas("repair").exit_code == 1
    assert vas("adopt").exit_code == 0
    done = vas("repair")
    assert done.exit_code == 0, done.output
    assert "4 moved" in done.output
    assert len({segment.storage_id for segment in footage.segments()}) == 1
    assert vas("check").exit_code == 0


def test_footage_of_a_lost_disk_is_given_up_only_by_a_person(vas, footage, root):
    root.rename(root.with_name("away"))
    root.mkdir()
    assert vas("adopt").exit_code == 0
    assert "4 are in a store that is not here" in vas("check").output.replace("\n", " ")
    vas("repair")
    assert [segment.state for segment in footage.segments()] == [SegmentState.CLOSED] * 4
    vas("repair", "--accept")
    assert [segment.state for segment in footage.segments()] == [SegmentState.MISSING] * 4


def test_health_reports_problems_of_the_store(footage, redis_url, root):
    client = connect_redis(redis_url)
    config = make_config(recordings_dir=root, redis_url=redis_url, free_bytes_floor=1)
    assert check_storage(config, client).status == "ok"
    StorageReports(client).write(StorageReport(state=SUSPICIOUS, reason="too_many_missing", message="most is gone"))
    found = check_storage(config, client)
    assert (found.status, found.reason) == ("degraded", "most is gone")
    assert "repair --accept" in found.remedy
    (root / MARKER).unlink()
    assert check_storage(config, client).status == "down"
    assert json.dumps(found.detail)


def test_a_clock_in_doubt_is_reported_and_confirmed_by_a_person(vas, footage, redis_url, root):
    config = make_config(recordings_dir=root, keep_days=14, free_bytes_floor=1)
    ahead = FakeClock(time.time() + 400 * 86_400)
    retention = Retention(config, footage.storage, ahead)
    reports = ReportWriter(StorageReports(connect_redis(redis_url)), ahead, "one")
    reports.report_retention(retention.run())
    shown = vas("status")
    assert (shown.exit_code, "clock_doubted" in shown.output) == (1, True)
    health = check_storage(config, connect_redis(redis_url))
    assert health.status == "degraded"
    assert "trust-clock" in health.remedy
    assert len(footage.starts()) == 4
    done = vas("trust-clock")
    assert (done.exit_code, "the clock is trusted" in done.output) == (0, True)
    assert vas("status").exit_code == 0
