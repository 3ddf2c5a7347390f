"""`python -m workers.plugins.work_process PLUGINS PIPE PARENT`: runs the jobs and schedules of plugins.

Started by the plugins worker alone; `PLUGINS` are names divided by commas, or `-` for all that have no worker of their
own. Jobs and schedules are found in the database: no message can be lost, and none comes before its worker.
"""

import logging
import os
import socket
import sys
import threading
from collections.abc import Collection, Mapping

import redis
from dramatiq.middleware import Shutdown

from gateway.clock import Clock, SystemClock
from gateway.config import Config
from gateway.errors import Unavailable
from gateway.jobs.attempts import next_queued
from gateway.plugin_loading import load_plugins
from gateway.plugin_tasks import PluginSchedule
from gateway.plugin_work.jobs import fail_unknown_jobs
from gateway.plugin_work.migrating import missing_of_plugins
from gateway.plugin_work.registrations import Registered, read_registered
from gateway.plugin_work.services import PluginWorkers
from gateway.redis_client import connect_redis
from workers.job_runner import JobRunner
from workers.plugins.child_side import call_quietly, end_child, start_child
from workers.plugins.guarded import Calls, guard_job
from workers.plugins.needs import ServiceNeeds
from workers.plugins.schedule_runs import ScheduleRuns
from workers.stop_signal import StopSignal

log = logging.getLogger(__name__)

#: Jobs of one plugin that run at the same time: those of another need not wait for them.
JOBS_PER_PLUGIN = 2
_LOOK_SECONDS = 0.5
_JOBS_SECONDS = 0.5
_REFRESH_SECONDS = 3.0
_STOP_SECONDS = 8.0
_STUCK_STOP_SECONDS = 3.0
#: The argument for all plugins that have no worker of their own.
ALL = "-"


class WorkProcess:
    """Jobs and schedules of plugins in this process. `turn` is called several times a second by the main thread."""

    def __init__(
        self,
        config: Config,
        registered: Mapping[str, Registered],
        installed: Collection[str],
        only: frozenset[str],
        workers: PluginWorkers,
        *,
        worker: str,
        clock: Clock | None = None,
    ) -> None:
        self._config = config
        self._registered = registered
        self._only = only
        self._workers = workers
        self._clock = clock or SystemClock()
        self._calls = Calls(self._clock)
        self._closing = threading.Event()
        self._needs = ServiceNeeds(registered, self._clock)
        self._schedules = ScheduleRuns(worker, self._calls, self._clock)
        self._runners = {
            name: JobRunner(
                config,
                worker,
                {kind: guard_job(job, self._calls, self._clock) for kind, job in plugin.jobs.items()},
                threading.BoundedSemaphore(JOBS_PER_PLUGIN),
                self._closing.is_set,
            )
            for name, plugin in registered.items()
            if plugin.jobs
        }
        self._threads: dict[str, list[threading.Thread]] = {}
        # The kinds of a plugin whose registration has failed are not known.
        self._kinds = {
            name: registered[name].jobs.keys() if name in registered else ()
            for name in installed
            if name not in registered or registered[name].problem is None
        }
        self._mine: set[str] = set()
        self._missing: dict[str, str] = {}
        self._next_refresh_at = self._next_jobs_at = 0.0

    def turn(self) -> None:
        """Start what is due. Raises DatabaseUnavailable."""
        now = self._clock.monotonic()
        self._calls.end_overdue()
        if now >= self._next_refresh_at:
            self._next_refresh_at = now + _REFRESH_SECONDS
            self._refresh()
        if now >= self._next_jobs_at:
            self._next_jobs_at = now + _JOBS_SECONDS
            self._start_jobs()
        self._schedules.turn(self._my_schedules())

    def needs(self) -> dict[tuple[str, str], bool]:
        """Whether services are needed, as far as it was found out since the last call."""
        return self._needs.turn(self._mine)

    def stuck(self) -> str | None:
        """What keeps this process from going on, None if nothing does."""
        return self._calls.stuck()

    def release(self, seconds: float) -> None:
        """Hand back the jobs and wait for the schedules."""
        self._closing.set()
        self._needs.close()
        until = self._clock.monotonic() + seconds
        self._schedules.release(seconds)
        for thread in (thread for threads in self._threads.values() for thread in threads):
            thread.join(max(0.0, until - self._clock.monotonic()))

    def _refresh(self) -> None:
        try:
            apart = set() if self._only else self._workers.apart()
        except redis.RedisError as error:
            # What was known before still holds.
            log.debug("the workers of single plugins are not known now: %s", error)
            apart = {name for name in self._registered if name not in self._mine} if self._mine else set()
        self._missing = missing_of_plugins(self._registered)
        self._mine = {
            name
            for name in (self._only or self._registered.keys() - apart)
            if name in self._registered and name not in self._missing
        }
        for job_id in fail_unknown_jobs(kinds=self._kinds, keep_hours=self._config.export_keep_hours):
            log.warning("job %s failed: no plugin runs jobs of its kind", job_id)

    def _my_schedules(self) -> dict[tuple[str, str], PluginSchedule]:
        return {
            (name, schedule.name): schedule
            for name in self._mine
            for schedule in self._registered[name].schedules.values()
        }

    def _start_jobs(self) -> None:
        kinds = [kind for name in self._mine for kind in self._registered[name].jobs]
        if not kinds or next_queued(kinds) is None:
            return
        for name in self._mine & self._runners.keys():
            runner = self._runners[name]
            threads = self._threads[name] = [thread for thread in self._threads.get(name, []) if thread.is_alive()]
            if len(threads) < JOBS_PER_PLUGIN and (job_id := next_queued(runner.kinds)) is not None:
                thread = threading.Thread(target=_run_jobs, args=(runner, job_id), name=f"{name}'s jobs", daemon=True)
                threads.append(thread)
                thread.start()


def _run_jobs(runner: JobRunner, job_id: str) -> None:
    try:
        runner.run(job_id)
    except Shutdown:
        log.info("job %s is released: this process stops", job_id)
    except Unavailable as error:
        # The job is still in the database.
        log.warning("job %s cannot be run now: %s", job_id, error)


def main(plugins: str, descriptor: str, parent: str) -> None:
    """Run jobs and schedules until a signal arrives."""
    stop = StopSignal()
    config, told = start_child(f"{'plugins' if plugins == ALL else plugins}/work", descriptor, parent)
    told.beat()
    manager = load_plugins(config)
    worker = f"{socket.gethostname()}:{os.getpid()}"
    only = frozenset() if plugins == ALL else frozenset(plugins.split(","))
    installed = {name for name, _ in manager.list_name_plugin()}
    workers = PluginWorkers(connect_redis(config.redis_url))
    process = WorkProcess(config, read_registered(manager), installed, only, workers, worker=worker)
    told.tell(running=1)
    last_error = ""
    while not stop.wait(_LOOK_SECONDS):
        told.beat()
        try:
            process.turn()
            last_error = ""
            for service, is_needed in process.needs().items():
                told.tell(service=service, needed=is_needed)
        except Unavailable as error:
            if str(error) != last_error:
                log.warning("jobs and schedules cannot be read now: %s", error)
            last_error = str(error)
        except Exception:
            log.exception("a pass of the jobs and schedules failed")
        if (name := process.stuck()) is not None:
            told.tell(error=f"{name} could not be ended")
            process.release(_STUCK_STOP_SECONDS)
            end_child(1)
    call_quietly(lambda: process.release(_STOP_SECONDS))
    end_child(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
