"""One camera in a stream worker, on the media loop: its session, its parts, and its direct outputs."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from gateway.media import SourceInfo
from gateway.outputs import OutputArguments, OutputMode, PacketTaker
from gateway.sources.source import SourceSession
from gateway.states import Reason, reason_for
from workers.ffmpeg.launch import Launcher
from workers.ffmpeg.process import Arrived
from workers.ingest.camera import Camera
from workers.ingest.commands import build_output_command, build_parts_command
from workers.ingest.events import SessionEnded, SourceKnown, Waiting
from workers.ingest.group_cache import GroupCache
from workers.ingest.output_feed import OutputFeed
from workers.ingest.parts import PartsMaker
from workers.ingest.sub_batches import SubBatches
from workers.ingest.sub_stream import SubStream
from workers.ingest.taker_thread import ThreadedTaker
from workers.ingest.takers import TAKER_FAILED, TakerGroup
from workers.rtp.parameter_sets import is_same_format
from workers.rtp.units import AUDIO, VIDEO, CodecData, MediaUnit, SourceError

log = logging.getLogger(__name__)

#: The first capture time may lie this long before the ingest began: cameras that send their past first.
PAST_SECONDS = 120.0
#: Sound that comes this much later than the first key frame begins with a later one.
_SETTLE_SECONDS = 0.25
#: How long arrivals are looked at before the first picture is placed. While much more than real time comes, a camera
#: sends its past.
_LOOK_SECONDS = 0.1
_BURST_RATE = 2.0
_MOST_BURST_SECONDS = 3.0
_TICK_SECONDS = 0.5
_LEARN_SECONDS = 10.0
#: A missing key frame is named after this time.
_NAMED_AFTER_SECONDS = 2.0
#: A camera that marks points of recovery and sends no key frame for so long refreshes its picture gradually.
_REFRESH_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """The settings of an ingest. Times in seconds.

    Until the capture time `delivered_until` an earlier session with the camera has delivered everything.
    """

    ffmpeg_bin: str
    part_seconds: float
    stall_seconds: float
    delivered_until: float = float("-inf")


@dataclass(slots=True)
class _Output:
    """A direct output as it is attached now."""

    arguments: OutputArguments
    feed: OutputFeed | None = None
    problem: str | None = None
    unlisten: Callable[[], None] = lambda: None


@dataclass(slots=True)
class IngestFacts:
    """What the supervisor reads of an ingest, from its own thread."""

    pid: int | None = None
    ffmpeg_restarts: int = 0
    lost_packets: int = 0
    transport: str | None = None
    server: str | None = None
    login: str | None = None
    rate: float = 1.0
    fps: float | None = None
    notes: tuple[str, ...] = ()
    sub_problem: Reason | None = None
    is_sub_open: bool = False
    output_problems: dict[str, str | None] = field(default_factory=dict)


class Ingest:
    """Runs until its session ends or it is stopped. `emit` gets events on the loop: init segments, parts, and those of
    `workers.ingest.events`, the last of which is SessionEnded.

    `open_session` and `open_sub_session` check the camera's address and give a session that is not connected yet; they
    raise SourceError.
    """

    def __init__(
        self,
        device_id: str,
        settings: IngestSettings,
        *,
        open_session: Callable[[], Awaitable[SourceSession]],
        open_sub_session: Callable[[], Awaitable[SourceSession]] | None,
        emit: Callable[[Arrived], None],
        launcher: Launcher,
    ) -> None:
        self._device_id = device_id
        self._settings = settings
        self._open_session = open_session
        self._open_sub_session = open_sub_session
        self._emit_arrived = emit
        self._launcher = launcher
        self._loop = asyncio.get_running_loop()
        #: The capture time that is 0 in the media that FFmpeg gets and makes.
        self.epoch = time.monotonic() - PAST_SECONDS
        self._cache = GroupCache()
        self._parts = PartsMaker(
            device_id, self._parts_command, self._cache, epoch=self.epoch, emit=self._emit, launcher=launcher
        )
        self._takers = {VIDEO: TakerGroup(self._taker_failed), AUDIO: TakerGroup(self._taker_failed)}
        self._sub_taker = TakerGroup(self._taker_failed)
        self._threaded: dict[str, tuple[PacketTaker, ThreadedTaker]] = {}
        self._sub: SubStream | None = None
        self._sub_batches: SubBatches | None = None
        self._is_sub_of_outputs = False
        self._closing_subs: set[asyncio.Task] = set()
        self._outputs: dict[str, _Output] = {}
        self._closing_feeds: list[OutputFeed] = []
        self._camera: Camera | None = None
        self._video: CodecData | None = None
        self._audio: CodecData | None = None
        self._has_new_sound = False
        self._settling: asyncio.TimerHandle | None = None
        self._first_key: MediaUnit | None = None
        self._key_at = 0.0
        self._source: SourceInfo | None = None
        self._is_waiting = False
        self._named_seconds = 0
        self._played_at: float | None = None
        self._last_video: float | None = None
        self._rhythm_seconds = 0.0
        self._task = self._loop.create_task(self._run())
        self.facts = IngestFacts()

    @property
    def parts_pid(self) -> int | None:
        """The FFmpeg process that makes the parts."""
        return self._parts.pid

    # ---- for the supervisor ------------------------------------------------------------------------------------

    async def stop(self) -> None:
        """End the session in order, and FFmpeg. May be called twice."""
        self._task.cancel()
        await asyncio.wait([self._task], timeout=3)
        if self._settling is not None:
            self._settling.cancel()
        for output in self._outputs.values():
            if output.feed is not None:
                output.feed.close()
                self._closing_feeds.append(output.feed)
        self._outputs.clear()
        for group in (*self._takers.values(), self._sub_taker):
            group.clear()
        for _, threaded in self._threaded.values():
            threaded.close()
        self._threaded.clear()
        closing = [self._parts.stop(), *(feed.wait_closed() for feed in self._closing_feeds)]
        if self._sub_batches is not None:
            self._sub_batches.close()
        if self._sub is not None:
            closing.append(self._sub.stop())
        closing += self._closing_subs
        await asyncio.gather(*closing, return_exceptions=True)

    def set_output(self, name: str, arguments: OutputArguments | None) -> None:
        """Attach a direct output, change it, or leave it out (None)."""
        before = self._outputs.get(name)
        if before is not None and arguments is not None and before.arguments == arguments:
            before.problem = None
            self._put_takers(name, arguments)
            return
        if before is not None:
            del self._outputs[name]
            before.unlisten()
            self._put_takers(name, None)
            if before.feed is not None:
                before.feed.close()
                self._closing_feeds = [feed for feed in self._closing_feeds if feed.is_closing] + [before.feed]
        if arguments is None:
            return
        output = self._outputs[name] = _Output(arguments)
        if arguments.demand is not None:
            output.unlisten = arguments.demand.listen(self._hasten)
        if arguments.arguments:
            output.feed = OutputFeed(
                name,
                self._device_id,
                arguments,
                lambda words: build_output_command(self._settings.ffmpeg_bin, words),
                self._cache,
                epoch=self.epoch,
                launcher=self._launcher,
            )
            if self._video is not None:
                output.feed.begin(self._video, self._audio)
        self._put_takers(name, arguments)
        self._hasten()

    async def find_sub(self, seconds: float) -> SourceInfo | None:
        """The sub-stream as it is known, opened with the first call; None without one, or if it cannot be read."""
        if self._open_sub_session is None:
            return None
        self._is_sub_of_outputs = True
        return await self._keep_sub().wait_known(seconds)

    def ask_sub(self, is_asked: bool) -> None:
        """Emit the pictures of the sub-stream as SubBatch from now on, or no longer. May be repeated."""
        if is_asked == (self._sub_batches is not None) or self._open_sub_session is None:
            return
        if is_asked:
            self._sub_batches = SubBatches(self._emit)
            self._keep_sub().on_unit = self._take_sub
            return
        self._sub_batches.close()
        self._sub_batches = None
        self._sub.on_unit = None
        if not self._is_sub_of_outputs:
            sub, self._sub = self._sub, None
            task = self._loop.create_task(sub.stop())
            self._closing_subs.add(task)
            task.add_done_callback(self._closing_subs.discard)

    def _keep_sub(self) -> SubStream:
        if self._sub is None:
            self._sub = SubStream(self._device_id, self._open_sub_session, self._sub_taker)
        return self._sub

    def _take_sub(self, unit: MediaUnit | None, codec: CodecData | None) -> None:
        if self._sub_batches is None:
            return
        if unit is None:
            self._sub_batches.restart()
        else:
            self._sub_batches.add(unit, codec)

    # ---- the session -------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        reason = reason_for("unknown")
        try:
            await self._follow()
        except SourceError as error:
            reason = reason_for(error.reason, error.message)
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("device %s: the ingest failed", self._device_id)
        finally:
            await self._close_camera()
        if self._camera is not None:
            self._camera.finish()
        await self._parts.finish()
        self._emit(SessionEnded(reason))

    async def _follow(self) -> None:
        camera = Camera(await self._open_session(), self._take, takers=dict(self._takers))
        self._camera = camera
        await camera.open()
        description = camera.description
        self.facts.server, self.facts.login = description.server, description.login
        self.facts.transport = description.transport
        self.facts.notes = (*camera.left_out, *description.quirks)
        self._played_at = self._loop.time()
        ended = asyncio.ensure_future(camera.wait_ended())
        try:
            while not ended.done():
                await asyncio.wait([ended], timeout=_TICK_SECONDS)
                self._tick()
            ended.result()
        finally:
            ended.cancel()

    async def _close_camera(self) -> None:
        if self._camera is not None:
            with contextlib.suppress(Exception):
                await asyncio.shield(self._camera.close())

    def _tick(self) -> None:
        now = self._loop.time()
        camera, facts = self._camera, self.facts
        camera.settle(now)
        self._hasten()
        facts.pid, facts.ffmpeg_restarts = self._parts.pid, self._parts.restarts
        facts.rate, facts.fps = camera.rate, camera.fps
        facts.lost_packets = sum(r.lost_packets for r in (camera.video, camera.audio) if r is not None)
        sound = (self._parts.sound_problem,) if self._parts.sound_problem is not None else ()
        facts.notes = (*camera.left_out, *sound, *camera.description.quirks)
        facts.sub_problem = self._sub.problem if self._sub is not None else None
        facts.is_sub_open = self._sub is not None and self._sub.is_open
        facts.output_problems = {
            name: output.problem or (output.feed.problem.message if output.feed and output.feed.problem else None)
            for name, output in self._outputs.items()
        }
        self._check_progress(now)
        if self._video is None:
            self._name_waiting(now)
        elif self._source is not None and camera.describe(has_sound=self._audio is not None) != self._source:
            self._report_source()

    def _hasten(self) -> None:
        """Have packets passed on as they come while somebody waits for them, and in the beginning, when the arrivals
        say how late a camera's packets are; otherwise many cameras are read together."""
        if self._camera is None or self._played_at is None:
            return
        groups = (*self._takers.values(), self._sub_taker)
        is_hurried = (
            self._loop.time() - self._played_at < _LEARN_SECONDS
            or any(group.is_wanted for group in groups)
            or any(output.feed is not None and output.feed.is_needed for output in self._outputs.values())
        )
        self._camera.session.hasten(is_hurried)
        if self._sub is not None:
            self._sub.hasten(is_hurried)

    def _check_progress(self, now: float) -> None:
        """End a session whose video has stopped; slow cameras are given the time of their own rhythm."""
        stall = self._settings.stall_seconds
        if self._camera.is_garbage:
            raise SourceError("invalid_data")
        if self._last_video is None:
            silent, limit = now - self._played_at, 2 * stall
            if self._camera.has_packets and self._camera.video.units:
                return
            if silent > limit:
                if self._camera.has_packets:
                    raise SourceError("invalid_data")
                has_sound = self._camera.audio is not None and self._camera.audio.packets > 0
                raise SourceError("no_video" if has_sound else "stalled", f"no video for {limit:.0f} s")
            return
        silent = now - self._last_video
        limit = max(stall, 3 * self._rhythm_seconds + 2)
        camera = self._camera
        has_sound = camera.sound_at > self._last_video + 1.0
        is_answering = (camera.session.answered_at or 0.0) > self._last_video + min(stall / 2, 3.0)
        if silent > limit and not has_sound and is_answering:
            # The camera answers: it may send a picture when something moves, and none for a while. One that goes on
            # with its sound has lost its picture.
            limit = max(limit, 3 * stall)
        if silent > limit:
            raise SourceError("stalled", f"no video for {silent:.0f} s")

    def _name_waiting(self, now: float) -> None:
        waited = now - self._played_at
        video = self._camera.video
        if waited < _NAMED_AFTER_SECONDS or not video.units:
            return
        self._is_waiting = True
        if video.has_recovery_points and waited > _REFRESH_SECONDS:
            self._emit(Waiting(reason_for("no_key_frames")))
        else:
            self._name_wait(int(waited) if waited < 10 else int(waited // 5) * 5)

    def _name_wait(self, seconds: int) -> None:
        if seconds != self._named_seconds:
            self._named_seconds = seconds
            message = f"the stream waits for the camera's next key frame, for {seconds} s so far"
            self._emit(Waiting(reason_for("waits_for_key_frame", message)))

    # ---- its units ---------------------------------------------------------------------------------------------

    def _take(self, unit: MediaUnit) -> None:
        if unit.kind == VIDEO:
            self._take_video(unit)
        else:
            self._take_audio(unit)
        parts = self._parts
        if parts.is_begun:
            parts.give(unit)
        for output in self._outputs.values():
            if output.feed is not None:
                output.feed.give(unit)

    def _take_video(self, unit: MediaUnit) -> None:
        now = self._loop.time()
        if self._last_video is not None:
            interval = now - self._last_video
            # The longest of the last intervals, forgotten slowly.
            self._rhythm_seconds = max(interval, self._rhythm_seconds * 0.9)
        self._last_video = now
        self._cache.add(unit)
        if not unit.is_key:
            return
        known = self._camera.video.codec_data
        if known is None:
            return
        if self._video is None:
            if self._camera.video.damaged_units > self._camera.video.units:
                return
            self._video = known
            self._first_key = unit
            self._key_at = now
            self._settling = self._loop.call_later(_LOOK_SECONDS, self._settle)
        elif self._parts.is_begun and (self._has_new_sound or not is_same_format(self._video, known)):
            self._has_new_sound = False
            self._video = known
            self._parts.change(known, self._audio, unit.time)
            self._begin_outputs()
            self._report_source()

    def _take_audio(self, unit: MediaUnit) -> None:
        known = unit.codec_data
        if known is not None and known != self._audio:
            self._has_new_sound = self._parts.is_begun
            self._audio = known
        self._cache.add(unit)

    def _settle(self) -> None:
        """Wait for the sound, and for the end of a burst of the past: its times are known when the present comes."""
        waited = self._loop.time() - self._key_at
        newest = self._cache.last_picture() or self._first_key
        stamped = self._camera.stamped_seconds(self._first_key, newest)
        is_burst = _BURST_RATE * waited + _LOOK_SECONDS < stamped < PAST_SECONDS / 2
        lacks_sound = self._camera.audio is not None and self._audio is None
        if (is_burst and waited < _MOST_BURST_SECONDS) or (lacks_sound and waited < _SETTLE_SECONDS):
            self._settling = self._loop.call_later(_LOOK_SECONDS, self._settle)
            return
        self._camera.retime(self._cache.units(), earliest=max(self.epoch, self._settings.delivered_until))
        self._begin()

    def _begin(self) -> None:
        """Start FFmpeg: the formats are known."""
        if self._settling is not None:
            self._settling.cancel()
            self._settling = None
        if self._parts.is_begun:
            return
        if self._is_waiting:
            self._is_waiting = False
            self._emit(Waiting(None))
        self._report_source()
        self._parts.begin(self._video, self._audio)
        self._begin_outputs()

    def _begin_outputs(self) -> None:
        for output in self._outputs.values():
            if output.feed is not None:
                output.feed.begin(self._video, self._audio)

    # ---- reports -----------------------------------------------------------------------------------------------

    def _report_source(self) -> None:
        self._source = self._camera.describe(has_sound=self._audio is not None)
        self._emit(SourceKnown(self._source))

    def _emit(self, event: Any) -> None:
        self._emit_arrived(event if isinstance(event, Arrived) else Arrived(event, time.time()))

    def _parts_command(self, video: CodecData, audio: CodecData | None) -> list[str]:
        return build_parts_command(self._settings.ffmpeg_bin, video, audio, self._settings.part_seconds)

    def _put_takers(self, name: str, arguments: OutputArguments | None) -> None:
        taker = self._find_taker(name, arguments.packets if arguments is not None else None)
        if taker is not None:
            taker.on_asked = self._hasten
        is_sub = arguments is not None and arguments.mode == OutputMode.SUB_STREAM
        kinds = arguments.packet_kinds if arguments is not None else ()
        self._takers[VIDEO].put(name, taker if VIDEO in kinds and not is_sub else None)
        self._sub_taker.put(name, taker if VIDEO in kinds and is_sub else None)
        self._takers[AUDIO].put(name, taker if AUDIO in kinds else None)

    def _find_taker(self, name: str, taker: PacketTaker | None) -> PacketTaker | None:
        """The taker itself if it runs on the loop, otherwise what stands for it here."""
        before = self._threaded.get(name)
        if before is not None and before[0] is taker and not before[1].is_closed:
            return before[1]
        if before is not None:
            self._threaded.pop(name)[1].close()
        if taker is None or taker.on_loop:
            return taker
        threaded = ThreadedTaker(taker, name, asyncio.get_running_loop(), partial(self._threaded_failed, name))
        self._threaded[name] = taker, threaded
        return threaded

    def _threaded_failed(self, name: str, error: BaseException) -> None:
        log.error("output '%s' failed with a packet: it is left out", name, exc_info=error)
        for group in (*self._takers.values(), self._sub_taker):
            group.put(name, None)
        self._taker_failed(name, error)

    def _taker_failed(self, name: str, error: BaseException) -> None:
        output = self._outputs.get(name)
        if output is not None:
            output.problem = f"{TAKER_FAILED} {type(error).__name__}: {error}"
