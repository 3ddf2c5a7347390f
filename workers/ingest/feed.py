"""One FFmpeg process, and the stream of access units that it reads from its standard input as Matroska."""

import asyncio
from collections.abc import Callable, Iterable

from workers.ffmpeg.launch import Launcher
from workers.ffmpeg.process import Arrived, FfmpegProcess
from workers.ingest.fed_times import FedTimes
from workers.ingest.matroska import MatroskaWriter
from workers.rtp.units import VIDEO, CodecData, MediaUnit

#: Ticks of the stream in a second: those of MatroskaWriter.
TICKS = 100_000
#: An FFmpeg that leaves so much unread hangs.
MAX_WAITING_BYTES = 24 << 20


class Feed:
    """Starts FFmpeg at once, on the running loop. `epoch`: the capture time that is 0 in the stream.

    With `batch_seconds` units are written together, that far apart at most: each write wakes a process.
    """

    def __init__(
        self,
        command: list[str],
        device_id: str,
        video: CodecData,
        audio: CodecData | None,
        *,
        epoch: float,
        emit: Callable[[Arrived], None],
        launcher: Launcher,
        folders: tuple[str, ...] = (),
        writes_parts: bool = True,
        batch_seconds: float = 0.0,
    ) -> None:
        self._epoch = epoch
        self._has_audio = audio is not None
        self._writer = MatroskaWriter(video, audio)
        self._process = FfmpegProcess(
            command, device_id, emit, launcher=launcher, folders=folders, writes_parts=writes_parts
        )
        self._process.feed(self._writer.header())
        self._loop = asyncio.get_running_loop()
        self._batch_seconds = batch_seconds
        self._batch: list[bytes] = []
        self._flushed_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        #: Times of the pictures of parts; None if no parts are made.
        self.times = FedTimes() if writes_parts else None
        self.task = self._loop.create_task(self._process.run())

    @property
    def pid(self) -> int | None:
        return self._process.pid

    @property
    def is_behind(self) -> bool:
        """Whether FFmpeg has stopped reading."""
        return self._process.waiting_bytes > MAX_WAITING_BYTES

    def give(self, unit: MediaUnit) -> None:
        """Feed one access unit; those before the stream's beginning, and sound without a track for it, are left out."""
        ticks = round((unit.time - self._epoch) * TICKS)
        if ticks < 0 or (unit.kind != VIDEO and not self._has_audio):
            return
        if unit.kind == VIDEO and self.times is not None:
            self.times.add(ticks / TICKS)
        self._batch += self._writer.unit(unit, ticks)
        if self._timer is None and unit.kind == VIDEO:
            wait = self._flushed_at + self._batch_seconds - self._loop.time()
            if wait <= 0:
                self._flush()
            else:
                self._timer = self._loop.call_later(wait, self._flush)

    def give_all(self, units: Iterable[MediaUnit]) -> None:
        """Feed several units."""
        for unit in units:
            self.give(unit)

    def close_input(self) -> None:
        """End the stream: FFmpeg writes what it has, and ends."""
        self._flush()
        self._process.close_input()

    def kill(self) -> None:
        """End an FFmpeg that hangs."""
        self._process.kill()

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._batch:
            data, self._batch = b"".join(self._batch), []
            self._flushed_at = self._loop.time()
            self._process.feed(data)

    async def stop(self) -> None:
        """End FFmpeg; returns when it has ended."""
        if self._timer is not None:
            self._timer.cancel()
        await self._process.stop()
        await asyncio.wait([self.task], timeout=1)
