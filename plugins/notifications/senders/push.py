"""Web push (RFC 8030): encrypted for each browser (RFC 8291), signed with the channel's VAPID key (RFC 8292)."""

import asyncio
import base64
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.plugin_api import InvalidValue
from plugins.notifications.http_client import HttpFailed, post
from plugins.notifications.network import AddressPolicy, AddressRefused, AddressUnknown
from plugins.notifications.senders.outcome import Message, Outcome

# The libraries take 10 MB, and most installations send no web push.
if TYPE_CHECKING:
    from py_vapid import Vapid02

#: Seconds for which a push service keeps a message for a browser that is away.
_KEPT_SECONDS = 12 * 3600
_TOKEN_SECONDS = 12 * 3600
#: Push services accept at least 4,096 bytes; encryption takes about a hundred.
_MAX_TEXT = 600


@dataclass(frozen=True, slots=True)
class Subscriber:
    """The subscription of one browser."""

    id: str
    endpoint: str
    p256dh: str
    auth: str


def new_key() -> tuple[str, str]:
    """A VAPID key pair: the private key as PEM, and the public one as browsers take it (base64url)."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return pem, _base64url(_point(key))


def has_valid_keys(endpoint: str, p256dh: str, auth: str) -> bool:
    """Whether something can be encrypted for a subscription."""
    from pywebpush import WebPusher, WebPushException

    try:
        WebPusher({"endpoint": endpoint, "keys": {"p256dh": p256dh, "auth": auth}}).encode(b"test", "aes128gcm")
    except (WebPushException, ValueError, TypeError, KeyError):
        return False
    return True


async def send_push(
    message: Message,
    subscribers: Sequence[Subscriber],
    *,
    key_pem: str,
    contact: str,
    policy: AddressPolicy,
    forget: Callable[[str], None],
) -> Outcome:
    """One attempt for all browsers of a channel that do not have the message yet.

    `forget` is called with the id of each subscription that has ended.
    """
    done = set(message.progress.get("done") or ())
    left = [subscriber for subscriber in subscribers if subscriber.id not in done]
    if not subscribers:
        error = "no browser is subscribed to this channel"
        return Outcome(ok=False, reason="no_subscribers", error=error, is_final=True)
    from py_vapid import Vapid02

    key = Vapid02.from_pem(key_pem.encode())
    results = await asyncio.gather(*(_send_one(message, one, key, contact, policy) for one in left))
    failed: list[Outcome] = []
    status = None
    for subscriber, outcome in zip(left, results, strict=True):
        status = outcome.status or status
        if outcome.ok:
            done.add(subscriber.id)
        elif outcome.is_gone:
            await asyncio.to_thread(forget, subscriber.id)
        else:
            failed.append(outcome)
    progress = {"done": sorted(done)}
    if failed:
        first = failed[0]
        return Outcome(
            ok=False,
            status=first.status,
            answer=first.answer,
            reason=first.reason,
            error=f"{len(failed)} of {len(left)} browsers were not reached: {first.error}",
            progress=progress,
        )
    if not done:
        error = "the subscriptions of all browsers have ended"
        return Outcome(ok=False, status=status, reason="no_subscribers", error=error, is_final=True, progress=progress)
    return Outcome(ok=True, status=status, progress=progress)


async def _send_one(
    message: Message, subscriber: Subscriber, key: "Vapid02", contact: str, policy: AddressPolicy
) -> Outcome:
    try:
        target = await asyncio.to_thread(policy.find_url, subscriber.endpoint, "endpoint", schemes=("https", "http"))
        body = await asyncio.to_thread(_encrypt, message, subscriber)
        answer = await post(subscriber.endpoint, target, body, _headers(message, subscriber.endpoint, key, contact))
    except (AddressRefused, AddressUnknown, InvalidValue) as error:
        return Outcome(ok=False, reason=error.reason, error=error.message)
    except HttpFailed as error:
        return Outcome(ok=False, reason=error.reason, error=str(error))
    if 200 <= answer.status < 300:
        return Outcome(ok=True, status=answer.status)
    is_gone = answer.status in (404, 410)
    error = f"the push service answered {answer.status}"
    return Outcome(ok=False, status=answer.status, answer=answer.text, reason="refused", error=error, is_gone=is_gone)


def _encrypt(message: Message, subscriber: Subscriber) -> bytes:
    content = {
        "id": message.id,
        "title": message.title[:200],
        "body": message.text[:_MAX_TEXT],
        "at": message.at_ms,
        "link": message.link,
        "snapshot_id": message.snapshot_id,
    }
    from pywebpush import WebPusher

    pusher = WebPusher(
        {"endpoint": subscriber.endpoint, "keys": {"p256dh": subscriber.p256dh, "auth": subscriber.auth}}
    )
    return bytes(pusher.encode(json.dumps(content, ensure_ascii=False).encode(), "aes128gcm")["body"])


def _headers(message: Message, endpoint: str, key: "Vapid02", contact: str) -> dict[str, str]:
    parts = urlsplit(endpoint)
    claims: Mapping[str, Any] = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "sub": contact,
        "exp": int(time.time()) + _TOKEN_SECONDS,
    }
    return {
        **key.sign(dict(claims)),
        "Content-Type": "application/octet-stream",
        "Content-Encoding": "aes128gcm",
        "TTL": str(_KEPT_SECONDS),
        "Urgency": "high",
        # A push service replaces a message that still waits by its repetition (RFC 8030, 5.4).
        "Topic": "".join(c for c in message.id if c.isalnum() or c in "-_")[:32],
    }


def _point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
