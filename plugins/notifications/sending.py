"""Gives a delivery to the sender of its channel's kind, with the secrets, the picture and the policy of the moment."""

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from gateway.plugin_api import Event, NotFound, SealBroken, Secrets, TenantScope, VasError, database, utc_now
from plugins.notifications.channels.model import MAIL, PUSH, WEBHOOK, Channel
from plugins.notifications.channels.subscriptions import open_subscribers, unsubscribe
from plugins.notifications.channels.values import signing_secrets
from plugins.notifications.deliveries.model import Delivery
from plugins.notifications.options import Settings
from plugins.notifications.pictures import Pictures
from plugins.notifications.senders.mail import send_mail
from plugins.notifications.senders.outcome import Message, Outcome
from plugins.notifications.senders.push import send_push
from plugins.notifications.senders.webhook import send_webhook

log = logging.getLogger(__name__)

#: Without a public address, push services get this as the sender's contact (RFC 8292, 2.1).
_CONTACT = "mailto:vas@localhost.localdomain"


class ChannelSender:
    """Makes one attempt for deliveries of a channel."""

    def __init__(self, secrets: Secrets, settings: Callable[[], Settings], pictures: Pictures) -> None:
        self._secrets = secrets
        self._settings = settings
        self._pictures = pictures

    async def __call__(self, channel: Channel, taken: Sequence[Delivery]) -> Outcome:
        """Send deliveries of one channel: one, or for mail several as one."""
        try:
            secret_values = await asyncio.to_thread(channel.open_secrets, self._secrets)
        except SealBroken as error:
            return Outcome(ok=False, reason=error.reason, error=error.message)
        settings = await asyncio.to_thread(self._settings)
        messages = [await asyncio.to_thread(self._prepare, channel, one, settings) for one in taken]
        config = channel.read_settings() | {"headers": secret_values.get("headers")}
        policy = settings.policy()
        if channel.kind == WEBHOOK:
            return await send_webhook(messages[0], config, signing_secrets(secret_values, utc_now()), policy)
        if channel.kind == MAIL:
            password = secret_values.get("password")
            return await asyncio.to_thread(
                send_mail, messages, config, password, policy, public_url=settings.public_url
            )
        if channel.kind == PUSH:
            scope = TenantScope(channel.tenant_id)
            subscribers = await asyncio.to_thread(open_subscribers, scope, self._secrets, channel.id)

            def forget(subscription_id: str) -> None:
                with contextlib.suppress(NotFound):
                    unsubscribe(scope, channel.id, subscription_id)

            contact = settings.public_url if settings.public_url.startswith("https:") else _CONTACT
            return await send_push(
                messages[0],
                subscribers,
                key_pem=secret_values["key"],
                contact=contact,
                policy=policy,
                forget=forget,
            )
        return Outcome(ok=False, reason="unknown_kind", error=f"no sender for '{channel.kind}'", is_final=True)

    def _prepare(self, channel: Channel, delivery: Delivery, settings: Settings) -> Message:
        """The message, with the picture that its event has by now."""
        scope = TenantScope(delivery.tenant_id)
        snapshot_id = _snapshot_of(scope, delivery)
        picture = None
        if delivery.has_picture and channel.kind == MAIL:
            try:
                picture = self._pictures.of_event(scope, delivery.device_id, snapshot_id)
            except VasError as error:
                log.info("no picture for %s: %s", delivery.message_id, error)
        link = link_of(delivery)
        message = delivery.to_message(
            picture=picture, snapshot_id=snapshot_id if delivery.has_picture else None, link=link
        )
        if "event" in message.data:
            message.data["event"]["snapshot_id"] = snapshot_id
            message.data["event"]["snapshot_url"] = (
                f"{settings.public_url}/api/v1/snapshots/{snapshot_id}/image" if snapshot_id else None
            )
            message.data["link"] = settings.public_url + link
        return message


def link_of(delivery: Delivery) -> str:
    """The address in the UI of what a delivery reports: the moment on the camera's page, otherwise the health page."""
    if delivery.device_id is None:
        return "/health"
    event = json.loads(delivery.data).get("event")
    moment = f"?t={quote(event['start'])}" if event else ""
    return f"/devices/{delivery.device_id}{moment}"


def _snapshot_of(scope: TenantScope, delivery: Delivery) -> str | None:
    """The snapshot that the event of a delivery has by now."""
    if delivery.event_id is None:
        return None
    with database.session():
        row: Any = scope.select(Event, Event.snapshot_id).where(Event.id == delivery.event_id).first()
    return None if row is None else row.snapshot_id
