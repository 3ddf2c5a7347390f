"""The one asyncio loop of a stream worker process, in a thread of its own; janus queues connect it to the actors."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Coroutine
from typing import Any

import janus

from workers.ffmpeg.launch import Launcher
from workers.ffmpeg.process import Arrived, Ended, FfmpegProcess

log = logging.getLogger(__name__)

#: Maximum number of parts waiting for a slow actor: over a minute. Further parts are dropped and counted.
_QUEUE_SIZE = 128


class RunningPipeline:
    """An FFmpeg process that runs on the loop, as an actor's thread uses it."""

    def __init__(self, loop: "MediaLoop", command: list[str], device_id: str, folders: tuple[str, ...] = ()) -> None:
        self._loop = loop
        self._queue: janus.Queue[Arrived] = janus.Queue(_QUEUE_SIZE + 1)
        self._process = FfmpegProcess(command, device_id, self._put, launcher=loop.launcher, folders=folders)
        self._task = asyncio.get_running_loop().create_task(self._process.run())
        self.dropped_parts = 0

    @property
    def pid(self) -> int | None:
        return self._process.pid

    @property
    def input_audio(self) -> str | None:
        """The codec of the camera's sound as FFmpeg detected it, used or not; None without sound or until detected."""
        return self._process.input_audio

    def next_event(self, timeout_seconds: float) -> Arrived | None:
        """The next event, or None if there is none within the time."""
        with contextlib.suppress(janus.SyncQueueEmpty):
            return self._queue.sync_q.get(timeout=timeout_seconds)
        return None

    def stop(self) -> None:
        """End FFmpeg (SIGTERM, then SIGKILL); returns when it has ended. May be called twice."""
        self._loop.run(self._stop(), timeout_seconds=12)

    async def _stop(self) -> None:
        await self._process.stop()
        await asyncio.wait([self._task], timeout=1)
        self._queue.close()

    def _put(self, event: Arrived) -> None:
        queue = self._queue.async_q
        try:
            if queue.qsize() >= _QUEUE_SIZE and not isinstance(event.event, Ended):
                # The newest part is dropped rather than the oldest: the waiting parts stay in order.
                self.dropped_parts += 1
                return
            # The end event always has room: the queue's capacity exceeds the limit for parts by one.
            queue.put_nowait(event)
        except (janus.AsyncQueueShutDown, RuntimeError):
            # The actor has ended: nobody needs further events.
            return


class MediaLoop:
    """Starts the loop's thread at once; `close` ends it and may be called twice."""

    def __init__(self, launcher: Launcher | None = None) -> None:
        self.launcher = launcher or Launcher()
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

    def start_pipeline(self, command: list[str], device_id: str, *, folders: tuple[str, ...] = ()) -> RunningPipeline:
        """Start FFmpeg with this command, which may read and write `folders`; events report how it went."""

        async def start() -> RunningPipeline:
            return RunningPipeline(self, command, device_id, folders)

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
