"""What a request says about a channel, as settings and secrets; and a channel as replies show it."""

import ssl
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.plugin_api import InvalidValue
from plugins.notifications.channels.model import KINDS, MAIL, MQTT, PUSH, WEBHOOK, Channel
from plugins.notifications.network import AddressPolicy, AddressRefused, AddressUnknown
from plugins.notifications.senders import push, webhook
from plugins.notifications.senders.mail import DEFAULT_PORTS, check_address

#: For how long a former webhook secret signs beside the new one.
ROTATION = timedelta(hours=24)
_RESERVED_HEADERS = frozenset(
    {"host", "content-length", "content-type", "transfer-encoding", "connection", "user-agent"}
    | {"webhook-id", "webhook-timestamp", "webhook-signature"}
)


def require_part(data: Mapping[str, Any]) -> dict[str, Any]:
    """The part of the body for the channel's kind, such as `webhook`. Raises InvalidValue for one of another kind."""
    kind = data["kind"]
    for other in KINDS:
        if other != kind and data.get(other) is not None:
            raise InvalidValue(other, f"'{other}' must be omitted: the kind of the channel is '{kind}'")
    if kind == PUSH:
        return dict(data.get(PUSH) or {})
    if data.get(kind) is None:
        raise InvalidValue(kind, f"'{kind}' is required for a channel of this kind")
    return dict(data[kind])


def split(
    kind: str, part: dict[str, Any], policy: AddressPolicy, before: Mapping[str, Any] | None, now: datetime
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings and secrets of a channel. `before` has the present secrets, None for a new channel.

    Secrets that are omitted stay, and null removes them. Raises InvalidValue.
    """
    secrets = dict(before or {})
    if kind == WEBHOOK:
        _check(policy.find_url, "webhook.url", part["url"])
        _split_webhook(part, secrets, now)
    elif kind == MQTT:
        _check(policy.find_host, "mqtt.host", part["host"], part["port"])
        _split_password(part, secrets)
        _check_mqtt(part)
    elif kind == MAIL:
        part["port"] = part["port"] or DEFAULT_PORTS[part["encryption"]]
        _check(policy.find_host, "mail.host", part["host"], part["port"])
        _split_password(part, secrets)
        for name, address in [("sender", part["sender"]), *(("recipients", one) for one in part["recipients"])]:
            problem = check_address(address)
            if problem:
                raise InvalidValue(f"mail.{name}", f"'{address[:80]}' {problem}")
    elif before is None:
        secrets["key"], secrets["public_key"] = push.new_key()
    return part, secrets


def signing_secrets(secrets: Mapping[str, Any], now: datetime) -> list[str]:
    """The secrets that sign a webhook now, the newest first."""
    until = secrets.get("previous_until")
    if secrets.get("previous") and until and now < datetime.fromisoformat(until):
        return [secrets["secret"], secrets["previous"]]
    return [secrets["secret"]]


def rotate(secrets: Mapping[str, Any], now: datetime, secret: str | None = None) -> dict[str, Any]:
    """Secrets with a new webhook secret; the former one stays valid for `ROTATION`."""
    return {
        **secrets,
        "secret": secret or webhook.new_secret(),
        "previous": secrets.get("secret"),
        "previous_until": (now + ROTATION).astimezone(UTC).isoformat(),
    }


def show(channel: Channel, secrets: Mapping[str, Any], *, pending: int = 0, browsers: int = 0) -> dict[str, Any]:
    """A channel as replies show it."""
    part = channel.read_settings()
    if channel.kind == WEBHOOK:
        part["header_names"] = sorted(secrets.get("headers") or {})
        part["previous_valid_until"] = secrets.get("previous_until")
    elif channel.kind in (MQTT, MAIL):
        part["has_password"] = bool(secrets.get("password"))
    elif channel.kind == PUSH:
        part = {"public_key": secrets.get("public_key"), "browsers": browsers}
    state = "disabled" if not channel.enabled else "failing" if channel.failing_since else "ok"
    return {
        "id": channel.id,
        "name": channel.name,
        "kind": channel.kind,
        "enabled": channel.enabled,
        **dict.fromkeys(KINDS),
        channel.kind: part,
        "state": state,
        "disabled_reason": channel.disabled_reason,
        "failing_since": channel.failing_since,
        "last_ok_at": channel.last_ok_at,
        "last_error": channel.last_error,
        "pending": pending,
        "version": channel.version,
        "created_by": channel.created_by,
        "created_at": channel.created_at,
        "updated_at": channel.updated_at,
    }


def _check(find: Any, field_name: str, *arguments: Any) -> None:
    try:
        find(*arguments)
    except AddressRefused as error:
        raise InvalidValue(field_name, error.message, reason=error.reason) from None
    except InvalidValue as error:
        raise InvalidValue(field_name, error.message) from None
    except AddressUnknown:
        pass  # it may be known by the time something is sent


def _split_webhook(part: dict[str, Any], secrets: dict[str, Any], now: datetime) -> None:
    secret = part.pop("secret", None)
    if secret is not None:
        problem = webhook.check_secret(secret)
        if problem:
            raise InvalidValue("webhook.secret", f"'secret' {problem}")
        if secret != secrets.get("secret"):
            secrets.update(rotate(secrets, now, secret) if secrets.get("secret") else {"secret": secret})
    elif not secrets.get("secret"):
        secrets["secret"] = webhook.new_secret()
    if "headers" in part:
        headers = part.pop("headers") or {}
        for name, value in headers.items():
            _check_header(name, value)
        secrets["headers"] = headers


def _check_header(name: str, value: str) -> None:
    is_token = name.isascii() and all(c.isalnum() or c in "!#$%&'*+-.^_`|~" for c in name) and 0 < len(name) <= 100
    if not is_token or name.lower() in _RESERVED_HEADERS:
        raise InvalidValue("webhook.headers", f"'{name[:80]}' cannot be a header of your own")
    if not value.isascii() or not value.isprintable() or len(value) > 2000:
        raise InvalidValue(
            "webhook.headers", f"the value of '{name[:80]}' must be at most 2000 visible ASCII characters"
        )


def _split_password(part: dict[str, Any], secrets: dict[str, Any]) -> None:
    if "password" in part:
        password = part.pop("password")
        if password:
            secrets["password"] = password
        else:
            secrets.pop("password", None)
    if secrets.get("password") and not part.get("username"):
        raise InvalidValue("username", "'username' is required with a password")


def _check_mqtt(part: dict[str, Any]) -> None:
    for name in ("prefix", "discovery_prefix"):
        levels = part[name].split("/")
        if any(not level or set(level) & set("+#\0$ ") for level in levels):
            raise InvalidValue(f"mqtt.{name}", f"'{name}' must be a topic without wildcards and empty levels")
    if part.get("ca_certificate"):
        try:
            ssl.create_default_context(cadata=part["ca_certificate"])
        except (ssl.SSLError, ValueError):
            raise InvalidValue("mqtt.ca_certificate", "'ca_certificate' must be a certificate in PEM format") from None
