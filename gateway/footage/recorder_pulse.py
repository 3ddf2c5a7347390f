"""The pulse of recorders, in Redis: when each device's footage was last written, and which recorders died.

Ages are differences of the clock of Redis, so that the clocks of two machines are never compared.
"""

from collections.abc import Iterable, Mapping

import redis

_PULSE = "vas:recorder:pulse"
_ATTACHED = "vas:recorder:attached"
_DEATHS = "vas:recorder:deaths"
_FORGET_SECONDS = 86_400
#: Time for which the death of a recorder counts.
DEATH_SECONDS = 300

_NOW = "local t = redis.call('time') local now = t[1] + t[2] / 1000000 "
_BEAT = (
    _NOW
    + """
for i = 2, #ARGV, 2 do redis.call('zadd', KEYS[1], now - ARGV[i + 1], ARGV[i]) end
redis.call('zremrangebyscore', KEYS[1], '-inf', now - ARGV[1])
"""
)
# Scores travel as text: Lua numbers would be cut to integers.
_READ = (
    _NOW
    + """
local ages = {}
for i, id in ipairs(ARGV) do
    local at = redis.call('zscore', KEYS[1], id)
    ages[i] = at and tostring(now - at) or false
end
return ages
"""
)
_ATTACH = (
    _NOW
    + """
local before = redis.call('hget', KEYS[1], ARGV[1])
if before and before ~= ARGV[2] then redis.call('zadd', KEYS[2], now, ARGV[1] .. '/' .. before) end
redis.call('hset', KEYS[1], ARGV[1], ARGV[2])
redis.call('zremrangebyscore', KEYS[2], '-inf', now - ARGV[3])
"""
)
_DETACH = "if redis.call('hget', KEYS[1], ARGV[1]) == ARGV[2] then redis.call('hdel', KEYS[1], ARGV[1]) end"
_DIED = (
    _NOW
    + """
local died = redis.call('zrevrangebyscore', KEYS[1], '+inf', now - ARGV[1], 'withscores')
for i = 2, #died, 2 do died[i] = tostring(now - died[i]) end
return died
"""
)


class RecorderPulse:
    """The pulse of all recorders. Every method raises redis.RedisError when Redis is away."""

    def __init__(self, client: redis.Redis) -> None:
        self._beat = client.register_script(_BEAT)
        self._read = client.register_script(_READ)
        self._attach = client.register_script(_ATTACH)
        self._detach = client.register_script(_DETACH)
        self._died = client.register_script(_DIED)

    def beat(self, ages: Mapping[str, float]) -> None:
        """Report how many seconds ago the footage of each of these devices was last written; repeat every second."""
        if ages:
            values = [value for pair in ages.items() for value in pair]
            self._beat(keys=[_PULSE], args=[_FORGET_SECONDS, *values])

    def read(self, device_ids: Iterable[str]) -> dict[str, float]:
        """Seconds since footage was last written, by device; without devices whose footage never was."""
        ids = list(device_ids)
        found = self._read(keys=[_PULSE], args=ids) if ids else []
        return {device_id: max(0.0, float(age)) for device_id, age in zip(ids, found, strict=True) if age is not None}

    def attached(self, device_id: str, token: int) -> None:
        """Report that a recorder has claimed a device; the one before it died if it has not reported its end."""
        self._attach(keys=[_ATTACHED, _DEATHS], args=[device_id, token, DEATH_SECONDS])

    def detached(self, device_id: str, token: int) -> None:
        """Report that a recorder has ended in order. May be called twice."""
        self._detach(keys=[_ATTACHED], args=[device_id, token])

    def deaths(self) -> dict[str, list[float]]:
        """Seconds since each death of a recorder in the last DEATH_SECONDS, by device, the newest first.

        A death is known, and counts, from the moment at which the next recorder claims the device.
        """
        found = self._died(keys=[_DEATHS], args=[DEATH_SECONDS])
        ages: dict[str, list[float]] = {}
        for member, age in zip(found[::2], found[1::2], strict=True):
            device_id = member.decode("utf-8", "replace").rpartition("/")[0]
            ages.setdefault(device_id, []).append(max(0.0, float(age)))
        return ages
