"""Renews the leases of a process in a separate thread, so that a slow disk or server does not lose them."""

import logging
import threading
from dataclasses import dataclass

import redis

from gateway.clock import Clock, SystemClock
from gateway.errors import LeaseLost
from gateway.leases import Leases

log = logging.getLogger(__name__)


@dataclass(slots=True)
class HeldLease:
    """One lease of this process, as its holder sees it."""

    kind: str
    device_id: str
    owner: str
    renewed_at: float
    is_lost: bool = False


class LeaseKeeper:
    """Takes, renews and releases leases; one object for all devices of a process.

    An outage of Redis loses no lease: it affects every worker, and the run number or fencing token in the database is
    the fence meanwhile.
    """

    def __init__(self, client: redis.Redis, seconds: float, *, clock: Clock | None = None) -> None:
        self._leases = Leases(client)
        self._seconds = seconds
        self._clock = clock or SystemClock()
        self._held: dict[tuple[str, str], HeldLease] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="leases", daemon=True)
        self._thread.start()

    def take(self, kind: str, device_id: str, owner: str) -> HeldLease | None:
        """Take the lease and renew it until `release`; None if somebody else holds it. Raises redis.RedisError."""
        if not self._leases.take(kind, device_id, owner, self._seconds):
            return None
        held = HeldLease(kind, device_id, owner, self._clock.monotonic())
        with self._lock:
            self._held[kind, device_id] = held
        return held

    def check(self, held: HeldLease) -> None:
        """Raise LeaseLost if another owner holds the lease.

        A process that was suspended for longer than the lease (SIGSTOP, a suspended machine) asks Redis first, because
        its renewing thread may not have run yet.
        """
        if not held.is_lost and self._clock.monotonic() - held.renewed_at > self._seconds:
            self._renew(held)
        if held.is_lost:
            raise LeaseLost(f"the lease of device '{held.device_id}' is held by another worker")

    def release(self, held: HeldLease) -> None:
        """Release the lease; if Redis is away, the lease expires by itself."""
        with self._lock:
            self._held.pop((held.kind, held.device_id), None)
        try:
            self._leases.release(held.kind, held.device_id, held.owner)
        except redis.RedisError as error:
            log.debug("the lease of device %s expires by itself: %s", held.device_id, error)

    def close(self) -> None:
        """Stop renewing. May be called twice."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds / 4):
            with self._lock:
                held = list(self._held.values())
            for lease in held:
                self._renew(lease)

    def _renew(self, held: HeldLease) -> None:
        try:
            self._leases.renew(held.kind, held.device_id, held.owner, self._seconds)
        except LeaseLost:
            held.is_lost = True
        except redis.RedisError as error:
            log.debug("the lease of device %s cannot be renewed now: %s", held.device_id, error)
        else:
            held.renewed_at = self._clock.monotonic()
