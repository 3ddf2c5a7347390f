"""What the routes need of the world, made once for each web process."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from threading import BoundedSemaphore
from typing import Any

import pluggy
import redis
from flask import Flask, current_app

from gateway.captures.files import CaptureFiles
from gateway.captures.posters import Posters
from gateway.captures.queue import CaptureQueue
from gateway.clock import utc_now
from gateway.config import Config
from gateway.devices.probes import Probes
from gateway.devices.sources import SourcePolicy
from gateway.errors import Conflict, NotFound, Unavailable
from gateway.inventory import find_device
from gateway.leases import SNAPSHOT, Leases, WorkerSlots
from gateway.redis_client import connect_redis
from gateway.secrets import SecretBox
from gateway.states import DesiredState
from gateway.storage.recorders import find_recorder
from gateway.streams.bus import MediaBus
from gateway.streams.live_stats import LiveStats
from gateway.streams.messages import Messages
from gateway.streams.model import StreamRecord, read_stream_record, request_start, touch_demand
from gateway.tenancy.scopes import EveryTenantScope

logger = logging.getLogger(__name__)

_EXTENSION = "vas"

#: For so long a request may wait for a picture.
MAX_CAPTURE_SECONDS = 10

#: After Redis did not answer, what can do without it does so for this long: no thread waits in vain again.
_REDIS_PAUSE_SECONDS = 2.0

#: A worker that was there is not looked for again for so long.
_SIGHTING_SECONDS = 1.0


class _Outage:
    """Until when Redis counts as away."""

    until = 0.0

    def begins(self) -> None:
        self.until = time.monotonic() + _REDIS_PAUSE_SECONDS

    @property
    def lasts(self) -> bool:
        return time.monotonic() < self.until


class _Sighting:
    """Whether a snapshot worker was there when it was last looked."""

    is_there = False
    until = 0.0


@dataclass(frozen=True, slots=True)
class Services:
    """Connections and keys; nothing here connects before it is used."""

    config: Config
    redis: redis.Redis
    bus: MediaBus
    live: LiveStats
    leases: Leases
    slots: WorkerSlots
    messages: Messages
    probes: Probes
    box: SecretBox
    policy: SourcePolicy
    plugins: pluggy.PluginManager
    captures: CaptureQueue
    capture_files: CaptureFiles
    posters: Posters
    #: The name of the output that writes footage; None without one. Raises PluginError.
    recorder: Callable[[], str | None]
    probe_slots: BoundedSemaphore
    capture_slots: BoundedSemaphore
    redis_outage: _Outage = field(default_factory=_Outage)
    snapshot_worker: _Sighting = field(default_factory=_Sighting)

    @classmethod
    def build(cls, config: Config, plugins: pluggy.PluginManager) -> "Services":
        # A person waits for the answer: shorter than a worker's patience.
        client = connect_redis(config.redis_url, timeout_seconds=1.0)
        captures = CaptureQueue.connect(config)
        box = SecretBox.from_config(config)
        return cls(
            config=config,
            redis=client,
            bus=MediaBus(connect_redis(config.bus_redis_url, timeout_seconds=2.0)),
            live=LiveStats(client),
            leases=Leases(client),
            slots=WorkerSlots(client),
            messages=Messages.connect(config),
            probes=Probes(client, box),
            box=box,
            policy=SourcePolicy.from_config(config),
            plugins=plugins,
            captures=captures,
            capture_files=CaptureFiles.from_config(config),
            posters=Posters(
                connect_redis(config.bus_redis_url, timeout_seconds=1.0),
                fresh_seconds=config.poster_seconds,
                seats=max(1, config.web_threads // 2),
            ),
            recorder=cache(partial(find_recorder, plugins, config)),
            # A probe holds a thread for as long as the camera takes: most threads stay free.
            probe_slots=BoundedSemaphore(max(1, config.web_threads // 4)),
            capture_slots=BoundedSemaphore(max(1, config.web_threads // 2)),
        )

    def attach(self, app: Flask) -> None:
        app.extensions[_EXTENSION] = self

    def send_start(self, device_id: str) -> None:
        """Ask a worker to run a device now.

        The wish is in the database already: without Redis the clock process asks again later, so nothing is raised.
        """
        if self.redis_outage.lasts:
            return
        try:
            self.messages.start_stream(device_id)
        except Unavailable as error:
            self.redis_outage.begins()
            logger.warning("start of device %s waits for the clock process: %s", device_id, error)

    def send_job(self, job_id: str) -> None:
        """Ask a jobs worker to run a job now.

        The row is there already: without Redis the clock process asks again later, so nothing is raised.
        """
        if self.redis_outage.lasts:
            return
        try:
            self.messages.run_job(job_id)
        except Unavailable as error:
            self.redis_outage.begins()
            logger.warning("job %s waits for the clock process: %s", job_id, error)

    def has_snapshot_worker(self) -> bool:
        """Whether anybody would take a request for a picture. Raises Unavailable `redis_unavailable`."""
        seen = self.snapshot_worker
        if time.monotonic() >= seen.until:
            try:
                seen.is_there = bool(self.slots.read(SNAPSHOT))
            except redis.RedisError as error:
                raise Unavailable("the queue (Redis) does not answer", reason="redis_unavailable") from error
            seen.until = time.monotonic() + _SIGHTING_SECONDS
        return seen.is_there

    def read_live(self, device_ids: list[str]) -> dict[str, dict[str, Any]]:
        """The live figures of devices; none while Redis is away."""
        if self.redis_outage.lasts:
            return {}
        try:
            return self.live.read_many(device_ids)
        except redis.RedisError as error:
            self.redis_outage.begins()
            logger.warning("live figures cannot be read: %s", error)
            return {}


def services() -> Services:
    """The services of the present application."""
    return current_app.extensions[_EXTENSION]


def request_stream(scope: EveryTenantScope, device_id: str) -> StreamRecord:
    """Somebody wants to watch: note the demand, and start an on_demand device that is stopped.

    Raises NotFound; Conflict `device_disabled`; Conflict `stream_stopped` when the device waits for a person to
    start it.
    """
    device = find_device(scope, device_id)
    if not device.enabled:
        raise Conflict(f"device '{device.name}' is disabled: enable it first", reason="device_disabled")
    if device.start_mode == "on_demand":
        if request_start(scope, device.id, demanded_at=utc_now()):
            services().send_start(device.id)
    elif device.stream.desired != DesiredState.RUNNING:
        raise Conflict(f"device '{device.name}' is stopped: start it first", reason="stream_stopped")
    else:
        touch_demand(scope, device.id, utc_now())
    record = read_stream_record(device.id)
    if record is None:
        raise NotFound(f"there is no device with id '{device_id}'")
    return record
