"""The clock process: every few seconds it compares wish and fact, and mends what no owner mends."""

import logging
import random
import signal
import threading
from collections.abc import Iterable
from datetime import timedelta
from functools import partial

import redis

from gateway import database
from gateway.captures.queue import CaptureQueue
from gateway.clock import Clock, SystemClock, utc_now
from gateway.config import Config
from gateway.devices.events import prune_events
from gateway.errors import NotFound, Unavailable
from gateway.jobs.model import sweep_jobs
from gateway.leases import STREAM, Leases, WorkerSlots, describe_shortage
from gateway.outputs import ConsumerContext, ConsumerOutput
from gateway.plugin_manager import collect_consumer_outputs, create_plugin_manager, notify
from gateway.redis_client import connect_redis
from gateway.states import DesiredState, StreamState, reason_for
from gateway.streams.live_stats import LiveStats
from gateway.streams.messages import Messages
from gateway.streams.model import StreamRecord, ask_to_stop, streams_to_reconcile, touch_demand, transition
from gateway.tenancy.scopes import EVERY_TENANT
from workers.outputs.reconciler import ConsumerReconciler
from workers.periodic import PeriodicThread
from workers.schedule.capture_cleanup import CaptureCleanup
from workers.schedule.snapshot_clock import SnapshotClock

log = logging.getLogger(__name__)

#: After Redis was away or came back empty, living owners put their leases back within this time.
GRACE_SECONDS = 4.0

#: At most so many devices are started in one pass: a hundred cameras that start at once half time out.
STARTS_PER_PASS = 8

#: How often old history is looked for, and how much of it goes at once: the database has other work.
PRUNE_SECONDS = 600.0

#: How often jobs are looked after, and how many messages to run one are sent again at once.
JOBS_SECONDS = 3.0
JOBS_PER_PASS = 4


class Reconciler:
    """One pass is `reconcile()`; it may be called at any time, by more than one process, and repeats no harm."""

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
        self._redis_run: str | None = None
        self._patient_until = 0.0
        self._next_pruning = 0.0
        self._next_jobs = 0.0

    def reconcile(self) -> None:
        """Start what should run and has no owner; record as stopped what should stop and has none; end the idle."""
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
        """Whether it was time for it."""
        now = self._clock.monotonic()
        if now < self._next_pruning:
            return False
        self._next_pruning = now + PRUNE_SECONDS
        if gone := prune_events(utc_now() - timedelta(days=self._config.event_days)):
            log.info("%d events of more than %d days ago are gone", gone, self._config.event_days)
        return True

    def _sweep_jobs(self, *, with_orphans: bool) -> None:
        now = self._clock.monotonic()
        if now < self._next_jobs:
            return
        self._next_jobs = now + JOBS_SECONDS
        queued = sweep_jobs(self._config, with_orphans=with_orphans)
        for job_id in queued[:JOBS_PER_PASS]:
            self._messages.run_job(job_id)

    def _should_run(self, record: StreamRecord) -> bool:
        return record.enabled and record.desired == DesiredState.RUNNING

    def _redis_is_settled(self) -> bool:
        """Whether leases can be believed: Redis is the one of the last pass, or its owners had time to come back."""
        try:
            run = self._redis.info("server")["run_id"]
        except redis.RedisError:
            self._patient_until = self._clock.monotonic() + GRACE_SECONDS
            raise
        if self._redis_run not in (None, run):
            self._patient_until = self._clock.monotonic() + GRACE_SECONDS
        self._redis_run = run
        return self._clock.monotonic() >= self._patient_until

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
                log.info("started device %s: it should run and nobody owned it", record.device_id)

    def _record_stopped(self, record: StreamRecord) -> None:
        reason = record.desired_reason if record.enabled else "device_disabled"
        if record.observed != StreamState.STOPPED:
            transition(record.device_id, StreamState.STOPPED, reason=reason_for(reason), run=record.run)

    def _stop_idle(self, records: list[StreamRecord]) -> None:
        figures = self._live.read_many(record.device_id for record in records)
        now = utc_now()
        for record in records:
            if (figures.get(record.device_id) or {}).get("viewers"):
                touch_demand(EVERY_TENANT, record.device_id, now)
                continue
            deadline = now - timedelta(seconds=record.idle_seconds)
            try:
                if ask_to_stop(EVERY_TENANT, record.device_id, reason="idle", if_demanded_before=deadline):
                    log.info("stopped device %s: nobody watched for %d s", record.device_id, record.idle_seconds)
            except NotFound:
                continue


def run_clock(config: Config, *, stop: threading.Event | None = None) -> None:
    """Reconcile until SIGTERM; what is away now is tried again in the next pass."""
    stop = stop or threading.Event()
    _stop_on(stop, (signal.SIGTERM, signal.SIGINT))
    database.connect(config)
    client = connect_redis(config.redis_url)
    outputs = _collect_outputs(config)
    reconciler = Reconciler(config, client, Messages.connect(config), outputs=outputs)
    log.info("clock started")
    threads = start_threads(config)
    complaint = ""
    while not stop.is_set():
        try:
            reconciler.reconcile()
            complaint = ""
        except (Unavailable, redis.RedisError) as error:
            if str(error) != complaint:
                log.warning("cannot reconcile now: %s", error)
            complaint = str(error)
        except Exception:
            log.exception("a pass of the clock failed")
        stop.wait(config.reconcile_seconds * random.uniform(0.9, 1.1))
    for thread in threads:
        thread.stop()
    database.close()
    log.info("clock stopped")


def start_threads(config: Config) -> list[PeriodicThread]:
    """Begin what must not wait for a pass that takes long, and does not hold one up: schedules, and old captures."""
    queue = CaptureQueue(connect_redis(config.bus_redis_url))
    threads = [
        PeriodicThread("schedules of snapshots", SnapshotClock(config, queue).turn),
        PeriodicThread("upkeep of captures", CaptureCleanup(config).turn),
    ]
    for thread in threads:
        thread.start()
    return threads


def _collect_outputs(config: Config) -> list[ConsumerOutput]:
    """The consumer outputs of all plugins, to be asked what they want."""
    manager = create_plugin_manager()
    context = ConsumerContext(config, "clock", SystemClock(), partial(notify, manager))
    return collect_consumer_outputs(manager, context)


def _stop_on(stop: threading.Event, signals: Iterable[signal.Signals]) -> None:
    for number in signals:
        signal.signal(number, lambda *_: stop.set())
