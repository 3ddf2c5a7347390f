"""How often a login may be tried at a camera: many lock an address or a user after five to seven refusals.

One budget for all that log in to a camera: main stream, sub-stream and probes, in all processes. After three refusals
of the same user and password, none is sent for ten minutes. A changed password is another login, tried at once.
"""

import hashlib
import hmac
import logging
import threading
from dataclasses import dataclass
from datetime import UTC, datetime

import redis

from gateway.clock import Clock, SystemClock
from gateway.config import Config
from gateway.devices.sources import SourceUrl
from gateway.sources.registry import RTSP_PORTS

log = logging.getLogger(__name__)

MAX_REFUSALS = 3
PAUSE_SECONDS = 600.0
#: A login that worked so recently is sent by any number of sessions at once; otherwise a few try it, the others wait.
_PROVEN_SECONDS = 60.0
#: A try whose process died is forgotten after this time.
_TRYING_SECONDS = 30.0
#: How long the time is kept when a login worked last.
_WORKED_DAYS = 30

# The keys of a login: its refusals (`count`, `until`), the tries under way, when it worked last, and whether the camera
# accepted it just now. Times are Redis's.
_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""
_END_TRY = """
if tonumber(redis.call('GET', KEYS[2]) or '0') > 0 then redis.call('DECR', KEYS[2]) end
"""
_TAKE = f"""
local refused = tonumber(redis.call('HGET', KEYS[1], 'count') or '0')
if refused >= {MAX_REFUSALS} then return 0 end
local trying = tonumber(redis.call('GET', KEYS[2]) or '0')
local is_proven = refused == 0 and redis.call('EXISTS', KEYS[4]) == 1
if not is_proven and refused + trying >= {MAX_REFUSALS} then return 0 end
redis.call('INCR', KEYS[2])
redis.call('PEXPIRE', KEYS[2], {int(_TRYING_SECONDS * 1000)})
return 1
"""
_REFUSED = f"""{_NOW}{_END_TRY}
redis.call('HINCRBY', KEYS[1], 'count', 1)
redis.call('HSET', KEYS[1], 'until', now + {int(PAUSE_SECONDS * 1000)})
redis.call('PEXPIRE', KEYS[1], {int(PAUSE_SECONDS * 1000)})
redis.call('DEL', KEYS[4])
return redis.call('GET', KEYS[3])
"""
_WORKED = f"""{_NOW}{_END_TRY}
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[3], now, 'EX', {_WORKED_DAYS * 86_400})
redis.call('SET', KEYS[4], 1, 'PX', {int(_PROVEN_SECONDS * 1000)})
"""
_ENDED = f"""{_NOW}
redis.call('SET', KEYS[3], now, 'EX', {_WORKED_DAYS * 86_400})
"""


class LoginBudget:
    """The budgets of all logins, in Redis; while it is away, those of this process. Thread-safe; raises nothing.

    A source without user and password has no budget: nothing is sent that could be refused.
    """

    def __init__(self, client: redis.Redis, secret: str, *, clock: Clock | None = None) -> None:
        self._redis = client
        self._secret = secret.encode()
        self._local = _LocalBudget(clock or SystemClock())
        self._take = client.register_script(_TAKE)
        self._refused = client.register_script(_REFUSED)
        self._worked = client.register_script(_WORKED)
        self._ended = client.register_script(_ENDED)
        self._end_try = client.register_script(_END_TRY)

    @classmethod
    def from_config(cls, client: redis.Redis, config: Config) -> "LoginBudget":
        """The budgets of this installation."""
        return cls(client, config.secret_key)

    def check(self, source: SourceUrl) -> datetime | None:
        """When the login is tried again; None if it is not paused."""
        if (name := self._name(source)) is None:
            return None
        try:
            values = self._redis.hmget(_keys(name)[0], "count", "until")
        except redis.RedisError as error:
            return _as_time(self._local.check(name, error))
        try:
            count, until = (int(value or 0) for value in values)
            return _as_time(until / 1000) if count >= MAX_REFUSALS else None
        except (ValueError, OverflowError, OSError):
            return None

    def take(self, source: SourceUrl) -> bool:
        """Whether the login may be sent now; `refused`, `worked` or `give_up` has to follow if it may.

        If it may not, `check` says until when; if it says None, others are just trying the same login: ask again after
        a moment.
        """
        if (name := self._name(source)) is None:
            return True
        try:
            return bool(self._take(keys=_keys(name)))
        except redis.RedisError as error:
            return self._local.take(name, error)

    def refused(self, source: SourceUrl) -> datetime | None:
        """Note that the camera refused the login; returns until when it worked, None if it never did."""
        if (name := self._name(source)) is None:
            return None
        worked = self._local.refused(name)
        try:
            answer = self._refused(keys=_keys(name))
            worked = int(answer) / 1000 if answer is not None else None
        except redis.RedisError as error:
            log.debug("the refusal is counted in this process alone: %s", error)
        except ValueError:
            worked = None
        return _as_time(worked)

    def worked(self, source: SourceUrl) -> None:
        """Note that the camera accepts the login now."""
        if (name := self._name(source)) is not None:
            self._local.worked(name)
            self._run(self._worked, name)

    def ended(self, source: SourceUrl) -> None:
        """Note that a session ended whose login the camera had accepted: it worked until now.

        That says nothing of new logins: a session outlives a change of the password in the camera.
        """
        if (name := self._name(source)) is not None:
            self._local.ended(name)
            self._run(self._ended, name)

    def give_up(self, source: SourceUrl) -> None:
        """Note that a try ended before the camera answered the login."""
        if (name := self._name(source)) is not None:
            self._local.end_try(name)
            self._run(self._end_try, name)

    def forget(self, source: SourceUrl) -> None:
        """Forget the refusals: the login may be tried at once."""
        if (name := self._name(source)) is None:
            return
        self._local.forget(name)
        try:
            self._redis.delete(*_keys(name)[:2])
        except redis.RedisError as error:
            log.warning("the refusals of a login stay counted in Redis: %s", error)

    def _name(self, source: SourceUrl) -> str | None:
        """The login at its host, which nobody can compute without the SECRET_KEY, not even from a guessed password."""
        if source.credentials is None:
            return None
        port = source.port or RTSP_PORTS.get(source.scheme, source.scheme)
        text = "\0".join((source.host, str(port), *source.credentials))
        return hmac.new(self._secret, f"vas login\0{text}".encode(), hashlib.sha256).hexdigest()[:32]

    @staticmethod
    def _run(script: redis.commands.core.Script, name: str) -> None:
        try:
            script(keys=_keys(name))
        except redis.RedisError as error:
            log.debug("the login is noted in this process alone: %s", error)


@dataclass(slots=True)
class _Login:
    refusals: int = 0
    until: float = 0.0
    forget_at: float = 0.0
    trying: int = 0
    tried_at: float = float("-inf")
    worked: float | None = None
    proven_until: float = float("-inf")


class _LocalBudget:
    """The same budgets within this process, for the time when Redis is away."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._logins: dict[str, _Login] = {}

    def check(self, name: str, error: Exception) -> float | None:
        log.debug("the refusals of other processes are unknown: %s", error)
        with self._lock:
            login = self._current(name)
            return login.until if login.refusals >= MAX_REFUSALS else None

    def take(self, name: str, error: Exception) -> bool:
        log.debug("the logins of other processes are unknown: %s", error)
        with self._lock:
            login, now = self._current(name), self._clock.monotonic()
            is_proven = login.refusals == 0 and now < login.proven_until
            if login.refusals >= MAX_REFUSALS or (not is_proven and login.refusals + login.trying >= MAX_REFUSALS):
                return False
            login.trying, login.tried_at = login.trying + 1, now
            return True

    def refused(self, name: str) -> float | None:
        with self._lock:
            login = self._current(name)
            login.trying = max(0, login.trying - 1)
            login.refusals += 1
            login.proven_until = float("-inf")
            login.until = self._clock.wall() + PAUSE_SECONDS
            login.forget_at = self._clock.monotonic() + PAUSE_SECONDS
            return login.worked

    def worked(self, name: str) -> None:
        with self._lock:
            login = self._current(name)
            login.trying = max(0, login.trying - 1)
            login.refusals, login.worked = 0, self._clock.wall()
            login.proven_until = self._clock.monotonic() + _PROVEN_SECONDS

    def ended(self, name: str) -> None:
        with self._lock:
            self._current(name).worked = self._clock.wall()

    def end_try(self, name: str) -> None:
        with self._lock:
            login = self._current(name)
            login.trying = max(0, login.trying - 1)

    def forget(self, name: str) -> None:
        with self._lock:
            login = self._current(name)
            login.refusals = login.trying = 0

    def _current(self, name: str) -> _Login:
        login = self._logins.setdefault(name, _Login())
        now = self._clock.monotonic()
        if login.refusals and now >= login.forget_at:
            login.refusals = 0
        if now - login.tried_at >= _TRYING_SECONDS:
            login.trying = 0
        return login


def _keys(name: str) -> list[str]:
    return [f"vas:login:{name}:{part}" for part in ("refused", "trying", "worked", "proven")]


def _as_time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
