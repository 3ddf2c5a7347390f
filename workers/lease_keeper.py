"""Renews all leases of a process in a separate thread, so that neither a slow disk nor a slow stop loses them."""

import logging
import math
import threading
from dataclasses import dataclass

import redis

from gateway.clock import Clock, SystemClock
from gateway.errors import LeaseLost
from gateway.leases import Leases

log = logging.getLogger(__name__)

#: After this time without a call, the last failed one tells nothing: the process was suspended. A call takes less.
_AWAY_SECONDS = 10.0


@dataclass(slots=True)
class HeldLease:
    """One lease of this process, as its holder sees it. Times in monotonic seconds.

    `renewed_at`: before the last call that took or renewed it. `checked_at`: its holder's last sign of life; after
    `silence_seconds` without one it is no longer renewed.
    """

    kind: str
    device_id: str
    owner: str
    renewed_at: float
    checked_at: float
    silence_seconds: float = math.inf
    is_lost: bool = False

    @property
    def key(self) -> tuple[str, str]:
        return self.kind, self.device_id


class LeaseKeeper:
    """Takes, renews and releases leases; one object for all devices of a process.

    All leases are renewed by one call, and those that are released at the same time by one call. Neither runs beside
    the other: a renewal would take a lease again that was just released.

    An outage of Redis loses no lease: it affects every worker, and the run number or fencing token in the database is
    the fence meanwhile.
    """

    def __init__(self, client: redis.Redis, seconds: float, *, clock: Clock | None = None) -> None:
        self._leases = Leases(client)
        self._seconds = seconds
        self._clock = clock or SystemClock()
        self._held: dict[tuple[str, str], HeldLease] = {}
        self._released: list[HeldLease] = []
        self._away_at: float | None = None
        # `_calling` is held during a call that renews or releases, `_lock` for moments only; never the first within
        # the second.
        self._calling = threading.Lock()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="leases", daemon=True)
        self._thread.start()

    def take(self, kind: str, device_id: str, owner: str, *, silence_seconds: float = math.inf) -> HeldLease | None:
        """Take the lease and renew it until `release`; None if somebody else holds it. Raises redis.RedisError.

        A holder that may hang passes `silence_seconds`, and has to call `check` more often than that.
        """
        now = self._clock.monotonic()
        if not self._leases.take(kind, device_id, owner, self._seconds):
            return None
        held = HeldLease(kind, device_id, owner, renewed_at=now, checked_at=now, silence_seconds=silence_seconds)
        with self._lock:
            self._held[held.key] = held
        return held

    def check(self, held: HeldLease) -> None:
        """Raise LeaseLost if another owner holds the lease.

        When the renewing thread is late, this renews instead of it. A process that was suspended for longer than the
        lease (SIGSTOP, a suspended machine) asks Redis first.
        """
        now = held.checked_at = self._clock.monotonic()
        age = now - held.renewed_at
        if not held.is_lost and age > self._seconds / 3 and not self._is_away(now):
            # Until the lease can have expired, a call that is under way need not be waited for.
            self._renew_late(held, must_wait=age > self._seconds)
        if held.is_lost:
            raise LeaseLost(f"the lease of device '{held.device_id}' is held by another worker")

    def release(self, held: HeldLease) -> None:
        """Release the lease; if Redis is away, the lease expires by itself."""
        with self._lock:
            if self._held.get(held.key) is held:
                del self._held[held.key]
            self._released.append(held)
        with self._calling:
            with self._lock:
                released, self._released = self._released, []
            # Empty if another thread has released this lease together with its own.
            if not released:
                return
            try:
                self._leases.release_many([(lease.kind, lease.device_id, lease.owner) for lease in released])
            except redis.RedisError as error:
                log.debug("%d leases expire by themselves: %s", len(released), error)

    def close(self) -> None:
        """Stop renewing. May be called twice."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds / 4):
            with self._calling:
                self._renew_all()

    def _renew_late(self, held: HeldLease, *, must_wait: bool) -> None:
        if not self._calling.acquire(blocking=must_wait):
            return
        try:
            if self._clock.monotonic() - held.renewed_at > self._seconds / 3:
                self._renew_all()
        finally:
            self._calling.release()

    def _renew_all(self) -> None:
        """Renew the leases that are held now; the caller holds `_calling`."""
        started = self._clock.monotonic()
        if self._away_at is not None:
            self._away_at = started
        with self._lock:
            leases = [lease for lease in self._held.values() if not lease.is_lost]
        leases = [lease for lease in leases if started - lease.checked_at < lease.silence_seconds]
        if not leases:
            return
        try:
            kept = self._leases.renew_many(
                [(lease.kind, lease.device_id, lease.owner) for lease in leases], self._seconds
            )
        except redis.RedisError as error:
            self._away_at = self._clock.monotonic()
            log.debug("%d leases cannot be renewed now: %s", len(leases), error)
            return
        self._away_at = None
        for lease, is_kept in zip(leases, kept, strict=True):
            if is_kept:
                lease.renewed_at = started
            else:
                lease.is_lost = True

    def _is_away(self, now: float) -> bool:
        """Whether Redis did not answer the last call, or the one under way: asking now would only block the holder."""
        return self._away_at is not None and now - self._away_at < _AWAY_SECONDS
