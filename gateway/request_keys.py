"""The keys under which a request may be repeated, with the reply of the first one; of each tenant, and for a day.

The reply is stored in the transaction that creates the resource: after a crash both exist or neither does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import peewee

from gateway import database
from gateway.clock import utc_now
from gateway.errors import Conflict
from gateway.tenancy.scopes import TenantRow, TenantScope, TimeField

#: How long a key is remembered, and how many of a tenant: the oldest are forgotten first.
KEEP_HOURS = 24
MAX_KEYS = 5000


class RequestKey(TenantRow):
    """A key, the digest of its request (`mark`), and the reply."""

    name = peewee.TextField()
    mark = peewee.TextField()
    status = peewee.IntegerField()
    location = peewee.TextField(null=True)
    etag = peewee.TextField(null=True)
    body = peewee.TextField()
    created_at = TimeField()

    class Meta:
        table_name = "request_keys"
        primary_key = peewee.CompositeKey("tenant_id", "name")


@dataclass(frozen=True, slots=True)
class StoredReply:
    """The reply to the first request with a key; `body` is JSON."""

    status: int
    body: str
    location: str | None = None
    etag: str | None = None


class _TakenMeanwhile(Exception):
    """Another request with the same key has been answered first."""


def find_reply(scope: TenantScope, name: str, mark: str, *, at: datetime | None = None) -> StoredReply | None:
    """The reply that is stored under a key; None for a new key. Raises Conflict `key_reused` for another request."""
    oldest = (at or utc_now()) - timedelta(hours=KEEP_HOURS)
    with database.session():
        row = scope.select(RequestKey).where(RequestKey.name == name, RequestKey.created_at > oldest).first()
    if row is None:
        return None
    if row.mark != mark:
        raise Conflict("this idempotency key was used for another request: choose a new one", reason="key_reused")
    return StoredReply(row.status, row.body, row.location, row.etag)


def answer_once(
    scope: TenantScope, name: str, mark: str, create: Callable[[], StoredReply], *, at: datetime | None = None
) -> tuple[StoredReply, bool]:
    """Create something and store the reply, or give the stored one; returns the reply and whether it is new.

    `create` runs in the transaction, so it must not tell anybody of what it creates. What it raises leaves no key: the
    request may be repeated. Raises Conflict `key_reused`.
    """
    now = at or utc_now()
    try:
        with database.transaction():
            if (known := find_reply(scope, name, mark, at=now)) is not None:
                return known, False
            _forget_old(scope, now)
            _take(scope, name, mark, now)
            reply = create()
            values = {"status": reply.status, "body": reply.body, "location": reply.location, "etag": reply.etag}
            scope.update(RequestKey, **values).where(RequestKey.name == name).execute()
            return reply, True
    except _TakenMeanwhile:
        known = find_reply(scope, name, mark, at=now)
        if known is None:
            raise Conflict("the first request with this idempotency key has just failed: repeat it") from None
        return known, False


def _take(scope: TenantScope, name: str, mark: str, now: datetime) -> None:
    """Insert the row; on PostgreSQL this waits for another request with the same key."""
    try:
        scope.insert(RequestKey, name=name, mark=mark, status=0, body="", created_at=now).execute()
    except peewee.IntegrityError:
        raise _TakenMeanwhile from None


def _forget_old(scope: TenantScope, now: datetime) -> None:
    oldest = now - timedelta(hours=KEEP_HOURS)
    scope.delete(RequestKey).where(RequestKey.created_at <= oldest).execute()
    excess = scope.select(RequestKey, RequestKey.name).count() - MAX_KEYS + 1
    if excess > 0:
        old = scope.select(RequestKey, RequestKey.name).order_by(RequestKey.created_at).limit(excess).tuples()
        scope.delete(RequestKey).where(RequestKey.name.in_([name for (name,) in old])).execute()
