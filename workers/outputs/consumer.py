"""Runs a consumer output for a device: feeds it the parts on the bus, in order, each once. `run` retries, `run_once` is
one attempt.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from gateway.clock import Clock, SystemClock
from gateway.errors import BusUnavailable, LeaseLost, Unavailable
from gateway.leases import name_owner, output_lease
from gateway.media import Part, Position
from gateway.outputs import ConsumerOutput, Consumption, DeviceContext
from gateway.streams.bus import MediaBus
from gateway.streams.messages import Messages
from gateway.streams.queries import find_device_context
from workers.backoff import Backoff
from workers.lease_keeper import HeldLease, LeaseKeeper
from workers.outputs.bus_feed import BusFeed

#: Time that one read of the bus waits for a part, and thereby the maximum delay before an end is noticed.
READ_SECONDS = 0.5
#: An output whose disk or server is away is attached again after 0.25 s, 0.5 s … up to this pause: a longer one could
#: let parts expire on the bus.
MAX_PAUSE_SECONDS = 2.0
#: After this many failures with the same part, the fault is the part's or the output's: the part is skipped.
ATTEMPTS_PER_PART = 3


@dataclass(frozen=True, slots=True)
class ConsumerServices:
    """The services of consumer supervisors; one set for all devices of a record worker process."""

    worker: str
    bus: MediaBus
    feed: BusFeed
    leases: LeaseKeeper
    messages: Messages
    outputs: dict[str, ConsumerOutput]
    is_closing: Callable[[], bool] = lambda: False
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

    def run(self) -> None:
        """Own the output until it has to end or another process owns it."""
        services = self._services
        owner = name_owner(services.worker)
        self._lease = services.leases.take(output_lease(self.output.name), self.device_id, owner)
        if self._lease is None:
            self._log.info("owned by another worker: nothing to do")
            return
        services.messages.consumer_taken(self.output.name, self.device_id)
        backoff = Backoff(max_seconds=MAX_PAUSE_SECONDS, forgive_seconds=5, first_seconds=0.25)
        try:
            while True:
                started = services.clock.monotonic()
                self._attempt()
                self._pause(backoff.after(services.clock.monotonic() - started))
        except Ended as ended:
            self._log.info("stopped: %s", ended)
        except LeaseLost as lost:
            self._log.warning("stopped: %s", lost)
        finally:
            services.leases.release(self._lease)

    def _attempt(self) -> None:
        """One attachment; returns if another attempt makes sense. Raises Ended or LeaseLost."""
        try:
            self.run_once()
        except (Ended, LeaseLost):
            raise
        except Unavailable as error:
            self._warn_waiting(f"{error.message}")
        except Exception as error:
            self._log.exception("output '%s' failed", self.output.name)
            self._last_error = str(error)

    def run_once(self) -> None:
        """Attach, feed parts, detach. Raises Ended, LeaseLost, and errors of the output or the bus."""
        self._check_running()
        device = find_device_context(self.device_id)
        if device is None:
            raise Ended("device_deleted")
        consumption = self.output.attach(DeviceContext(*device))
        reason = "worker_stopped"
        try:
            self._feed(consumption)
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

    def _feed(self, consumption: Consumption) -> None:
        position = consumption.position
        if self._skip_to is not None and (position is None or position < self._skip_to):
            position = self._skip_to
        init_run, init_segment = -1, b""
        next_tick = 0.0
        while True:
            self._check_running()
            now = self._services.clock.monotonic()
            if now >= next_tick:
                next_tick = now + READ_SECONDS
                if (reason := consumption.tick()) is not None:
                    raise Ended(reason)
            for part in self._read(position):
                if part.run != init_run:
                    init_segment = self._services.bus.init_segment(self.device_id, part.run) or b""
                    init_run = part.run
                self._services.leases.check(self._lease)
                self._take(consumption, part, init_segment)
                position = part.position
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
            consumption.take(part, init_segment)
        except (Unavailable, LeaseLost, Ended):
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
            consumption.close(reason)
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
