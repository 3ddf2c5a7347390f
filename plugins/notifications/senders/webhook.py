"""Webhooks by the Standard Webhooks specification: signed, without redirects, bounded."""

import asyncio
import base64
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from standardwebhooks import Webhook

from gateway.plugin_api import VAS_VERSION, InvalidValue, format_time
from plugins.notifications.http_client import HttpAnswer, HttpFailed, post
from plugins.notifications.network import AddressPolicy, AddressRefused, AddressUnknown
from plugins.notifications.retries import parse_retry_after
from plugins.notifications.senders.outcome import Message, Outcome

SECRET_PREFIX = "whsec_"  # noqa: S105 (not a secret: the prefix of the specification)
_SECRET_BYTES = 32


def new_secret() -> str:
    """A secret for signatures, in the format of the specification."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def check_secret(secret: str) -> str | None:
    """What is wrong with a secret, as the end of a sentence; None if nothing is."""
    try:
        size = len(base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True))
    except ValueError:
        size = 0
    if not secret.startswith(SECRET_PREFIX) or not 24 <= size <= 64:
        return f"must be '{SECRET_PREFIX}' and 24 to 64 bytes as base64"
    return None


def body_of(message: Message) -> bytes:
    """The body: type, timestamp and data, as the specification recommends."""
    content = {
        "type": message.type,
        "timestamp": format_time(message.at_ms),
        "data": {"title": message.title, "text": message.text, **message.data},
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def sign(message_id: str, body: bytes, signing_secrets: Sequence[str], at: float) -> dict[str, str]:
    """The headers of the specification. While a secret is rotated, each of them signs."""
    moment = datetime.fromtimestamp(int(at), UTC)
    signatures = [Webhook(secret).sign(message_id, moment, body.decode()) for secret in signing_secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at)),
        "webhook-signature": " ".join(signatures),
    }


def outcome_of(answer: HttpAnswer, now: float) -> Outcome:
    """What the answer to a webhook means: 2xx is success, 410 the end of the receiver, anything else is tried again."""
    known: dict[str, Any] = {"status": answer.status, "answer": answer.text}
    if 200 <= answer.status < 300:
        return Outcome(ok=True, **known)
    if answer.status == 410:
        return Outcome(
            ok=False, reason="gone", error="the receiver answered that it is gone", is_final=True, is_gone=True, **known
        )
    asked = parse_retry_after(answer.retry_after, now)
    if 300 <= answer.status < 400:
        error = "the receiver redirects to another address, which is not followed"
        return Outcome(ok=False, reason="redirected", error=error, **known)
    error = f"the receiver answered {answer.status}"
    return Outcome(ok=False, reason="refused", error=error, retry_after_seconds=asked, **known)


async def send_webhook(
    message: Message, config: Mapping[str, Any], signing_secrets: Sequence[str], policy: AddressPolicy
) -> Outcome:
    """One attempt."""
    try:
        target = await asyncio.to_thread(policy.find_url, config["url"])
        body = body_of(message)
        headers = {
            **(config.get("headers") or {}),
            "Content-Type": "application/json",
            "User-Agent": f"VAS/{VAS_VERSION}",
            **sign(message.id, body, signing_secrets, time.time()),
        }
        return outcome_of(await post(config["url"], target, body, headers), time.time())
    except (AddressRefused, AddressUnknown, InvalidValue) as error:
        return Outcome(ok=False, reason=error.reason, error=error.message)
    except HttpFailed as error:
        return Outcome(ok=False, reason=error.reason, error=str(error))
