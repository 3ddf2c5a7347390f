"""Calls of direct outputs, in threads of each output: they delay neither a stream nor another output."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol

from gateway.isolation.threads import PluginThread, call_once
from gateway.outputs import DirectOutput

#: Threads in which an output is attached: each may wait some seconds for a server that does not answer.
_ATTACHING_THREADS = 4
_CLOSE_SECONDS = 2.0

ATTACH = "attach"


class OutputCalls(Protocol):
    """Runs calls of direct outputs, and never waits."""

    def submit(self, output: DirectOutput, step: str, function: Callable[..., Any], *arguments: Any) -> Future:
        """Run a call soon. Raises PluginBusy."""


class OutputThreads:
    """The threads of all direct outputs of a process: some for `attach`, one for everything else. Thread-safe."""

    def __init__(self) -> None:
        self._threads: dict[tuple[int, str], list[PluginThread]] = {}
        self._lock = threading.Lock()

    def submit(self, output: DirectOutput, step: str, function: Callable[..., Any], *arguments: Any) -> Future:
        """See OutputCalls."""
        threads = self._find(output, ATTACH if step == ATTACH else "care", _ATTACHING_THREADS if step == ATTACH else 1)
        # The one with the fewest calls; a call that hangs keeps its thread.
        least = min(threads, key=lambda thread: (thread.busy is not None) + thread.waiting)
        return least.submit(step, function, *arguments)

    def close(self, outputs: list[DirectOutput]) -> None:
        """Close the outputs, each within two seconds. May be called twice."""
        for output in outputs:
            call_once(plugin_of(output), "close", output.close, seconds=_CLOSE_SECONDS)

    def _find(self, output: DirectOutput, use: str, count: int) -> list[PluginThread]:
        with self._lock:
            key = id(output), use
            if key not in self._threads:
                name = f"{output.name} {use}"
                # A death of this process is not the fault of a plugin whose code is in another one.
                is_here = not getattr(output, "is_apart", False)
                self._threads[key] = [
                    PluginThread(plugin_of(output), f"{name} {n}", is_marked=is_here) for n in range(count)
                ]
            return self._threads[key]


def plugin_of(output: DirectOutput) -> str:
    """The name of an output's plugin."""
    return getattr(output, "plugin", "") or output.name
