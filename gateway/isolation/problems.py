"""What is wrong with plugins now: noted in each process, reported through Redis, shown by the API and `vas doctor`."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import redis

from gateway.redis_values import accept, is_number, is_text, parse_object, require

#: The states of a plugin, the worst first. `off`: by the setting PLUGINS_OFF.
STATES = ("failed", "set_aside", "degraded", "off", "running")
_TTL_SECONDS = 15
_MOST = 200
_TEXT = 500


@dataclass(frozen=True, slots=True)
class PluginProblem:
    """A problem of a plugin in a process. `seconds`: for how long it has existed."""

    plugin: str
    state: str
    reason: str
    remedy: str = ""
    process: str = ""
    seconds: float = 0.0


class Problems:
    """The problems of a process by plugin and topic. Thread-safe."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._noted: dict[tuple[str, str], tuple[PluginProblem, float]] = {}
        self._lock = threading.Lock()

    def note(self, plugin: str, topic: str, reason: str, *, state: str = "degraded", remedy: str = "") -> bool:
        """Note a problem, or that it is another one now; returns whether it is new."""
        problem = PluginProblem(plugin, state, reason[:_TEXT], remedy[:_TEXT])
        with self._lock:
            before = self._noted.get((plugin, topic))
            self._noted[plugin, topic] = problem, before[1] if before else self._monotonic()
        return before is None

    def clear(self, plugin: str, topic: str) -> bool:
        """The problem is over; returns whether there was one."""
        with self._lock:
            return self._noted.pop((plugin, topic), None) is not None

    def list(self) -> list[PluginProblem]:
        """The problems now."""
        now = self._monotonic()
        with self._lock:
            return [replace(problem, seconds=round(now - since, 1)) for problem, since in self._noted.values()]


class ProblemReports:
    """The problems that all processes report. Every method raises redis.RedisError."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def report(self, kind: str, worker: str, problems: list[PluginProblem]) -> None:
        """Replace the report of a process, which expires unless it is repeated every few seconds."""
        key = f"vas:plugin-problems:{kind}:{worker}"
        if problems:
            values = [asdict(problem) | {"process": kind} for problem in problems[:_MOST]]
            self._redis.set(key, json.dumps({"problems": values}), ex=_TTL_SECONDS)
        else:
            self._redis.delete(key)

    def read(self) -> list[PluginProblem]:
        """The problems of all processes, each once: the oldest of those that several processes have."""
        keys = list(self._redis.scan_iter(match="vas:plugin-problems:*", count=500))
        values = self._redis.mget(keys) if keys else []
        found: dict[tuple[str, str, str], PluginProblem] = {}
        for value in values:
            if value is None:
                continue
            for problem in accept(self._redis, "plugin's problem", lambda v=value: _parse(v)) or ():
                key = problem.plugin, problem.process, problem.reason
                if key not in found or found[key].seconds < problem.seconds:
                    found[key] = problem
        return list(found.values())


def _parse(text: bytes) -> list[PluginProblem]:
    values = parse_object(text).get("problems")
    require(isinstance(values, list) and len(values) <= _MOST, "it is not a list of problems")
    names = set(PluginProblem.__dataclass_fields__)
    for value in values:
        require(isinstance(value, dict) and value.keys() == names, "a problem has other fields")
        texts = [text for name, text in value.items() if name != "seconds"]
        require(all(is_text(text, _TEXT) for text in texts), "a problem has other values than texts")
        require(value["state"] in STATES and is_number(value["seconds"]), "a problem has no state")
    return [PluginProblem(**value) for value in values]
