"""Push subscriptions: the browsers of a channel, each with the address that its push service gave it."""

import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

import peewee

from gateway.plugin_api import (
    Conflict,
    EveryTenantScope,
    IdField,
    NotFound,
    Secrets,
    TenantRow,
    TenantScope,
    TimeField,
    database,
)
from plugins.notifications.senders.push import Subscriber

MAX_SUBSCRIPTIONS = 100


class Subscription(TenantRow):
    """A browser. `digest` is that of its endpoint, which is sealed: whoever knows it can send to the browser."""

    id = IdField(primary_key=True)
    channel_id = IdField()
    digest = peewee.TextField()
    sealed = peewee.TextField()
    browser = peewee.TextField()
    created_by = peewee.TextField()
    created_at = TimeField()

    class Meta:
        table_name = "notifications_subscriptions"


def subscribe(
    scope: TenantScope,
    secrets: Secrets,
    channel_id: str,
    subscription: Mapping[str, str],
    *,
    browser: str,
    by: str,
    at: datetime,
) -> tuple[Subscription, bool]:
    """Add a browser (`endpoint p256dh auth`), or renew its keys; returns it and whether it is new. Raises Conflict."""
    digest = sha256(subscription["endpoint"].encode()).hexdigest()
    with database.transaction():
        own = scope.select(Subscription).where(Subscription.channel_id == channel_id)
        found = own.where(Subscription.digest == digest).first()
        if found is None and own.count() >= MAX_SUBSCRIPTIONS:
            raise Conflict(f"the channel has {MAX_SUBSCRIPTIONS} browsers already", reason="limit_reached")
        new_id = found.id if found else str(uuid.uuid4())
        sealed = secrets.seal(json.dumps(dict(subscription)), f"subscription:{new_id}")
        if found is None:
            scope.insert(
                Subscription,
                id=new_id,
                channel_id=channel_id,
                digest=digest,
                sealed=sealed,
                browser=browser,
                created_by=by,
                created_at=at,
            ).execute()
        else:
            scope.update(Subscription, sealed=sealed, browser=browser).where(Subscription.id == new_id).execute()
        return scope.select(Subscription).where(Subscription.id == new_id).get(), found is None


def list_subscriptions(scope: EveryTenantScope, channel_id: str) -> list[Subscription]:
    """The browsers of a channel, oldest first."""
    with database.session():
        query = scope.select(Subscription).where(Subscription.channel_id == channel_id)
        return list(query.order_by(Subscription.created_at, Subscription.id))


def open_subscribers(scope: EveryTenantScope, secrets: Secrets, channel_id: str) -> list[Subscriber]:
    """The browsers of a channel, with their addresses. Raises SealBroken."""
    found = []
    for row in list_subscriptions(scope, channel_id):
        values = json.loads(secrets.open(row.sealed, f"subscription:{row.id}"))
        found.append(Subscriber(row.id, values["endpoint"], values["p256dh"], values["auth"]))
    return found


def unsubscribe(scope: EveryTenantScope, channel_id: str, subscription_id: str) -> None:
    """Remove a browser. Raises NotFound."""
    with database.transaction():
        removed = (
            scope.delete(Subscription)
            .where(Subscription.id == subscription_id, Subscription.channel_id == channel_id)
            .execute()
        )
    if not removed:
        raise NotFound(f"there is no subscription with id '{subscription_id}'")


def forget_subscriptions(scope: EveryTenantScope, channel_id: str) -> None:
    """Remove all browsers of a channel; within the caller's transaction."""
    scope.delete(Subscription).where(Subscription.channel_id == channel_id).execute()
