"""The threads that run the application. Work waits in lanes, which take turns, so that no kind of it stops another."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

#: Work that has waited longer for a thread is refused: its client has probably given up.
_MAX_WAIT_SECONDS = 10.0


class Overloaded(Exception):
    """No thread became free in time."""


@dataclass(slots=True)
class _Work:
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    done: asyncio.Future
    since: float


@dataclass(slots=True)
class _Lane:
    size: int
    running: int = 0
    waiting: deque[_Work] = field(default_factory=deque)


class Lanes:
    """Runs functions in `threads` threads. To be used from one event loop only."""

    def __init__(
        self, threads: int, sizes: dict[str, int], *, name: str = "web", clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`sizes`: the lanes, and how many threads each may occupy at the same time."""
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._free = threads
        self._lanes = {name: _Lane(size) for name, size in sizes.items()}
        self._turns = deque(self._lanes.values())
        self._clock = clock
        self._is_closed = False

    async def run(self, lane: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """The result of `function(*arguments)`, which runs in a thread. Raises Overloaded.

        Cancelling it removes work that has not begun; work that has begun is finished, and its result is lost.
        """
        done = asyncio.get_running_loop().create_future()
        self._lanes[lane].waiting.append(_Work(function, arguments, done, self._clock()))
        self._start_some()
        return await done

    def waiting(self) -> int:
        """The number of functions that wait for a thread."""
        return sum(len(lane.waiting) for lane in self._lanes.values())

    def close(self) -> None:
        """Start nothing further; what waits is left waiting. May be called twice."""
        self._is_closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _start_some(self) -> None:
        for _ in range(len(self._turns)):
            if self._is_closed or not self._free:
                return
            lane = self._turns[0]
            self._turns.rotate(-1)
            if lane.running < lane.size and (work := self._next_of(lane)) is not None:
                self._start(lane, work)

    def _next_of(self, lane: _Lane) -> _Work | None:
        while lane.waiting:
            work = lane.waiting.popleft()
            if work.done.done():
                continue
            if self._clock() - work.since <= _MAX_WAIT_SECONDS:
                return work
            work.done.set_exception(Overloaded())
        return None

    def _start(self, lane: _Lane, work: _Work) -> None:
        self._free -= 1
        lane.running += 1
        started = asyncio.get_running_loop().run_in_executor(self._pool, work.function, *work.arguments)
        started.add_done_callback(lambda future: self._end(lane, work, future))

    def _end(self, lane: _Lane, work: _Work, future: asyncio.Future) -> None:
        self._free += 1
        lane.running -= 1
        error = None if future.cancelled() else future.exception()
        if not work.done.done():
            if future.cancelled():
                work.done.cancel()
            elif error is not None:
                work.done.set_exception(error)
            else:
                work.done.set_result(future.result())
        self._start_some()
