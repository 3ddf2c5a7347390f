"""Runs a consumer output for a device: feeds it the parts on the bus, in order, each once. `run` retries, `run_once` is
one attempt.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.clock import Clock, SystemClock
from gateway.errors import BusUnavailable, LeaseLost, Unavailable
from gateway.isolation.guard import GUARD
from gateway.leases import name_owner, output_lease
from gateway.media import Part, Position
from gateway.outputs import RECORDER, ConsumerOutput, Consumption, DeviceContext
from gateway.streams.bus import MediaBus
from gateway.streams.messages import Messages
from gateway.streams.queries import find_device_context
from gateway.streams.sub_bus import SubBus
from workers.backoff import Backoff
from workers.lease_keeper import HeldLease, LeaseKeeper
from workers.outputs.bus_feed import BusFeed
from workers.outputs.calls import DirectCalls, GuardedCalls, OutputBlocked
from workers.outputs.given_up import GivenUp
from workers.outputs.states import ConsumerState, ConsumerStates
from workers.outputs.sub_reader import SubReader

#: Time that one read of the bus waits for a part, and thereby the maximum delay before an end is noticed.
READ_SECONDS = 0.5
#: An output whose disk or server is away is attached again after 0.25 s, 0.5 s … up to this pause: a longer one could
#: let parts expire on the bus.
MAX_PAUSE_SECONDS = 2.0
#: An output that fails by itself is attached again after pauses up to this one, and one that hangs up to the other.
MAX_FAILED_SECONDS, MAX_BLOCKED_SECONDS = 60.0, 600.0
_FIRST_BLOCKED_SECONDS = 10.0
#: While a plugin is set aside, and while too many of its calls hang, it is looked again after this time.
_ASIDE_SECONDS = 2.0
#: After this many failures with the same part, the fault is the part's or the output's: the part is skipped.
ATTEMPTS_PER_PART = 3


@dataclass(frozen=True, slots=True)
class ConsumerServices:
    """The services of consumer supervisors; one set for all devices of a record worker process."""

    worker: str
    bus: MediaBus
    feed: BusFeed
    sub_bus: SubBus
    sub_feed: BusFeed
    leases: LeaseKeeper
    messages: Messages
    outputs: dict[str, ConsumerOutput]
    is_closing: Callable[[], bool] = lambda: False
    states: ConsumerStates = field(default_factory=ConsumerStates)
    given_up: GivenUp = field(default_factory=lambda: GivenUp([]))
    clock: Clock = SystemClock()  # noqa: RUF009 - it has no state


class Ended(Exception):
    """The output is to be detached; the message is the reason's code."""


class ConsumerSupervisor:
    """The owner of one output of one device, in one actor's thread."""

    def __init__(self, output: ConsumerOutput, device_id: str, services: ConsumerServices) -> None:
        self.output = output
        self.device_id = device_id
        self._services = services
        self._log = logging.getLogger(f"vas.consumer.{output.name}.{device_id}")
        self._lease: HeldLease | None = None
        self._failed_at: Position | None = None
        self._failures = 0
        self._skip_to: Position | None = None
        self._last_error = ""
        self._plugin = getattr(output, "plugin", "") or output.name
        self._is_guarded = getattr(output, "role", None) != RECORDER
        name = f"{output.name} {device_id}"
        self._calls = GuardedCalls(self._plugin, name, self._look) if self._is_guarded else DirectCalls()
        self._state = ConsumerState(output.name, self._plugin, device_id, services.worker)

    def run(self) -> None:
        """Own the output until it has to end or another process owns it."""
        services = self._services
        owner = name_owner(services.worker)
        self._lease = services.leases.take(output_lease(self.output.name), self.device_id, owner)
        if self._lease is None:
            self._log.info("owned by another worker: nothing to do")
            return
        services.messages.consumer_taken(self.output.name, self.device_id)
        services.states.add(self._state)
        waiting = Backoff(max_seconds=MAX_PAUSE_SECONDS, forgive_seconds=5, first_seconds=0.25)
        longest = MAX_FAILED_SECONDS if self._is_guarded else MAX_PAUSE_SECONDS
        failing = Backoff(max_seconds=longest, forgive_seconds=5, first_seconds=0.25)
        blocked = Backoff(max_seconds=MAX_BLOCKED_SECONDS, forgive_seconds=600, first_seconds=_FIRST_BLOCKED_SECONDS)
        try:
            while True:
                self._await_permission()
                started = services.clock.monotonic()
                ending = self._attempt()
                backoff = {"waiting": waiting, "blocked": blocked}.get(ending, failing)
                self._pause(backoff.after(services.clock.monotonic() - started))
        except Ended as ended:
            self._log.info("stopped: %s", ended)
        except LeaseLost as lost:
            self._log.warning("stopped: %s", lost)
        finally:
            self._calls.end()
            services.states.remove(self._state)
            services.leases.release(self._lease)

    def _attempt(self) -> str:
        """One attachment; returns the state after it if another one makes sense. Raises Ended or LeaseLost."""
        self._state.set("attaching")
        try:
            self.run_once()
        except (Ended, LeaseLost):
            raise
        except Unavailable as error:
            self._warn_waiting(f"{error.message}")
            self._state.set("waiting", error.message)
        except OutputBlocked as error:
            self._log.error("output '%s' is left out for some time (plugin_slow): %s", self.output.name, error)
            self._state.set("blocked", f"left out for some time: {error}")
        except Exception as error:
            # Many failures in a row have one cause.
            if str(error) != self._last_error or not self._is_guarded:
                self._log.exception("output '%s' failed", self.output.name)
            self._last_error = str(error)
            self._state.set("failed", f"{type(error).__name__}: {error}")
        return self._state.state

    def _await_permission(self) -> None:
        """Wait while the plugin is set aside, or while too many of its calls hang."""
        while True:
            if (aside := GUARD.aside(self._plugin)) is not None and self._is_guarded:
                self._state.set("set_aside", aside.describe())
            elif not self._calls.can_attach():
                self._state.set("blocked", "several of its calls do not return: it is attached again when one does")
            else:
                return
            self._pause(_ASIDE_SECONDS)

    def _look(self, blocked: str | None) -> None:
        """Look around during a call of the output. Raises Ended or LeaseLost."""
        self._check_running()
        if blocked is not None:
            self._state.set("blocked", blocked)

    def run_once(self) -> None:
        """Attach, feed parts, detach. Raises Ended, LeaseLost, and errors of the output or the bus."""
        self._check_running()
        device = find_device_context(self.device_id)
        if device is None:
            raise Ended("device_deleted")
        wanted_since = self._services.given_up.count(self.output.name)
        consumption = self._calls.run("attach", self.output.attach, DeviceContext(*device))
        reason = "worker_stopped"
        try:
            self._feed(consumption, wanted_since)
        except Ended as ended:
            reason = str(ended)
            raise
        except LeaseLost:
            reason = "takeover"
            raise
        except Unavailable as error:
            reason = error.reason
            raise
        except Exception:
            reason = "output_failed"
            raise
        finally:
            self._close(consumption, reason)

    def _feed(self, consumption: Consumption, wanted_since: int) -> None:
        position = self._calls.run("position", lambda: consumption.position)
        if self._skip_to is not None and (position is None or position < self._skip_to):
            position = self._skip_to
        init_run, init_segment = -1, b""
        next_tick = 0.0
        uses_sub_stream = self._calls.run("uses_sub_stream", lambda: consumption.uses_sub_stream)
        sub = SubReader(self.device_id, self._services) if uses_sub_stream else None
        while True:
            self._check_running()
            now = self._services.clock.monotonic()
            if now >= next_tick:
                next_tick = now + READ_SECONDS
                if (reason := self._calls.run("tick", consumption.tick)) is not None:
                    raise Ended(reason)
                if self._services.given_up.has(self.output.name, self.device_id, wanted_since):
                    raise Ended("requested")
            self._state.set("running")
            if sub is not None:
                was_live = sub.is_live
                for batch in sub.read(READ_SECONDS):
                    self._services.leases.check(self._lease)
                    self._calls.run("take_sub", consumption.take_sub, batch)
                if sub.is_live:
                    continue
                if was_live:
                    position = self._services.bus.last_position(self.device_id) or position
            for part in self._read(position):
                if part.run != init_run:
                    init_segment = self._services.bus.init_segment(self.device_id, part.run) or b""
                    init_run = part.run
                self._services.leases.check(self._lease)
                self._take(consumption, part, init_segment)
                position = part.position
                self._state.took(part, self._services.clock.wall())
            # While waiting for the next part, do not keep this one's bytes in memory: there is one thread per device.
            part = None

    def _read(self, position: Position | None) -> list[Part]:
        try:
            parts = self._services.feed.read(self.device_id, position, wait_seconds=READ_SECONDS)
        except BusUnavailable as error:
            # Nothing is lost yet: the stream worker keeps unpublished parts for some time.
            self._warn_waiting(error.message)
            self._pause(READ_SECONDS)
            return []
        if parts and self._last_error:
            self._log.info("continues")
            self._last_error = ""
        return parts

    def _take(self, consumption: Consumption, part: Part, init_segment: bytes) -> None:
        if not init_segment:
            # The header of its run has expired: nobody could play it.
            self._log.warning("part %s has no init segment any more", part.position.entry_id)
            return
        try:
            self._calls.run("take", consumption.take, part, init_segment)
        except (Unavailable, LeaseLost, Ended, OutputBlocked):
            raise
        except Exception:
            if self._failed_at != part.position:
                self._failed_at, self._failures = part.position, 0
            self._failures += 1
            if self._failures >= ATTEMPTS_PER_PART:
                self._log.error(
                    "output '%s' failed %d times with part %s, which is skipped",
                    self.output.name,
                    self._failures,
                    part.position.entry_id,
                )
                self._skip_to = part.position
            raise

    def _close(self, consumption: Consumption, reason: str) -> None:
        try:
            self._calls.close(lambda: consumption.close(reason))
        except LeaseLost:
            raise
        except Exception:
            self._log.exception("output '%s' failed to close", self.output.name)

    def _check_running(self) -> None:
        if self._services.is_closing():
            raise Ended("worker_stopped")
        self._services.leases.check(self._lease)

    def _pause(self, seconds: float) -> None:
        end = self._services.clock.monotonic() + seconds
        while (left := end - self._services.clock.monotonic()) > 0:
            self._check_running()
            time.sleep(min(0.25, left))

    def _warn_waiting(self, text: str) -> None:
        if text != self._last_error:
            self._log.warning("output '%s' waits: %s", self.output.name, text)
        self._last_error = text
