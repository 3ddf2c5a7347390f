"""Much footage goes at once: fast enough, in short steps, and others can write to the database meanwhile.

`SEGMENTS=10000 pytest -s tests/gateway/storage/test_retention_load.py` prints the figures for ten thousand segments.
"""

import os
import threading
import time

import psycopg
import pytest

from gateway import database
from gateway.clock import DAY_MS, SystemClock
from gateway.footage.recordings import Recording
from gateway.footage.segments import FIFTEEN_MINUTES_MS, FifteenMinuteRollup, Segment, SegmentParts, SegmentState
from gateway.storage.clock_trust import confirm_clock
from gateway.storage.deletion import mark_for_deletion
from gateway.storage.folders import list_folders
from gateway.storage.local import ensure_storage
from gateway.storage.reconciliation import Reconciliation
from gateway.storage.retention import Retention
from gateway.tenancy.scopes import EVERY_TENANT, FootageScope, TenantScope
from tests.conftest import wait_until
from tests.factories import make_config
from tests.footage import MINUTE_MS, Footage, make_footage

COUNT = int(os.environ.get("SEGMENTS", "1000"))
CAMERAS = 4
#: Slower would not keep up with a hundred cameras by far: they make 1.7 segments a second.
MIN_PER_SECOND = 25


def fill(footage: Footage, count: int, end_ms: int) -> None:
    """Minutes of footage with tiny files, written as fast as can be."""
    size = 64
    with database.transaction():
        scope = FootageScope(footage.recording_id)
        quarters: dict[int, int] = {}
        for index in range(count):
            start_ms = end_ms - (count - index) * MINUTE_MS
            segment_id = scope.insert(
                Segment,
                start_ms=start_ms,
                duration_ms=MINUTE_MS,
                run=1,
                sequence=index * 120,
                parts=120,
                frames=1500,
                size=size,
                init_size=32,
                state=SegmentState.CLOSED,
                storage_id=footage.storage.id,
                is_archived=0,
            ).execute()
            SegmentParts.insert(segment_id=segment_id, packed=bytes(14 * 120)).execute()
            quarters[start_ms // FIFTEEN_MINUTES_MS] = quarters.get(start_ms // FIFTEEN_MINUTES_MS, 0) + 1
            path = footage.storage.root / footage.key(start_ms, 1, index * 120)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes(size))
        for quarter, segments in quarters.items():
            scope.insert(
                FifteenMinuteRollup,
                quarter=quarter,
                recorded_ms=segments * MINUTE_MS,
                bytes=segments * size,
                segments=segments,
            ).execute()


class OtherWriter(threading.Thread):
    """Writes to the database again and again, and remembers how long each time took."""

    def __init__(self, recording_id: int) -> None:
        super().__init__(daemon=True)
        self._recording_id = recording_id
        self.stopped = threading.Event()
        self.waits: list[float] = []

    def run(self) -> None:
        while not self.stopped.wait(0.02):
            started = time.perf_counter()
            with database.transaction():
                EVERY_TENANT.update(Recording, version=Recording.version + 1).where(
                    Recording.id == self._recording_id
                ).execute()
            self.waits.append(time.perf_counter() - started)


@pytest.mark.usefixtures("bound_database")
def test_thousands_of_segments_are_deleted_fast_while_others_write(scope: TenantScope, tmp_path):
    config = make_config(recordings_dir=tmp_path / "recordings", keep_days=1, free_bytes_floor=1)
    storage = ensure_storage(config)
    cameras = [make_footage(scope, storage) for _ in range(CAMERAS)]
    other = make_footage(scope, storage)
    now_ms = int(time.time() * 1000)
    for camera in cameras:
        fill(camera, COUNT // CAMERAS, now_ms - 2 * DAY_MS)

    started = time.perf_counter()
    reconciliation = Reconciliation(storage, SystemClock(), is_recorded=lambda device_id: False)
    scans = [reconciliation.scan(folder) for folder in list_folders(now_ms)]
    compared_seconds = time.perf_counter() - started
    assert sum(scan.checked for scan in scans) == COUNT
    assert not [mismatch for scan in scans for mismatch in scan.mismatches]

    writer = OtherWriter(other.recording_id)
    writer.start()
    confirm_clock(SystemClock())
    keeper = Retention(config, storage, SystemClock(), pause=time.sleep)
    started, deleted, longest = time.perf_counter(), 0, 0.0
    while True:
        began = time.perf_counter()
        report = keeper.run()
        longest = max(longest, time.perf_counter() - began)
        deleted += report.total_segments
        if not report.is_more:
            break
    seconds = time.perf_counter() - started
    writer.stopped.set()
    writer.join(15)
    waits, kind = sorted(writer.waits), "PostgreSQL" if database.is_postgresql() else "SQLite"
    print(
        f"\n{COUNT} segments, {kind}: compared in {compared_seconds:.2f} s; "
        f"deleted {deleted / seconds:.0f} a second, longest pass {longest:.1f} s; another writer waited "
        f"{waits[len(waits) // 2] * 1000:.1f} ms (median), {waits[-1] * 1000:.0f} ms (most)"
    )
    assert deleted == COUNT
    assert deleted / seconds > MIN_PER_SECOND
    assert waits[-1] < 5, "nobody waits until the database gives up on him"
    for camera in cameras:
        assert camera.files() == []
        camera.check_consistent()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_deletion_waits_for_a_protection_that_is_being_added(bound_database, scope, tmp_path):
    """Between its first word and its commit nobody else sees it, and footage could go that it protects."""
    footage = make_footage(scope, ensure_storage(make_config(recordings_dir=tmp_path / "recordings")))
    now_ms = int(time.time() * 1000)
    fill(footage, 3, now_ms)
    ids = [segment.id for segment in footage.segments()]
    with psycopg.connect(bound_database) as connection:
        connection.execute(
            "INSERT INTO protections"
            " (tenant_id, recording_id, start_ms, end_ms, kind, reference, note, created_by, created_at)"
            " VALUES (%s, %s, %s, %s, 'hold', '', '', 'a person', now())",
            (footage.tenant_id, footage.recording_id, now_ms - DAY_MS, now_ms),
        )
        marked: list = []
        thread = threading.Thread(
            target=lambda: marked.append(mark_for_deletion(footage.recording_id, ids)), daemon=True
        )
        thread.start()
        wait_until(lambda: is_waiting(bound_database), "the deletion waits for the protection")
        connection.commit()
    thread.join(10)
    assert marked == [[]]
    assert [segment.state for segment in footage.segments()] == [SegmentState.CLOSED] * 3


def is_waiting(url: str) -> bool:
    with psycopg.connect(url) as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        return connection.execute(query).fetchone()[0] > 0
