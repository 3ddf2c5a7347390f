"""Runs the schedules of plugins that are due: each in a thread, with a deadline, and heartbeats in the database."""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.clock import Clock
from gateway.errors import LeaseLost
from gateway.plugin_tasks import PluginSchedule
from gateway.plugin_work.schedules import ScheduleRun, beat, claim_due, end_run, recover_lost_runs
from workers.job_runner import retry_until_written
from workers.plugins.child_side import describe_error
from workers.plugins.guarded import Calls, Overdue

log = logging.getLogger(__name__)

_BEAT_SECONDS = 3.0
_CLAIM_SECONDS = 1.0


@dataclass(slots=True)
class _Running:
    run: ScheduleRun
    schedule: PluginSchedule
    deadline: float
    is_lost: bool = False
    thread: threading.Thread | None = field(default=None)


class ScheduleRuns:
    """The runs of this process. `turn` is called about once a second by the main thread."""

    def __init__(self, worker: str, calls: Calls, clock: Clock) -> None:
        self._worker = worker
        self._calls = calls
        self._clock = clock
        self._running: list[_Running] = []
        self._lock = threading.Lock()
        self._next_beat_at = self._next_claim_at = 0.0

    def turn(self, schedules: Mapping[tuple[str, str], PluginSchedule]) -> None:
        """Write heartbeats, and start what is due. Raises DatabaseUnavailable."""
        now = self._clock.monotonic()
        if now >= self._next_beat_at:
            self._next_beat_at = now + _BEAT_SECONDS
            self._beat()
            recover_lost_runs(dict(schedules))
        if now >= self._next_claim_at:
            self._next_claim_at = now + _CLAIM_SECONDS
            for run in claim_due(dict(schedules), self._worker):
                self._start(run, schedules[run.plugin, run.name])

    def release(self, seconds: float) -> None:
        """Wait for the runs, and record those that have not ended as failed: this process stops."""
        until = self._clock.monotonic() + seconds
        for one in list(self._running):
            if one.thread is not None:
                one.thread.join(max(0.0, until - self._clock.monotonic()))
        with self._lock:
            left = list(self._running)
        for one in left:
            self._write_end(one, "the worker stopped during the run")

    def _beat(self) -> None:
        with self._lock:
            runs = {one.run: one for one in self._running}
        for run in beat(runs):
            log.warning("%s/%s: another worker has taken over its run", run.plugin, run.name)
            runs[run].is_lost = True

    def _start(self, run: ScheduleRun, schedule: PluginSchedule) -> None:
        one = _Running(run, schedule, self._clock.monotonic() + schedule.deadline_seconds)
        one.thread = threading.Thread(target=self._run, args=(one,), name=f"{run.plugin}/{run.name}", daemon=True)
        with self._lock:
            self._running.append(one)
        one.thread.start()

    def _run(self, one: _Running) -> None:
        error: str | None = None

        def ending() -> type[BaseException] | None:
            return Overdue if one.is_lost or self._clock.monotonic() > one.deadline else None

        try:
            self._calls.run(f"the schedule {one.run.plugin}/{one.run.name}", one.schedule.run, ending)
        except Overdue:
            error = f"it took longer than its deadline of {one.schedule.deadline_seconds:g} s, and was ended"
            log.warning("%s/%s: %s", one.run.plugin, one.run.name, error)
        except BaseException as failure:
            error = describe_error(failure)
            log.exception("the schedule %s/%s failed", one.run.plugin, one.run.name)
        try:
            retry_until_written(lambda: self._write_end(one, error))
        finally:
            with self._lock:
                self._running.remove(one)

    def _write_end(self, one: _Running, error: str | None) -> None:
        try:
            end_run(one.run, one.schedule, error)
        except LeaseLost as lost:
            log.info("%s", lost)
