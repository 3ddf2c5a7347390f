"""Changes of many streams at once, for the clock process: a few statements for all devices, none when none is due.

Every function opens its own transactions, of at most `BATCH` rows because other writers wait for them, and raises
`gateway.database.DatabaseUnavailable` when the database is away.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import peewee

from gateway import database
from gateway.devices.model import Device
from gateway.events.model import STATE, record_events
from gateway.states import DesiredState, Reason, StreamState, can_follow
from gateway.streams.model import Stream
from gateway.tenancy.scopes import EVERY_TENANT

#: Rows of one transaction.
BATCH = 200


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of a stream without an owner: its last run, and the reason for which it should not run."""

    run: int
    reason: Reason


def demand_streams(device_ids: Collection[str]) -> list[str]:
    """Start those of the devices that run on demand and do not run; returns their ids. Mostly one query."""
    wanted = set(device_ids)
    with database.session():
        waiting = (
            EVERY_TENANT.select(Stream, Stream.device_id)
            .join(Device, on=(Device.id == Stream.device_id))
            .where(
                Stream.desired != DesiredState.RUNNING,
                Device.start_mode == "on_demand",
                Device.enabled == True,  # noqa: E712 (SQL)
            )
            .tuples()
        )
        found = [str(device_id) for (device_id,) in waiting if str(device_id) in wanted]
    started: list[str] = []
    for ids in _batches(found):
        with database.transaction():
            rows = [row.device_id for row in _locked(ids) if row.desired != DesiredState.RUNNING]
            start = {"desired": DesiredState.RUNNING, "desired_reason": "requested", "restarts": 0}
            _update(rows, **start, demanded_at=database.now())
        started += rows
    return started


def touch_demands(device_ids: Collection[str]) -> None:
    """Note that all these devices are demanded now; writes nothing for none."""
    for ids in _batches(device_ids):
        with database.transaction():
            now = database.now()
            rows = [row.device_id for row in _locked(ids) if row.demanded_at is None or row.demanded_at < now]
            _update(rows, demanded_at=now)


def stop_idle(idle_seconds: Mapping[str, int]) -> list[str]:
    """Set the desired state to stopped for the devices without a demand for that time; returns their ids.

    A device that a viewer has demanded since the caller looked keeps running.
    """
    stopped: list[str] = []
    for ids in _batches(idle_seconds):
        with database.transaction():
            now = database.now()
            rows = [
                row.device_id
                for row in _locked(ids)
                if row.desired != DesiredState.STOPPED
                and (row.demanded_at is None or now - row.demanded_at > timedelta(seconds=idle_seconds[row.device_id]))
            ]
            _update(rows, desired=DesiredState.STOPPED, desired_reason="idle")
        stopped += rows
    return stopped


def record_stopped(endings: Mapping[str, Ending]) -> None:
    """Record streams without an owner as stopped, with their events; not one whose run has changed, or is gone."""
    for ids in _batches(endings):
        with database.transaction():
            now = database.now()
            rows = [
                row
                for row in _locked(ids)
                if row.run == endings[row.device_id].run
                and row.observed != StreamState.STOPPED
                and can_follow(StreamState(row.observed), StreamState.STOPPED)
            ]
            for reason in {endings[row.device_id].reason for row in rows}:
                _update(
                    [row.device_id for row in rows if endings[row.device_id].reason == reason],
                    observed=StreamState.STOPPED,
                    reason_code=reason.code,
                    reason_message=reason.message,
                    since=now,
                    worker=None,
                )
            record_events([_event(row, endings[row.device_id].reason, now) for row in rows])


def _event(row: Stream, reason: Reason, at: datetime) -> dict[str, Any]:
    return {
        "tenant_id": row.tenant_id,
        "device_id": row.device_id,
        "kind": STATE,
        "at": at,
        "from_state": row.observed,
        "to_state": StreamState.STOPPED,
        "reason_code": reason.code,
        "reason_message": reason.message,
        "run": row.run or None,
    }


def _locked(device_ids: list[str]) -> Iterable[Stream]:
    """The rows, locked for a change within this transaction, always in the same order so that no two wait in a ring."""
    columns = (Stream.device_id, Stream.tenant_id, Stream.desired, Stream.observed, Stream.demanded_at, Stream.run)
    query: peewee.ModelSelect = EVERY_TENANT.select(Stream, *columns).where(Stream.device_id.in_(device_ids))
    query = query.order_by(Stream.device_id)
    return query.for_update() if database.is_postgresql() else query


def _update(device_ids: list[str], **values: object) -> None:
    if device_ids:
        EVERY_TENANT.update(Stream, **values).where(Stream.device_id.in_(device_ids)).execute()


def _batches(device_ids: Iterable[str]) -> Iterator[list[str]]:
    ids = iter(device_ids)
    while batch := list(islice(ids, BATCH)):
        yield batch
