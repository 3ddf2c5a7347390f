"""The FFmpeg process of one direct output: started while it is needed, and again after a pause if it ends by itself."""

import asyncio
import logging
from collections.abc import Callable

from gateway.outputs import OutputArguments
from gateway.states import Reason, reason_for
from workers.backoff import Backoff
from workers.ffmpeg.diagnosis import diagnose_output
from workers.ffmpeg.launch import Launcher
from workers.ffmpeg.process import Arrived, Ended
from workers.ingest.feed import Feed
from workers.ingest.group_cache import GroupCache
from workers.rtp.units import CodecData, MediaUnit

log = logging.getLogger(__name__)

_MAX_PAUSE_SECONDS = 30.0


class OutputFeed:
    """Runs the process of an output on the loop, beginning with the last key frame each time.

    `build_command(arguments)` gives FFmpeg's command. `problem` is why the output does not work now, None if it does.
    """

    def __init__(
        self,
        name: str,
        device_id: str,
        arguments: OutputArguments,
        build_command: Callable[[tuple[str, ...]], list[str]],
        cache: GroupCache,
        *,
        epoch: float,
        launcher: Launcher,
    ) -> None:
        self.name = name
        self.arguments = arguments
        self._device_id = device_id
        self._build_command = build_command
        self._cache = cache
        self._epoch = epoch
        self._launcher = launcher
        self._loop = asyncio.get_running_loop()
        self._formats: tuple[CodecData, CodecData | None] | None = None
        self._feed: Feed | None = None
        self._backoff = Backoff(max_seconds=_MAX_PAUSE_SECONDS, forgive_seconds=60, first_seconds=0.25)
        self._retry: asyncio.TimerHandle | None = None
        self._started_at = 0.0
        self._ending: set[asyncio.Task] = set()
        self.problem: Reason | None = None
        self._unlisten = arguments.demand.listen(self._update) if arguments.demand is not None else lambda: None

    @property
    def pid(self) -> int | None:
        return self._feed.pid if self._feed is not None else None

    @property
    def is_needed(self) -> bool:
        """Whether its process should run now."""
        demand = self.arguments.demand
        return self._formats is not None and (demand is None or demand.is_set)

    @property
    def is_closing(self) -> bool:
        """Whether processes of it are being ended."""
        return bool(self._ending)

    def begin(self, video: CodecData, audio: CodecData | None) -> None:
        """The formats of the camera are known, or have changed with the last key frame."""
        if self._formats == (video, audio):
            return
        self._formats = (video, audio)
        self._stop()
        self._update()

    def give(self, unit: MediaUnit) -> None:
        """A new unit, which is in the cache already."""
        feed = self._feed
        if feed is None:
            return
        feed.give(unit)
        if feed.is_behind:
            log.warning("device %s: the ffmpeg of output '%s' does not go on", self._device_id, self.name)
            feed.kill()

    def close(self) -> None:
        """End the process. May be called twice."""
        self._unlisten()
        self._formats = None
        self._stop()

    async def wait_closed(self) -> None:
        """Wait until its processes have ended."""
        if self._ending:
            await asyncio.wait(self._ending, timeout=8)

    def _update(self) -> None:
        if not self.is_needed:
            self._stop()
        elif self._feed is None and self._retry is None:
            self._start()

    def _start(self) -> None:
        video, audio = self._formats
        units = self._cache.last_group()
        if not units:
            self._retry = self._loop.call_later(0.1, self._again)
            return
        self._started_at = self._loop.time()
        feed = Feed(
            self._build_command(self.arguments.arguments),
            self._device_id,
            video,
            audio,
            epoch=self._epoch,
            emit=lambda arrived: self._take(feed, arrived),
            launcher=self._launcher,
            folders=self.arguments.folders,
            writes_parts=False,
        )
        feed.give_all(units)
        self._feed = feed

    def _stop(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if self._feed is not None:
            feed, self._feed = self._feed, None
            task = self._loop.create_task(feed.stop())
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    def _take(self, feed: Feed, arrived: Arrived) -> None:
        if not isinstance(arrived.event, Ended) or feed is not self._feed:
            return
        self._feed = None
        ended = arrived.event
        if ended.problem is not None:
            self.problem = reason_for("ffmpeg_missing", ended.problem)
        else:
            self.problem = diagnose_output(ended.lines, ended.return_code)
        ran = self._loop.time() - self._started_at
        pause = self._backoff.after(ran)
        log.warning(
            "device %s: the ffmpeg of output '%s' ended after %.1f s, next try in %.1f s: %s",
            self._device_id,
            self.name,
            ran,
            pause,
            self.problem.message,
        )
        self._retry = self._loop.call_later(pause, self._again)

    def _again(self) -> None:
        self._retry = None
        if self.is_needed and self._feed is None:
            self._start()
