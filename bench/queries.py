"""Latency of queries on a year of footage: timelines, dates, playlists and coverage, on SQLite and PostgreSQL.

The index has 100 cameras and a year, with one row per minute. Each query is repeated for different cameras and days,
with the functions and with the complete web application.
"""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask.testing import FlaskClient

from gateway.app import create_app
from gateway.clock import DAY_MS, format_time
from gateway.footage.coverage_reading import read_coverage
from gateway.footage.lists import read_totals, select_recordings
from gateway.footage.reading import packed_between, segments_between
from gateway.footage.recordings import Recording, find_recording
from gateway.footage.timelines import read_dates, read_timeline
from gateway.playback.playlist import IndexedFile, build_playlist
from gateway.schedules.local_days import LocalDay, local_date, local_days
from gateway.schedules.recording_plan import find_zone
from gateway.tenancy.scopes import TenantScope
from gateway.tenancy.tenants import DEFAULT_TENANT_ID
from tests.factories import no_plugins

from .footage_index import DAY_MINUTES, MINUTE_MS, FootageIndex, postgresql_index, sqlite_index
from .options import Options
from .report import Result, Table
from .statistics import spread

CAMERAS, DAYS, TIMES = 100, 365, 60
#: Number of cameras, and of their last days, with the part indexes that playlists need.
WITH_PARTS = (10, 3)
ZONE = "Europe/Berlin"
#: Milliseconds on SQLite and on PostgreSQL.
BUDGET = {"timeline of a day": (150, 50)}
HOUR_MS = 3_600_000


#: The query by the functions, the query string for the API, and the index of the camera.
Query = tuple[Callable[[Recording], Any], str, int]


@dataclass(frozen=True)
class QueryFactory:
    """Creates queries on one index, each for a random camera and day."""

    index: FootageIndex
    scope: TenantScope
    random: random.Random
    with_parts: tuple[int, int]

    def timeline_of_a_day(self) -> Query:
        start = self._some_day()
        return self._timeline(start, start + DAY_MS)

    def timeline_of_a_year(self) -> Query:
        return self._timeline(self._first_ms, self._now_ms)

    def dates_of_a_year(self) -> Query:
        return self._by_days(self._first_ms, self._now_ms, "dates", read_dates)

    def coverage_of_a_month(self) -> Query:
        end = max(self._some_day(), min(self._first_ms + 30 * DAY_MS, self._now_ms))
        return self._by_days(end - 29 * DAY_MS, end, "coverage", _read_coverage)

    def playlist_of_an_hour(self) -> Query:
        return self._playlist(HOUR_MS)

    def playlist_of_a_day(self) -> Query:
        return self._playlist(DAY_MS)

    def list_of_50_recordings(self) -> Query:
        def ask(_recording: Recording) -> Any:
            found, _ = select_recordings(self.scope, text=None, device_ids=(), limit=50, offset=0)
            return read_totals(self.scope, [recording.id for recording in found], self._now_ms)

        return ask, "", 0

    @property
    def _first_ms(self) -> int:
        return self.index.first_minute * MINUTE_MS

    @property
    def _now_ms(self) -> int:
        return self.index.last_minute * MINUTE_MS

    def _some_day(self) -> int:
        days = (self.index.last_minute - self.index.first_minute) // DAY_MINUTES
        return self._first_ms + self.random.randrange(days) * DAY_MS

    def _some_camera(self, count: int) -> int:
        return self.random.randrange(min(count, len(self.index.device_ids)))

    def _timeline(self, start: int, end: int) -> Query:
        def ask(recording: Recording) -> Any:
            return read_timeline(self.scope, recording, start, end, now_ms=self._now_ms)

        query = f"/timeline?start={format_time(start)}&end={format_time(end)}"
        return ask, query, self._some_camera(len(self.index.device_ids))

    def _by_days(self, start: int, end: int, path: str, read: Callable[..., Any]) -> Query:
        first, last = (local_date(find_zone(ZONE), at) for at in (start, end))
        last = min(last, first + timedelta(days=365))
        days = local_days(find_zone(ZONE), first, last)

        def ask(recording: Recording) -> Any:
            return read(self.scope, recording, days, ZONE, now_ms=self._now_ms)

        return ask, f"/{path}?from={first}&to={last}&time_zone={ZONE}", self._some_camera(len(self.index.device_ids))

    def _playlist(self, length: int) -> Query:
        cameras, days = self.with_parts
        start = self._now_ms - days * DAY_MS + self.random.randrange(days * DAY_MS - length)

        def ask(recording: Recording) -> Any:
            packed = packed_between(recording.id, start - 180_000, start + length)
            files = [
                IndexedFile(s.id, s.start_ms, s.run, s.sequence, s.init_size, s.is_open, packed[s.id])
                for s in segments_between(recording.id, start - 180_000, start + length)
            ]
            return build_playlist(files, start, start + length)

        query = f"/playlist?start={format_time(start)}&end={format_time(start + length)}"
        return ask, query, self._some_camera(cameras)


def _read_coverage(scope: TenantScope, recording: Recording, days: list[LocalDay], _zone: str, *, now_ms: int) -> Any:
    return read_coverage(scope, recording, days, now_ms=now_ms)


QUERIES = (
    "timeline_of_a_day",
    "timeline_of_a_year",
    "dates_of_a_year",
    "playlist_of_an_hour",
    "playlist_of_a_day",
    "coverage_of_a_month",
    "list_of_50_recordings",
)


def run(options: Options) -> Result:
    """Measure the same queries on both databases."""
    cameras, days, times = (5, 30, 10) if options.quick else (CAMERAS, DAYS, TIMES)
    statistics: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
    sizes: dict[str, dict[str, float]] = {}
    for name, make in (("SQLite", sqlite_index), ("PostgreSQL", postgresql_index)):
        options.say(f"{name}: {cameras} cameras x {days} days")
        with make(cameras, days, WITH_PARTS, options.say) as index:
            sizes[name] = {"rows": index.rows, "seconds": index.seconds, "bytes": index.read_size()}
            options.say(
                f"{name}: {index.rows} rows in {index.seconds:.0f} s, {index.read_size() / 1e9:.1f} GB; querying"
            )
            statistics[name] = dict(_measure_all(options, index, times))
    return _report(statistics, sizes, cameras, days, times)


def _measure_all(
    options: Options, index: FootageIndex, times: int
) -> Iterator[tuple[str, dict[str, dict[str, float]]]]:
    scope = TenantScope(DEFAULT_TENANT_ID)
    client = create_app(index.config, no_plugins()).test_client()
    for question in QUERIES:
        options.say(question.replace("_", " "))
        factory = QueryFactory(index, scope, random.Random(7), WITH_PARTS)
        by_function, by_http = [], []
        for _ in range(times):
            ask, query, camera = getattr(factory, question)()
            recording = find_recording(scope, index.device_ids[camera])
            begun = time.perf_counter()
            ask(recording)
            by_function.append((time.perf_counter() - begun) * 1000)
        factory = QueryFactory(index, scope, random.Random(8), WITH_PARTS)
        for _ in range(times):
            _, query, camera = getattr(factory, question)()
            by_http.append(_get(client, index.device_ids[camera], query))
        yield question.replace("_", " "), {"functions": spread(by_function), "API": spread(by_http)}


def _get(client: FlaskClient, device_id: str, query: str) -> float:
    """Return the milliseconds of a request with its complete response."""
    url = f"/api/v1/recordings/devices/{device_id}{query}" if query else "/api/v1/recordings?page_size=50"
    begun = time.perf_counter()
    answer = client.get(url)
    length = len(answer.data)
    elapsed = (time.perf_counter() - begun) * 1000
    if answer.status_code != 200 or not length:
        raise RuntimeError(f"{url} returned {answer.status_code}: {answer.text[:300]}")
    return elapsed


def _report(
    statistics: dict[str, dict[str, dict[str, dict[str, float]]]],
    sizes: dict[str, dict[str, float]],
    cameras: int,
    days: int,
    times: int,
) -> Result:
    head = ["", *(f"{name}, {way}" for name in statistics for way in ("functions", "API")), "budget"]
    rows = []
    for question in next(iter(statistics.values())):
        cells = [
            f"{found[question][way]['median']:.1f} ({found[question][way]['p95']:.1f})"
            for found in statistics.values()
            for way in ("functions", "API")
        ]
        budget = BUDGET.get(question)
        rows.append([question, *cells, f"{budget[0]} / {budget[1]}" if budget else ""])
    made = [
        [name, f"{size['rows']:,}".replace(",", " "), f"{size['bytes'] / 1e9:.1f}", f"{size['seconds']:.0f}"]
        for name, size in sizes.items()
    ]
    return Result(
        "queries",
        "",
        {},
        tables=[
            Table(f"Milliseconds, median (p95), {cameras} cameras x {days} days, one row per minute", head, rows),
            Table("The index", ["", "segments", "GB", "seconds to create it"], made),
        ],
        notes=[
            f"Each query is repeated {times} times for different cameras and days. 'API' is the complete request in "
            "one process: routing, scope, queries, JSON; without the network.",
            "Each camera is offline three times a day for five minutes. Budget: SQLite / PostgreSQL, through the API.",
            "The functions calculate the totals of the list each time; the application caches them for a short time.",
            "The index was just written, so most of it is in the system's page cache. PostgreSQL runs with 32 MB of "
            "shared buffers.",
        ],
        raw={"figures": statistics, "index": sizes},
    )
