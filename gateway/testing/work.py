"""Runs the jobs, schedules and services of the plugin under test at once, in this process."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from gateway import database
from gateway.config import Config
from gateway.errors import JobFailed, NotFound, PluginError, VasError
from gateway.jobs.attempts import JobAttempt, claim_job, end_cancelled, fail_job, finish_job
from gateway.jobs.model import QUEUED, Job
from gateway.plugin_context import PluginContext
from gateway.plugin_manager import PluginManager
from gateway.plugin_work.registrations import Registered, read_one
from gateway.tenancy.scopes import EVERY_TENANT

_KEEP_HOURS = 24.0
_LOOK_SECONDS = 0.01


class JobCancelled(Exception):
    """What `check` raises in a job that was cancelled."""


class TrialJobContext:
    """The context of a job in a trial. `reports` has what the job reported."""

    def __init__(self, config: Config, *, cancel_at: int | None) -> None:
        self.config = config
        self.reports: list[tuple[float, str]] = []
        self._checks, self._cancel_at = 0, cancel_at

    def check(self) -> None:
        """Raise JobCancelled from the call with the number `cancel_at` on."""
        self._checks += 1
        if self._cancel_at is not None and self._checks >= self._cancel_at:
            raise JobCancelled

    def report(self, progress: float, stage: str) -> None:
        """Note progress and stage."""
        if not 0 <= progress <= 1:
            raise AssertionError(f"a job reports a progress from 0 to 1, not {progress!r}")
        self.reports.append((progress, stage))


class TrialWork:
    """The work that the plugin registers."""

    def __init__(self, manager: PluginManager, context: PluginContext) -> None:
        self._manager, self._context = manager, context
        self.reports: list[tuple[float, str]] = []

    def registered(self) -> Registered:
        """What the plugin registers. Raises PluginError if it cannot be used."""
        found = read_one(self._manager, self._context.name)
        if found.problem is not None:
            raise PluginError(found.problem)
        return found

    def run_job(
        self, kind: str, parameters: Mapping[str, Any], *, device_id: str | None, cancel_at: int | None
    ) -> dict[str, Any]:
        """Create a job and run it. Raises JobFailed and JobCancelled."""
        return self._run(self._context.jobs.create(kind, parameters, device_id=device_id), cancel_at)

    def run_waiting(self) -> list[dict[str, Any]]:
        """Run the jobs that the plugin has created, oldest first, also those that these create."""
        results = []
        while True:
            with database.session():
                query = EVERY_TENANT.select(Job, Job.id).where(
                    Job.state == QUEUED, Job.kind.startswith(f"{self._context.name}.")
                )
                waiting = query.order_by(Job.created_at).first()
            if waiting is None:
                return results
            results.append(self._run(waiting.id, None))

    def run_schedule(self, name: str) -> Any:
        """One run of a schedule."""
        return _find(self.registered().schedules, name, "schedule").run()

    def run_service(self, name: str, until: Callable[[], object], seconds: float) -> None:
        """Run a service until `until()` is true, then stop it. Raises what it raises; fails if it is late."""
        service = _find(self.registered().services, name, "service")
        stop, failures = threading.Event(), []

        def run() -> None:
            try:
                service.run(stop)
            except BaseException as error:
                failures.append(error)

        thread = threading.Thread(target=run, name=f"service {name}", daemon=True)
        thread.start()
        deadline = time.monotonic() + seconds
        is_done = False
        while thread.is_alive() and time.monotonic() < deadline and not is_done:
            is_done = bool(until())
            time.sleep(_LOOK_SECONDS)
        is_done = is_done or bool(until())
        stop.set()
        thread.join(10.0)
        if failures:
            raise failures[0]
        assert is_done, f"the service '{name}' has not done within {seconds:g} s what the test waits for"
        assert not thread.is_alive(), f"the service '{name}' has not returned within 10 s after 'stop' was set"

    def _run(self, job_id: str, cancel_at: int | None) -> dict[str, Any]:
        attempt = claim_job(job_id, "trial")
        if attempt is None:
            raise NotFound(f"the job '{job_id}' does not wait")
        context = TrialJobContext(self._context.config, cancel_at=cancel_at)
        self.reports = context.reports
        try:
            result = self._call(attempt, context)
        except JobCancelled:
            end_cancelled(attempt, keep_hours=_KEEP_HOURS)
            raise
        except Exception as error:
            failure = error if isinstance(error, VasError) else JobFailed("plugin_failed", f"{error}")
            fail_job(attempt, failure.reason, failure.message, keep_hours=_KEEP_HOURS)
            raise
        finish_job(attempt, result, keep_hours=_KEEP_HOURS)
        return result

    def _call(self, attempt: JobAttempt, context: TrialJobContext) -> dict[str, Any]:
        result = _find(self.registered().jobs, attempt.kind, "job").run(attempt, context)
        result = {} if result is None else result
        assert isinstance(result, dict), f"a job must return a dict, not {type(result).__name__}"
        return json.loads(json.dumps(result))


def _find(registered: Mapping[str, Any], name: str, label: str) -> Any:
    if name not in registered:
        known = ", ".join(f"'{one}'" for one in registered) or "none"
        raise AssertionError(f"the plugin has no {label} '{name}'; it has {known}")
    return registered[name]
