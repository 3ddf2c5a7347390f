"""The life cycle of a worker process: services created at boot, slots reported, everything closed at the end."""

import contextlib
import ctypes
import logging
import os
import socket
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import dramatiq
import redis

from gateway import database, sandbox
from gateway.clock import SystemClock
from gateway.config import Config
from gateway.devices.login_budget import LoginBudget
from gateway.events.bell import hang_bell, take_bell_down
from gateway.isolation.guard import GUARD
from gateway.isolation.problems import ProblemReports
from gateway.isolation.threads import call_once, note_slow_calls
from gateway.leases import OUTPUTS, RECORD, STREAM, WorkerSlots
from gateway.outputs import RECORDER, ConsumerContext, ConsumerOutput, OutputContext, worker_kind
from gateway.plugin_loading import load_plugins
from gateway.plugin_manager import (
    PluginManager,
    collect_consumer_outputs,
    collect_direct_outputs,
    collect_sources,
    find_output_name,
    notify,
)
from gateway.redis_client import connect_redis
from gateway.secrets import SecretBox
from gateway.service_clock import ServiceClock
from gateway.streams.bus import MediaBus
from gateway.streams.messages import Messages
from gateway.streams.output_states import OutputStates
from gateway.streams.sub_bus import SubBus
from gateway.streams.try_now import TryNow
from workers.lease_keeper import LeaseKeeper
from workers.options_watch import OptionsWatch
from workers.outputs.bus_feed import BusFeed
from workers.outputs.consumer import ConsumerServices
from workers.outputs.given_up import GivenUp
from workers.outputs.memory import MemoryLimit

if TYPE_CHECKING:
    from workers.streams.services import Services

log = logging.getLogger(__name__)

_REPORT_SECONDS = 3.0
_M_ARENA_MAX = -8
_CLOSE_SECONDS = 2.0


class WorkerServices(dramatiq.Middleware):
    """Creates the services of a worker process, counts used slots, and closes what was opened."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.name = ""
        self._kind = ""
        self._stream: Services | None = None
        self._consumers: ConsumerServices | None = None
        # Closers of opened resources, called from the last to the first.
        self._closers: list[Callable[[], None]] = []
        self._memory: MemoryLimit | None = None
        self._used = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._reporter: threading.Thread | None = None

    @property
    def stream(self) -> "Services":
        """The services of stream supervisors; only in processes of kind `stream`."""
        if self._stream is None:
            raise RuntimeError("this worker process does not run streams")
        return self._stream

    @property
    def consumers(self) -> ConsumerServices:
        """The services of consumer supervisors; only in processes of kind `record` and `outputs`."""
        if self._consumers is None:
            raise RuntimeError("this worker process does not feed consumer outputs")
        return self._consumers

    @property
    def is_closing(self) -> bool:
        """Whether this process is shutting down and takes no new work."""
        return self._closing.is_set()

    def boot(self, kind: str, broker: dramatiq.Broker) -> None:
        """Create the services of a worker of the queue `kind`. Raises whatever prevents it, such as a plugin's error.

        Not a hook of the middleware: Dramatiq only logs the error of a hook, and the process would go on without them.
        """
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        database.connect(self.config)
        hang_bell(self.config)
        self._kind = kind
        has_consumers = kind == RECORD or kind.partition(".")[0] == OUTPUTS
        if kind == STREAM or has_consumers:
            share_one_arena()
        if kind == STREAM:
            self._boot_stream(broker)
        elif has_consumers:
            self._boot_consumers(broker)

    def _boot_stream(self, broker: dramatiq.Broker) -> None:
        # Imported only here: other workers have no session with a camera.
        from workers.ffmpeg.launch import Launcher
        from workers.streams.apart.start import start_apart
        from workers.streams.loop import MediaLoop
        from workers.streams.output_calls import OutputThreads
        from workers.streams.services import Services
        from workers.streams.source_threads import THREADS

        if not sandbox.version() and self.config.ffmpeg_sandbox == "auto":
            log.warning("this system has no Landlock: FFmpeg can read all files that this process can")
        manager = load_plugins(self.config)
        loop = MediaLoop(Launcher.from_config(self.config))
        context = OutputContext(config=self.config, loop=loop.loop, worker=self.name)
        apart = start_apart(manager, self.name, loop.loop.call_soon_threadsafe)
        outputs = collect_direct_outputs(manager, apart=apart.outputs, context=context)
        sources = collect_sources(manager, self.config, apart=apart.sources)
        client = connect_redis(self.config.redis_url)
        leases = LeaseKeeper(client, self.config.lease_seconds)
        calls = OutputThreads()
        self._stream = Services(
            config=self.config,
            worker=self.name,
            redis=client,
            media_redis=connect_redis(self.config.bus_redis_url),
            leases=leases,
            loop=loop,
            outputs=outputs,
            calls=calls,
            secrets=SecretBox.from_config(self.config),
            logins=LoginBudget.from_config(client, self.config),
            try_now=TryNow(client),
            messages=Messages(broker, client),
            sources=sources,
            on_state=lambda device_id, state, reason: notify(
                manager, "on_stream_state", device_id=device_id, state=state, reason=reason
            ),
        )
        self._closers += [
            THREADS.close,
            apart.close,
            leases.close,
            loop.close,
            partial(calls.close, outputs),
        ]
        self._watch_options(manager)
        self._report_slots(client, self.config.stream_slots)

    def _boot_consumers(self, broker: dramatiq.Broker) -> None:
        """The services of the recorder, or of the other outputs that ask for a process of this kind."""
        manager = load_plugins(self.config)
        clock = SystemClock()
        # What is recorded by a plan, and from when on, is decided by the clock process as well.
        context = ConsumerContext(self.config, self.name, ServiceClock(), partial(notify, manager))
        found = collect_consumer_outputs(manager, context)
        outputs = [output for output in found if worker_kind(output) == self._kind]
        slots = self.config.record_slots if self._kind == RECORD else self.config.output_slots
        client = connect_redis(self.config.redis_url)
        leases = LeaseKeeper(client, self.config.lease_seconds, clock=clock)
        bus_client = connect_redis(self.config.bus_redis_url)
        bus, sub_bus = MediaBus(bus_client), SubBus(bus_client)
        feed, sub_feed = (BusFeed(one, devices=slots) for one in (bus, sub_bus))
        self._consumers = ConsumerServices(
            worker=self.name,
            bus=bus,
            feed=feed,
            sub_bus=sub_bus,
            sub_feed=sub_feed,
            leases=leases,
            messages=Messages(broker, client),
            outputs={output.name: output for output in outputs},
            is_closing=lambda: self.is_closing,
            # The recorder ends by itself, some time after its footage was wanted.
            given_up=GivenUp([] if self._kind == RECORD else outputs),
            clock=clock,
        )
        self._closers += [leases.close, feed.close, sub_feed.close]
        if self._kind == RECORD:
            from workers.storage.housekeeping import Housekeeper

            # The footage disk is attached to the record workers: one of them runs its housekeeping.
            recorder = find_output_name(outputs, RECORDER)
            housekeeper = Housekeeper(self.config, client, clock, worker=self.name, recorder=recorder)
            housekeeper.start()
            self._closers.append(housekeeper.stop)
        else:
            self._memory = MemoryLimit(self._kind, self.config.output_memory_mb << 20, self._consumers.states.plugins)
        self._closers += [partial(_close_output, output) for output in outputs]
        self._watch_options(manager)
        self._report_slots(client, slots)

    def _watch_options(self, manager: PluginManager) -> None:
        """Tell the plugins of this process when their options change."""
        watch = OptionsWatch.of(manager, self.config)
        watch.start()
        self._closers.append(watch.stop)

    def _report_slots(self, client: redis.Redis, total: int) -> None:
        self._reporter = threading.Thread(target=self._report, args=(client, total), name="slots", daemon=True)
        self._reporter.start()
        log.info("%s worker %s started with %d slots", self._kind, self.name, total)

    def before_process_message(self, broker: dramatiq.Broker, message: Any) -> None:
        with self._lock:
            self._used += 1

    def after_process_message(
        self, broker: dramatiq.Broker, message: Any, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        with self._lock:
            self._used -= 1

    def before_worker_shutdown(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        self._closing.set()

    def after_worker_shutdown(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        while self._closers:
            with contextlib.suppress(Exception):
                self._closers.pop()()
        take_bell_down()
        database.close()

    def _report(self, client: redis.Redis, total: int) -> None:
        slots = WorkerSlots(client)
        while True:
            note_slow_calls()
            if self._memory is not None:
                self._memory.check()
            if self._consumers is not None:
                self._consumers.given_up.look()
            try:
                slots.report(self._kind, self.name, self._used, total)
                self._report_outputs(client)
            except redis.RedisError as error:
                log.debug("the slots cannot be reported now: %s", error)
            if self._closing.wait(_REPORT_SECONDS):
                # No slot is free any more, although devices are still being released.
                with contextlib.suppress(redis.RedisError):
                    slots.withdraw(self._kind, self.name)
                    ProblemReports(client).report(self._kind, self.name, [])
                return

    def _report_outputs(self, client: redis.Redis) -> None:
        """Report the problems of plugins in this process, and the states of consumer outputs."""
        ProblemReports(client).report(self._kind, self.name, GUARD.problems.list())
        if self._consumers is not None:
            states = OutputStates(client)
            for ended in self._consumers.states.take_ended():
                states.forget(ended.device_id, ended.name)
            if running := self._consumers.states.describe():
                states.write(running)


def _close_output(output: ConsumerOutput) -> None:
    call_once(getattr(output, "plugin", "") or output.name, "close", output.close, seconds=_CLOSE_SECONDS)


def share_one_arena() -> None:
    """Make all future threads share glibc's main arena (mallopt(3)); a no-op with another C library.

    With one thread per device there would be many arenas, each keeping memory that freed parts have left.
    """
    if "MALLOC_ARENA_MAX" in os.environ:
        return
    # Only glibc has mallopt.
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):
        mallopt(_M_ARENA_MAX, 1)
