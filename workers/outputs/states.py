"""The states of the consumer outputs that run in this process, reported together every few seconds."""

import threading
import time
from collections.abc import Iterator

from gateway.media import Part
from gateway.streams.output_states import OutputState


class ConsumerState:
    """The state of one output of a device; its supervisor sets it."""

    def __init__(self, name: str, plugin: str, device_id: str, worker: str) -> None:
        self.name, self.plugin, self.device_id, self.worker = name, plugin, device_id, worker
        self.state = "attaching"
        self.reason: str | None = None
        self.since = time.time()
        self.lag_seconds: float | None = None

    def set(self, state: str, reason: str | None = None) -> None:
        """Set the state; its beginning is kept while it stays the same."""
        if state != self.state:
            self.since = time.time()
        self.state, self.reason = state, reason

    def took(self, part: Part, now: float) -> None:
        """The output has taken a part."""
        self.lag_seconds = max(0.0, round(now - part.start - part.duration, 1))

    def describe(self) -> OutputState:
        """The state as it is reported."""
        return OutputState(
            self.name,
            self.plugin,
            self.state,
            self.reason[:1000] if self.reason is not None else None,
            round(self.since, 3),
            self.lag_seconds,
            self.worker,
            round(time.time(), 3),
        )


class ConsumerStates:
    """The states of a process. Thread-safe."""

    def __init__(self) -> None:
        self._states: dict[int, ConsumerState] = {}
        self._ended: list[ConsumerState] = []
        self._lock = threading.Lock()

    def add(self, state: ConsumerState) -> None:
        """An output has begun."""
        with self._lock:
            self._states[id(state)] = state

    def remove(self, state: ConsumerState) -> None:
        """An output has ended."""
        with self._lock:
            if self._states.pop(id(state), None) is not None:
                self._ended.append(state)

    def describe(self) -> list[tuple[str, OutputState]]:
        """The states now, each with the id of its device."""
        with self._lock:
            return [(state.device_id, state.describe()) for state in self._states.values()]

    def take_ended(self) -> Iterator[ConsumerState]:
        """The outputs that have ended since the last call."""
        with self._lock:
            ended, self._ended = self._ended, []
        yield from ended

    def plugins(self) -> set[str]:
        """The plugins with outputs in this process."""
        with self._lock:
            return {state.plugin for state in self._states.values()}
