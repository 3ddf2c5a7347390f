"""The services that routes use: connections, keys and slots, created once per web process."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from threading import BoundedSemaphore
from typing import Any

import redis
from flask import Flask, current_app

from gateway import database
from gateway.api.deferred import Waits
from gateway.archive.storage import TieredStorage, open_footage
from gateway.captures.files import CaptureFiles
from gateway.captures.posters import Posters
from gateway.captures.queue import CaptureQueue
from gateway.config import Config
from gateway.devices.login_budget import LoginBudget
from gateway.devices.model import Device
from gateway.devices.probes import Probes
from gateway.devices.sources import SourcePolicy
from gateway.errors import Conflict, NotFound, Unavailable
from gateway.footage.recorder_status import EvidenceReader, RecorderStatus, recording_statuses
from gateway.inventory import find_device
from gateway.leases import SNAPSHOT, Leases, WorkerSlots
from gateway.plugin_manager import PluginManager, collect, collect_sources
from gateway.redis_client import Outage, connect_redis
from gateway.secrets import SecretBox
from gateway.states import DesiredState
from gateway.storage.recorders import find_recorder
from gateway.streams.bus import MediaBus
from gateway.streams.live_stats import LiveStats
from gateway.streams.messages import Messages
from gateway.streams.model import request_start, touch_demand
from gateway.streams.output_states import OutputState, OutputStates
from gateway.streams.queries import StreamRecord, read_stream_record
from gateway.streams.try_now import TryNow
from gateway.tenancy.scopes import TenantScope

logger = logging.getLogger(__name__)

_EXTENSION = "vas"

#: Longest time for which a request waits for a picture.
MAX_CAPTURE_SECONDS = 10

#: Probes at the same time: each opens a connection to a camera, and occupies a thread of a jobs worker.
MAX_PROBES = 4

#: The result of a check for a snapshot worker is reused for this long.
_WORKER_CHECK_SECONDS = 1.0


#: A viewer's demand that was noted within this time is not noted again.
_FRESH_DEMAND_SECONDS = 5.0


class _WorkerCheck:
    """The result of the last check for a snapshot worker, valid until `until`."""

    is_running = False
    until = 0.0


@dataclass(frozen=True, slots=True)
class ApiServices:
    """Connections, keys and slots; nothing connects before it is used."""

    config: Config
    redis: redis.Redis
    bus: MediaBus
    live: LiveStats
    outputs: OutputStates
    leases: Leases
    slots: WorkerSlots
    messages: Messages
    probes: Probes
    logins: LoginBudget
    try_now: TryNow
    box: SecretBox
    policy: SourcePolicy
    plugins: PluginManager
    captures: CaptureQueue
    capture_files: CaptureFiles
    posters: Posters
    #: The name of the output that writes footage; None without one.
    recorder: Callable[[], str | None]
    #: The store of footage, with what is in archives.
    footage: TieredStorage
    probe_slots: BoundedSemaphore
    #: The places for requests that wait; one without a place does not wait.
    waits: Waits
    redis_outage: Outage = field(default_factory=Outage)
    snapshot_worker: _WorkerCheck = field(default_factory=_WorkerCheck)

    @classmethod
    def build(cls, config: Config, plugins: PluginManager) -> "ApiServices":
        # A person waits for the answer, so the timeout is shorter than that of a worker.
        client = connect_redis(config.redis_url, timeout_seconds=1.0)
        captures = CaptureQueue.connect(config)
        box = SecretBox.from_config(config)
        return cls(
            config=config,
            redis=client,
            bus=MediaBus(connect_redis(config.bus_redis_url, timeout_seconds=2.0)),
            live=LiveStats(client),
            outputs=OutputStates(client),
            leases=Leases(client),
            slots=WorkerSlots(client),
            messages=Messages.connect(config),
            probes=Probes(client, box),
            logins=LoginBudget.from_config(client, config),
            try_now=TryNow(client),
            box=box,
            policy=SourcePolicy.from_config(config, collect_sources(plugins, config).ports),
            plugins=plugins,
            captures=captures,
            capture_files=CaptureFiles.from_config(config),
            posters=Posters(
                connect_redis(config.bus_redis_url, timeout_seconds=1.0), fresh_seconds=config.poster_seconds
            ),
            recorder=partial(find_recorder, plugins, config),
            footage=open_footage(config, partial(collect, plugins, "register_archives")),
            probe_slots=BoundedSemaphore(MAX_PROBES),
            waits=Waits(config.web_waiters),
        )

    def attach(self, app: Flask) -> None:
        app.extensions[_EXTENSION] = self

    def send_start(self, device_id: str) -> None:
        """Ask a worker to start a device now.

        The desired state is in the database already: without Redis the clock process asks again later, so nothing is
        raised.
        """
        if self.redis_outage.is_active:
            return
        try:
            self.messages.start_stream(device_id)
        except Unavailable as error:
            self.redis_outage.begin()
            logger.warning("start of device %s is left to the clock process: %s", device_id, error)

    def send_job(self, job_id: str) -> None:
        """Ask a jobs worker to run a job now.

        The row exists already: without Redis the clock process asks again later, so nothing is raised.
        """
        if self.redis_outage.is_active:
            return
        try:
            self.messages.run_job(job_id)
        except Unavailable as error:
            self.redis_outage.begin()
            logger.warning("job %s is left to the clock process: %s", job_id, error)

    def has_snapshot_worker(self) -> bool:
        """Whether a snapshot worker runs that can take requests. Raises Unavailable `redis_unavailable`."""
        check = self.snapshot_worker
        if time.monotonic() >= check.until:
            try:
                check.is_running = bool(self.slots.read(SNAPSHOT))
            except redis.RedisError as error:
                raise Unavailable("the queue (Redis) does not answer", reason="redis_unavailable") from error
            check.until = time.monotonic() + _WORKER_CHECK_SECONDS
        return check.is_running

    def read_live(self, device_ids: list[str]) -> dict[str, dict[str, Any]]:
        """Live statistics of devices, by their ids; empty while Redis is unavailable."""
        if self.redis_outage.is_active:
            return {}
        try:
            return self.live.read_many(device_ids)
        except redis.RedisError as error:
            self.redis_outage.begin()
            logger.warning("live statistics cannot be read: %s", error)
            return {}

    def read_outputs(self, device_ids: list[str]) -> dict[str, list[OutputState]]:
        """The states of consumer outputs by device; empty while Redis is unavailable."""
        if self.redis_outage.is_active:
            return {}
        try:
            return self.outputs.read_many(device_ids)
        except redis.RedisError as error:
            self.redis_outage.begin()
            logger.warning("the states of outputs cannot be read: %s", error)
            return {}

    def read_recordings(self, scope: TenantScope, device_ids: list[str]) -> dict[str, RecorderStatus]:
        """The true states of devices' recordings, by their ids. Raises DatabaseUnavailable."""
        evidence = EvidenceReader(self.redis, recorder=self.recorder, outage=self.redis_outage)
        return recording_statuses(scope, device_ids, evidence)


def services() -> ApiServices:
    """The services of the current application."""
    return current_app.extensions[_EXTENSION]


def _is_demand_fresh(device: Device, now: datetime) -> bool:
    """Whether a demand was noted so recently that the end of the demand stays precise without another note."""
    demanded_at = device.stream.demanded_at
    fresh = timedelta(seconds=min(_FRESH_DEMAND_SECONDS, device.idle_seconds / 4))
    return demanded_at is not None and timedelta(0) <= now - demanded_at < fresh


def request_stream(scope: TenantScope, device_id: str) -> StreamRecord:
    """Note that somebody wants to watch, and start an on_demand device that is stopped.

    Raises NotFound; Conflict `device_disabled`; Conflict `stream_stopped` when only a person may start the device.
    """
    device = find_device(scope, device_id)
    if not device.enabled:
        raise Conflict(f"device '{device.name}' is disabled: enable it first", reason="device_disabled")
    is_running = device.stream.desired == DesiredState.RUNNING
    if not is_running and device.start_mode != "on_demand":
        raise Conflict(f"device '{device.name}' is stopped: start it first", reason="stream_stopped")
    now = database.now()
    # A player asks several times a second: only some of its requests write.
    if not is_running or not _is_demand_fresh(device, now):
        if device.start_mode == "on_demand":
            if request_start(scope, device.id, demanded_at=now):
                services().send_start(device.id)
        else:
            touch_demand(scope, device.id, now)
    record = read_stream_record(device.id)
    if record is None:
        raise NotFound(f"there is no device with id '{device_id}'")
    return record
