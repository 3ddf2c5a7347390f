"""The event loops of plugins' sources: one thread a plugin, so that one that blocks delays no other camera."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any

log = logging.getLogger(__name__)


class SourceThread:
    """An event loop in a thread of its own, which ends with the process."""

    def __init__(self, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self._serve, name=f"source-{name}"[:40], daemon=True).start()

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Future:
        """Run a coroutine on the loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    def _serve(self) -> None:
        asyncio.set_event_loop(self.loop)
        while True:
            # A SystemExit of a plugin's task would end the loop, and with it all sessions of its source.
            try:
                self.loop.run_forever()
            except BaseException:
                log.exception("a task of a source tried to end its thread")


class SourceThreads:
    """Starts the thread of a plugin when it is first needed. Thread-safe."""

    def __init__(self) -> None:
        self._threads: dict[str, SourceThread] = {}
        self._lock = threading.Lock()

    def get(self, plugin: str) -> SourceThread:
        """The thread of a plugin."""
        with self._lock:
            thread = self._threads.get(plugin)
            if thread is None:
                thread = self._threads[plugin] = SourceThread(plugin)
            return thread

    def close(self) -> None:
        """Stop what the loops still run; their threads end with the process. May be called twice."""
        with self._lock:
            for thread in self._threads.values():
                with contextlib.suppress(RuntimeError):
                    thread.loop.call_soon_threadsafe(_cancel_all, thread.loop)


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    for task in asyncio.all_tasks(loop):
        task.cancel()


#: Those of this process.
THREADS = SourceThreads()
