"""Channels: rows, their settings and sealed secrets, and how their state follows from deliveries."""

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

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
    VersionChanged,
    database,
)

WEBHOOK, MQTT, MAIL, PUSH = KINDS = ("webhook", "mqtt", "mail", "push")
#: Channels of a tenant: each may hold a connection or a share of the senders.
MAX_CHANNELS = 100
#: Codes of `disabled_reason`.
BY_FAILURES, BY_RECEIVER = "failing", "gone"


class Channel(TenantRow):
    """A receiver. `settings` is JSON that people may see; `sealed` a sealed JSON object of secrets.

    `failing_since` is the first failure after the last success. `disabled_reason` says why the service itself disabled
    it: `failing` or `gone`; None if a person did.
    """

    id = IdField(primary_key=True)
    name = peewee.TextField()
    name_key = peewee.TextField()
    kind = peewee.TextField()
    enabled = peewee.BooleanField()
    settings = peewee.TextField()
    sealed = peewee.TextField()
    version = peewee.IntegerField()
    failing_since = TimeField(null=True)
    disabled_reason = peewee.TextField(null=True)
    last_ok_at = TimeField(null=True)
    last_error = peewee.TextField(null=True)
    created_by = peewee.TextField()
    created_at = TimeField()
    updated_at = TimeField()

    class Meta:
        table_name = "notifications_channels"

    def read_settings(self) -> dict[str, Any]:
        """The settings that people may see."""
        return json.loads(self.settings)

    def open_secrets(self, secrets: Secrets) -> dict[str, Any]:
        """The secrets by their names; never show or log them. Raises SealBroken."""
        return json.loads(secrets.open(self.sealed, secret_name(self.id)))


def secret_name(channel_id: str) -> str:
    """The name that the sealed secrets of a channel are bound to."""
    return f"channel:{channel_id}"


def find_channel(scope: EveryTenantScope, channel_id: str) -> Channel:
    """Find a channel; raises NotFound."""
    with database.session():
        channel = scope.select(Channel).where(Channel.id == channel_id).first()
    if channel is None:
        raise NotFound(f"there is no channel with id '{channel_id}'")
    return channel


def list_channels(scope: EveryTenantScope, *, kind: str | None = None, is_enabled: bool = False) -> list[Channel]:
    """All channels by name; only of a kind, or only enabled ones."""
    with database.session():
        query = scope.select(Channel).order_by(Channel.name_key)
        if kind is not None:
            query = query.where(Channel.kind == kind)
        if is_enabled:
            query = query.where(Channel.enabled == True)  # noqa: E712 (SQL)
        return list(query)


def create_channel(
    scope: TenantScope,
    secrets: Secrets,
    *,
    name: str,
    kind: str,
    enabled: bool,
    settings: Mapping[str, Any],
    secret_values: Mapping[str, Any],
    by: str,
    at: datetime,
) -> Channel:
    """Create a channel. Raises Conflict `name_taken`, `limit_reached`."""
    channel_id = str(uuid.uuid4())
    with database.transaction(), _report_taken_name(name):
        if scope.select(Channel).count() >= MAX_CHANNELS:
            raise Conflict(f"there are {MAX_CHANNELS} channels already: delete one first", reason="limit_reached")
        scope.insert(
            Channel,
            id=channel_id,
            name=name,
            name_key=name.casefold(),
            kind=kind,
            enabled=enabled,
            settings=json.dumps(settings),
            sealed=secrets.seal(json.dumps(secret_values), secret_name(channel_id)),
            version=1,
            created_by=by,
            created_at=at,
            updated_at=at,
        ).execute()
        return find_channel(scope, channel_id)


def replace_channel(
    scope: TenantScope,
    secrets: Secrets,
    channel_id: str,
    *,
    name: str,
    enabled: bool,
    settings: Mapping[str, Any],
    secret_values: Mapping[str, Any] | None,
    at: datetime,
    if_version: int | None = None,
) -> Channel:
    """Replace what people set; `secret_values` None keeps the secrets. Enabling forgets earlier failures.

    Raises NotFound, VersionChanged, Conflict `name_taken`.
    """
    with database.transaction(), _report_taken_name(name):
        before = find_channel(scope, channel_id)
        if if_version is not None and before.version != if_version:
            raise VersionChanged("the channel was changed since it was read: read it again")
        changed: dict[str, Any] = {"name": name, "name_key": name.casefold(), "settings": json.dumps(settings)}
        if secret_values is not None:
            changed["sealed"] = secrets.seal(json.dumps(secret_values), secret_name(channel_id))
        changed["enabled"] = enabled
        if enabled and not before.enabled:
            changed |= {"failing_since": None, "disabled_reason": None, "last_error": None}
        scope.update(Channel, version=before.version + 1, updated_at=at, **changed).where(
            Channel.id == channel_id
        ).execute()
        return find_channel(scope, channel_id)


def delete_channel(scope: TenantScope, channel_id: str) -> Channel:
    """Delete a channel; its deliveries stay as a history. Raises NotFound."""
    with database.transaction():
        channel = find_channel(scope, channel_id)
        scope.delete(Channel).where(Channel.id == channel_id).execute()
        return channel


def note_success(scope: EveryTenantScope, channel_id: str, at: datetime) -> None:
    """A delivery succeeded."""
    scope.update(Channel, failing_since=None, last_error=None, last_ok_at=at).where(Channel.id == channel_id).execute()


def note_failure(
    scope: EveryTenantScope, channel_id: str, error: str, at: datetime, *, is_gone: bool, give_up_days: int
) -> bool:
    """A delivery failed; returns whether the channel is disabled by it."""
    channel = scope.select(Channel).where(Channel.id == channel_id, Channel.enabled == True).first()  # noqa: E712 (SQL)
    if channel is None:
        return False
    since = channel.failing_since or at
    reason = BY_RECEIVER if is_gone else BY_FAILURES if at - since >= timedelta(days=give_up_days) else None
    values: dict[str, Any] = {"failing_since": since, "last_error": error[:500]}
    if reason is not None:
        values |= {"enabled": False, "disabled_reason": reason, "version": channel.version + 1, "updated_at": at}
    scope.update(Channel, **values).where(Channel.id == channel_id).execute()
    return reason is not None


@contextmanager
def _report_taken_name(name: str) -> Iterator[None]:
    try:
        yield
    except peewee.IntegrityError as error:
        if "name" not in str(error):
            raise
        raise Conflict(f"there is a channel named '{name}' already", reason="name_taken") from error
