"""One attempt to keep a stream running: follows one FFmpeg process from its start to its end and explains the end."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

import redis

from gateway.errors import LeaseLost
from gateway.media import Part, SourceInfo
from gateway.states import Reason, StreamState, reason_for
from gateway.streams.bus import BusWriter
from gateway.streams.live_stats import LiveStats
from gateway.streams.queries import DesiredStream
from workers.ffmpeg.diagnosis import diagnose
from workers.ffmpeg.fmp4 import Fragment, InitSegment
from workers.ffmpeg.process import Arrived, Ended
from workers.streams.loop import RunningPipeline
from workers.streams.output_restarts import OutputRestartLimit
from workers.streams.part_clock import PartClock
from workers.streams.pipeline import Pipeline, describe_outputs
from workers.streams.services import Services
from workers.streams.state_writer import StreamStateWriter

#: Seconds of uninterrupted video before outputs are checked for whether it reaches them. Outputs measure every two
#: seconds.
_FLOWING_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class ExpectedSource:
    """The description of the camera that a pipeline was built from."""

    info: SourceInfo
    version: int
    has_looked_for_sound: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of an attempt, and what the attempt learnt about the camera.

    `healthy_seconds`: duration of the video shown. `source`: a corrected description of the camera, to be stored.
    `is_source_outdated`: the description no longer holds, the camera has to be inspected before the next attempt.
    `has_found_sound`: the reason for that inspection is a new audio track.
    """

    reason: Reason
    healthy_seconds: float = 0.0
    has_shown_video: bool = False
    source: SourceInfo | None = None
    is_source_outdated: bool = False
    has_found_sound: bool = False


class Attempt:
    """The state of the stream while one FFmpeg process runs.

    `check_desired` is called after each event. It renews the lease and returns the desired state, or None when nothing
    is due; it raises LeaseLost, or another exception of its own when the stream has to stop.
    """

    def __init__(
        self,
        device_id: str,
        services: Services,
        running: RunningPipeline,
        pipeline: Pipeline,
        *,
        expected: ExpectedSource,
        writer: StreamStateWriter,
        bus: BusWriter,
        live_stats: LiveStats,
        check_desired: Callable[[], DesiredStream | None],
        output_restarts: OutputRestartLimit,
    ) -> None:
        self._device_id = device_id
        self._config = services.config
        self._clock = services.clock
        self._worker = services.worker
        self._running = running
        self._pipeline = pipeline
        self._expected = expected
        self._writer = writer
        self._bus = bus
        self._live_stats = live_stats
        self._check_desired = check_desired
        self._output_restarts = output_restarts
        self._log = logging.getLogger(f"vas.stream.{device_id}")
        self._part_clock = PartClock(window_seconds=4.0)
        self._started = self._clock.monotonic()
        self._last_video = self._started
        self._first_video: float | None = None
        self._flowing_since: float | None = None
        self._silent_seconds = self._config.part_seconds + 1.5
        self._run = writer.run
        self._sequence = 0
        self._init_segment = b""
        self._reported_drops = 0
        self._has_audio: bool | None = None

    def follow(self) -> Outcome:
        """Process events until this FFmpeg process has ended or has to be ended."""
        while True:
            arrived = self._running.next_event(timeout_seconds=0.5)
            outcome = self._process(arrived) if arrived is not None else None
            outcome = outcome or self._tick()
            if outcome is not None:
                return outcome

    def _end(
        self,
        reason: Reason,
        *,
        source: SourceInfo | None = None,
        is_source_outdated: bool = False,
        has_found_sound: bool = False,
    ) -> Outcome:
        has_shown_video = self._first_video is not None
        return Outcome(
            reason,
            healthy_seconds=self._last_video - self._first_video if has_shown_video else 0.0,
            has_shown_video=has_shown_video,
            source=source,
            is_source_outdated=is_source_outdated,
            has_found_sound=has_found_sound,
        )

    def _process(self, arrived: Arrived) -> Outcome | None:
        event = arrived.event
        if isinstance(event, InitSegment):
            self._has_audio = any(track.kind == "soun" for track in event.tracks)
            self._init_segment = event.data
            self._bus.open_run(self._run, event.data)
            return None
        if isinstance(event, Ended):
            return self._end(self._explain(event))
        return self._publish(event, arrived.wall)

    def _publish(self, fragment: Fragment, arrived_at: float) -> Outcome | None:
        if fragment.frames == 0:
            # A part of audio only is not published and is no sign of life: a camera may lose its picture and keep its
            # sound.
            return None
        if fragment.has_new_parameters:
            return self._end(reason_for("resolution_changed"), is_source_outdated=True)
        if fragment.is_key and self._part_clock.clock_offset_seconds is not None:
            self._begin_run()
        start = self._part_clock.place(fragment, arrived_at)
        self._sequence += 1
        now = self._clock.monotonic()
        if self._flowing_since is None or now - self._last_video > self._silent_seconds:
            self._flowing_since = now
        self._last_video = now
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
        return self._compare_with_source(fragment)

    def _begin_run(self) -> None:
        """Begin another run after the clock was set or the camera's time jumped. FFmpeg and its viewers go on
        undisturbed."""
        self._log.warning(
            "the camera's time and the machine's differ by %+.1f s: a new run begins",
            self._part_clock.clock_offset_seconds,
        )
        if not self._writer.claim():
            raise LeaseLost(f"another worker claimed device '{self._device_id}'")
        self._run, self._sequence = self._writer.run, 0
        self._part_clock.reset()
        self._bus.open_run(self._run, self._init_segment)

    def _compare_with_source(self, fragment: Fragment) -> Outcome | None:
        """Detect B-frames that the stream's headers did not announce; only the video itself shows them."""
        source = self._expected.info
        video = source.video
        if video is None or not fragment.has_b_frames or video.has_b_frames:
            return None
        return self._end(
            reason_for("source_changed", "the camera sends B-frames, which its headers did not announce"),
            source=replace(source, video=replace(video, has_b_frames=True)),
        )

    def _explain(self, ended: Ended) -> Reason:
        if ended.problem is not None and ended.problem.startswith("program "):
            return reason_for("ffmpeg_missing", f"the ffmpeg program cannot be started: {ended.problem}")
        if ended.problem is not None:
            return reason_for("invalid_data", ended.problem)
        return diagnose(
            ended.lines,
            ended.return_code,
            had_video=self._first_video is not None,
            is_late=self._clock.monotonic() - self._started >= self._config.stall_seconds,
        )

    def _tick(self) -> Outcome | None:
        now = self._clock.monotonic()
        # Until the first part the limit is doubled: connecting and waiting for a key frame take time.
        limit_seconds = self._config.stall_seconds * (1 if self._first_video is not None else 2)
        if now - self._last_video > limit_seconds:
            return self._end(reason_for("stalled", f"no video for {limit_seconds:.0f} s"))
        desired = self._check_desired()
        if desired is None:
            return None
        if desired.source_version != self._expected.version:
            return self._end(reason_for("source_changed"))
        if self._has_new_sound():
            return self._end(
                reason_for("source_changed", "the camera sends sound, which it did not send before"),
                is_source_outdated=True,
                has_found_sound=True,
            )
        self._write_live_stats()
        if self._running.dropped_parts > self._reported_drops:
            self._log.warning("%d parts dropped: this worker is too slow", self._running.dropped_parts)
            self._reported_drops = self._running.dropped_parts
        return self._check_outputs() if self._is_flowing(now) else None

    def _has_new_sound(self) -> bool:
        """Whether the camera sends a sound track that the inspection did not find. Checked once per camera source."""
        return (
            self._first_video is not None
            and self._expected.info.audio is None
            and not self._expected.has_looked_for_sound
            and self._running.input_audio is not None
        )

    def _is_flowing(self, now: float) -> bool:
        """Whether the camera has sent video for some seconds; if not, an output without video is not at fault."""
        is_silent = now - self._last_video > self._silent_seconds
        return self._flowing_since is not None and not is_silent and now - self._flowing_since >= _FLOWING_SECONDS

    def _check_outputs(self) -> Outcome | None:
        for item in self._pipeline.attached:
            try:
                code = item.output.check(self._device_id)
            except Exception:
                self._log.exception("output '%s' failed in its check", item.output.name)
                continue
            if code is not None and self._output_restarts.allows(self._clock.monotonic()):
                return self._end(reason_for(code))
        return None

    def _write_live_stats(self) -> None:
        silent_seconds = self._clock.monotonic() - self._last_video
        stats = {
            "fps": self._part_clock.fps(silent_seconds),
            "bitrate_kbps": self._part_clock.bitrate_kbps(silent_seconds),
            "last_part_at": self._part_clock.last_arrival,
            "key_frame_interval_seconds": self._part_clock.key_frame_interval_seconds,
            "viewers": 0,
            "dropped_parts": self._running.dropped_parts,
            "outputs": describe_outputs(self._pipeline),
            "has_audio": self._has_audio,
            "worker": self._worker,
        }
        for item in self._pipeline.attached:
            try:
                stats.update(item.output.figures(self._device_id))
            except Exception:
                self._log.exception("output '%s' failed to return its live stats", item.output.name)
        try:
            self._live_stats.write(self._device_id, stats)
        except redis.RedisError as error:
            self._log.debug("the live stats cannot be written now: %s", error)
