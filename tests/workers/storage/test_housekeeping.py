"""Housekeeping: one process at a time, repair before retention, and recovery from outages without a person."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from gateway import database
from gateway.clock import DAY_MS, FakeClock, SystemClock
from gateway.events.model import events_of
from gateway.footage.segments import SegmentState
from gateway.leases import Leases, output_lease
from gateway.redis_client import connect_redis
from gateway.storage import expiry, retention, room_requests
from gateway.storage.clock_trust import confirm_clock
from gateway.storage.interface import Space
from gateway.storage.local import LocalStorage, ensure_storage
from gateway.storage.report import OK, SUSPICIOUS, UNAVAILABLE, StorageReport, StorageReports
from tests.conftest import wait_until
from tests.factories import make_config
from tests.footage import MINUTE_MS, NOON_MS, Footage, make_footage, segment_bytes
from workers.storage import housekeeping, retention_loop, storage_lease
from workers.storage.housekeeping import Housekeeper
from workers.storage.storage_lease import LEASE, LEASE_ID

pytestmark = pytest.mark.usefixtures("bound_database")


@pytest.fixture
def client(redis_url):
    client = connect_redis(redis_url)
    yield client
    client.close()


@pytest.fixture
def root(tmp_path):
    return tmp_path / "recordings"


@pytest.fixture
def storage(root) -> LocalStorage:
    return ensure_storage(make_config(recordings_dir=root))


@pytest.fixture
def footage(scope, storage) -> Footage:
    return make_footage(scope, storage)


@pytest.fixture
def start(root, client, monkeypatch) -> Iterator[Callable[..., Housekeeper]]:
    """Starts a housekeeper that waits for nothing longer than a test may."""
    for name in ("_RETRY_SECONDS", "_SUSPICION_SECONDS", "_LEFT_OPEN_SECONDS", "_STEP_EVERY_SECONDS", "_IDLE_SECONDS"):
        monkeypatch.setattr(housekeeping, name, 0.05)
    for name in ("_RETRY_SECONDS", "_IDLE_SECONDS"):
        monkeypatch.setattr(retention_loop, name, 0.05)
    room_requests.take_room_request()
    confirm_clock(SystemClock())
    running: list[Housekeeper] = []

    def start(worker: str = "one", **values) -> Housekeeper:
        config = make_config(
            recordings_dir=root, retention_seconds=1, **({"keep_days": 0, "free_bytes_floor": 1} | values)
        )
        running.append(Housekeeper(config, client, worker=worker, recorder="recorder-output"))
        running[-1].start()
        return running[-1]

    yield start
    for keeper in running:
        keeper.stop()


def report(client) -> StorageReport:
    return StorageReports(client).read() or StorageReport(state="none yet")


def is_in_order(footage: Footage) -> bool:
    try:
        footage.check_consistent()
    except AssertionError:
        return False
    return True


def age(footage: Footage, start_ms: int, sequence: int = 1) -> None:
    """Have a file look as if nobody had written to it for long."""
    import os

    os.utime(footage.storage.root / footage.key(start_ms, 1, sequence), (1, 1))


def test_what_a_crash_left_is_repaired_soon_after_the_start(footage, start, client):
    for index in range(4):
        footage.add(NOON_MS + index * MINUTE_MS, sequence=1 + 10 * index)
    footage.add(NOON_MS + 5 * MINUTE_MS, sequence=51, state=SegmentState.OPEN, data=segment_bytes() + b"half")
    age(footage, NOON_MS + 5 * MINUTE_MS, 51)
    start()
    wait_until(lambda: is_in_order(footage), "rows and files agree")
    wait_until(lambda: report(client).state == OK, "the report tells so")


def test_old_footage_is_deleted_and_reported(footage, start, client):
    footage.add(NOON_MS)
    start(keep_days=1)
    wait_until(lambda: footage.starts() == [], "the old footage is deleted")
    wait_until(lambda: report(client).deleted.get("segments") == 1, "the report tells of it")
    assert report(client).retention_at


def test_only_one_process_does_the_housekeeping_and_the_next_takes_over(footage, start, client):
    leases = Leases(client)
    first = start("one")
    wait_until(lambda: leases.holder(LEASE, LEASE_ID) == "one", "the first has the lease")
    start("two")
    wait_until(lambda: report(client).worker == "one", "the first reports")
    assert leases.holder(LEASE, LEASE_ID) == "one"
    first.stop()
    assert leases.holder(LEASE, LEASE_ID) != "one", "it gives the lease back"


def test_another_process_takes_over_from_one_that_was_killed(footage, start, client, monkeypatch):
    leases = Leases(client)
    monkeypatch.setattr(housekeeping, "_TAKE_SECONDS", 0.1)
    monkeypatch.setattr(storage_lease, "_RENEW_SECONDS", 0.1)
    leases.take(LEASE, LEASE_ID, "killed", 0.5)
    start("two")
    wait_until(lambda: leases.holder(LEASE, LEASE_ID) == "two", "the lease of the dead ended")


def test_a_suspicious_store_is_reported_and_its_footage_kept(footage, start, client, root):
    starts = [NOON_MS + index * MINUTE_MS for index in range(4)]
    for index, start_ms in enumerate(starts):
        footage.add(start_ms, sequence=1 + 10 * index)
    (root / footage.tenant_id).rename(root / ".away")
    start(keep_days=1)
    wait_until(lambda: report(client).state == SUSPICIOUS, "it is told")
    wait_until(lambda: report(client).retention_at, "retention has had its turn")
    assert report(client).reason == "too_many_missing"
    assert [segment.state for segment in footage.segments()] == [SegmentState.CLOSED] * 4
    (root / ".away").rename(root / footage.tenant_id)
    wait_until(lambda: report(client).state == OK, "the files are back, and believed")


def test_an_unmounted_disk_is_reported_and_found_again(footage, start, client, root):
    footage.add(NOON_MS)
    root.rename(root.with_name("away"))
    root.mkdir()
    start(keep_days=1)
    wait_until(lambda: report(client).state == UNAVAILABLE, "it is told")
    assert report(client).reason == "storage_unmounted"
    assert len(footage.segments()) == 1
    root.rmdir()
    root.with_name("away").rename(root)
    wait_until(lambda: footage.starts() == [], "retention goes on")
    assert report(client).state == OK


def test_housekeeping_waits_for_an_unavailable_database(footage, start, client, monkeypatch):
    footage.add(NOON_MS)

    def refuse(*_args, **_options):
        raise database.DatabaseUnavailable("the database does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(expiry, "deletable_segments", refuse)
        keeper = start(keep_days=1)
        wait_until(lambda: keeper._retention._last_error, "the outage is noticed")
    wait_until(lambda: footage.starts() == [], "retention goes on")


def test_a_full_disk_is_handled_without_lease_and_without_redis(footage, start, client, monkeypatch, storage):
    import redis

    def refuse(*_args, **_options):
        raise redis.ConnectionError("away")

    for index in range(8):
        footage.add(NOON_MS + index * MINUTE_MS, sequence=1 + 10 * index)
    size = len(segment_bytes())
    monkeypatch.setattr(LocalStorage, "space", lambda self: Space(8 * size, 0, 8 * size))
    keeper = start()
    monkeypatch.setattr(keeper._lease._leases, "take", refuse)
    monkeypatch.setattr(keeper._lease._leases, "renew", refuse)
    monkeypatch.setattr(keeper._reports._reports, "write", refuse)
    room_requests.request_room()
    wait_until(lambda: len(footage.starts()) < 8, "room is made")
    assert footage.files() == [footage.key(s.start_ms, 1, s.sequence) for s in footage.segments()]


def test_the_footage_of_a_living_recorder_is_not_changed(footage, start, client):
    footage.add(NOON_MS, state=SegmentState.OPEN, data=segment_bytes() + b"half")
    age(footage, NOON_MS)
    Leases(client).take(output_lease("recorder-output"), footage.device_id, "its recorder", 60)
    start()
    wait_until(lambda: report(client).retention_at, "housekeeping has had its turn")
    assert footage.segments()[0].state == SegmentState.OPEN
    Leases(client).release(output_lease("recorder-output"), footage.device_id, "its recorder")
    wait_until(lambda: is_in_order(footage), "it is closed once nobody writes it")


def test_it_stops_at_once_in_the_middle_of_its_work(footage, start, client):
    for index in range(300):
        footage.add(NOON_MS - DAY_MS + index * 2000, sequence=1 + 10 * index, data=b"x", size=1)
    keeper = start(keep_days=1)
    wait_until(lambda: len(footage.files()) < 300, "it deletes")
    keeper.stop(5)
    assert not keeper._thread.is_alive()
    footage.check_roll_up()


@pytest.fixture
def settling(monkeypatch) -> Iterator[threading.Event]:
    """A store that takes long to settle, as one of a thousand devices does after a crash: until the event is set."""
    started, over = threading.Event(), threading.Event()

    def settle(self) -> None:
        started.set()
        over.wait(30)

    monkeypatch.setattr(housekeeping.Sweep, "survey", settle)
    over.started = started
    yield over
    over.set()


def test_a_full_disk_does_not_wait_until_the_store_is_settled(footage, start, settling, monkeypatch):
    for index in range(8):
        footage.add(NOON_MS + index * MINUTE_MS, sequence=1 + 10 * index)
    size = len(segment_bytes())
    monkeypatch.setattr(LocalStorage, "space", lambda self: Space(8 * size, 8 * size, 0))
    start()
    wait_until(settling.started.is_set, "the store is being settled")
    monkeypatch.setattr(LocalStorage, "space", lambda self: Space(8 * size, 0, 8 * size))
    room_requests.request_room()
    wait_until(lambda: len(footage.starts()) < 8, "room is made")


def test_the_space_to_keep_free_is_kept_while_the_store_is_being_settled(footage, start, settling, monkeypatch):
    for index in range(8):
        footage.add(NOON_MS + index * MINUTE_MS, sequence=1 + 10 * index)
    size = len(segment_bytes())
    monkeypatch.setattr(
        LocalStorage, "space", lambda self: Space(10**9, (8 - len(footage.files())) * size + 1000, 8 * size)
    )
    start(free_bytes_floor=3 * size, keep_days=1)
    wait_until(settling.started.is_set, "the store is being settled")
    wait_until(lambda: len(footage.starts()) <= 5, "the floor is free")
    assert len(footage.starts()) >= 4, "but age waits until the store is settled"
    settling.set()
    wait_until(lambda: footage.starts() == [], "then what is too old goes")


def test_a_full_disk_ends_a_long_pass_of_retention(footage, start, monkeypatch):
    """Which would otherwise go on with what is too old on another device."""
    passes: list[str] = []

    def endless(self, *_arguments) -> None:
        passes.append("by age")
        while True:
            self._keep_going()
            time.sleep(0.01)

    monkeypatch.setattr(retention.Retention, "_by_age", endless)
    monkeypatch.setattr(retention.Retention, "make_room", lambda self: passes.append("room") or retention.PassReport())
    start(keep_days=1)
    wait_until(lambda: "by age" in passes, "a pass has begun")
    room_requests.request_room()
    wait_until(lambda: "room" in passes, "room comes first")


def test_a_clock_in_doubt_is_reported_with_an_event_for_each_device(footage, start, client, scope):
    footage.add(NOON_MS)
    confirm_clock(FakeClock(NOON_MS / 1000))
    keeper = start(keep_days=1)
    wait_until(lambda: report(client).reason == "clock_doubted", "it is reported")
    assert report(client).state == SUSPICIOUS
    wait_until(lambda: events_of(scope, footage.device_id, ["footage"]).count() == 1, "in the history too")
    assert "the clock shows" in events_of(scope, footage.device_id).first().text
    assert len(footage.starts()) == 1
    confirm_clock(SystemClock())
    wait_until(lambda: footage.starts() == [], "a person said that it is right")
    wait_until(lambda: report(client).state == OK, "the report is in order")
    keeper.stop()
    assert events_of(scope, footage.device_id, ["footage"]).count() == 1
