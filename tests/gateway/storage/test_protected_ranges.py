"""Thousands of protected ranges: retention finds what lies between them by one query, and holds no lock meanwhile.

`pytest -s tests/gateway/storage/test_protected_ranges.py` prints the figures.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gateway import database
from gateway.clock import DAY_MS, FakeClock
from gateway.footage.segments import SegmentState
from gateway.storage.clock_trust import confirm_clock
from gateway.storage.local import LocalStorage, ensure_storage
from gateway.storage.range_deletion import delete_range
from gateway.storage.retention import Retention
from gateway.storage.unprotected import count_protected, deletable_segments
from gateway.tenancy.scopes import TenantScope
from tests.factories import make_config
from tests.footage import MINUTE_MS, NOON_MS, Footage, make_footage

pytestmark = pytest.mark.usefixtures("bound_database")

RANGES = 5000
#: One file in each protected range, and one file in each gap after every tenth of them.
OLDEST_MS = NOON_MS - 40 * DAY_MS


@pytest.fixture
def storage(tmp_path) -> LocalStorage:
    return ensure_storage(make_config(recordings_dir=tmp_path / "recordings"))


@pytest.fixture
def footage(scope: TenantScope, storage: LocalStorage) -> Footage:
    footage = make_footage(scope, storage)
    protect(footage)
    add_segments(footage)
    add_segments(footage, offset_ms=2 * MINUTE_MS, every=10)
    return footage


def protected_starts() -> list[int]:
    return [OLDEST_MS + number * 3 * MINUTE_MS for number in range(RANGES)]


def free_starts() -> list[int]:
    return [start + 2 * MINUTE_MS for start in protected_starts()[::10]]


def protect(footage: Footage) -> None:
    insert(
        f"INSERT INTO protections "
        "(tenant_id, recording_id, start_ms, end_ms, kind, reference, note, created_by, created_at) "
        f"SELECT '{footage.tenant_id}', {footage.recording_id}, {OLDEST_MS} + i * {3 * MINUTE_MS}, "
        f"{OLDEST_MS} + i * {3 * MINUTE_MS} + {MINUTE_MS}, 'hold', '', '', 'a person', CURRENT_TIMESTAMP FROM n"
    )


def add_segments(footage: Footage, *, offset_ms: int = 0, every: int = 1) -> None:
    insert(
        "INSERT INTO segments (recording_id, start_ms, duration_ms, run, sequence, parts, frames, size, init_size, "
        "state, storage_id, is_archived) "
        f"SELECT {footage.recording_id}, {OLDEST_MS + offset_ms} + i * {3 * MINUTE_MS}, "
        f"{MINUTE_MS - 1}, 1, i, 1, 1, 1, 1, {int(SegmentState.MISSING)}, {footage.storage.id}, 0 FROM n "
        f"WHERE i / {every} * {every} = i"
    )


def insert(statement: str) -> None:
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {RANGES - 1}) "
    with database.transaction() as db:
        db.execute_sql(numbers + statement)


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The seconds of each query meanwhile."""
    taken: list[float] = []
    execute = database.proxy.obj.execute_sql

    def count(*arguments, **options):
        started = time.perf_counter()
        try:
            return execute(*arguments, **options)
        finally:
            taken.append(time.perf_counter() - started)

    with monkeypatch.context() as patch:
        patch.setattr(database.proxy.obj, "execute_sql", count)
        yield taken


@pytest.fixture
def keeper(footage, storage, tmp_path) -> Retention:
    clock = FakeClock(NOON_MS / 1000)
    confirm_clock(clock)
    config = make_config(recordings_dir=tmp_path / "recordings", keep_days=1, free_bytes_floor=1)
    return Retention(config, storage, clock)


def kind() -> str:
    return "PostgreSQL" if database.is_postgresql() else "SQLite"


def test_one_query_finds_what_lies_between_the_ranges(footage, monkeypatch):
    ranges = [(start, start + MINUTE_MS) for start in protected_starts()]
    with counted(monkeypatch) as queries:
        started = time.perf_counter()
        found = deletable_segments(footage.recording_id, ranges, before_ms=NOON_MS, limit=64)
        first = time.perf_counter() - started
        nothing = deletable_segments(footage.recording_id, ranges, before_ms=OLDEST_MS + MINUTE_MS, limit=64)
        everything = deletable_segments(footage.recording_id, ranges, before_ms=NOON_MS, limit=9999)
    print(f"\n{kind()}, {RANGES} ranges: {first * 1000:.0f} ms to find 64 segments, {len(queries)} queries in all")
    assert [segment.start_ms for segment in found] == free_starts()[:64]
    assert nothing == []
    assert [segment.start_ms for segment in everything] == free_starts()
    assert len(queries) <= 5


def test_a_pass_asks_no_query_for_each_range(footage, keeper, monkeypatch):
    with counted(monkeypatch) as queries:
        started = time.perf_counter()
        deleted = keeper.run().total_segments
        seconds = time.perf_counter() - started
        steady_from = len(queries)
        started = time.perf_counter()
        assert keeper.run().total_segments == 0
        steady = time.perf_counter() - started
    print(
        f"\n{kind()}, {RANGES} ranges: {deleted} segments in {seconds:.2f} s with {steady_from} queries; a pass with "
        f"nothing to do {steady * 1000:.0f} ms, {len(queries) - steady_from} queries"
    )
    assert deleted == len(free_starts())
    assert [start for start in footage.starts() if start in set(free_starts())] == []
    assert len(footage.starts()) == RANGES
    assert len(queries) - steady_from < 20


def test_no_more_than_the_ranges_of_a_step_is_read_in_its_transaction(footage, keeper, monkeypatch):
    """Other writers wait for it."""
    held: list[float] = []
    transaction = database.transaction

    @contextmanager
    def timed():
        with transaction() as db:
            started = time.perf_counter()
            yield db
            held.append(time.perf_counter() - started)

    monkeypatch.setattr(database, "transaction", timed)
    keeper.run()
    held.sort()
    middle = held[len(held) // 2]
    print(f"\n{kind()}: a transaction of a step lasts {middle * 1000:.0f} ms, at most {held[-1] * 1000:.0f} ms")
    assert middle < 0.5


def test_a_range_that_a_person_deletes_needs_no_query_for_each_range(scope, footage, monkeypatch):
    with counted(monkeypatch) as queries:
        counts = delete_range(scope, footage.device_id, OLDEST_MS, NOON_MS, "Ann", dry_run=True)
    assert (counts.segments, counts.kept_protected) == (len(free_starts()), RANGES)
    assert len(queries) < 20


def test_protected_segments_are_counted_at_the_edges(footage):
    ranges = [(start, start + MINUTE_MS) for start in protected_starts()]
    first = protected_starts()[0]
    assert count_protected(footage.recording_id, ranges, first, first + MINUTE_MS) == 1
    assert count_protected(footage.recording_id, ranges, first + 1, first + MINUTE_MS) == 0
    assert count_protected(footage.recording_id, ranges, first, first + 4 * MINUTE_MS) == 2
    assert count_protected(footage.recording_id, [(0, NOON_MS)], first, first + 4 * MINUTE_MS) == 3
    assert count_protected(footage.recording_id, [], first, NOON_MS) == 0
