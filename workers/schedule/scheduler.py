"""The clock process: every few seconds it compares desired and observed states, and repairs what no owner repairs."""

import logging
import random
import signal
import threading
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial

import redis

from gateway import database
from gateway.captures.queue import CaptureQueue
from gateway.clock import Clock, SystemClock, utc_now
from gateway.config import Config
from gateway.devices.events import prune_events
from gateway.errors import NotFound, Unavailable
from gateway.jobs.cleanup import sweep_jobs
from gateway.leases import STREAM, Leases, WorkerSlots, describe_shortage
from gateway.outputs import ConsumerContext, ConsumerOutput
from gateway.plugin_manager import collect_consumer_outputs, create_plugin_manager, notify
from gateway.redis_client import connect_redis
from gateway.states import DesiredState, StreamState, reason_for
from gateway.storage.clock_trust import ClockTrust
from gateway.streams.live_stats import LiveStats
from gateway.streams.messages import Messages
from gateway.streams.model import request_stop, touch_demand, transition
from gateway.streams.queries import StreamRecord, streams_to_reconcile
from gateway.tenancy.scopes import EVERY_TENANT
from workers.outputs.reconciler import ConsumerReconciler
from workers.periodic import PeriodicThread
from workers.schedule.capture_cleanup import CaptureCleanup
from workers.schedule.snapshot_clock import SnapshotClock

log = logging.getLogger(__name__)

#: After Redis was away or came back empty, living owners renew their leases within this time.
GRACE_SECONDS = 4.0

#: Maximum number of devices started in one pass: of a hundred cameras started at once, half time out.
STARTS_PER_PASS = 8

#: How often old history is pruned.
PRUNE_SECONDS = 600.0

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
        clock: Clock | None = None,
    ) -> None:
        self._config = config
        self._redis = client
        self._leases = Leases(client)
        self._slots = WorkerSlots(client)
        self._live = LiveStats(client)
        self._messages = messages
        self._consumers = ConsumerReconciler(outputs or [], self._leases, self._slots, messages)
        self._clock = clock or SystemClock()
        self._trust = ClockTrust(self._clock)
        self._redis_run: str | None = None
        self._grace_until = 0.0
        self._next_prune_at = 0.0
        self._next_sweep_at = 0.0

    def reconcile(self) -> None:
        """Start streams that should run without an owner, record ownerless stopped ones, stop idle ones."""
        is_pruning = self._prune_history()
        self._sweep_jobs(with_orphans=is_pruning)
        wanted = self._consumers.read_wanted()
        self._consumers.demand_streams(wanted)
        records = streams_to_reconcile()
        if not self._redis_is_settled():
            return
        owners = self._leases.holders(STREAM, [record.device_id for record in records])
        self._start([r for r in records if self._should_run(r) and r.device_id not in owners])
        for record in records:
            if not self._should_run(record) and record.device_id not in owners:
                self._record_stopped(record)
        self._stop_idle([r for r in records if r.start_mode == "on_demand" and self._should_run(r)])
        self._consumers.reconcile(wanted)

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
        queued = sweep_jobs(self._config, expired_before=self._trusted_now(), with_orphans=with_orphans)
        for job_id in queued[:JOBS_PER_PASS]:
            self._messages.run_job(job_id)

    def _trusted_now(self) -> datetime:
        time = self._trust.check()
        return utc_now() - timedelta(milliseconds=time.wall_ms - time.now_ms)

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

    def _start(self, records: list[StreamRecord]) -> None:
        if not records:
            return
        slots = self._slots.read(STREAM)
        free = sum(total - used for used, total in slots.values())
        if free <= 0:
            log.warning("%d devices wait %s", len(records), describe_shortage(STREAM, slots))
            return
        random.shuffle(records)
        started = 0
        for record in records:
            if started >= min(free, STARTS_PER_PASS):
                return
            if self._messages.start_stream(record.device_id):
                started += 1
                log.info("started device %s: it should run and had no owner", record.device_id)

    def _record_stopped(self, record: StreamRecord) -> None:
        reason = record.desired_reason if record.enabled else "device_disabled"
        if record.observed != StreamState.STOPPED:
            transition(record.device_id, StreamState.STOPPED, reason=reason_for(reason), run=record.run)

    def _stop_idle(self, records: list[StreamRecord]) -> None:
        stats = self._live.read_many(record.device_id for record in records)
        now = utc_now()
        for record in records:
            if (stats.get(record.device_id) or {}).get("viewers"):
                touch_demand(EVERY_TENANT, record.device_id, now)
                continue
            deadline = now - timedelta(seconds=record.idle_seconds)
            try:
                if request_stop(EVERY_TENANT, record.device_id, reason="idle", if_demanded_before=deadline):
                    log.info("stopped device %s: no viewer for %d s", record.device_id, record.idle_seconds)
            except NotFound:
                continue


def run_clock(config: Config, *, stop: threading.Event | None = None) -> None:
    """Reconcile until SIGTERM; after a failure, the next pass tries again."""
    stop = stop or threading.Event()
    _stop_on(stop, (signal.SIGTERM, signal.SIGINT))
    database.connect(config)
    client = connect_redis(config.redis_url)
    outputs = _collect_outputs(config)
    reconciler = Reconciler(config, client, Messages.connect(config), outputs=outputs)
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
        stop.wait(config.reconcile_seconds * random.uniform(0.9, 1.1))
    for thread in threads:
        thread.stop()
    database.close()
    log.info("clock stopped")


def start_threads(config: Config) -> list[PeriodicThread]:
    """Start threads for work that neither waits for a long pass nor delays one: schedules, and old captures."""
    queue = CaptureQueue(connect_redis(config.bus_redis_url))
    threads = [
        PeriodicThread("schedules of snapshots", SnapshotClock(config, queue).turn),
        PeriodicThread("cleanup of captures", CaptureCleanup(config).turn),
    ]
    for thread in threads:
        thread.start()
    return threads


def _collect_outputs(config: Config) -> list[ConsumerOutput]:
    """The consumer outputs of all plugins, for their `wanted` devices."""
    manager = create_plugin_manager()
    context = ConsumerContext(config, "clock", SystemClock(), partial(notify, manager))
    return collect_consumer_outputs(manager, context)


def _stop_on(stop: threading.Event, signals: Iterable[signal.Signals]) -> None:
    for number in signals:
        signal.signal(number, lambda *_: stop.set())
