"""Keeps one child process of the plugins worker alive: takes its lease, starts it, hears it, starts it again."""

import logging
import signal
from collections.abc import Callable
from typing import Any, Protocol

from gateway.clock import Clock
from gateway.errors import LeaseLost
from gateway.plugin_work.services import DONE, PAUSING, RUNNING, STARTING, ServiceState
from workers.backoff import Backoff
from workers.exit_codes import describe_code
from workers.lease_keeper import HeldLease
from workers.plugins.child import Child

log = logging.getLogger(__name__)

#: A process without a heartbeat for this long does not react, and is killed.
SILENCE_SECONDS = 60.0
#: A process that is asked to end is killed after this time.
STOP_SECONDS = 10.0
#: A service that is not needed any more goes on for this time.
IDLE_SECONDS = 60.0
#: After running for this long it counts as healthy, and its deaths are forgotten.
HEALTHY_SECONDS = 60.0
_MAX_PAUSE_SECONDS = 60.0
_LEASE_PAUSE_SECONDS = 2.0


class Ownership(Protocol):
    """The lease of a process that may run once over all machines."""

    def take(self) -> HeldLease | None:
        """Take it; None if another worker holds it. Raises redis.RedisError."""

    def check(self, held: HeldLease) -> None:
        """Raises LeaseLost."""

    def release(self, held: HeldLease) -> None:
        """Release it."""


class Keeper:
    """One process. `step` is called several times a second by the main thread, and never waits.

    `ownership` None: every worker runs one of its own. `may_run` False: the process is not started, or ended.
    `needed_at`: from this moment of the clock on it is needed; until then it counts as done. `hear` gets its messages.
    """

    def __init__(
        self,
        label: str,
        spawn: Callable[[], Child],
        *,
        clock: Clock,
        worker: str,
        ownership: Ownership | None = None,
        backoff: Backoff | None = None,
        needed_at: float = 0.0,
    ) -> None:
        self.label = label
        self.may_run = True
        self.needed_at = needed_at
        self.hear: Callable[[dict[str, Any]], None] = lambda message: None
        self.child: Child | None = None
        #: CPU in percent of a core and bytes of memory, as measured last.
        self.usage: tuple[float | None, int | None] = (None, None)
        self._spawn = spawn
        self._clock = clock
        self._worker = worker
        self._ownership = ownership
        self._backoff = backoff or Backoff(
            max_seconds=_MAX_PAUSE_SECONDS, forgive_seconds=HEALTHY_SECONDS, first_seconds=1.0
        )
        self._held: HeldLease | None = None
        self._state = ""
        self._since_ms = 0
        self._started_at = self._heard_at = 0.0
        self._resume_at = 0.0
        self._stop_at: float | None = None
        self._last_words: str | None = None
        self._is_done = self._is_idle = False
        self._idle_since: float | None = None
        self._error: str | None = None
        self._deaths = self._restarts = 0

    def step(self) -> None:
        """Do what is due. Raises redis.RedisError when the lease cannot be taken."""
        now = self._clock.monotonic()
        self._keep_lease()
        if self.child is not None:
            self._watch(self.child, now)
        if self.child is not None:
            return
        if not self.may_run:
            self._give_up()
        elif now < self.needed_at:
            self._rest(now)
        elif self._is_idle:
            self._is_idle = False
            self.run_again()
        elif now >= self._resume_at and self._state != DONE and self._owns(now):
            self._start(now)

    def is_idle(self) -> bool:
        """Whether nothing runs here and no lease is held."""
        return self.child is None and self._held is None

    def view(self) -> ServiceState | None:
        """The state to report; None while another worker owns the process, or nobody."""
        if not self._state or (self._ownership is not None and self._held is None):
            return None
        cpu, memory = self.usage if self.child is not None else (None, None)
        return ServiceState(
            state=self._state,
            worker=self._worker,
            since_ms=self._since_ms,
            restarts=self._restarts,
            deaths=self._deaths,
            error=self._error,
            pid=self.child.pid if self.child is not None else None,
            cpu_percent=cpu,
            memory_bytes=memory,
        )

    def _rest(self, now: float) -> None:
        """Hold the lease, and nothing else: the service is not needed."""
        self._is_idle = True
        if self._state != DONE and now >= self._resume_at and self._owns(now):
            self._enter(DONE)

    def run_again(self) -> None:
        """Start a process that is done, or pauses, at once."""
        if self._state == DONE:
            self._enter("")
        self._resume_at = 0.0

    def close(self) -> None:
        """Kill the process, if it still runs, and release the lease. May be called twice."""
        if self.child is not None:
            self.child.kill()
            self.child = None
        self._give_up()

    def _keep_lease(self) -> None:
        if self._held is None or self._ownership is None:
            return
        try:
            self._ownership.check(self._held)
        except LeaseLost:
            # Another worker may have started it: this one must not go on for another moment.
            log.warning("%s: another worker has taken it over", self.label)
            self._held = None
            if self.child is not None:
                self.child.kill()
                self.child = None
            self._enter("")

    def _owns(self, now: float) -> bool:
        if self._ownership is None or self._held is not None:
            return True
        self._resume_at = now + _LEASE_PAUSE_SECONDS
        self._held = self._ownership.take()
        return self._held is not None

    def _start(self, now: float) -> None:
        self._last_words, self._is_done, self._stop_at, self._idle_since = None, False, None, None
        self.usage = (None, None)
        self._started_at = self._heard_at = now
        self._enter(STARTING)
        try:
            self.child = self._spawn()
        except OSError as error:
            self._died(now, f"it cannot be started: {error}")

    def _watch(self, child: Child, now: float) -> None:
        code = child.poll()
        for message in child.read_messages():
            self._heard_at = now
            self.hear(message)
            if "running" in message and self._state == STARTING:
                self._enter(RUNNING)
                log.info("%s: running as process %d", self.label, child.pid)
            self._is_done |= "done" in message
            if "error" in message:
                self._last_words = str(message["error"])[:500]
        if code is not None:
            child.kill()
            self.child = None
            self._ended(code, now)
            return
        if self._state == RUNNING and self._deaths and now - self._started_at >= HEALTHY_SECONDS:
            self._deaths, self._error = 0, None
        self._idle_since = None if now >= self.needed_at else now if self._idle_since is None else self._idle_since
        is_idle = self._idle_since is not None and now - self._idle_since > IDLE_SECONDS
        if (not self.may_run or is_idle) and self._stop_at is None:
            self._stop_at = now + STOP_SECONDS
            child.terminate()
        is_silent = now - self._heard_at > SILENCE_SECONDS
        if is_silent or (self._stop_at is not None and now >= self._stop_at):
            if is_silent:
                self._last_words = f"it did not react for {SILENCE_SECONDS:g} s and was killed"
            # Its end is seen in the next step.
            child.kill()
            self.child = None
            self._ended(-signal.SIGKILL, now)

    def _ended(self, code: int, now: float) -> None:
        if self._stop_at is not None:
            log.info("%s: stopped", self.label)
            self._enter("")
        elif self._is_done and code == 0:
            log.info("%s: done", self.label)
            self._deaths, self._error = 0, None
            self._enter(DONE)
        else:
            self._died(now, self._last_words or describe_code(code))

    def _died(self, now: float, error: str) -> None:
        ran = now - self._started_at
        is_healthy = ran >= HEALTHY_SECONDS
        self._deaths = 1 if is_healthy else self._deaths + 1
        self._restarts += 1
        self._error = error
        pause = self._backoff.after(ran if is_healthy else 0.0)
        self._resume_at = now + pause
        log.warning("%s: ended after %.1f s: %s; started again in %.0f s", self.label, ran, error, pause)
        self._enter(PAUSING)

    def _give_up(self) -> None:
        if self._held is not None and self._ownership is not None:
            self._ownership.release(self._held)
            self._held = None
        if self._state:
            self._enter("")

    def _enter(self, state: str) -> None:
        self._state = state
        self._since_ms = int(self._clock.wall() * 1000)
