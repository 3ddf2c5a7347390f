"""Deliveries: the outbox. A row is written with the cursor of its event, taken by a sender, and keeps the outcome.

Every change that depends on a former one names it in its condition, so that a process that was suspended while another
took over changes nothing.
"""

import json
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import peewee

from gateway.plugin_api import (
    EVERY_TENANT,
    Conflict,
    EveryTenantScope,
    IdField,
    NotFound,
    TenantRow,
    TenantScope,
    TimeField,
    database,
    to_ms,
)
from plugins.notifications.channels.model import Channel
from plugins.notifications.retries import pause_after
from plugins.notifications.senders.outcome import Message, Outcome

PENDING, DELIVERED, FAILED, CANCELLED = STATES = ("pending", "delivered", "failed", "cancelled")
#: A sender that has not reported for this long is dead, or was suspended: the delivery may be taken again.
TAKEN_SECONDS = 120
#: A delivery whose channel is disabled, or whose attempts end later, is given up after this.
GIVE_UP_HOURS = 25
_MAX_TEXT = 500


class Delivery(TenantRow):
    """A notification for one channel. `data` is the JSON of the happening, `progress` what a sender has done of it."""

    id = peewee.BigAutoField()
    message_id = peewee.TextField()
    channel_id = IdField()
    channel_name = peewee.TextField()
    kind = peewee.TextField()
    rule_id = IdField(null=True)
    rule_name = peewee.TextField()
    event_id = peewee.BigIntegerField(null=True)
    device_id = IdField(null=True)
    device_name = peewee.TextField()
    state = peewee.TextField()
    type = peewee.TextField()
    title = peewee.TextField()
    text = peewee.TextField()
    data = peewee.TextField()
    has_picture = peewee.BooleanField()
    attempts = peewee.IntegerField()
    created_at = TimeField()
    next_try_at = TimeField(null=True)
    taken_until = TimeField(null=True)
    taken_by = peewee.TextField(null=True)
    finished_at = TimeField(null=True)
    status = peewee.IntegerField(null=True)
    answer = peewee.TextField(null=True)
    reason = peewee.TextField(null=True)
    error = peewee.TextField(null=True)
    progress = peewee.TextField(null=True)

    class Meta:
        table_name = "notifications_deliveries"

    def to_message(self, *, picture: bytes | None = None, snapshot_id: str | None = None, link: str = "/") -> Message:
        """The notification as senders take it."""
        return Message(
            id=self.message_id,
            type=self.type,
            at_ms=to_ms(self.created_at),
            title=self.title,
            text=self.text,
            data=json.loads(self.data),
            picture=picture,
            progress=json.loads(self.progress) if self.progress else {},
            snapshot_id=snapshot_id,
            link=link,
        )


def new_message_id() -> str:
    """The id of a message: the same in every attempt."""
    return f"msg_{uuid.uuid4().hex}"


def add_delivery(
    scope: EveryTenantScope,
    channel: Channel,
    *,
    type: str,
    title: str,
    text: str,
    data: dict[str, Any],
    at: datetime,
    has_picture: bool = False,
    delay_seconds: float = 0,
    rule: tuple[str, str] | None = None,
    event_id: int | None = None,
    device: tuple[str, str] | None = None,
) -> int:
    """Insert a delivery, within the caller's transaction; returns its id. `rule` and `device` are ids with names."""
    return scope.insert(
        Delivery,
        tenant_id=channel.tenant_id,
        message_id=new_message_id(),
        channel_id=channel.id,
        channel_name=channel.name,
        kind=channel.kind,
        rule_id=rule[0] if rule else None,
        rule_name=rule[1] if rule else "",
        event_id=event_id,
        device_id=device[0] if device else None,
        device_name=device[1] if device else "",
        state=PENDING,
        type=type,
        title=title,
        text=text,
        data=json.dumps(data, ensure_ascii=False),
        has_picture=has_picture,
        attempts=0,
        created_at=at,
        next_try_at=at + timedelta(seconds=delay_seconds),
    ).execute()


def _is_due(now: datetime) -> Any:
    free = Delivery.taken_until.is_null() | (Delivery.taken_until < now)
    return (Delivery.state == PENDING) & (Delivery.next_try_at <= now) & free


def due_channels(kinds: Sequence[str], now: datetime) -> list[Channel]:
    """The enabled channels of some kinds that have a delivery to send now."""
    with database.session():
        due = EVERY_TENANT.select(Delivery, Delivery.channel_id).where(_is_due(now), Delivery.kind.in_(list(kinds)))
        query = EVERY_TENANT.select(Channel).where(Channel.enabled == True, Channel.id.in_(due))  # noqa: E712 (SQL)
        return list(query)


def take(channel_id: str, owner: str, now: datetime, limit: int, *, with_waiting: bool = False) -> list[Delivery]:
    """Take due deliveries of a channel, oldest first, for one sender.

    `with_waiting`: once one is due, also those that wait for their first attempt, to be sent with it.
    """
    with database.transaction():
        free = Delivery.taken_until.is_null() | (Delivery.taken_until < now)
        own = EVERY_TENANT.select(Delivery).where(Delivery.channel_id == channel_id, Delivery.state == PENDING, free)
        due = own.where(Delivery.next_try_at <= now)
        query = due
        if with_waiting and due.exists():
            query = own.where((Delivery.next_try_at <= now) | (Delivery.attempts == 0))
        query = query.order_by(Delivery.id).limit(limit)
        if database.is_postgresql():
            query = query.for_update("FOR UPDATE SKIP LOCKED")
        found = list(query)
        if found:
            until = now + timedelta(seconds=TAKEN_SECONDS)
            EVERY_TENANT.update(Delivery, taken_until=until, taken_by=owner).where(
                Delivery.id.in_([delivery.id for delivery in found])
            ).execute()
        return found


def finish(delivery: Delivery, owner: str, outcome: Outcome, now: datetime, share: float) -> str | None:
    """Write the outcome of an attempt, within the caller's transaction; returns the new state.

    None, and nothing is changed, if the delivery was taken by another sender meanwhile.
    """
    attempts = delivery.attempts + 1
    values: dict[str, Any] = {
        "attempts": attempts,
        "taken_until": None,
        "taken_by": None,
        "status": outcome.status,
        "answer": (outcome.answer or "")[:_MAX_TEXT] or None,
        "reason": outcome.reason or None,
        "error": (outcome.error or "")[:_MAX_TEXT] or None,
    }
    if outcome.progress is not None:
        values["progress"] = json.dumps(outcome.progress)
    pause = None if outcome.is_final else pause_after(attempts, share, outcome.retry_after_seconds)
    if outcome.ok:
        values |= {"state": DELIVERED, "finished_at": now, "next_try_at": None}
    elif pause is None:
        values |= {"state": FAILED, "finished_at": now, "next_try_at": None}
    else:
        values |= {"state": PENDING, "next_try_at": now + timedelta(seconds=pause)}
    changed = (
        EVERY_TENANT.update(Delivery, **values)
        .where(Delivery.id == delivery.id, Delivery.state == PENDING, Delivery.taken_by == owner)
        .execute()
    )
    return values["state"] if changed else None


def let_go(owner: str) -> None:
    """Give back what a sender has taken and not finished, at its orderly end."""
    with database.transaction():
        EVERY_TENANT.update(Delivery, taken_until=None, taken_by=None).where(
            Delivery.taken_by == owner, Delivery.state == PENDING
        ).execute()


def give_up_old(now: datetime) -> int:
    """Fail what is older than all attempts take, such as deliveries of a disabled channel; returns their number."""
    before = now - timedelta(hours=GIVE_UP_HOURS)
    error = "the channel was disabled, or the sender did not run, for as long as deliveries are tried"
    with database.transaction():
        return (
            EVERY_TENANT.update(
                Delivery, state=FAILED, finished_at=now, next_try_at=None, reason="too_late", error=error
            )
            .where(Delivery.state == PENDING, Delivery.next_try_at < before)
            .execute()
        )


def prune(before: datetime, batch: int = 5000) -> int:
    """Delete up to `batch` finished deliveries; returns the number deleted."""
    with database.transaction():
        old = EVERY_TENANT.select(Delivery, Delivery.id).where(Delivery.finished_at < before).limit(batch)
        ids = [row.id for row in old]
        return EVERY_TENANT.delete(Delivery).where(Delivery.id.in_(ids)).execute() if ids else 0


def find_delivery(scope: EveryTenantScope, delivery_id: int) -> Delivery:
    """Find a delivery; raises NotFound."""
    with database.session():
        delivery = scope.select(Delivery).where(Delivery.id == delivery_id).first()
    if delivery is None:
        raise NotFound(f"there is no delivery with id '{delivery_id}'")
    return delivery


def list_deliveries(
    scope: EveryTenantScope,
    *,
    states: Sequence[str] = (),
    channel_id: str | None = None,
    rule_id: str | None = None,
    device_ids: Sequence[str] = (),
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[Delivery], int]:
    """A page of deliveries, newest first, and the number on all pages."""
    with database.session():
        query = scope.select(Delivery)
        if states:
            query = query.where(Delivery.state.in_(list(states)))
        if channel_id is not None:
            query = query.where(Delivery.channel_id == channel_id)
        if rule_id is not None:
            query = query.where(Delivery.rule_id == rule_id)
        if device_ids:
            query = query.where(Delivery.device_id.in_(list(device_ids)))
        total = query.count()
        return list(query.order_by(Delivery.id.desc()).limit(limit).offset(offset)), total


def retry(scope: TenantScope, delivery_id: int, now: datetime) -> Delivery:
    """Send a delivery again now, with the same message id, whatever became of it.

    Raises NotFound, and Conflict if its channel is gone or disabled.
    """
    with database.transaction():
        delivery = find_delivery(scope, delivery_id)
        channel = scope.select(Channel).where(Channel.id == delivery.channel_id).first()
        if channel is None:
            raise Conflict("the channel of this delivery was deleted")
        if not channel.enabled:
            raise Conflict(f"channel '{channel.name}' is disabled: enable it first", reason="disabled")
        is_waiting = delivery.state == PENDING
        values: dict[str, Any] = {"next_try_at": now}
        if not is_waiting:
            values |= {"state": PENDING, "attempts": 0, "finished_at": None, "taken_by": None, "taken_until": None}
            values |= {"progress": None}
        scope.update(Delivery, **values).where(Delivery.id == delivery_id).execute()
        return find_delivery(scope, delivery_id)


def cancel_pending(scope: EveryTenantScope, channel_id: str, now: datetime) -> None:
    """End what waits for a channel that is deleted; within the caller's transaction."""
    scope.update(
        Delivery,
        state=CANCELLED,
        finished_at=now,
        next_try_at=None,
        taken_by=None,
        taken_until=None,
        reason="channel_deleted",
        error="the channel was deleted",
    ).where(Delivery.channel_id == channel_id, Delivery.state == PENDING).execute()


def count_pending(scope: EveryTenantScope) -> dict[str, int]:
    """The number of waiting deliveries by channel."""
    with database.session():
        query = scope.select(Delivery, Delivery.channel_id, peewee.fn.COUNT(Delivery.id))
        query = query.where(Delivery.state == PENDING).group_by(Delivery.channel_id).tuples()
        return dict(query)


def has_overdue(before: datetime) -> bool:
    """Whether a delivery of an enabled channel was due before a moment, and nobody has taken it."""
    with database.session():
        enabled = EVERY_TENANT.select(Channel, Channel.id).where(Channel.enabled == True)  # noqa: E712 (SQL)
        query = EVERY_TENANT.select(Delivery).where(_is_due(before), Delivery.channel_id.in_(enabled))
        return query.exists()
