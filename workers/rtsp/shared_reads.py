"""Reads the connections of cameras that nobody watches together, ten times a second.

A picture that comes alone wakes the process, and finds its caches cold: that costs as much as the work itself. Read
one after another, cameras share both.
"""

import asyncio
import weakref
from typing import Protocol

#: The interval. Capture times stay exact: of several pictures that are read together, the last was hardly delayed.
READ_SECONDS = 0.1


class Resumable(Protocol):
    """What can be told to read again."""

    def resume(self) -> None:
        """Read what has come."""


class SharedReads:
    """The readers of one loop that wait for the next common read."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: set[Resumable] = set()
        self._timer: asyncio.TimerHandle | None = None

    def wait(self, reader: Resumable) -> None:
        """Let a reader wait; its `resume` is called at the next common read."""
        self._waiting.add(reader)
        if self._timer is None:
            # On a grid of the clock, so that all wait for the same moment.
            now = self._loop.time()
            self._timer = self._loop.call_at(now - now % READ_SECONDS + READ_SECONDS, self._read)

    def leave(self, reader: Resumable) -> None:
        """Wait no longer. May be called for a reader that does not wait."""
        self._waiting.discard(reader)

    def _read(self) -> None:
        self._timer = None
        waiting, self._waiting = self._waiting, set()
        for reader in waiting:
            reader.resume()


_OF_LOOPS: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, SharedReads]" = weakref.WeakKeyDictionary()


def shared_reads() -> SharedReads:
    """Those of the running loop."""
    loop = asyncio.get_running_loop()
    found = _OF_LOOPS.get(loop)
    if found is None:
        found = _OF_LOOPS[loop] = SharedReads(loop)
    return found
