"""The states of consumer outputs by device: written by the workers that run them every few seconds."""

import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import redis

from gateway.redis_values import accept, is_number, is_text, parse_object, require

#: `waiting`: for a disk or server. `blocked`: a call does not return. `set_aside`: processes died in the plugin's code.
STATES = ("attaching", "running", "waiting", "failed", "blocked", "set_aside")
_TTL_SECONDS = 20
#: An entry that is older was left by a process that died; clocks of machines may differ by some seconds.
_OLD_SECONDS = 60.0
_MOST_OUTPUTS = 100


@dataclass(frozen=True, slots=True)
class OutputState:
    """An output of a device. Times in seconds since 1970; `lag_seconds`: how far the last part was behind."""

    name: str
    plugin: str
    state: str
    reason: str | None
    since: float
    lag_seconds: float | None
    worker: str
    written_at: float


class OutputStates:
    """All outputs' states in one Redis. Every method raises redis.RedisError."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def write(self, states: Iterable[tuple[str, OutputState]]) -> None:
        """Replace the states of outputs, each with the id of its device; to be repeated every few seconds."""
        pipeline = self._redis.pipeline(transaction=False)
        for device_id, state in states:
            pipeline.hset(_key(device_id), state.name, json.dumps(asdict(state)))
            pipeline.expire(_key(device_id), _TTL_SECONDS)
        pipeline.execute()

    def forget(self, device_id: str, name: str) -> None:
        """Remove the state of an output that has ended."""
        self._redis.hdel(_key(device_id), name)

    def read_many(self, device_ids: Iterable[str]) -> dict[str, list[OutputState]]:
        """The states by device, sorted by the names of outputs; without devices that have none."""
        ids = list(device_ids)
        pipeline = self._redis.pipeline(transaction=False)
        for device_id in ids:
            pipeline.hvals(_key(device_id))
        oldest = time.time() - _OLD_SECONDS
        found = {}
        for device_id, values in zip(ids, pipeline.execute() if ids else [], strict=True):
            states = [accept(self._redis, "output's state", lambda v=value: _parse(v)) for value in values]
            states = [state for state in states if state is not None and state.written_at > oldest]
            if states:
                found[device_id] = sorted(states, key=lambda state: state.name)[:_MOST_OUTPUTS]
        return found


def _key(device_id: str) -> str:
    return f"vas:outputs:{device_id}"


def _parse(text: bytes) -> OutputState:
    values = parse_object(text)
    require(values.keys() == set(OutputState.__dataclass_fields__), "it has other fields")
    require(all(is_text(values[name], 300) for name in ("name", "plugin", "worker")), "a name is not a text")
    require(values["state"] in STATES, "its state is unknown")
    require(values["reason"] is None or is_text(values["reason"], 2000), "its reason is not a text")
    require(is_number(values["since"]) and is_number(values["written_at"]), "a time is not a number")
    require(values["lag_seconds"] is None or is_number(values["lag_seconds"]), "its lag is not a number")
    return OutputState(**values)
