"""A year of footage in the index, without files: rows of segments, roll-ups and gaps, generated in the database.

Each camera is offline for five minutes in eight hours, and then begins a new run. Rows are written in order of time,
all cameras minute by minute, so that they are as scattered as those of a recorder.
"""

import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from gateway import database, migrations
from gateway.config import Config
from gateway.footage.recordings import find_recording
from gateway.footage.segments import StorageRow
from gateway.inventory import DeviceValues, NewRecording, create_device
from gateway.media import PartFact, pack_parts
from gateway.secrets import SecretBox
from gateway.tenancy.scopes import TenantScope
from gateway.tenancy.tenants import DEFAULT_TENANT_ID
from tests.conftest import PostgresServer
from tests.factories import make_config

MINUTE_MS = 60_000
DAY_MINUTES = 1440
#: A camera is offline once per block, for the first AWAY_MINUTES.
BLOCK_MINUTES, AWAY_MINUTES = 480, 5
PARTS = 120
SIZE = 30_000_000  # one minute at 4 Mbps
#: Disk space that the index needs per row, with a margin.
ROW_BYTES = 400

_MINUTES = """
WITH RECURSIVE minutes (minute) AS (
    SELECT CAST({first} AS BIGINT) UNION ALL SELECT minute + 1 FROM minutes WHERE minute < {last}
),
places AS (
    SELECT camera.id AS recording_id, minute * 60000 + camera.number * 131 % 2000 AS start_ms,
           (minute + camera.number * 37) / {block} AS block, (minute + camera.number * 37) % {block} AS place
    FROM minutes, bench_cameras AS camera
)
"""
_SEGMENTS = """
INSERT INTO segments (recording_id, start_ms, duration_ms, run, sequence, parts, frames, size, init_size, state,
                      storage_id, is_archived)
{minutes}
SELECT recording_id, start_ms, 60000, block, 1 + (place - {away}) * {parts}, {parts}, 1500,
       {size} + (start_ms / 60000 * 7919 + recording_id * 104729) % 2000000, 900, 1, {storage}, 0
FROM places WHERE place >= {away} ORDER BY start_ms / 60000, recording_id
"""
_QUARTERS = """
INSERT INTO recording_quarters (recording_id, quarter, recorded_ms, bytes, segments)
{minutes}
SELECT recording_id, start_ms / 900000, count(*) * 60000,
       sum({size} + (start_ms / 60000 * 7919 + recording_id * 104729) % 2000000), count(*)
FROM places WHERE place >= {away} GROUP BY 1, 2 ORDER BY 2, 1
"""
_GAPS = """
INSERT INTO recording_gaps (recording_id, start_ms, end_ms, reason_code, by_name, is_wanted)
{minutes}
SELECT recording_id, start_ms, start_ms + {away} * 60000, 'refused', NULL, 1
FROM places WHERE place = 0 ORDER BY start_ms
"""
_PARTS = """
INSERT INTO segment_parts (segment_id, packed)
SELECT id, {mark} FROM segments WHERE recording_id = {recording} AND start_ms >= {first} AND start_ms < {last}
"""


@dataclass(frozen=True)
class FootageIndex:
    """Generated devices with their recordings; the first minute, and the one after the last (since 1970)."""

    config: Config
    device_ids: list[str]
    recording_ids: list[int]
    first_minute: int
    last_minute: int
    rows: int
    seconds: float
    read_size: Callable[[], int]


@contextmanager
def sqlite_index(
    cameras: int, days: int, with_parts: tuple[int, int], say: Callable[[str], None]
) -> Iterator[FootageIndex]:
    """Create an index in SQLite. `with_parts`: number of cameras, and of their last days, with part indexes."""
    folder = Path(tempfile.mkdtemp(prefix="vas-bench-"))
    try:
        _require_space(folder, cameras * days * DAY_MINUTES)
        path = folder / "vas.db"
        config = _prepare(f"sqlite:///{path}", folder)
        known = _make_cameras(config, cameras)
        database.close()  # no other connection may be open while there is no journal
        connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -500000", "foreign_keys = OFF"):
            connection.execute(f"PRAGMA {pragma}")
        made = _fill(known, connection.execute, "?", days, with_parts, say)
        connection.execute("ANALYZE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.close()
        yield FootageIndex(config, *made, read_size=lambda: path.stat().st_size)
    finally:
        database.close()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgresql_index(
    cameras: int, days: int, with_parts: tuple[int, int], say: Callable[[str], None]
) -> Iterator[FootageIndex]:
    """Create the same index on a separate PostgreSQL server."""
    folder = Path(tempfile.mkdtemp(prefix="vas-bench-"))
    server = PostgresServer(folder)
    try:
        _require_space(folder, cameras * days * DAY_MINUTES)
        server.create()
        server.start()
        config = _prepare(server.url(), folder)
        with psycopg.connect(server.url(), autocommit=True) as connection:
            # The references are valid by construction; checking each would take longer than all the rest.
            connection.execute("SET session_replication_role = replica")
            made = _fill(_make_cameras(config, cameras), connection.execute, "%s", days, with_parts, say)
            say("PostgreSQL: VACUUM ANALYZE")
            connection.execute("VACUUM ANALYZE")

        def read_size() -> int:
            with psycopg.connect(server.url()) as again:
                return again.execute("SELECT pg_database_size(current_database())").fetchone()[0]

        yield FootageIndex(config, *made, read_size=read_size)
    finally:
        database.close()
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _require_space(folder: Path, rows: int) -> None:
    free, needed = shutil.disk_usage(folder).free, rows * ROW_BYTES
    if free < needed:
        raise RuntimeError(f"{needed >> 30} GiB must be free in '{folder.parent}', not {free >> 30}")


def _prepare(url: str, folder: Path) -> Config:
    config = make_config(database_url=url, var_dir=folder / "var", recordings_dir=folder / "recordings")
    database.connect(config)
    migrations.migrate()
    return config


def _fill(
    known: tuple[list[str], list[int], int],
    execute: Callable[..., Any],
    mark: str,
    days: int,
    with_parts: tuple[int, int],
    say: Callable[[str], None],
) -> tuple[list[str], list[int], int, int, int, float]:
    begun = time.monotonic()
    device_ids, recording_ids, storage = known
    execute("CREATE TABLE bench_cameras (id BIGINT, number BIGINT)")
    for number, recording_id in enumerate(recording_ids):
        execute(f"INSERT INTO bench_cameras VALUES ({recording_id}, {number})")
    # Multiples of 15 minutes, so that each quarter of an hour belongs to one of the days.
    last_minute = int(time.time()) // 900 * 15
    first_minute = last_minute - days * DAY_MINUTES
    values = {"block": BLOCK_MINUTES, "away": AWAY_MINUTES, "parts": PARTS, "size": SIZE, "storage": storage}
    for day in range(days):
        first = first_minute + day * DAY_MINUTES
        minutes = _MINUTES.format(first=first, last=first + DAY_MINUTES - 1, **values)
        execute("BEGIN")
        for statement in (_SEGMENTS, _QUARTERS, _GAPS):
            execute(statement.format(minutes=minutes, **values))
        execute("COMMIT")
        if day % 73 == 72:
            say(f"{day + 1} of {days} days, {time.monotonic() - begun:.0f} s")
    _add_parts(execute, mark, recording_ids[: with_parts[0]], (last_minute - with_parts[1] * DAY_MINUTES, last_minute))
    execute("DROP TABLE bench_cameras")
    rows = execute("SELECT count(*) FROM segments").fetchone()[0]
    return device_ids, recording_ids, first_minute, last_minute, rows, time.monotonic() - begun


def _make_cameras(config: Config, count: int) -> tuple[list[str], list[int], int]:
    scope, box = TenantScope(DEFAULT_TENANT_ID), SecretBox.from_config(config)
    recording = NewRecording("continuous", "Europe/Berlin")
    device_ids = [
        create_device(scope, DeviceValues(f"camera {number}", f"rtsp://10.0.0.{number}/x"), box, recording=recording).id
        for number in range(1, count + 1)
    ]
    with database.transaction():
        storage = StorageRow.insert(
            uuid="6c1f0f1e-0000-4000-8000-000000000001",
            kind="local",
            created_at=find_recording(scope, device_ids[0]).since,
        ).execute()
    return device_ids, [find_recording(scope, device_id).id for device_id in device_ids], storage


def _add_parts(execute: Callable[..., Any], mark: str, recording_ids: list[int], minutes: tuple[int, int]) -> None:
    part_ms = MINUTE_MS // PARTS
    packed = pack_parts(
        PartFact(SIZE // PARTS, part * part_ms, part_ms, 12, part % 4 == 0, True) for part in range(PARTS)
    )
    for recording in recording_ids:
        first, last = (minute * MINUTE_MS for minute in minutes)
        execute(_PARTS.format(mark=mark, recording=recording, first=first, last=last), (packed,))
