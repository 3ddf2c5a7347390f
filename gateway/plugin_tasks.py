"""What plugins register for the plugins worker: jobs, schedules, services; and migrations of their own tables."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.config import Config

#: A schedule's run that takes longer counts as failed, unless the schedule names another deadline.
RUN_SECONDS = 300.0


class JobAttempt(Protocol):
    """The job that runs now."""

    id: str
    tenant_id: str
    device_id: str | None
    kind: str
    parameters: dict[str, Any]
    #: 1 for the first attempt. A job whose worker died is started again.
    attempt: int


class JobContext(Protocol):
    """The context of a running job. Both methods are cheap; call `check` often."""

    config: Config

    def check(self) -> None:
        """Raise the exception that ends the job, if it is to be cancelled or its worker stops. Let it pass."""

    def report(self, progress: float, stage: str) -> None:
        """Set the progress (0 to 1) and the present step of the job, which the API shows."""


@dataclass(frozen=True, slots=True)
class PluginJob:
    """A kind of jobs. `kind` is `NAME.word` with the plugin's name; `title` is shown to users.

    `run` returns the result, which must be JSON, or raises `gateway.errors.JobFailed`. After a kill it is run again
    from the start.
    """

    kind: str
    run: Callable[[JobAttempt, JobContext], dict[str, Any]]
    title: str


@dataclass(frozen=True, slots=True)
class PluginSchedule:
    """Periodic work: `run()` is called every so many seconds, on one machine at a time, and never beside itself.

    A run that takes longer than `deadline_seconds` is ended and counts as failed. Missed runs are not made up.
    """

    name: str
    every_seconds: float
    run: Callable[[], object]
    deadline_seconds: float = RUN_SECONDS


@dataclass(frozen=True, slots=True)
class PluginService:
    """Work that runs all the time, in a process of its own, once over all machines.

    `run(stop)` returns soon after `stop` is set. It is started again when it raises or its process dies; when it
    returns by itself, it is done until the plugin's options change or the worker is started again.

    `is_needed()`, asked every two seconds in another process, tells whether there is anything to do, such as an account
    to connect to. While it returns False the service has no process; it is started as soon as it returns True, and
    stopped a minute after it does so no more. It counts as needed while there is no answer.
    """

    name: str
    run: Callable[[threading.Event], object]
    is_needed: Callable[[], bool] | None = None


class RunStatement(Protocol):
    """Executes one SQL statement of a migration, with values for its place holders (`types.mark`)."""

    def __call__(self, statement: str, values: tuple[Any, ...] | None = None) -> Any: ...


@dataclass(frozen=True, slots=True)
class PluginMigration:
    """A step that creates or changes tables of the plugin; run once, in a transaction, by `vas release`.

    Numbers start at 1; a released step is never changed. `upgrade(run, types)` is that of the core's migrations:
    `types` is a `gateway.migrations.ColumnTypes`.
    """

    number: int
    name: str
    upgrade: Callable[[RunStatement, Any], None]
