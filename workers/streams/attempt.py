"""One attempt to keep a stream running: follows one session with the camera from its start to its end."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

import redis

from gateway.errors import BusUnavailable, LeaseLost
from gateway.media import Part, SourceInfo, SubPicture
from gateway.mp4.boxes import InvalidMedia
from gateway.mp4.fragments import AUDIO, Track
from gateway.mp4.merging import merge_sound
from gateway.states import Reason, StreamState, reason_for
from gateway.streams.bus import BusWriter
from gateway.streams.live_stats import LiveStats
from gateway.streams.queries import DesiredStream
from gateway.streams.sub_bus import SubBus
from workers.ffmpeg.fmp4 import Fragment, InitSegment
from workers.ffmpeg.process import Arrived
from workers.ingest.events import PartsEnded, PartsRestarted, SessionEnded, SourceKnown, SubBatch, Waiting
from workers.rtp.wall_clock import WallClock
from workers.streams.ingest_facts import describe_ingest
from workers.streams.loop import RunningIngest
from workers.streams.output_keeper import OutputKeeper
from workers.streams.part_stats import PartStats
from workers.streams.services import Services
from workers.streams.state_writer import StreamStateWriter

#: Parts of sound only that are kept for the next picture: two minutes.
_MOST_SOUND_PARTS = 240


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of an attempt. `healthy_seconds`: duration of the video shown."""

    reason: Reason
    healthy_seconds: float = 0.0
    has_shown_video: bool = False


class Attempt:
    """The state of the stream while one session with the camera lasts.

    `check_desired` is called after each event. It renews the lease and returns the desired state, or None when nothing
    is due; it raises LeaseLost, or another exception of its own when the stream has to stop. `on_source` gets the
    description of the camera's stream.
    """

    def __init__(
        self,
        device_id: str,
        services: Services,
        running: RunningIngest,
        keeper: OutputKeeper,
        *,
        source_version: int,
        writer: StreamStateWriter,
        bus: BusWriter,
        live_stats: LiveStats,
        check_desired: Callable[[], DesiredStream | None],
        on_source: Callable[[SourceInfo], None],
    ) -> None:
        self._device_id = device_id
        self._clock = services.clock
        self._worker = services.worker
        self._running = running
        self._keeper = keeper
        self._source_version = source_version
        self._writer = writer
        self._bus = bus
        self._live_stats = live_stats
        self._sub_bus = SubBus(services.media_redis)
        self._is_sub_asked = False
        self._check_desired = check_desired
        self._on_source = on_source
        self._log = logging.getLogger(f"vas.stream.{device_id}")
        self._stats = PartStats(window_seconds=4.0)
        self._wall_clock = WallClock(self._clock)
        self._started = self._clock.monotonic()
        self._first_video: float | None = None
        self._last_video = self._started
        self._run = writer.run
        self._sequence = 0
        self._init_segment = b""
        self._waits_for_key = False
        self._tracks: tuple[Track, ...] = ()
        self._sound: list[Fragment] = []
        self._media_end = float("-inf")
        self._reported_drops = 0
        self._has_audio: bool | None = None

    def follow(self) -> Outcome:
        """Process events until the session has ended or has to be ended."""
        while True:
            arrived = self._running.next_event(timeout_seconds=0.5)
            outcome = self._process(arrived) if arrived is not None else None
            outcome = outcome or self._tick()
            if outcome is not None:
                return outcome

    @property
    def delivered_until(self) -> float:
        """The capture time of the end of the last part, in seconds of the monotonic clock."""
        return self._running.epoch + self._media_end

    def _end(self, reason: Reason) -> Outcome:
        has_shown_video = self._first_video is not None
        return Outcome(
            reason,
            healthy_seconds=self._last_video - self._first_video if has_shown_video else 0.0,
            has_shown_video=has_shown_video,
        )

    def _process(self, arrived: Arrived) -> Outcome | None:
        match arrived.event:
            case Fragment() as fragment:
                self._publish(fragment, arrived.wall)
            case InitSegment() as init:
                self._open(init)
            case SubBatch() as batch:
                self._publish_sub(batch)
            case SourceKnown(source=source):
                self._on_source(source)
                self._keeper.use_source(source)
                self._keeper.tick(self._clock.monotonic())
            case Waiting(reason=reason):
                if reason is not None and self._first_video is None:
                    self._writer.observe(StreamState.STARTING, reason)
            case PartsRestarted(reason=reason):
                self._log.warning("ffmpeg was started again, without loss: %s", reason.message)
            case PartsEnded(reason=reason) | SessionEnded(reason=reason):
                return self._end(reason)
        return None

    def _open(self, init: InitSegment) -> None:
        """Take the init segment of an FFmpeg process: the same format continues the run, another begins a new one."""
        self._has_audio = any(track.kind == AUDIO for track in init.tracks)
        self._tracks = init.tracks
        if init.data == self._init_segment:
            return
        if self._sequence:
            self._claim_next_run()
            # For the history: the stream goes on.
            self._writer.observe(StreamState.RUNNING, reason_for("resolution_changed"))
            self._writer.observe(StreamState.RUNNING)
        self._init_segment = init.data
        self._sound.clear()
        self._waits_for_key = True
        self._bus.open_run(self._run, init.data)

    def _publish(self, fragment: Fragment, arrived_at: float) -> None:
        if fragment.frames == 0:
            # Sound between two pictures: it belongs to the part of the next one. FFmpeg fills the pause of a microphone
            # with silence only when the sound goes on: that is of the past.
            is_late = fragment.audio_end is not None and fragment.audio_end <= self._media_end
            if not is_late and not self._waits_for_key and len(self._sound) < _MOST_SOUND_PARTS:
                self._sound.append(fragment)
            return
        if fragment.is_key:
            self._waits_for_key = False
            if self._wall_clock.has_jumped():
                self._begin_run()
        elif self._waits_for_key:
            # A run begins with a key frame: nothing can decode what comes before.
            return
        fragment = self._with_sound_before(fragment)
        start = self._wall_clock.wall(self._running.epoch + fragment.start)
        self._stats.add(fragment, start, arrived_at)
        self._sequence += 1
        self._media_end = fragment.end
        self._last_video = self._clock.monotonic()
        self._bus.publish(
            Part(
                device_id=self._device_id,
                run=self._run,
                sequence=self._sequence,
                start=start,
                duration=fragment.duration,
                is_key=fragment.is_key,
                frames=fragment.frames,
                data=fragment.data,
                has_audio=fragment.has_audio,
            )
        )
        if self._first_video is None:
            self._first_video = self._last_video
            self._log.info("running after %.1f s", self._last_video - self._started)
            self._writer.observe(StreamState.RUNNING)

    def _publish_sub(self, batch: SubBatch) -> None:
        pictures = (SubPicture(self._wall_clock.wall(unit.time), unit.is_key, unit.data) for unit in batch.units)
        try:
            self._sub_bus.publish(self._device_id, batch.codec.codec, batch.codec.extra_data, pictures)
        except BusUnavailable as error:
            # They are for those who watch now; a decoder goes on with the next key frame.
            self._log.debug("pictures of the sub-stream are lost: %s", error)

    def _ask_sub(self) -> None:
        try:
            is_asked = self._sub_bus.is_asked(self._device_id)
        except BusUnavailable as error:
            self._log.debug("whether the sub-stream is asked for is unknown: %s", error)
            return
        if is_asked != self._is_sub_asked:
            self._is_sub_asked = is_asked
            self._running.ask_sub(is_asked)

    def _with_sound_before(self, fragment: Fragment) -> Fragment:
        sound, self._sound = self._sound, []
        if not sound:
            return fragment
        try:
            data = merge_sound([one.data for one in sound], fragment.data, self._tracks)
        except InvalidMedia as error:
            self._log.warning("the sound between two pictures is lost: %s", error)
            return fragment
        end = fragment.audio_end if fragment.audio_end is not None else sound[-1].audio_end
        return replace(fragment, data=data, audio_start=sound[0].audio_start, audio_end=end)

    def _begin_run(self) -> None:
        """Begin another run after the machine's clock was set. The camera and its viewers go on undisturbed."""
        self._log.warning("the clock of this machine was set: a new run begins")
        self._wall_clock = WallClock(self._clock)
        self._claim_next_run()
        self._bus.open_run(self._run, self._init_segment)

    def _claim_next_run(self) -> None:
        if not self._writer.claim():
            raise LeaseLost(f"another worker claimed device '{self._device_id}'")
        self._run, self._sequence = self._writer.run, 0

    def _tick(self) -> Outcome | None:
        desired = self._check_desired()
        if desired is None:
            return None
        if desired.source_version != self._source_version:
            return self._end(reason_for("source_changed"))
        self._keeper.tick(self._clock.monotonic(), self._running.facts.output_problems)
        self._ask_sub()
        self._write_live_stats()
        if self._running.dropped_parts > self._reported_drops:
            self._log.warning("%d parts dropped: this worker is too slow", self._running.dropped_parts)
            self._reported_drops = self._running.dropped_parts
        return None

    def _write_live_stats(self) -> None:
        silent_seconds = self._clock.monotonic() - self._last_video
        facts = self._running.facts
        stats = {
            "fps": self._stats.fps(silent_seconds),
            "bitrate_kbps": self._stats.bitrate_kbps(silent_seconds),
            "last_part_at": self._stats.last_arrival,
            "key_frame_interval_seconds": self._stats.key_frame_interval_seconds,
            "viewers": 0,
            **self._keeper.figures(),
            "dropped_parts": self._running.dropped_parts,
            "outputs": self._keeper.describe(facts.output_problems),
            "has_audio": self._has_audio,
            "worker": self._worker,
            **describe_ingest(facts),
        }
        try:
            self._live_stats.write(self._device_id, stats)
        except redis.RedisError as error:
            self._log.debug("the live stats cannot be written now: %s", error)
