"""A bridge keeps one broker informed: it connects, announces, publishes what changes, and obeys commands.

Only what differs from what was published is sent; after each connection everything is, so that a broker that has
forgotten gets it again.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import aiomqtt

from gateway.plugin_api import DatabaseUnavailable, TenantScope, VasError, to_ms, utc_now
from plugins.notifications.channels.model import Channel
from plugins.notifications.engine import happenings_of
from plugins.notifications.mqtt.announced import note_announced, note_removed, read_announced
from plugins.notifications.mqtt.commands import Commands, SwitchDetection
from plugins.notifications.mqtt.connection import build_client
from plugins.notifications.mqtt.states import (
    MOTION_KINDS,
    DeviceState,
    MotionTracker,
    changed_messages,
    event_message,
    gone_devices,
    messages_of,
    read_states,
)
from plugins.notifications.mqtt.topics import DETECTION, OFFLINE, ONLINE, RECORDING, Topics, announce
from plugins.notifications.network import AddressPolicy
from plugins.notifications.senders.outcome import Message, Outcome
from plugins.notifications.waiting import pause

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0


@dataclass
class BridgeParts:
    """What bridges use of the product."""

    policy: Callable[[], AddressPolicy]
    picture: Callable[[TenantScope, str, str | None], bytes | None]
    detections: Callable[[Sequence[str]], dict[str, bool]]
    switch_detection: SwitchDetection | None
    note: Callable[[Channel, str | None], None]


class Bridge:
    """The bridge of one channel. `run` ends when the channel's service does."""

    def __init__(self, channel: Channel, password: str | None, parts: BridgeParts) -> None:
        self.channel = channel
        self.config = channel.read_settings()
        self.topics = Topics(self.config["prefix"], self.config["discovery_prefix"])
        self.scope = TenantScope(channel.tenant_id)
        self._password = password
        self._parts = parts
        self._client: aiomqtt.Client | None = None
        self._published: dict[str, Any] = {}
        self._devices: dict[str, DeviceState] = {}
        self._motion = MotionTracker()
        self._events: list[Any] = []
        self._wake = asyncio.Event()

    @property
    def is_connected(self) -> bool:
        return self._client is not None

    async def run(self, stop: asyncio.Event, *, removes: Callable[[], bool]) -> None:
        """Stay connected until `stop` is set. `removes()` says then whether the broker is to forget everything."""
        seconds = _FIRST_PAUSE
        while not stop.is_set():
            try:
                await self._connected(stop, removes)
                seconds = _FIRST_PAUSE
            except (aiomqtt.MqttError, OSError, VasError) as error:
                was_connected = bool(self._published)
                if was_connected:
                    seconds = _FIRST_PAUSE
                text = describe(error)
                log.warning("broker of channel '%s': %s; again in %.0f s", self.channel.name, text, seconds)
                self._parts.note(self.channel, text)
            except Exception as error:
                log.exception("the bridge of channel '%s' failed", self.channel.name)
                self._parts.note(self.channel, f"the bridge failed: {type(error).__name__}")
            finally:
                self._client = None
            await pause(stop, seconds)
            seconds = min(_LONGEST_PAUSE, seconds * 2)

    def note_events(self, events: Sequence[Any]) -> None:
        """Take events of the feed; those of other tenants are ignored."""
        for event in events:
            if event.tenant_id == self.channel.tenant_id and event.device_id is not None:
                if event.kind in MOTION_KINDS:
                    now_ms = to_ms(utc_now())
                    self._motion.note(event.device_id, event.id, has_ended=event.end_ms is not None, now_ms=now_ms)
                if self.is_connected:
                    self._events.append(event)
        del self._events[:-200]
        self._wake.set()

    async def send(self, message: Message) -> Outcome:
        """Publish a notification, and wait until the broker has it."""
        client = self._client
        if client is None:
            return Outcome(ok=False, reason="unreachable", error="the broker is not connected")
        body = {"id": message.id, "type": message.type, "title": message.title, "text": message.text, **message.data}
        try:
            await client.publish(self.topics.notifications, json.dumps(body, ensure_ascii=False), qos=1)
        except (aiomqtt.MqttError, OSError) as error:
            return Outcome(ok=False, reason="unreachable", error=describe(error))
        return Outcome(ok=True)

    async def _connected(self, stop: asyncio.Event, removes: Callable[[], bool]) -> None:
        client = await build_client(self.config, self._password, self._parts.policy(), self.topics)
        async with client:
            self._published = {}
            self._client = client
            self._parts.note(self.channel, None)
            log.info("broker of channel '%s' is connected", self.channel.name)
            # Subscribed also without commands, so that an end of the connection is noticed at once.
            await client.subscribe(self.topics.commands if self.config["commands"] else self.topics.status, qos=1)
            await client.publish(self.topics.status, ONLINE, qos=1, retain=True)
            listening = asyncio.create_task(self._listen(client))
            try:
                while not stop.is_set():
                    await self._publish(client)
                    await _wait_any(stop, self._wake, listening, _LOOK_SECONDS)
                    self._wake.clear()
            finally:
                self._client = None
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
            if removes():
                await self._remove_all(client)
            await client.publish(self.topics.status, OFFLINE, qos=1, retain=True)

    async def _listen(self, client: aiomqtt.Client) -> None:
        switch = self._parts.switch_detection
        commands = Commands(self.topics, self.scope, switch)
        async for message in client.messages:
            if not self.config["commands"]:
                continue
            is_done = await asyncio.to_thread(
                commands.handle, str(message.topic), message.payload, is_retained=message.retain
            )
            if is_done:
                self._wake.set()

    async def _publish(self, client: aiomqtt.Client) -> None:
        try:
            devices = await asyncio.to_thread(read_states, self.scope, to_ms(utc_now()))
            detections = await asyncio.to_thread(self._parts.detections, sorted(devices))
            announced = await asyncio.to_thread(read_announced, self.scope, self.channel.id)
        except DatabaseUnavailable as error:
            log.warning("channel '%s' has no news: %s", self.channel.name, error)
            return
        for device_id in gone_devices(sorted(announced), devices):
            await self._remove(client, device_id)
        now_ms = to_ms(utc_now())
        for device in devices.values():
            device.detects = detections.get(device.id)
            if device.id not in announced:
                await asyncio.to_thread(note_announced, self.scope, self.channel.id, device.id)
            wanted = self._announcement(device)
            wanted |= messages_of(self.topics, device, is_moving=self._motion.is_moving(device.id, now_ms))
            for topic, payload in changed_messages(self._published, wanted):
                # What was never there needs no removal.
                if payload != "" or topic in self._published or device.id in announced:
                    await client.publish(topic, payload or None, qos=1, retain=True)
                self._published[topic] = payload
        events, self._events = self._events, []
        await self._publish_events(client, devices, events)

    def _announcement(self, device: DeviceState) -> dict[str, str]:
        if not self.config["discovery"]:
            return {}
        switches = []
        if self.config["commands"]:
            switches.append(RECORDING)
            if device.detects is not None:
                switches.append(DETECTION)
        return announce(
            self.topics, device.id, device.name, switches=tuple(switches), has_pictures=self.config["pictures"]
        )

    async def _publish_events(
        self, client: aiomqtt.Client, devices: dict[str, DeviceState], events: Sequence[Any]
    ) -> None:
        pictured: dict[str, Any] = {}
        for event in events:
            device = devices.get(event.device_id)
            if device is None:
                continue
            happening = happenings_of(event, (device.name, frozenset()))[-1]
            await client.publish(
                self.topics.of_device(device.id, "event"), event_message(happening), qos=1, retain=True
            )
            if self.config["pictures"] and (event.snapshot_id or event.kind in MOTION_KINDS):
                pictured[device.id] = event
        for device_id, event in pictured.items():
            picture = await asyncio.to_thread(self._parts.picture, self.scope, device_id, event.snapshot_id)
            if picture:
                await client.publish(self.topics.of_device(device_id, "snapshot"), picture, qos=1, retain=True)

    async def _remove(self, client: aiomqtt.Client, device_id: str) -> None:
        for topic in self.topics.all_of(device_id):
            await client.publish(topic, None, qos=1, retain=True)
            self._published.pop(topic, None)
        self._motion.forget(device_id)
        await asyncio.to_thread(note_removed, self.scope, self.channel.id, device_id)

    async def _remove_all(self, client: aiomqtt.Client) -> None:
        for device_id in sorted(await asyncio.to_thread(read_announced, self.scope, self.channel.id)):
            await self._remove(client, device_id)


def describe(error: Exception) -> str:
    """Why there is no connection, as text for people."""
    if isinstance(error, VasError):
        return error.message
    cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
    if isinstance(cause, OSError) and cause.strerror:
        return f"the broker cannot be reached: {cause.strerror}"
    return f"the broker refuses or has closed the connection: {str(error)[:200]}"


async def _wait_any(stop: asyncio.Event, wake: asyncio.Event, listening: asyncio.Task, seconds: float) -> None:
    """Wait until something is to be done. Raises what ended the listening: the connection is lost."""
    waits = [asyncio.create_task(stop.wait()), asyncio.create_task(wake.wait())]
    try:
        await asyncio.wait([*waits, listening], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waits:
            task.cancel()
    if listening.done():
        await listening
        raise aiomqtt.MqttError("the broker has closed the connection")
