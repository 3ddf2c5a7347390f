"""`python -m workers plugins [NAME …]`: keeps the processes of plugins' services, jobs and schedules alive.

Without names it works for all plugins but those that have a worker of their own, which it notices by itself. No code of
a plugin runs in this process but its `register_*` hooks.
"""

import hashlib
import logging
import os
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import redis

from gateway import database
from gateway.clock import Clock, SystemClock
from gateway.config import Config
from gateway.errors import Unavailable
from gateway.footage.copies import has_archive_care
from gateway.isolation.guard import GUARD
from gateway.isolation.problems import ProblemReports
from gateway.isolation.threads import note_slow_calls
from gateway.leases import name_owner
from gateway.plugin_facts import hooks_elsewhere
from gateway.plugin_loading import load_plugins
from gateway.plugin_options.reader import options_cache_of
from gateway.plugin_work.migrating import missing_of_plugins
from gateway.plugin_work.registrations import Registered, read_registered
from gateway.plugin_work.services import PluginWorkers, ServiceState, ServiceStates
from gateway.redis_client import connect_redis
from workers.lease_keeper import HeldLease, LeaseKeeper
from workers.options_watch import OptionsWatch
from workers.plugins.child import Child, ChildProcess, measure_groups
from workers.plugins.keeper import STOP_SECONDS, Keeper
from workers.plugins.needs import HOLD_SECONDS
from workers.plugins.work_process import ALL
from workers.plugins.zygote import Zygote, reap_orphans
from workers.stop_signal import StopSignal

log = logging.getLogger(__name__)

#: The name of the process that calls the `on_*` hooks of a plugin. No service can have it.
FACTS = "on-hooks"
#: Pauses between two steps: until a child tells something or ends, but within these limits: it may write without end.
_STEP_SECONDS, _LEAST_SECONDS = 1.0, 0.05
_REPORT_SECONDS = 3.0
#: The process that takes care of the archives of all plugins, in the form of a plugin and its service.
ARCHIVES = ("archives", "care")
#: The process that reports events to plugins and watches the health of the service, in the same form.
EVENTS = ("events", "reports")
#: A worker that hangs for this long loses its leases: another one starts its services.
_SILENCE_SECONDS = 30.0


class ServiceLease:
    """The lease of one service."""

    def __init__(self, leases: LeaseKeeper, plugin: str, name: str, worker: str) -> None:
        self.kind = f"service:{plugin}"
        self.owner = ""
        self._leases = leases
        self._name = name
        self._worker = worker

    def take(self) -> HeldLease | None:
        """Take it; None if another worker holds it. Raises redis.RedisError."""
        self.owner = name_owner(self._worker)
        return self._leases.take(self.kind, self._name, self.owner, silence_seconds=_SILENCE_SECONDS)

    def check(self, held: HeldLease) -> None:
        """Raises LeaseLost."""
        self._leases.check(held)

    def release(self, held: HeldLease) -> None:
        """Release it."""
        self._leases.release(held)


class PluginsWorker:
    """All keepers of this process. `turn` is called every second, and when a child has told something."""

    def __init__(
        self,
        registered: dict[str, Registered],
        only: frozenset[str],
        *,
        keepers: dict[tuple[str, str], Keeper],
        work: Keeper | None,
        workers: PluginWorkers,
        states: ServiceStates,
        problems: ProblemReports,
        worker: str,
        clock: Clock,
        needs: Mapping[tuple[str, str], Callable[[], bool]] | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """`needs`: whether a process of our own is needed, asked here. Services are asked by their plugins' process."""
        self._registered = registered
        self._only = only
        self._keepers = keepers
        self._work = work
        self._workers = workers
        self._states = states
        self._problems = problems
        self._worker = worker
        self._clock = clock
        self._needs = needs or {}
        if work is not None:
            work.hear = self.hear
        self._pause = pause
        self._missing: dict[str, str] = {}
        self._apart: set[str] = set()
        self._changed: deque[str] = deque()
        #: The states that were reported last.
        self._entered: dict[tuple[str, str], str] = {}
        self._reported: set[tuple[str, str]] = set()
        for (plugin, name), keeper in keepers.items():
            service = registered[plugin].services.get(name) if plugin in registered else None
            if service is not None and service.is_needed is not None:
                keeper.needed_at = clock.monotonic() + HOLD_SECONDS
            # Not before it is known that its tables are there.
            keeper.may_run = False
        self._next_report_at = 0.0
        self._measured_at = 0.0
        self._cpu: dict[int, float] = {}
        self._last_error = ""

    def turn(self) -> None:
        """Do what is due; while Redis or the database is away, running services go on."""
        now = self._clock.monotonic()
        if now >= self._next_report_at:
            self._next_report_at = now + _REPORT_SECONDS
            self._attempt(self._refresh)
            self._measure(now)
            self._attempt(self._report)
        while self._changed:
            changed = self._changed.popleft()
            for (plugin, _), keeper in self._keepers.items():
                if plugin == changed:
                    keeper.run_again()
        for keeper in self._all():
            self._attempt(keeper.step)
        entered = {key: view.state for key, keeper in self._keepers.items() if (view := keeper.view()) is not None}
        if entered != self._entered:
            self._entered = entered
            self._attempt(self._report)

    def hear(self, message: Mapping[str, Any]) -> None:
        """A message of the process that asks plugins whether their services are needed."""
        service = message.get("service")
        keeper = self._keepers.get(tuple(service)) if isinstance(service, list) else None
        if keeper is not None:
            keeper.needed_at = 0.0 if message.get("needed") else self._clock.monotonic() + HOLD_SECONDS

    def options_changed(self, plugin: str) -> None:
        """Start the services of a plugin that are done, or pause after a death, at once; from any thread."""
        self._changed.append(plugin)

    def stop(self) -> None:
        """End all processes in steps, and release the leases."""
        for keeper in self._all():
            keeper.may_run = False
        until = self._clock.monotonic() + STOP_SECONDS + 1
        while any(keeper.child is not None for keeper in self._all()) and self._clock.monotonic() < until:
            for keeper in self._all():
                self._attempt(keeper.step)
            self._pause(_LEAST_SECONDS)
        for keeper in self._all():
            self._attempt(keeper.close)
        self._attempt(self._withdraw)

    def descriptors(self) -> list[int]:
        """They can be read when a child has told something, or has ended."""
        found = [keeper.child.descriptor for keeper in self._all() if keeper.child is not None]
        return [descriptor for descriptor in found if descriptor is not None]

    def pids(self) -> list[int]:
        """The processes that run, or have ended and were not looked at since."""
        return [keeper.child.pid for keeper in self._all() if keeper.child is not None]

    def _all(self) -> list[Keeper]:
        return [*self._keepers.values(), *([self._work] if self._work is not None else [])]

    def _refresh(self) -> None:
        if not self._only:
            self._apart = self._workers.apart()
        missing = missing_of_plugins(self._registered)
        for plugin, problem in missing.items():
            if self._missing.get(plugin) != problem:
                log.warning("plugin '%s' is set aside: %s; run 'vas release'", plugin, problem)
        for plugin in self._registered:
            if plugin in missing:
                GUARD.problems.note(
                    plugin, "migrations", missing[plugin], state="set_aside", remedy="run 'vas release'"
                )
            else:
                GUARD.problems.clear(plugin, "migrations")
        self._missing = missing
        for key, is_needed in self._needs.items():
            self._keepers[key].needed_at = 0.0 if is_needed() else self._clock.monotonic() + HOLD_SECONDS
        for (plugin, _), keeper in self._keepers.items():
            keeper.may_run = plugin not in missing and plugin not in self._apart

    def _measure(self, now: float) -> None:
        running = {keeper.child.pid: keeper for keeper in self._all() if keeper.child is not None}
        measured = measure_groups(running)
        elapsed = now - self._measured_at
        for pid, keeper in running.items():
            seconds, size = measured.get(pid, (0.0, 0))
            before = self._cpu.get(pid)
            # A process of the group that has ended takes its seconds along.
            cpu = None if before is None or elapsed <= 0 else max(0.0, (seconds - before) / elapsed * 100)
            keeper.usage = (None if cpu is None else round(cpu, 1), size)
        self._cpu = {pid: measured[pid][0] for pid in running if pid in measured}
        self._measured_at = now

    def _report(self) -> None:
        running = sum(keeper.child is not None for keeper in self._all())
        self._workers.report(self._worker, self._only, running, len(self._all()))
        for key, keeper in self._keepers.items():
            state = keeper.view()
            if state is not None:
                self._states.report(*key, state)
                self._reported.add(key)
                _note_problem(*key, state)
            elif key in self._reported:
                self._states.withdraw(*key, self._worker)
                self._reported.discard(key)
        note_slow_calls()
        self._problems.report("plugins", self._worker, GUARD.problems.list())

    def _withdraw(self) -> None:
        self._workers.withdraw(self._worker, self._only)
        for key in self._reported:
            self._states.withdraw(*key, self._worker)

    def _attempt(self, step: Callable[[], None]) -> None:
        try:
            step()
        except (redis.RedisError, Unavailable) as error:
            if str(error) != self._last_error:
                log.warning("the plugins worker goes on without what does not answer: %s", error)
            self._last_error = str(error)
        except Exception as error:
            # A defect in the care of one process must not end those of all plugins.
            if repr(error) != self._last_error:
                log.exception("a step of the plugins worker failed")
            self._last_error = repr(error)


def _note_problem(plugin: str, name: str, state: ServiceState) -> None:
    """Note that a process of a plugin dies, until it has run for a minute."""
    if state.deaths and state.error:
        times = f"{state.deaths} times in a row" if state.deaths > 1 else "once"
        GUARD.problems.note(plugin, f"process {name}", f"its process '{name}' ended {times}: {state.error}")
    else:
        GUARD.problems.clear(plugin, f"process {name}")


def run_plugins(config: Config, zygote: Zygote, names: Iterable[str] = ()) -> str | None:
    """Work until SIGTERM; returns a sentence if it cannot begin."""
    only = frozenset(names)
    stop = StopSignal()
    database.connect(config)
    manager = load_plugins(config)
    unknown = only - {name for name, _ in manager.list_name_plugin()}
    if unknown:
        return f"no plugin '{min(unknown)}' is installed"
    registered = {name: plugin for name, plugin in read_registered(manager).items() if not only or name in only}
    worker = f"{socket.gethostname()}:{os.getpid()}"
    client = connect_redis(config.redis_url)
    leases = LeaseKeeper(client, config.lease_seconds)
    clock = SystemClock()
    home = hashlib.sha256(f"{config.database_url} {config.redis_url}".encode()).hexdigest()[:16]
    keepers = {}
    for name, plugin in registered.items():
        if plugin.problem:
            log.error("%s", plugin.problem)
        for service in plugin.services:
            lease = ServiceLease(leases, name, service, worker)
            keepers[name, service] = Keeper(
                f"{name}/{service}",
                partial(_spawn_service, zygote, name, service, lease, home),
                clock=clock,
                worker=worker,
                ownership=lease,
            )
    for name, _ in manager.list_name_plugin():
        if hooks_elsewhere(manager, name) and (not only or name in only):
            keepers[name, FACTS] = Keeper(
                f"{name}/{FACTS}",
                partial(ChildProcess, zygote, "workers.plugins.facts_process", (name,), f"{name}/{FACTS}@{home}"),
                clock=clock,
                worker=worker,
                ownership=ServiceLease(leases, name, FACTS, worker),
            )
    if not only and manager.hook.register_archives.get_hookimpls():
        keepers[ARCHIVES] = Keeper(
            "/".join(ARCHIVES),
            partial(ChildProcess, zygote, "workers.plugins.archive_process", (), f"{'/'.join(ARCHIVES)}@{home}"),
            clock=clock,
            worker=worker,
            ownership=ServiceLease(leases, *ARCHIVES, worker),
        )
    if not only:
        keepers[EVENTS] = Keeper(
            "/".join(EVENTS),
            partial(ChildProcess, zygote, "workers.plugins.event_process", (), f"{'/'.join(EVENTS)}@{home}"),
            clock=clock,
            worker=worker,
            ownership=ServiceLease(leases, *EVENTS, worker),
        )
    work = None
    if any(plugin.jobs or plugin.schedules or plugin.asks for plugin in registered.values()):
        listed = ",".join(sorted(only)) or ALL
        spawn = partial(ChildProcess, zygote, "workers.plugins.work_process", (listed,), f"work:{worker}@{home}")
        work = Keeper(f"{'plugins' if listed == ALL else listed}/work", spawn, clock=clock, worker=worker)
    plugins = PluginsWorker(
        registered,
        only,
        keepers=keepers,
        work=work,
        workers=PluginWorkers(client),
        states=ServiceStates(client),
        problems=ProblemReports(client),
        worker=worker,
        clock=clock,
        needs={ARCHIVES: has_archive_care} if ARCHIVES in keepers else {},
    )
    log.info("plugins worker %s started: %d services", worker, len(keepers))
    watch = OptionsWatch(options_cache_of(manager, config), lambda plugin, _device: plugins.options_changed(plugin))
    if keepers:
        watch.start()
    plugins.turn()
    while not stop.wait(_LEAST_SECONDS) and not stop.wait(_STEP_SECONDS, also=plugins.descriptors()):
        plugins.turn()
        reap_orphans([*plugins.pids(), *([zygote.pid] if zygote.pid is not None else [])])
    watch.stop()
    plugins.stop()
    zygote.close()
    leases.close()
    database.close()
    log.info("plugins worker stopped")
    return None


def _spawn_service(zygote: Zygote, plugin: str, name: str, lease: ServiceLease, home: str) -> Child:
    arguments = (plugin, name, lease.kind, lease.owner)
    return ChildProcess(zygote, "workers.plugins.service_process", arguments, f"{plugin}/{name}@{home}")
