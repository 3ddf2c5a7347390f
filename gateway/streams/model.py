"""Streams: the desired and the observed state of every device, and the only functions that change them.

The API and the clock process write the desired state (`request_start`, `request_stop`; the clock process for many
devices at once, gateway/streams/fleet.py); the owner of a stream writes the observed state (`claim_run`, `transition`,
`set_source_info`). Every function opens its own transaction and raises `gateway.database.DatabaseUnavailable` when the
database is away.
"""

import json
from datetime import datetime

import peewee

from gateway import database
from gateway.clock import utc_now
from gateway.errors import NotFound, VasError
from gateway.events.model import STATE, record_event
from gateway.media import SourceInfo
from gateway.states import DesiredState, Reason, StreamState, can_follow
from gateway.tenancy.scopes import EVERY_TENANT, EveryTenantScope, IdField, TenantRow, TimeField


class Stream(TenantRow):
    """The desired and the observed state of a device; every device has exactly one row."""

    device_id = IdField(primary_key=True)
    desired = peewee.TextField()
    desired_reason = peewee.TextField()
    observed = peewee.TextField()
    reason_code = peewee.TextField(null=True)
    reason_message = peewee.TextField(null=True)
    since = TimeField()
    run = peewee.BigIntegerField()
    restarts = peewee.IntegerField()
    source_info = peewee.TextField(null=True)
    demanded_at = TimeField(null=True)
    worker = peewee.TextField(null=True)

    class Meta:
        table_name = "streams"


class InvalidTransition(VasError):
    """A state that may not follow the present one (`gateway.states.TRANSITIONS`): a mistake in the code."""

    reason = "invalid_transition"


# ---- the desired state ----------------------------------------------------------------------------------------


def request_start(
    scope: EveryTenantScope, device_id: str, *, reason: str = "requested", demanded_at: datetime | None = None
) -> bool:
    """Set the desired state to running; returns whether it was not before. Raises NotFound.

    `demanded_at`, a time of the database as in `touch_demand`, also notes a viewer's demand. The caller has to check
    whether the device is enabled.
    """
    with database.transaction():
        changed = (
            scope.update(Stream, desired=DesiredState.RUNNING, desired_reason=reason, restarts=0)
            .where(Stream.device_id == device_id, Stream.desired != DesiredState.RUNNING)
            .execute()
        )
        if demanded_at is not None:
            touch_demand(scope, device_id, demanded_at)
        if not changed:
            _require(scope, device_id)
        return bool(changed)


def request_stop(scope: EveryTenantScope, device_id: str, *, reason: str = "requested") -> bool:
    """Set the desired state to stopped; returns whether it was not before. Raises NotFound."""
    with database.transaction():
        changed = (
            scope.update(Stream, desired=DesiredState.STOPPED, desired_reason=reason)
            .where(Stream.device_id == device_id, Stream.desired != DesiredState.STOPPED)
            .execute()
        )
        if not changed:
            _require(scope, device_id)
        return bool(changed)


def touch_demand(scope: EveryTenantScope, device_id: str, at: datetime) -> None:
    """Note that a viewer wants to watch or is watching; keeps an on_demand device from being stopped as idle.

    `at` is a time of the database (`gateway.database.now`): viewers and the clock process may be on other machines.
    """
    with database.transaction():
        scope.update(Stream, demanded_at=at).where(
            Stream.device_id == device_id, Stream.demanded_at.is_null() | (Stream.demanded_at < at)
        ).execute()


# ---- the observed state ---------------------------------------------------------------------------------------


def claim_run(device_id: str, run: int, worker: str | None = None) -> bool:
    """Become the writer of the observed state with a run number greater than any before (the fence).

    False if the device is gone, or if another owner has the same or a higher number: the caller then ends.
    """
    with database.transaction():
        return bool(
            EVERY_TENANT.update(Stream, run=run, worker=worker)
            .where(Stream.device_id == device_id, Stream.run < run)
            .execute()
        )


def claim_next_run(device_id: str, worker: str | None = None) -> int | None:
    """Take the next run number and become the writer of the observed state; None if the device is gone.

    For the holder of the lease. It does not depend on Redis, which may lose its data: the database counts.
    """
    with database.transaction():
        row = _locked(device_id)
        if row is None:
            return None
        EVERY_TENANT.update(Stream, run=row.run + 1, worker=worker).where(Stream.device_id == device_id).execute()
        return row.run + 1


def transition(
    device_id: str,
    to: StreamState,
    *,
    reason: Reason | str | None = None,
    message: str | None = None,
    run: int | None = None,
    expected: StreamState | None = None,
    worker: str | None = None,
    at: datetime | None = None,
) -> bool:
    """Write the observed state by compare-and-swap, together with the event that records it, in one transaction.

    `reason` is a code or a Reason (whose message is stored if it differs from the code's own). `run` is the caller's
    run: another run in the row means that the caller no longer owns the stream. `expected` is the state that the caller
    assumes. Returns False, and writes nothing, if the device is gone or one of the two differs. The same state with the
    same reason writes nothing and returns True; one whose message alone differs replaces it, and is no event. `worker`
    replaces the worker's name; a stopped stream has none. Raises InvalidTransition for a state that may not follow.

    `since` changes only with the state. A transition to `reconnecting` counts as a restart.
    """
    to = StreamState(to)
    code, text = _format(reason, message)
    with database.transaction():
        row = _locked(device_id)
        if row is None or (run is not None and row.run != run):
            return False
        current = StreamState(row.observed)
        if expected is not None and current != expected:
            return False
        if not can_follow(current, to):
            raise InvalidTransition(f"'{to}' cannot follow '{current}' on device '{device_id}'")
        if current == to and row.reason_code == code and row.reason_message == text:
            return True
        now = at or utc_now()
        values = {"observed": to, "reason_code": code, "reason_message": text}
        if current != to:
            values["since"] = now
            if to == StreamState.RECONNECTING:
                values["restarts"] = Stream.restarts + 1
        if to == StreamState.STOPPED:
            values["worker"] = None
        elif worker is not None:
            values["worker"] = worker
        EVERY_TENANT.update(Stream, **values).where(Stream.device_id == device_id).execute()
        if current == to and row.reason_code == code:
            return True
        record_event(
            row.tenant_id,
            device_id,
            STATE,
            at=now,
            from_state=current,
            to_state=to,
            reason_code=code,
            reason_message=text,
            run=row.run or None,
        )
        return True


def set_source_info(device_id: str, info: SourceInfo, *, run: int, source_version: int) -> bool:
    """Store the description of the camera's stream under the settings of `source_version`; returns False if the device
    is gone or belongs to another run."""
    with database.transaction():
        text = json.dumps({**info.to_dict(), "source_version": source_version})
        return bool(
            EVERY_TENANT.update(Stream, source_info=text)
            .where(Stream.device_id == device_id, Stream.run == run)
            .execute()
        )


def _locked(device_id: str) -> Stream | None:
    """The row, locked for a change within this transaction; on PostgreSQL other writers wait for it."""
    query = EVERY_TENANT.select(Stream).where(Stream.device_id == device_id)
    if database.is_postgresql():
        query = query.for_update()
    return query.first()


def _require(scope: EveryTenantScope, device_id: str) -> None:
    if not scope.select(Stream, Stream.device_id).where(Stream.device_id == device_id).exists():
        raise NotFound(f"there is no device with id '{device_id}'")


def _format(reason: Reason | str | None, message: str | None) -> tuple[str | None, str | None]:
    if reason is None:
        return None, message
    if isinstance(reason, Reason):
        return reason.code, message or reason.message
    return str(reason), message
