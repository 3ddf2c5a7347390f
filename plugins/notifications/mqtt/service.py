"""The service `mqtt`: a bridge for each enabled channel of this kind, and the deliveries to them."""

import asyncio
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateway.plugin_api import (
    EVERY_TENANT,
    DatabaseUnavailable,
    Follower,
    NotFound,
    PluginContext,
    SealBroken,
    TenantScope,
    database,
    utc_now,
)
from plugins.notifications.channels.model import MQTT, Channel, list_channels, note_failure, note_success
from plugins.notifications.deliveries.model import Delivery
from plugins.notifications.delivering import DeliveryLoop
from plugins.notifications.mqtt.bridge import Bridge, BridgeParts
from plugins.notifications.mqtt.commands import BY_NAME
from plugins.notifications.mqtt.topics import DETECTION
from plugins.notifications.options import read_settings
from plugins.notifications.pictures import Pictures
from plugins.notifications.senders.outcome import Outcome
from plugins.notifications.services import run_async
from plugins.notifications.waiting import pause

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
_STOP_SECONDS = 6.0


@dataclass
class _Running:
    bridge: Bridge
    stop: asyncio.Event
    task: asyncio.Task
    is_removed: bool = False


class MqttService:
    """Keeps the bridges as the channels say."""

    def __init__(self, plugin: PluginContext, parts: BridgeParts) -> None:
        self._plugin, self._parts = plugin, parts
        self._running: dict[str, _Running] = {}
        self._follower: Follower | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set."""
        loop = DeliveryLoop(
            (MQTT,), self._send, give_up_days=lambda: read_settings(self._plugin).give_up_days, now=utc_now
        )
        sending = asyncio.create_task(loop.run(stop))
        try:
            while not stop.is_set():
                try:
                    await self._look()
                except DatabaseUnavailable as error:
                    log.warning("brokers wait: %s", error)
                    self._follower = None
                await pause(stop, _LOOK_SECONDS / 2 if self._running else 2 * _LOOK_SECONDS)
        finally:
            await asyncio.gather(*(self._end(channel_id) for channel_id in list(self._running)))
            await asyncio.gather(sending, return_exceptions=True)

    async def _look(self) -> None:
        channels = {channel.id: channel for channel in await asyncio.to_thread(list_channels, EVERY_TENANT, kind=MQTT)}
        for channel_id, running in list(self._running.items()):
            channel = channels.get(channel_id)
            if channel is None or not channel.enabled or _differs(running.bridge.channel, channel):
                await self._end(channel_id, is_removed=True)
        for channel in channels.values():
            if channel.enabled and channel.id not in self._running:
                self._begin(channel)
        if not self._running:
            self._follower = None
            return
        events = await asyncio.to_thread(self._read_events)
        if events:
            for running in self._running.values():
                running.bridge.note_events(events)

    def _begin(self, channel: Channel) -> None:
        try:
            password = channel.open_secrets(self._plugin.secrets).get("password")
        except SealBroken as error:
            self._parts.note(channel, error.message)
            return
        bridge, stop = Bridge(channel, password, self._parts), asyncio.Event()
        task = asyncio.create_task(bridge.run(stop, removes=lambda: self._running[channel.id].is_removed))
        self._running[channel.id] = _Running(bridge, stop, task)

    async def _end(self, channel_id: str, *, is_removed: bool = False) -> None:
        running = self._running[channel_id]
        running.is_removed = is_removed
        running.stop.set()
        await asyncio.wait([running.task], timeout=_STOP_SECONDS)
        if not running.task.done():
            running.task.cancel()
            await asyncio.gather(running.task, return_exceptions=True)
        del self._running[channel_id]

    def _read_events(self) -> list[Any]:
        if self._follower is None:
            self._follower = Follower.from_now()
        return [event.to_fact() for event in self._follower.read()]

    async def _send(self, channel: Channel, taken: Sequence[Delivery]) -> Outcome:
        running = self._running.get(channel.id)
        if running is None:
            return Outcome(ok=False, reason="unreachable", error="the broker is not connected")
        return await running.bridge.send(taken[0].to_message())


def _differs(before: Channel, now: Channel) -> bool:
    """Whether a bridge must begin anew: what is only observed of a channel does not matter."""
    return (before.settings, before.sealed) != (now.settings, now.sealed)


def note_connection(channel: Channel, problem: str | None) -> None:
    """Write whether a broker is connected; a failure never disables its channel."""
    now = utc_now()
    try:
        with database.transaction():
            if problem is None:
                note_success(EVERY_TENANT, channel.id, now)
            else:
                note_failure(EVERY_TENANT, channel.id, problem, now, is_gone=False, give_up_days=36_500)
    except DatabaseUnavailable:
        log.debug("the state of channel '%s' is not written", channel.name)


def run_mqtt(plugin: PluginContext, stop: threading.Event) -> None:
    """The service `mqtt`."""
    pictures = Pictures(plugin.config)

    def picture(scope: TenantScope, device_id: str, snapshot_id: str | None) -> bytes | None:
        return pictures.of_event(scope, device_id, snapshot_id)

    def detections(device_ids: Sequence[str]) -> dict[str, bool]:
        return plugin.options.switches(DETECTION)

    def switch_detection(scope: TenantScope, device_id: str, is_on: bool) -> None:
        if not plugin.options.turn(DETECTION, scope, device_id, is_on=is_on, by_name=BY_NAME):
            raise NotFound("nothing detects: no plugin has such a switch")

    parts = BridgeParts(
        policy=lambda: read_settings(plugin).policy(),
        picture=picture,
        detections=detections,
        switch_detection=switch_detection,
        note=note_connection,
    )
    run_async(stop, MqttService(plugin, parts).run)
