"""The states of plugins' services and of the plugins workers, which these report to Redis while they live."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import redis

from gateway.leases import WorkerSlots
from gateway.redis_values import accept, is_integer, is_number, is_text, parse_object, require

#: The kind of workers that run the work of all plugins without a worker of their own.
PLUGINS = "plugins"
#: The kind of a worker of one plugin is this with the plugin's name; it does not begin with the key of the other kind.
_APART = "plugins-of."
_REPORT_SECONDS = 15
_MAX_ERROR = 500

STARTING, RUNNING, PAUSING, DONE = "starting", "running", "pausing", "done"
SERVICE_STATES = (STARTING, RUNNING, PAUSING, DONE)


@dataclass(frozen=True, slots=True)
class ServiceState:
    """The state of a service in the worker that owns it.

    `deaths`: how often it died in the last minute; `restarts`: since the worker started; `error`: why it died last.
    `cpu_percent` (100: one core) and `memory_bytes` are those of all its processes.
    """

    state: str
    worker: str
    since_ms: int
    restarts: int = 0
    deaths: int = 0
    error: str | None = None
    pid: int | None = None
    cpu_percent: float | None = None
    memory_bytes: int | None = None


class ServiceStates:
    """The reported states. Every method raises redis.RedisError when Redis is away."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def report(self, plugin: str, name: str, state: ServiceState) -> None:
        """Report the state; to be repeated every few seconds."""
        self._redis.set(_key(plugin, name), json.dumps(asdict(state)), ex=_REPORT_SECONDS)

    def withdraw(self, plugin: str, name: str, worker: str) -> None:
        """Remove the state of a service that this worker gives up; that of another worker stays."""
        state = self.read([(plugin, name)]).get((plugin, name))
        if state is not None and state.worker == worker:
            self._redis.delete(_key(plugin, name))

    def read(self, services: Iterable[tuple[str, str]]) -> dict[tuple[str, str], ServiceState]:
        """The states of services, by plugin and name; those without an owner are left out."""
        keys = list(services)
        values = self._redis.mget([_key(*key) for key in keys]) if keys else []
        found = {}
        for key, value in zip(keys, values, strict=True):
            state = accept(self._redis, "state of a service", lambda v=value: _parse(v)) if value else None
            if state is not None:
                found[key] = state
        return found


class PluginWorkers:
    """The plugins workers that live. Every method raises redis.RedisError when Redis is away."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._slots = WorkerSlots(client)

    def report(self, worker: str, plugins: Iterable[str], used: int, total: int) -> None:
        """Report a worker of some plugins, of all without names; to be repeated every few seconds."""
        for kind in _kinds(plugins):
            self._slots.report(kind, worker, used, total)

    def withdraw(self, worker: str, plugins: Iterable[str]) -> None:
        """Remove the report of a worker that ends."""
        for kind in _kinds(plugins):
            self._slots.withdraw(kind, worker)

    def has_general(self) -> bool:
        """Whether a worker of all plugins runs."""
        return bool(self._slots.read(PLUGINS))

    def apart(self) -> set[str]:
        """The plugins that have a worker of their own, which the others leave to it."""
        prefix = f"vas:worker:{_APART}"
        found = self._redis.scan_iter(match=prefix + "*", count=500)
        return {key.decode("utf-8", "replace").removeprefix(prefix).partition(":")[0] for key in found}


def _kinds(plugins: Iterable[str]) -> list[str]:
    return [f"{_APART}{name}" for name in plugins] or [PLUGINS]


def _key(plugin: str, name: str) -> str:
    return f"vas:plugin:service:{plugin}:{name}"


def _parse(text: bytes) -> ServiceState:
    values: dict[str, Any] = parse_object(text)
    require(values.keys() == set(ServiceState.__slots__), "it has not the fields of a state")
    require(values["state"] in SERVICE_STATES, "its state is unknown")
    require(is_text(values["worker"], 200), "its worker is no text")
    require(all(is_integer(values[name]) for name in ("since_ms", "restarts", "deaths")), "a count is no number")
    require(values["error"] is None or is_text(values["error"], _MAX_ERROR), "its error is no text")
    require(values["pid"] is None or is_integer(values["pid"]), "its process is no number")
    require(values["cpu_percent"] is None or is_number(values["cpu_percent"]), "its CPU is no number")
    require(values["memory_bytes"] is None or is_integer(values["memory_bytes"]), "its memory is no number")
    return ServiceState(**values)
