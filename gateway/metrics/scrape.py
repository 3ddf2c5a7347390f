"""One reading of all metrics, cached for some seconds so that scrapes are cheap, whoever makes them."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, partial

import redis

from gateway.clock import utc_now
from gateway.config import Config
from gateway.database import DatabaseUnavailable
from gateway.footage.lists import RecordedSums
from gateway.footage.recorder_status import EvidenceReader, recording_statuses
from gateway.health import checks_of_services, run_checks
from gateway.leases import WorkerSlots
from gateway.metrics import of_service, of_streams
from gateway.metrics.exposition import Family, write_text
from gateway.metrics.of_plugins import PluginMetrics
from gateway.metrics.of_streams import Fleet, read_fleet
from gateway.plugin_manager import PluginManager
from gateway.storage.recorders import find_recorder
from gateway.streams.bus import MediaBus
from gateway.streams.live_stats import LiveStats
from gateway.streams.output_states import OutputStates
from gateway.tenancy.scopes import TenantScope

log = logging.getLogger(__name__)

#: A reading is repeated for requests within this time.
CACHE_SECONDS = 5.0
#: Readings that are kept: one for each tenant, with and without devices.
_MOST_READINGS = 50

#: What a group of families needs; one that is away is not asked again in the same reading.
_DATABASE, _REDIS = "database", "redis"


@dataclass(frozen=True, slots=True)
class _Group:
    name: str
    needs: frozenset[str]
    read: Callable[[], Iterable[Family]]


class Metrics:
    """The metrics of the product for a web process. Thread-safe."""

    def __init__(
        self,
        config: Config,
        client: redis.Redis,
        bus: MediaBus,
        plugins: PluginManager,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self._redis = client
        self._bus = bus
        self._plugins = plugins
        self._monotonic = monotonic
        self._slots = WorkerSlots(client)
        self._live = LiveStats(client)
        self._outputs = OutputStates(client)
        self._sums = RecordedSums()
        self._lock = threading.Lock()
        self._known: dict[tuple[str, bool], tuple[float, str]] = {}

    def read(self, scope: TenantScope, *, per_device: bool) -> str:
        """The metrics of the service and of a tenant's devices as text. Never raises because a component is away."""
        key = (scope.tenant_id, per_device)
        # One reading at a time: requests that come meanwhile wait for it, and find it here.
        with self._lock:
            until, text = self._known.get(key, (0.0, ""))
            if self._monotonic() >= until:
                text = write_text(_Reading(self, scope, per_device=per_device).families())
                if len(self._known) >= _MOST_READINGS:
                    self._known.clear()
                self._known[key] = (self._monotonic() + CACHE_SECONDS, text)
            return text

    @cached_property
    def of_plugins(self) -> PluginMetrics:
        """The metrics of plugins, which are collected at the first request."""
        return PluginMetrics(self._plugins)


class _Reading:
    """One reading."""

    def __init__(self, metrics: Metrics, scope: TenantScope, *, per_device: bool) -> None:
        self._metrics = metrics
        self._scope = scope
        self._per_device = per_device
        self._now = utc_now()

    @cached_property
    def _fleet(self) -> Fleet:
        return read_fleet(self._scope, per_device=self._per_device)

    def families(self) -> list[Family]:
        """All families; of two with the same name the first counts."""
        began = time.perf_counter()
        found: dict[str, Family] = {}
        away: set[str] = set()
        collected = []
        for group in self._groups():
            is_collected = not group.needs & away
            if is_collected:
                try:
                    families = list(group.read())
                except DatabaseUnavailable:
                    away.add(_DATABASE)
                    is_collected = False
                except redis.RedisError:
                    away.add(_REDIS)
                    is_collected = False
                except Exception:
                    log.exception("the metrics of '%s' cannot be read", group.name)
                    is_collected = False
                else:
                    for family in families:
                        found.setdefault(family.name, family)
            collected.append(({"group": group.name}, int(is_collected)))
        up = Family("vas_metrics_collected", "Whether the metrics of a group could be read.", collected)
        took = round(time.perf_counter() - began, 4)
        duration = Family("vas_metrics_duration_seconds", "How long this reading took.", [({}, took)])
        return [*found.values(), up, duration]

    def _groups(self) -> list[_Group]:
        one, both = frozenset, frozenset({_DATABASE, _REDIS})
        metrics, service, now_ms = self._metrics, of_service, round(self._now.timestamp() * 1000)
        client, plugins = metrics._redis, metrics._plugins
        jobs = partial(service.job_families, self._scope, self._now)
        events = partial(service.event_families, self._scope, now_ms)
        footage = partial(service.footage_families, self._scope, metrics._sums, now_ms)
        return [
            _Group("health", one(), self._read_health),
            _Group("workers", one({_REDIS}), partial(service.worker_families, metrics._slots)),
            _Group("streams", one({_DATABASE}), lambda: of_streams.stream_families(self._fleet)),
            _Group("recordings", one({_DATABASE}), self._read_recordings),
            _Group("jobs", one({_DATABASE}), jobs),
            _Group("events", one({_DATABASE}), events),
            _Group("footage", one({_DATABASE}), footage),
            _Group("retention", one({_REDIS}), partial(service.retention_families, client, self._now)),
            _Group("plugins", one({_REDIS}), partial(service.plugin_families, plugins, client)),
            # Before the figures of outputs: a metric that a plugin registers counts.
            _Group("plugin_metrics", one(), self._read_plugins),
            _Group("live", both, self._read_live),
            _Group("outputs", both, self._read_outputs),
        ]

    def _read_health(self) -> Iterable[Family]:
        metrics = self._metrics
        checks = checks_of_services(metrics._config, metrics._redis, metrics._bus, metrics._slots, metrics._plugins)
        health = run_checks(checks)
        return [*of_service.health_families(health), *of_service.storage_families(health)]

    def _read_recordings(self) -> Iterable[Family]:
        metrics = self._metrics
        recorder = partial(find_recorder, metrics._plugins, metrics._config)
        evidence = EvidenceReader(metrics._redis, recorder=recorder)
        statuses = recording_statuses(self._scope, [row.id for row in self._fleet.rows], evidence)
        return of_streams.recording_families(self._fleet, statuses)

    def _read_live(self) -> Iterable[Family]:
        live = self._metrics._live.read_many(self._fleet.live_ids)
        return of_streams.live_families(self._fleet, live, self._now.timestamp())

    def _read_outputs(self) -> Iterable[Family]:
        outputs = self._metrics._outputs.read_many(row.id for row in self._fleet.rows)
        return of_streams.output_families(self._fleet, outputs)

    def _read_plugins(self) -> Iterable[Family]:
        ids = None
        if self._per_device:
            try:
                ids = [row.id for row in self._fleet.rows]
            except DatabaseUnavailable:
                ids = []
        return self._metrics.of_plugins.read(ids)
