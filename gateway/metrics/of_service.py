"""Metrics of the service: components, workers, jobs, events, storage, and the work of plugins."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import redis
from peewee import fn

from gateway import __version__, database
from gateway.events.model import GAP, Event
from gateway.footage.lists import RecordedSums
from gateway.footage.recordings import Recording
from gateway.isolation.problems import STATES as PLUGIN_STATES
from gateway.jobs.model import JOB_STATES, QUEUED, Job
from gateway.leases import OUTPUTS, RECORD, SNAPSHOT, STREAM, WorkerSlots
from gateway.metrics.exposition import Family, gauge
from gateway.plugin_manager import PluginManager
from gateway.plugin_states import read_plugin_states
from gateway.plugin_work.registrations import read_registered
from gateway.plugin_work.services import ServiceStates
from gateway.storage.report import StorageReports
from gateway.tenancy.scopes import TenantScope

#: Gaps that began or ended within this time are counted.
_RECENT_MS = 3_600_000
_WINDOW = {"window": "1h"}


def health_families(health: Mapping[str, Any]) -> Iterator[Family]:
    """The states of components, as `gateway.health.run_checks` returns them."""
    components = sorted(health["components"].items())
    yield Family("vas_build_info", "The version of VAS.", [({"version": __version__}, 1)])
    yield Family(
        "vas_component_status",
        "1 for the present status of each component of the service.",
        [
            ({"component": name, "status": status}, int(component["status"] == status))
            for name, component in components
            for status in ("ok", "degraded", "down")
        ],
    )


def worker_families(slots: WorkerSlots) -> Iterator[Family]:
    """Workers and their slots. Raises redis.RedisError."""
    found = {kind: slots.read(kind) for kind in (STREAM, RECORD, OUTPUTS, SNAPSHOT)}
    totals = {kind: list(workers.values()) for kind, workers in found.items()}
    yield Family("vas_workers", "Living workers by kind.", [({"kind": k}, len(pairs)) for k, pairs in totals.items()])
    yield Family(
        "vas_worker_slots",
        "Slots of all workers of a kind.",
        [({"kind": kind}, sum(total for _, total in pairs)) for kind, pairs in totals.items()],
    )
    yield Family(
        "vas_worker_slots_used",
        "Slots of all workers of a kind that are in use.",
        [({"kind": kind}, sum(used for used, _ in pairs)) for kind, pairs in totals.items()],
    )


def job_families(scope: TenantScope, now: datetime) -> Iterator[Family]:
    """Jobs by state, and how long the oldest has waited. Raises DatabaseUnavailable."""
    with database.session():
        query = scope.select(Job, Job.state, fn.COUNT(Job.id)).group_by(Job.state)
        counts = dict(query.tuples())
        oldest = scope.select(Job, Job.created_at).where(Job.state == QUEUED).order_by(Job.created_at).first()
    yield Family("vas_jobs", "Jobs by state.", [({"state": state}, counts.get(state, 0)) for state in JOB_STATES])
    waited = 0.0 if oldest is None else max(0.0, (now - oldest.created_at).total_seconds())
    yield from gauge("vas_jobs_oldest_queued_seconds", "How long the oldest queued job has waited.", round(waited, 1))


def event_families(scope: TenantScope, now_ms: int) -> Iterator[Family]:
    """Recorded events, and gaps of footage of late. Raises DatabaseUnavailable."""
    with database.session():
        newest = scope.select(Event, Event.id).order_by(Event.id.desc()).limit(1).scalar()
        query = scope.select(Event, Event.start_ms, Event.end_ms).where(Event.kind == GAP)
        # No gap of interest goes on for more than a day without an end: the index on the beginning is used.
        recent = Event.start_ms > now_ms - 24 * _RECENT_MS
        ended = Event.end_ms.is_null() | (Event.end_ms > now_ms - _RECENT_MS)
        gaps = list(query.where(recent, ended).tuples())
    since = now_ms - _RECENT_MS
    lost = sum(max(0, min(end or now_ms, now_ms) - max(start, since)) for start, end in gaps)
    yield Family("vas_events_total", "Recorded events, by the number of the newest.", [({}, newest or 0)], "counter")
    yield Family(
        "vas_recording_gaps_open", "Gaps of wanted footage that go on.", [({}, sum(end is None for _, end in gaps))]
    )
    yield Family("vas_recording_recent_gaps", "Gaps of wanted footage of late.", [(_WINDOW, len(gaps))])
    yield Family("vas_recording_recent_gap_seconds", "Wanted footage lost of late.", [(_WINDOW, lost / 1000)])


def storage_families(health: Mapping[str, Any]) -> Iterator[Family]:
    """The disks, from the health of their components: a disk that hangs delays nobody else there."""
    detail = health["components"].get("storage", {}).get("detail") or {}
    names = {
        "vas_storage_size_bytes": ("total_bytes", "Size of the disk of footage."),
        "vas_storage_free_bytes": ("free_bytes", "Free space on the disk of footage."),
        "vas_storage_floor_bytes": ("floor_bytes", "Space that retention keeps free on the disk of footage."),
    }
    for name, (key, help_text) in names.items():
        yield from gauge(name, help_text, detail.get(key))
    written = detail.get("written_per_hour_bytes")
    yield from gauge(
        "vas_storage_write_bytes_per_second",
        "Footage that all devices write, in the busiest quarter of the last hour.",
        None if written is None else round(written / 3600, 1),
    )
    folders = {"VAR_DIR": "disk", "CAPTURES_DIR": "captures"}
    free = {
        setting: (health["components"].get(component, {}).get("detail") or {}).get("free_bytes")
        for setting, component in folders.items()
    }
    yield Family(
        "vas_disk_free_bytes",
        "Free space on the disks of other folders.",
        [({"folder": setting}, size) for setting, size in free.items() if size is not None],
    )


def footage_families(scope: TenantScope, sums: RecordedSums, now_ms: int) -> Iterator[Family]:
    """The bytes of footage by where they are. Raises DatabaseUnavailable."""
    with database.session():
        archived_by = dict(scope.select(Recording, Recording.id, Recording.archived_by).tuples())
        amounts = sums.read(list(archived_by), now_ms) if archived_by else {}
    local = sum(amount.local_bytes for amount in amounts.values())
    yield from gauge("vas_footage_local_bytes", "Footage on the local disk.", local)
    archived = sum(amount.archived_bytes for amount in amounts.values())
    yield from gauge("vas_footage_archived_bytes", "Footage with a verified copy in an archive.", archived)
    waiting = sum(
        amounts[key].bytes - amounts[key].archived_bytes for key, archive in archived_by.items() if archive is not None
    )
    yield from gauge("vas_footage_archive_backlog_bytes", "Footage that waits for its copy in an archive.", waiting)


def retention_families(client: redis.Redis, now: datetime) -> Iterator[Family]:
    """The housekeeping of footage. Raises redis.RedisError."""
    report = StorageReports(client).read()
    if report is not None and report.retention_at is not None:
        age = max(0.0, round(now.timestamp() - report.retention_at, 1))
        yield from gauge("vas_storage_retention_age_seconds", "Time since the last pass of retention.", age)


def plugin_families(manager: PluginManager, client: redis.Redis) -> Iterator[Family]:
    """The states of plugins and of their services. Raises redis.RedisError."""
    plugins = read_plugin_states(manager, client)
    states = Counter(plugin.state for plugin in plugins)
    yield Family(
        "vas_plugins", "Installed plugins by state.", [({"state": state}, states[state]) for state in PLUGIN_STATES]
    )
    yield Family(
        "vas_plugin_problems",
        "Problems that each plugin has now.",
        [({"plugin": plugin.name}, len(plugin.problems)) for plugin in plugins],
    )
    registered = read_registered(manager)
    services = [(name, service) for name, plugin in registered.items() for service in plugin.services]
    found = ServiceStates(client).read(services)
    shown = [({"plugin": key[0], "service": key[1]}, found.get(key)) for key in services]
    yield Family(
        "vas_plugin_service_running",
        "Whether the service of a plugin runs.",
        [(labels, int(state is not None and state.state == "running")) for labels, state in shown],
    )
    living = [(labels, state) for labels, state in shown if state is not None]
    yield Family(
        "vas_plugin_service_restarts_total",
        "Restarts of the service of a plugin, since its worker started.",
        [(labels, state.restarts) for labels, state in living],
        "counter",
    )
    yield Family(
        "vas_plugin_service_resident_memory_bytes",
        "Memory of all processes of the service of a plugin.",
        [(labels, state.memory_bytes) for labels, state in living if state.memory_bytes is not None],
    )
