"""The one asyncio loop of a stream worker process, in a thread of its own; janus queues connect it to the actors."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

import janus

from gateway.media import SourceInfo
from gateway.outputs import OutputArguments
from gateway.sources.source import SourceSession
from workers.ffmpeg.fmp4 import Fragment
from workers.ffmpeg.launch import Launcher
from workers.ffmpeg.process import Arrived
from workers.ingest.events import SubBatch
from workers.ingest.ingest import Ingest, IngestFacts, IngestSettings
from workers.streams.sources import Sources
from workers.streams.turns import Turns

log = logging.getLogger(__name__)

#: Maximum number of parts waiting for a slow actor: over a minute. Further parts are dropped and counted.
_QUEUE_SIZE = 128
#: Room for the other events: one that says that the ingest has ended must not be lost.
_RESERVED_FOR_EVENTS = 256


class RunningIngest:
    """An ingest that runs on the loop, as an actor's thread uses it."""

    def __init__(self, loop: "MediaLoop", device_id: str, settings: IngestSettings, sources: Sources) -> None:
        self._loop = loop
        self._queue: janus.Queue[Arrived] = janus.Queue(_QUEUE_SIZE + _RESERVED_FOR_EVENTS)
        self._ingest = Ingest(
            device_id,
            settings,
            open_session=partial(self._open, sources.open_main),
            open_sub_session=sources.open_sub and partial(self._open, sources.open_sub),
            emit=self._put,
            launcher=loop.launcher,
        )
        self.epoch = self._ingest.epoch
        self.dropped_parts = 0

    async def _open(self, open_session: Callable[[], Awaitable[SourceSession]]) -> SourceSession:
        await asyncio.sleep(self._loop.turns.take())
        return await open_session()

    @property
    def facts(self) -> IngestFacts:
        return self._ingest.facts

    def next_event(self, timeout_seconds: float) -> Arrived | None:
        """The next event, or None if there is none within the time."""
        with contextlib.suppress(janus.SyncQueueEmpty):
            return self._queue.sync_q.get(timeout=timeout_seconds)
        return None

    def set_output(self, name: str, arguments: OutputArguments | None) -> None:
        """Attach a direct output, change it, or leave it out (None). Does not wait."""
        self._loop.loop.call_soon_threadsafe(self._ingest.set_output, name, arguments)

    def find_sub(self, seconds: float) -> SourceInfo | None:
        """The sub-stream as it is known; waits for it. None without one, or if it cannot be read."""
        return self._loop.run(self._ingest.find_sub(seconds), timeout_seconds=seconds + 2)

    def ask_sub(self, is_asked: bool) -> None:
        """Report the pictures of the sub-stream from now on, or no longer. Does not wait."""
        self._loop.loop.call_soon_threadsafe(self._ingest.ask_sub, is_asked)

    def stop(self) -> None:
        """End the session and FFmpeg; returns when they have ended. May be called twice."""
        self._loop.run(self._stop(), timeout_seconds=20)

    async def _stop(self) -> None:
        await self._ingest.stop()
        self._queue.close()

    def _put(self, arrived: Arrived) -> None:
        queue = self._queue.async_q
        try:
            if queue.qsize() >= _QUEUE_SIZE and isinstance(arrived.event, Fragment | SubBatch):
                # The newest part is dropped rather than the oldest: the waiting parts stay in order.
                self.dropped_parts += isinstance(arrived.event, Fragment)
                return
            queue.put_nowait(arrived)
        except asyncio.QueueFull:
            log.warning("an event of an ingest is lost: its supervisor does not read them")
        except (janus.AsyncQueueShutDown, RuntimeError):
            # The actor has ended: nobody needs further events.
            return


class MediaLoop:
    """Starts the loop's thread at once; `close` ends it and may be called twice."""

    def __init__(self, launcher: Launcher | None = None) -> None:
        self.launcher = launcher or Launcher()
        self.turns = Turns()
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="media-loop", daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, Any], *, timeout_seconds: float) -> Any:
        """Run a coroutine on the loop and wait for it from another thread; raises TimeoutError.

        The wait is split into short ones, because Dramatiq's Shutdown reaches a thread only when it runs Python.
        """
        future = asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        waited = 0.0
        while True:
            try:
                return future.result(timeout=0.5)
            except TimeoutError:
                if future.done():
                    # The future has just completed, or failed with a TimeoutError of its own.
                    return future.result()
                waited += 0.5
                if waited >= timeout_seconds:
                    future.cancel()
                    raise

    def start_ingest(self, device_id: str, settings: IngestSettings, sources: Sources) -> RunningIngest:
        """Start an ingest; events report how it goes."""

        async def start() -> RunningIngest:
            return RunningIngest(self, device_id, settings, sources)

        return self.run(start(), timeout_seconds=10)

    def close(self) -> None:
        """Stop the loop and wait for its thread."""
        if self._thread.is_alive():
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(5)

    def _serve(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
        finally:
            with contextlib.suppress(RuntimeError):
                self.loop.close()
