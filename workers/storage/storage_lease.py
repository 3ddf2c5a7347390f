"""The lease of the housekeeping: one process at a time cares for the store. Its threads share it."""

import logging
import threading

import redis

from gateway.clock import Clock
from gateway.errors import LeaseLost
from gateway.leases import Leases

log = logging.getLogger(__name__)

LEASE = "storage"
LEASE_ID = "local"
LEASE_SECONDS = 30.0
_RENEW_SECONDS = 5.0


class StorageLease:
    """The lease as one process holds it. Every method but `forget` and `release` raises redis.RedisError."""

    def __init__(self, client: redis.Redis, clock: Clock, worker: str) -> None:
        self._leases = Leases(client)
        self._clock = clock
        self._worker = worker
        self._lock = threading.Lock()
        self._renewed_at: float | None = None

    @property
    def is_held(self) -> bool:
        """Whether this process held the lease when it last looked."""
        return self._renewed_at is not None

    def take(self) -> bool:
        """Take the lease unless another process has it; returns whether it was taken now."""
        with self._lock:
            if not self._leases.take(LEASE, LEASE_ID, self._worker, LEASE_SECONDS):
                return False
            self._renewed_at = self._clock.monotonic()
        log.info("worker %s does the housekeeping of the storage", self._worker)
        return True

    def keep(self) -> None:
        """Renew the lease when it is time; to be called between two steps. Raises LeaseLost."""
        with self._lock:
            if self._renewed_at is None:
                raise LeaseLost("another worker does the housekeeping of the storage")
            now = self._clock.monotonic()
            if now - self._renewed_at < _RENEW_SECONDS:
                return
            try:
                self._leases.renew(LEASE, LEASE_ID, self._worker, LEASE_SECONDS)
            except LeaseLost:
                self._renewed_at = None
                log.info("worker %s stops the housekeeping of the storage: another worker does it", self._worker)
                raise
            self._renewed_at = now

    def release(self) -> None:
        """Release the lease, if it is held."""
        with self._lock:
            if self._renewed_at is None:
                return
            self._renewed_at = None
            try:
                self._leases.release(LEASE, LEASE_ID, self._worker)
            except redis.RedisError as error:
                log.debug("the lease of the storage expires by itself: %s", error)
