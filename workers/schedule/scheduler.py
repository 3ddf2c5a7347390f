"""The clock process: every few seconds it compares desired and observed states, and repairs what no owner repairs."""

import contextlib
import logging
import math
import os
import random
import socket
import threading
from datetime import datetime, timedelta
from functools import partial

import redis

from gateway import database
from gateway.captures.queue import CaptureQueue
from gateway.clock import Clock
from gateway.config import Config
from gateway.errors import Unavailable
from gateway.events.bell import hang_bell, take_bell_down
from gateway.events.model import prune_events
from gateway.isolation.guard import GUARD
from gateway.isolation.problems import ProblemReports
from gateway.isolation.threads import note_slow_calls
from gateway.jobs.cleanup import sweep_jobs
from gateway.leases import STREAM, Leases, WorkerSlots, describe_shortage
from gateway.outputs import ConsumerContext, ConsumerOutput
from gateway.plugin_loading import load_plugins
from gateway.plugin_manager import PluginManager, collect_consumer_outputs, notify
from gateway.plugin_work.jobs import fail_unknown_jobs
from gateway.redis_client import connect_redis
from gateway.service_clock import ServiceClock
from gateway.states import DesiredState, StreamState, reason_for
from gateway.storage.clock_trust import ClockTrust
from gateway.streams.fleet import Ending, record_stopped, stop_idle, touch_demands
from gateway.streams.live_stats import LiveStats
from gateway.streams.messages import Messages
from gateway.streams.queries import StreamRecord, streams_to_reconcile
from workers.outputs.reconciler import ConsumerReconciler
from workers.periodic import PeriodicThread
from workers.schedule.capture_cleanup import CaptureCleanup
from workers.schedule.snapshot_clock import SnapshotClock
from workers.stop_signal import StopSignal

log = logging.getLogger(__name__)

#: After Redis was away or came back empty, living owners renew their leases within this time.
GRACE_SECONDS = 4.0

#: Maximum number of devices that are starting at a time: of a hundred cameras started at once, half time out. One that
#: does not run after this time makes room for the next.
STARTS_AT_ONCE = 8
START_SECONDS = 2.0

#: Pause after a pass that left devices to be started.
START_PAUSE_SECONDS = 0.5

#: A pass that found no worker is repeated after this time, so often: workers and clock mostly start together.
QUICK_SECONDS = 0.25
QUICK_PASSES = 40

#: How often old history is pruned.
PRUNE_SECONDS = 600.0

#: Age from which on a lasting demand is written again, as a share of the device's idle time.
_DEMAND_DUE = 0.5

#: How often jobs are swept, and the maximum number of messages to run a job that are sent again at once.
JOBS_SECONDS = 3.0
JOBS_PER_PASS = 4


class Reconciler:
    """One pass is `reconcile()`; it is safe to repeat and to run in several processes."""

    def __init__(
        self,
        config: Config,
        client: redis.Redis,
        messages: Messages,
        *,
        outputs: list[ConsumerOutput] | None = None,
        plugins: frozenset[str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        #: The names of the installed plugins; None if they are not known.
        self._plugins = plugins
        self._config = config
        self._redis = client
        self._leases = Leases(client)
        self._slots = WorkerSlots(client)
        self._live = LiveStats(client)
        self._messages = messages
        self._consumers = ConsumerReconciler(outputs or [], self._leases, self._slots, messages)
        self._clock = clock or ServiceClock()
        self._is_without_worker = False
        self._quick_passes = 0
        self._trust = ClockTrust(self._clock)
        self._redis_run: str | None = None
        self._grace_until = 0.0
        self._next_prune_at = 0.0
        self._next_sweep_at = 0.0
        self._has_more_to_start = False
        #: The devices that are starting, with the monotonic times of their messages.
        self._starting: dict[str, float] = {}
        #: The devices that were demanded in the last pass.
        self._demanded: set[str] = set()

    def reconcile(self) -> None:
        """Start streams that should run without an owner, record ownerless stopped ones, stop idle ones."""
        self._is_without_worker = self._has_more_to_start = False
        is_pruning = self._prune_history()
        self._sweep_jobs(with_orphans=is_pruning)
        wanted = self._consumers.read_wanted()
        self._consumers.demand_streams(wanted)
        records = streams_to_reconcile()
        if not self._redis_is_settled():
            return
        owners = self._leases.holders(STREAM, [record.device_id for record in records])
        running = {r.device_id for r in records if r.observed == StreamState.RUNNING and r.device_id in owners}
        self._start([r for r in records if self._should_run(r) and r.device_id not in owners], running)
        self._record_stopped([r for r in records if not self._should_run(r) and r.device_id not in owners])
        self._stop_idle([r for r in records if r.start_mode == "on_demand" and self._should_run(r)], wanted)
        self._consumers.reconcile(wanted)
        self._is_without_worker |= self._consumers.is_without_worker

    def seconds_to_next_pass(self) -> float:
        """Return the pause after a pass: short, for some passes, while devices wait for workers that may yet start."""
        self._quick_passes = self._quick_passes + 1 if self._is_without_worker else 0
        if 0 < self._quick_passes <= QUICK_PASSES:
            return QUICK_SECONDS
        if self._has_more_to_start:
            return min(START_PAUSE_SECONDS, self._config.reconcile_seconds)
        return self._config.reconcile_seconds * random.uniform(0.9, 1.1)

    def _prune_history(self) -> bool:
        """Prune old history; returns whether it was time for it."""
        now = self._clock.monotonic()
        if now < self._next_prune_at:
            return False
        self._next_prune_at = now + PRUNE_SECONDS
        if deleted := prune_events(self._trusted_now() - timedelta(days=self._config.event_days)):
            log.info("deleted %d events that were older than %d days", deleted, self._config.event_days)
        return True

    def _sweep_jobs(self, *, with_orphans: bool) -> None:
        now = self._clock.monotonic()
        if now < self._next_sweep_at:
            return
        self._next_sweep_at = now + JOBS_SECONDS
        if self._plugins is not None and (
            failed := fail_unknown_jobs(installed=self._plugins, keep_hours=self._config.export_keep_hours)
        ):
            log.warning("%d jobs failed: their plugins are not installed", len(failed))
        queued = sweep_jobs(self._config, expired_before=self._trusted_now(), with_orphans=with_orphans)
        for job_id in queued[:JOBS_PER_PASS]:
            self._messages.run_job(job_id)

    def _trusted_now(self) -> datetime:
        time = self._trust.check()
        return database.now() - timedelta(milliseconds=time.wall_ms - time.now_ms)

    def _should_run(self, record: StreamRecord) -> bool:
        return record.enabled and record.desired == DesiredState.RUNNING

    def _redis_is_settled(self) -> bool:
        """Whether leases are reliable: Redis did not restart since the last pass, or owners had time to renew them."""
        try:
            run = self._redis.info("server")["run_id"]
        except redis.RedisError:
            self._grace_until = self._clock.monotonic() + GRACE_SECONDS
            raise
        if self._redis_run not in (None, run):
            self._grace_until = self._clock.monotonic() + GRACE_SECONDS
        self._redis_run = run
        return self._clock.monotonic() >= self._grace_until

    def _start(self, records: list[StreamRecord], running: set[str]) -> None:
        """Start devices without an owner, so that few are starting at any time: as fast as cameras and machines are."""
        now = self._clock.monotonic()
        self._starting = {
            device_id: at
            for device_id, at in self._starting.items()
            if device_id not in running and now - at < START_SECONDS
        }
        if not records:
            return
        slots = self._slots.read(STREAM)
        free = sum(total - used for used, total in slots.values())
        if free <= 0:
            self._is_without_worker = not slots
            # Once for all quick passes in a row.
            if self._quick_passes in (0, QUICK_PASSES):
                log.warning("%d devices wait %s", len(records), describe_shortage(STREAM, slots))
            return
        waiting = [record for record in records if record.device_id not in self._starting]
        random.shuffle(waiting)
        for record in waiting:
            if free <= 0:
                return
            if len(self._starting) >= STARTS_AT_ONCE:
                self._has_more_to_start = True
                return
            if self._messages.start_stream(record.device_id):
                free -= 1
                self._starting[record.device_id] = now
                log.info("started device %s: it should run and had no owner", record.device_id)

    def _record_stopped(self, records: list[StreamRecord]) -> None:
        endings = {
            record.device_id: Ending(
                record.run, reason_for(record.desired_reason if record.enabled else "device_disabled")
            )
            for record in records
            if record.observed != StreamState.STOPPED
        }
        if endings:
            record_stopped(endings)

    def _stop_idle(self, records: list[StreamRecord], wanted: dict[str, list[str]]) -> None:
        """Stop devices that nobody demands; note the demands of viewers and outputs, when due and when they end."""
        if not records:
            self._demanded = set()
            return
        stats = self._live.read_many(record.device_id for record in records)
        demanded = {device_id for device_ids in wanted.values() for device_id in device_ids}
        demanded |= {device_id for device_id, figures in stats.items() if figures.get("viewers")}
        now = database.now()
        touched = _due_demands([record for record in records if record.device_id in demanded], now)
        idle = {}
        for record in records:
            if record.device_id in demanded:
                continue
            if record.device_id in self._demanded:
                touched.append(record.device_id)
            elif record.demanded_at is None or now - record.demanded_at > timedelta(seconds=record.idle_seconds):
                idle[record.device_id] = record.idle_seconds
        if touched:
            touch_demands(touched)
        self._demanded = demanded
        if not idle:
            return
        for device_id in stop_idle(idle):
            log.info("stopped device %s: no viewer for %d s", device_id, idle[device_id])


def _due_demands(records: list[StreamRecord], now: datetime) -> list[str]:
    """The devices whose demand is to be written: with the first one that is due, all that soon will be."""

    def age(record: StreamRecord) -> float:
        """Age of the demand in multiples of the idle time."""
        if record.demanded_at is None:
            return math.inf
        return (now - record.demanded_at).total_seconds() / record.idle_seconds

    if not any(age(record) >= _DEMAND_DUE for record in records):
        return []
    return [record.device_id for record in records if age(record) >= _DEMAND_DUE / 2]


def run_clock(config: Config, *, stop: threading.Event | StopSignal | None = None) -> None:
    """Reconcile until SIGTERM; after a failure, the next pass tries again."""
    stop = stop or StopSignal()
    database.connect(config)
    hang_bell(config)
    client = connect_redis(config.redis_url)
    name = f"{socket.gethostname()}:{os.getpid()}"
    manager = load_plugins(config)
    reconciler = Reconciler(
        config,
        client,
        Messages.connect(config),
        outputs=_collect_outputs(config, manager),
        plugins=manager.installed_names(),
    )
    log.info("clock started")
    threads = start_threads(config)
    last_error = ""
    while not stop.is_set():
        try:
            reconciler.reconcile()
            last_error = ""
        except (Unavailable, redis.RedisError) as error:
            if str(error) != last_error:
                log.warning("cannot reconcile now: %s", error)
            last_error = str(error)
        except Exception:
            log.exception("a pass of the clock failed")
        _report_problems(client, name)
        stop.wait(reconciler.seconds_to_next_pass())
    for thread in threads:
        thread.stop()
    take_bell_down()
    database.close()
    log.info("clock stopped")


def _report_problems(client: redis.Redis, name: str) -> None:
    """Report the problems of plugins in this process."""
    note_slow_calls()
    with contextlib.suppress(redis.RedisError):
        ProblemReports(client).report("clock", name, GUARD.problems.list())


def start_threads(config: Config) -> list[PeriodicThread]:
    """Start threads for work that neither waits for a long pass nor delays one: schedules, and old captures."""
    queue = CaptureQueue(connect_redis(config.bus_redis_url))
    threads = [
        PeriodicThread("schedules of snapshots", SnapshotClock(config, queue, ServiceClock()).turn),
        PeriodicThread("cleanup of captures", CaptureCleanup(config, ServiceClock()).turn),
    ]
    for thread in threads:
        thread.start()
    return threads


def _collect_outputs(config: Config, manager: PluginManager) -> list[ConsumerOutput]:
    """The consumer outputs of all plugins, for their `wanted` devices."""
    context = ConsumerContext(config, "clock", ServiceClock(), partial(notify, manager))
    return collect_consumer_outputs(manager, context)
