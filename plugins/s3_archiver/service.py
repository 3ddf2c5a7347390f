"""The uploading service in its process: low priority, options of the plugin, state in Redis."""

import contextlib
import ctypes
import logging
import os
import platform
import threading
from collections.abc import Mapping
from datetime import UTC, datetime

import redis

from gateway.devices.model import Device
from gateway.plugin_api import EVERY_TENANT, NotFound, Outage, PluginContext, connect_redis, database
from plugins.s3_archiver.outbox import Outbox
from plugins.s3_archiver.settings import KINDS, Settings, read_settings
from plugins.s3_archiver.status import Status, StatusStore
from plugins.s3_archiver.uploader import Uploader

log = logging.getLogger(__name__)

_NICE = 10
#: ioprio_set(2): the number of the system call, "this thread", and the class that reads when nobody else does.
_IOPRIO_SET = {"x86_64": 251, "aarch64": 30}
_THIS_THREAD, _IDLE_CLASS = 1, 3 << 13


def run_uploads(stop: threading.Event, plugin: PluginContext) -> None:
    """Upload until the stop. The threads that it starts inherit its low priority."""
    lower_priority()
    channel = StatusChannel(connect_redis(plugin.config.redis_url, timeout_seconds=1.0))
    uploader = Uploader(
        Outbox(plugin.config, clock=lambda: datetime.now(UTC)),
        PluginSettings(plugin),
        stop,
        publish=channel.publish,
        asked_to_retry=channel.asked_to_retry,
    )
    uploader.run()


class PluginSettings:
    """The options of the plugin as settings."""

    def __init__(self, plugin: PluginContext) -> None:
        self._plugin = plugin

    def settings(self) -> Settings:
        """The options of the installation."""
        return read_settings(self._plugin.options.installation())

    def devices(self) -> Mapping[str, set[str]]:
        """The ids of the devices whose objects are archived, by kind."""
        chosen: dict[str, set[str]] = {kind: set() for kind in KINDS}
        found = dict(self._plugin.options.devices())
        # What a camera recorded before it was disabled is archived like the rest.
        for device_id in _disabled_devices():
            with contextlib.suppress(NotFound):
                found[device_id] = self._plugin.options.device(device_id)
        for device_id, options in found.items():
            for kind in options["archived"]:
                chosen[kind].add(device_id)
        return chosen


def _disabled_devices() -> list[str]:
    with database.session():
        query = EVERY_TENANT.select(Device, Device.id).where(Device.enabled == False)  # noqa: E712 (SQL)
        return [row.id for row in query]


class StatusChannel:
    """The connection with the API through Redis. While that is away, uploads go on without it."""

    def __init__(self, client: redis.Redis) -> None:
        self._store = StatusStore(client)
        self._outage = Outage()

    def publish(self, status: Status) -> None:
        """Publish the state."""
        self._call(lambda: self._store.write(status))

    def asked_to_retry(self) -> bool:
        """Whether a person asked to try again at once."""
        return bool(self._call(self._store.asked_to_retry))

    def _call(self, function):
        if self._outage.is_active:
            return None
        try:
            return function()
        except redis.RedisError as error:
            self._outage.begin()
            log.debug("the state of the uploads is not exchanged: %s", error)
            return None


def lower_priority() -> None:
    """Let this thread and those that it starts compute and read after all others."""
    os.setpriority(os.PRIO_PROCESS, 0, max(_NICE, os.getpriority(os.PRIO_PROCESS, 0)))
    number = _IOPRIO_SET.get(platform.machine())
    if number is not None and ctypes.CDLL(None).syscall(number, _THIS_THREAD, 0, _IDLE_CLASS) != 0:
        log.info("the priority of reading cannot be lowered here")
