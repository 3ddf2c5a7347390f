"""The runs of plugins' schedules: when each is due, who runs it, and how it ended.

A run is claimed in the database by one worker of all machines, which then writes heartbeats. Whatever a worker writes
after it has lost the run raises LeaseLost. Every function opens its own transaction and raises DatabaseUnavailable.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import peewee

from gateway import database
from gateway.errors import LeaseLost
from gateway.plugin_tasks import PluginSchedule
from gateway.tenancy.scopes import Row, TimeField

#: A run without a heartbeat for this long has lost its worker.
LOST_SECONDS = 15.0
#: The longest pause before a new schedule runs for the first time, in seconds, and after failures.
_FIRST_SECONDS = 30.0
_LONGEST_PAUSE_SECONDS = 3600.0
_FIRST_PAUSE_SECONDS = 60.0
#: Runs of many installations and schedules must not fall together: each pause is longer by up to this share.
_JITTER = 0.05

WORKER_LOST = "the worker ended during the run"


class PluginScheduleRow(Row):
    """A schedule; `run` names the run that is going on."""

    plugin = peewee.TextField()
    name = peewee.TextField()
    next_at = TimeField()
    run = peewee.TextField(null=True)
    beat_at = TimeField(null=True)
    started_at = TimeField(null=True)
    ended_at = TimeField(null=True)
    error = peewee.TextField(null=True)
    failures = peewee.IntegerField()

    class Meta:
        table_name = "plugin_schedules"
        primary_key = peewee.CompositeKey("plugin", "name")


@dataclass(frozen=True, slots=True)
class ScheduleRun:
    """A run that this process has claimed; `token` is the right to write its row."""

    plugin: str
    name: str
    token: str
    started_at: datetime


def read_schedules(plugins: Iterable[str]) -> dict[tuple[str, str], PluginScheduleRow]:
    """The rows of plugins' schedules by plugin and name; a schedule that no worker has seen yet has none."""
    names = list(plugins)
    if not names:
        return {}
    with database.session():
        rows = PluginScheduleRow.select().where(PluginScheduleRow.plugin.in_(names))
        return {(row.plugin, row.name): row for row in rows}


def claim_due(
    schedules: dict[tuple[str, str], PluginSchedule], worker: str, at: datetime | None = None
) -> list[ScheduleRun]:
    """Claim every schedule that is due and not running anywhere. New ones get their first time."""
    if not schedules:
        return []
    now = at or database.now()
    rows = read_schedules({plugin for plugin, _ in schedules})
    claimed = []
    for key, schedule in schedules.items():
        row = rows.get(key)
        if row is None:
            _add(key, now + timedelta(seconds=random.uniform(0, min(schedule.every_seconds, _FIRST_SECONDS))))
        elif row.run is None and _is_due(row, schedule, now):
            token = f"{worker}:{random.getrandbits(64):x}"
            if _claim(row, token, now):
                claimed.append(ScheduleRun(*key, token, now))
    return claimed


def beat(runs: Iterable[ScheduleRun], at: datetime | None = None) -> list[ScheduleRun]:
    """Write the heartbeats of runs; returns those that this worker has lost."""
    runs = list(runs)
    if not runs:
        return []
    now = at or database.now()
    with database.transaction():
        return [run for run in runs if not _owned(PluginScheduleRow.update(beat_at=now), run).execute()]


def end_run(run: ScheduleRun, schedule: PluginSchedule, error: str | None, at: datetime | None = None) -> None:
    """Record how a run ended, and when the next is due. Raises LeaseLost."""
    now = at or database.now()
    with database.transaction():
        row = _owned(PluginScheduleRow.select(), run).first()
        failures = 0 if error is None or row is None else row.failures + 1
        values = {
            "run": None,
            "ended_at": now,
            "error": error,
            "failures": failures,
            "next_at": _next_time(schedule, run.started_at, now, failures),
        }
        if not _owned(PluginScheduleRow.update(**values), run).execute():
            raise LeaseLost(f"the run of '{run.plugin}/{run.name}' belongs to another worker")


def recover_lost_runs(schedules: dict[tuple[str, str], PluginSchedule], at: datetime | None = None) -> None:
    """End the runs whose worker died: they count as failed."""
    now = at or database.now()
    lost = [
        row
        for key, row in read_schedules({plugin for plugin, _ in schedules}).items()
        if key in schedules and row.run is not None and _is_lost(row, now)
    ]
    for row in lost:
        schedule = schedules[row.plugin, row.name]
        with database.transaction():
            PluginScheduleRow.update(
                run=None,
                ended_at=now,
                error=WORKER_LOST,
                failures=row.failures + 1,
                next_at=_next_time(schedule, row.started_at or now, now, row.failures + 1),
            ).where(_key(row.plugin, row.name), PluginScheduleRow.run == row.run).execute()


def _is_due(row: PluginScheduleRow, schedule: PluginSchedule, now: datetime) -> bool:
    # A time further away than any pause was written before the interval or the clock was changed.
    longest = max(schedule.every_seconds, _LONGEST_PAUSE_SECONDS if row.failures else 0.0) * (1 + _JITTER)
    return row.next_at <= now or row.next_at > now + timedelta(seconds=longest + 1)


def _is_lost(row: PluginScheduleRow, now: datetime) -> bool:
    return row.beat_at is None or row.beat_at < now - timedelta(seconds=LOST_SECONDS)


def _next_time(schedule: PluginSchedule, started_at: datetime, now: datetime, failures: int) -> datetime:
    """One interval after the start, or at once after a longer run; later after failures. Missed times are left out."""
    pause = schedule.every_seconds
    if failures:
        # The exponent is bounded: a schedule may fail for a year.
        growing = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2.0 ** min(failures - 1, 20))
        pause = max(pause, growing)
    due = max(started_at + timedelta(seconds=pause), now)
    return due + timedelta(seconds=random.uniform(0, _JITTER * pause))


def _add(key: tuple[str, str], next_at: datetime) -> None:
    with database.transaction():
        PluginScheduleRow.insert(plugin=key[0], name=key[1], next_at=next_at, failures=0).on_conflict_ignore().execute()


def _claim(row: PluginScheduleRow, token: str, now: datetime) -> bool:
    started = PluginScheduleRow.update(run=token, beat_at=now, started_at=now)
    free = _key(row.plugin, row.name) & (PluginScheduleRow.run >> None) & (PluginScheduleRow.next_at == row.next_at)
    with database.transaction():
        return bool(started.where(free).execute())


def _owned(query: peewee.Query, run: ScheduleRun) -> peewee.Query:
    return query.where(_key(run.plugin, run.name), PluginScheduleRow.run == run.token)


def _key(plugin: str, name: str) -> peewee.Expression:
    return (PluginScheduleRow.plugin == plugin) & (PluginScheduleRow.name == name)
