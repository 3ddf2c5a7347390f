"""Leases in Redis: at most one worker process owns a device at a time.

A lease is a key that holds the owner's name and expires; the owner renews it while it works. A new owner gets a higher
run number from the database (`gateway.streams.model.claim_next_run`), which is the fence behind this lock. The lease of
a process that is known to be dead, because it ran on this machine, ends at once.
"""

import re
import time
from collections.abc import Sequence

import redis

from gateway.errors import LeaseLost
from gateway.process_marks import is_dead, mark_process
from gateway.redis_values import accept, require

#: Kinds of workers that offer slots; the first is also the kind of lease that the owner of a stream holds.
STREAM = "stream"
RECORD = "record"
OUTPUTS = "outputs"
SNAPSHOT = "snapshot"


def output_lease(name: str) -> str:
    """The kind of lease that is held by the process that runs a consumer output for a device."""
    return f"output:{name}"


# Renewing also takes a lease that nobody holds: after Redis lost its data, the living owner
# restores its name before another owner is started (the clock process waits longer than a renewal interval).
_RENEW = """
local kept = {}
for i, key in ipairs(KEYS) do
  local holder = redis.call('get', key)
  kept[i] = 0
  if not holder or holder == ARGV[i + 1] then
    redis.call('set', key, ARGV[i + 1], 'px', ARGV[1])
    kept[i] = 1
  end
end
return kept
"""
_RELEASE = """
for i, key in ipairs(KEYS) do
  if redis.call('get', key) == ARGV[i] then redis.call('del', key) end
end
"""
#: Leases of one call, whose duration delays every other client of Redis.
_MOST_AT_ONCE = 256

#: A lease as (kind, device id, owner).
Lease = tuple[str, str, str]


class Leases:
    """All leases in one Redis. Every method raises redis.RedisError when Redis is away."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._renew = client.register_script(_RENEW)
        self._release = client.register_script(_RELEASE)

    def take(self, kind: str, device_id: str, owner: str, seconds: float) -> bool:
        """Take the lease unless a living owner holds it; returns whether it was taken."""
        key, ttl_ms = self._key(kind, device_id), int(seconds * 1000)
        if self._redis.set(key, owner, nx=True, px=ttl_ms):
            return True
        holder = self.holder(kind, device_id)
        if holder is not None and _is_owner_dead(holder):
            self.release(kind, device_id, holder)
            return bool(self._redis.set(key, owner, nx=True, px=ttl_ms))
        return False

    def renew(self, kind: str, device_id: str, owner: str, seconds: float) -> None:
        """Extend the lease to `seconds` from now; raises LeaseLost if another owner holds it."""
        if not all(self.renew_many([(kind, device_id, owner)], seconds)):
            raise LeaseLost(f"the lease of device '{device_id}' is held by another worker")

    def renew_many(self, leases: Sequence[Lease], seconds: float) -> list[bool]:
        """Extend leases to `seconds` from now; returns for each whether it is kept: False if another owner holds it."""
        kept: list[bool] = []
        for first in range(0, len(leases), _MOST_AT_ONCE):
            batch = leases[first : first + _MOST_AT_ONCE]
            keys = [self._key(kind, device_id) for kind, device_id, _ in batch]
            answer = self._renew(keys=keys, args=[int(seconds * 1000), *(owner for _, _, owner in batch)])
            kept += map(bool, answer)
        return kept

    def release(self, kind: str, device_id: str, owner: str) -> None:
        """Release the lease; does nothing if another owner holds it."""
        self.release_many([(kind, device_id, owner)])

    def release_many(self, leases: Sequence[Lease]) -> None:
        """Release leases; those that another owner holds stay."""
        for first in range(0, len(leases), _MOST_AT_ONCE):
            batch = leases[first : first + _MOST_AT_ONCE]
            keys = [self._key(kind, device_id) for kind, device_id, _ in batch]
            self._release(keys=keys, args=[owner for _, _, owner in batch])

    def holder(self, kind: str, device_id: str) -> str | None:
        """The owner's name, or None without an owner."""
        value = self._redis.get(self._key(kind, device_id))
        return value.decode("utf-8", "replace") if value is not None else None

    def holders(self, kind: str, device_ids: list[str]) -> dict[str, str]:
        """The owners of those devices that have one, except owners known to be dead."""
        if not device_ids:
            return {}
        values = self._redis.mget([self._key(kind, device_id) for device_id in device_ids])
        return {
            device_id: owner
            for device_id, value in zip(device_ids, values, strict=True)
            if value is not None and not _is_owner_dead(owner := value.decode("utf-8", "replace"))
        }

    @staticmethod
    def _key(kind: str, device_id: str) -> str:
        return f"vas:lease:{kind}:{device_id}"


def name_owner(worker: str) -> str:
    """Name an ownership by this process: the worker's name, a unique number and the mark of the process."""
    return f"{worker}/{time.time_ns()}/{mark_process()}"


def _is_owner_dead(owner: str) -> bool:
    return is_dead(owner.rpartition("/")[2])


class WorkerSlots:
    """The slots of each worker process, used and in total, reported while the process lives."""

    TTL_SECONDS = 15

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def report(self, kind: str, worker: str, used: int, total: int) -> None:
        """Report that `worker` has `used` of `total` slots in use; to be repeated every few seconds."""
        self._redis.set(f"vas:worker:{kind}:{worker}", f"{used}/{total}", ex=self.TTL_SECONDS)

    def withdraw(self, kind: str, worker: str) -> None:
        """Remove the report of a `worker` that ends."""
        self._redis.delete(f"vas:worker:{kind}:{worker}")

    def read(self, kind: str) -> dict[str, tuple[int, int]]:
        """`(used, total)` of every living worker of a kind, by worker name."""
        prefix = f"vas:worker:{kind}:"
        keys = list(self._redis.scan_iter(match=prefix + "*", count=500))
        values = self._redis.mget(keys) if keys else []
        slots = {}
        for key, value in zip(keys, values, strict=True):
            found = accept(self._redis, "worker's slots", lambda v=value: _parse_slots(v)) if value else None
            if found is not None:
                slots[key.decode("utf-8", "replace").removeprefix(prefix)] = found
        return slots


def _parse_slots(text: bytes) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text.decode("ascii", "replace"))
    require(found is not None, "it is not two numbers")
    return int(found[1]), int(found[2])


def describe_shortage(kind: str, slots: dict[str, tuple[int, int]]) -> str:
    """Explain a wait for a slot, given the `slots` that `WorkerSlots.read` returns."""
    return f"for a free slot: start more {kind} workers" if slots else f"for a {kind} worker: none has reported yet"
