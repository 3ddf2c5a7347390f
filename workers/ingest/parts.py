"""Keeps the FFmpeg process that makes a camera's parts: restarted from the cache, it repeats and loses no picture."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gateway.mp4.boxes import U32, InvalidMedia
from gateway.mp4.fragments import AUDIO as SOUND_TRACK
from gateway.mp4.fragments import VIDEO as VIDEO_TRACK
from gateway.mp4.fragments import Track
from gateway.mp4.trimming import trim_fragment
from gateway.states import Reason, reason_for
from workers.ffmpeg.diagnosis import diagnose
from workers.ffmpeg.fmp4 import Fragment, InitSegment, parse_fragment
from workers.ffmpeg.launch import Launcher
from workers.ffmpeg.process import Arrived, Ended
from workers.ingest.events import PartsEnded, PartsRestarted
from workers.ingest.feed import Feed
from workers.ingest.group_cache import GroupCache
from workers.rtp.units import VIDEO, CodecData, MediaUnit

log = logging.getLogger(__name__)

#: Pauses before FFmpeg is started again after it ended without a part; then the last one is repeated.
_PAUSES = (0.0, 0.1, 0.5, 1.0, 2.0, 5.0)
#: After so many ends without a part, the sound is left out; after more, the reason is reported.
_TRIES_WITH_SOUND = 2
_MOST_TRIES = 6
#: FFmpeg has this much time to write what it has when its input ends.
_CLOSE_SECONDS = 2.0
#: An FFmpeg that has written nothing for so long although it was given this many pictures meanwhile hangs.
STALL_SECONDS = 5.0
_MANY_PICTURES = 4
#: Parts are half a second long: FFmpeg need not be woken for each picture.
_BATCH_SECONDS = 0.2
#: Half of the smallest distance of two pictures.
_SAME_SECONDS = 0.000_5


class PartsMaker:
    """Makes the parts of one camera on the loop; `emit` gets them, and what happened to FFmpeg.

    `build_command(video, audio)` gives FFmpeg's command. Times of fragments are seconds since `epoch`.
    """

    def __init__(
        self,
        device_id: str,
        build_command: Callable[[CodecData, CodecData | None], list[str]],
        cache: GroupCache,
        *,
        epoch: float,
        emit: Callable[[Any], None],
        launcher: Launcher,
    ) -> None:
        self._device_id = device_id
        self._build_command = build_command
        self._cache = cache
        self._epoch = epoch
        self._emit = emit
        self._launcher = launcher
        self._loop = asyncio.get_running_loop()
        self._feed: Feed | None = None
        self._task: asyncio.Task | None = None
        self._is_closing = False
        self._formats: tuple[CodecData, CodecData | None] | None = None
        self._changed_at: float | None = None
        self._is_changing = False
        self._ended: Ended | None = None
        self._tracks: tuple[Track, ...] = ()
        self._init: InitSegment | None = None
        self._video_until = self._audio_until = float("-inf")
        self._is_overlapping = False
        self._parts_of_process = 0
        #: Pictures that were given since the last part, and since when.
        self._unanswered, self._unanswered_since = 0, 0.0
        #: Why the sound of the camera is left out; None if it is not.
        self.sound_problem: str | None = None
        self.restarts = 0

    @property
    def pid(self) -> int | None:
        return self._feed.pid if self._feed is not None else None

    @property
    def is_begun(self) -> bool:
        return self._task is not None

    def begin(self, video: CodecData, audio: CodecData | None) -> None:
        """Start FFmpeg with what is in the cache."""
        self._formats = (video, audio)
        self._task = self._loop.create_task(self._keep())

    def change(self, video: CodecData, audio: CodecData | None, at: float) -> None:
        """The camera's format changes with the key frame of this capture time, which is in the cache already."""
        if self.sound_problem is not None and self._formats is not None and audio == self._formats[1]:
            audio = None
        self._formats = (video, audio)
        self._changed_at = at
        if self._feed is not None and not self._is_changing:
            self._is_changing = True
            self._feed.close_input()
            self._loop.call_later(_CLOSE_SECONDS, self._feed.kill)

    def give(self, unit: MediaUnit) -> None:
        """A new unit, which is in the cache already."""
        feed = self._feed
        if feed is None or self._is_changing:
            return
        feed.give(unit)
        if unit.kind == VIDEO:
            self._unanswered += 1
            if self._unanswered == 1:
                self._unanswered_since = self._loop.time()
        if feed.is_behind or self._has_stalled():
            log.warning("device %s: ffmpeg does not go on: it is started again", self._device_id)
            self._unanswered = 0
            feed.kill()

    async def finish(self) -> None:
        """The session has ended: let FFmpeg write what it has, and end."""
        self._is_closing = True
        feed = self._feed
        if feed is not None:
            feed.close_input()
            await asyncio.wait([feed.task], timeout=_CLOSE_SECONDS)

    async def stop(self) -> None:
        """End FFmpeg. May be called twice."""
        self._is_closing = True
        if self._feed is not None:
            await self._feed.stop()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task], timeout=1)

    # ---- the process -------------------------------------------------------------------------------------------

    async def _keep(self) -> None:
        failures = 0
        while not self._is_closing:
            self._start()
            await self._feed.task
            ended, self._feed = self._ended, None
            if self._is_closing:
                return
            if self._is_changing:
                continue
            failures = 0 if self._parts_of_process else failures + 1
            reason = self._explain(ended)
            if reason.code == "ffmpeg_missing" or failures >= _MOST_TRIES:
                self._emit(PartsEnded(reason))
                return
            if failures >= _TRIES_WITH_SOUND and self._formats[1] is not None:
                self.sound_problem = f"without sound: {reason.message}"
                self._formats = (self._formats[0], None)
            self.restarts += 1
            self._emit(PartsRestarted(reason))
            await asyncio.sleep(_PAUSES[min(failures, len(_PAUSES) - 1)])

    def _start(self) -> None:
        video, audio = self._formats
        units = self._cache.units()
        if self._changed_at is not None:
            # What came before has been written by the process before, in another format.
            start = next((n for n, unit in enumerate(units) if unit.is_key and unit.time >= self._changed_at), 0)
            units = units[start:]
        self._is_changing = False
        self._ended = None
        self._is_overlapping = self._init is not None
        self._parts_of_process = self._unanswered = 0
        self._feed = Feed(
            self._build_command(video, audio),
            self._device_id,
            video,
            audio,
            epoch=self._epoch,
            emit=self._take,
            launcher=self._launcher,
            batch_seconds=_BATCH_SECONDS,
        )
        self._feed.give_all(units)

    def _has_stalled(self) -> bool:
        """Whether FFmpeg, which was given pictures again and again, has written nothing for long."""
        is_long = self._loop.time() - self._unanswered_since > STALL_SECONDS
        return self._unanswered >= _MANY_PICTURES and is_long

    def _explain(self, ended: Ended | None) -> Reason:
        if ended is None:
            return reason_for("unknown")
        if ended.problem is not None and ended.problem.startswith("program "):
            return reason_for("ffmpeg_missing", f"the ffmpeg program cannot be started: {ended.problem}")
        if ended.problem is not None:
            return reason_for("invalid_data", ended.problem)
        return diagnose(ended.lines, ended.return_code)

    # ---- its parts ---------------------------------------------------------------------------------------------

    def _take(self, arrived: Arrived) -> None:
        event = arrived.event
        if isinstance(event, Ended):
            self._ended = event
            return
        if isinstance(event, InitSegment):
            self._init, self._tracks = event, event.tracks
            self._emit(arrived)
            return
        if self._feed is not None and self._feed.times is not None:
            event = self._feed.times.correct(event, self._init)
        fragment = self._without_repeated(event)
        self._parts_of_process += 1
        self._unanswered = 0
        if fragment is None:
            return
        if fragment.audio_end is not None:
            self._audio_until = max(self._audio_until, fragment.audio_end)
        if fragment.frames:
            self._video_until = max(self._video_until, fragment.end)
            self._cache.acknowledge(self._epoch + self._video_until, self._epoch + self._audio_until)
        self._emit(replace(arrived, event=fragment))

    def _without_repeated(self, fragment: Fragment) -> Fragment | None:
        """The part without what an earlier process has delivered; None if that is all of it."""
        if not self._is_overlapping:
            return fragment
        is_old_video = fragment.frames > 0 and fragment.start < self._video_until - _SAME_SECONDS
        is_old_audio = fragment.audio_start is not None and fragment.audio_start < self._audio_until - _SAME_SECONDS
        if not is_old_video and not is_old_audio:
            if fragment.frames:
                self._is_overlapping = False
            return fragment
        until = {}
        for track in self._tracks:
            limit = {VIDEO_TRACK: self._video_until, SOUND_TRACK: self._audio_until}.get(track.kind)
            if limit is not None and limit > float("-inf"):
                until[track.track_id] = round((limit - _SAME_SECONDS) * track.timescale)
        size = U32.unpack_from(fragment.data)[0]
        try:
            data = trim_fragment(fragment.data[:size], fragment.data[size:], self._tracks, until)
            return parse_fragment(data, self._init) if data is not None else None
        except InvalidMedia as error:
            log.warning("device %s: a repeated part cannot be shortened: %s", self._device_id, error)
            return None
