"""One attempt to keep a stream running: what is known while one FFmpeg lives, and how its end is understood."""

import logging
from dataclasses import dataclass, replace
from typing import Protocol

import redis

from gateway.clock import Clock
from gateway.config import Config
from gateway.errors import LeaseLost
from gateway.media import Part, SourceInfo
from gateway.states import Reason, StreamState, reason_for
from gateway.streams.bus import BusWriter
from gateway.streams.live_stats import LiveStats
from gateway.streams.model import DesiredStream
from workers.ffmpeg.diagnosis import diagnose
from workers.ffmpeg.fmp4 import Fragment, InitSegment
from workers.ffmpeg.process import Arrived, Ended
from workers.streams.loop import RunningPipeline
from workers.streams.part_clock import PartClock
from workers.streams.pipeline import Pipeline, describe_outputs
from workers.streams.services import Services
from workers.streams.state_writer import StreamStateWriter

#: Only after so much video outputs are asked whether it arrives with them, which they look at every two seconds.
_FLOWING_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended, and for how many seconds it had shown video."""

    reason: Reason
    healthy_seconds: float = 0.0


class Owner(Protocol):
    """What an attempt needs of the supervisor that makes it. `source` is what is believed of the camera."""

    device_id: str
    services: Services
    config: Config
    clock: Clock
    log: logging.Logger
    bus: BusWriter
    live: LiveStats
    record: StreamStateWriter
    source: SourceInfo | None
    source_version: int | None
    has_looked_for_sound: bool

    def keep_source(self, source: SourceInfo) -> None: ...

    def renew_and_read_desired(self) -> DesiredStream | None: ...

    def obey(self, wish: DesiredStream | None) -> None: ...

    def may_restart_for_output(self, now: float) -> bool: ...


class Attempt:
    """What is known while one FFmpeg runs."""

    def __init__(self, owner: Owner, running: RunningPipeline, pipeline: Pipeline) -> None:
        self._owner = owner
        self._services = owner.services
        self._config = owner.config
        self._clock = owner.clock
        self._record = owner.record
        self._running = running
        self._pipeline = pipeline
        self._part_clock = PartClock(window_seconds=4.0)
        self._started = self._clock.monotonic()
        self._last_video = self._started
        self._first_video: float | None = None
        self._flowing_since: float | None = None
        self._silent_seconds = self._config.part_seconds + 1.5
        self._run = self._record.run
        self._sequence = 0
        self._init_segment = b""
        self._reported_drops = 0
        self._has_audio: bool | None = None

    def healthy_seconds(self) -> float:
        return self._last_video - self._first_video if self._first_video is not None else 0.0

    @property
    def has_shown_video(self) -> bool:
        return self._first_video is not None

    def follow(self) -> Outcome:
        """Take events until this life of FFmpeg is over."""
        while True:
            arrived = self._running.next_event(timeout_seconds=0.5)
            reason = self._take(arrived) if arrived is not None else None
            reason = reason or self._tick()
            if reason is not None:
                return Outcome(reason, self.healthy_seconds())

    def _take(self, arrived: Arrived) -> Reason | None:
        event = arrived.event
        if isinstance(event, InitSegment):
            self._has_audio = any(track.kind == "soun" for track in event.tracks)
            self._init_segment = event.data
            self._owner.bus.open_run(self._run, event.data)
            return None
        if isinstance(event, Ended):
            return self._explain(event)
        return self._publish(event, arrived.wall)

    def _publish(self, fragment: Fragment, arrived_at: float) -> Reason | None:
        if fragment.frames == 0:
            # Audio alone: carried, but no sign of life, for a camera may lose its picture and keep its sound.
            return None
        if fragment.has_new_parameters:
            self._owner.source = None
            return reason_for("resolution_changed")
        if fragment.is_key and self._part_clock.clock_offset_seconds is not None:
            self._begin_run()
        start = self._part_clock.place(fragment, arrived_at)
        self._sequence += 1
        now = self._clock.monotonic()
        if self._flowing_since is None or now - self._last_video > self._silent_seconds:
            self._flowing_since = now
        self._last_video = now
        self._owner.bus.publish(
            Part(
                device_id=self._owner.device_id,
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
            self._owner.log.info("running after %.1f s", self._last_video - self._started)
            self._record.observe(StreamState.RUNNING)
        return self._compare_with_source(fragment)

    def _begin_run(self) -> None:
        """The clock was set, or the camera's time leapt: another run, while FFmpeg and its viewers go on
        undisturbed."""
        self._owner.log.warning(
            "the camera's time and the machine's are %+.1f s apart: a new run begins",
            self._part_clock.clock_offset_seconds,
        )
        if not self._record.claim():
            raise LeaseLost(f"another worker claimed device '{self._owner.device_id}'")
        self._run, self._sequence = self._record.run, 0
        self._part_clock.begin_anew()
        self._owner.bus.open_run(self._run, self._init_segment)

    def _compare_with_source(self, fragment: Fragment) -> Reason | None:
        """What only the video itself tells: B-frames that the headers did not announce."""
        video = self._owner.source.video if self._owner.source else None
        if video is None or not fragment.has_b_frames or video.has_b_frames:
            return None
        self._owner.keep_source(replace(self._owner.source, video=replace(video, has_b_frames=True)))
        return reason_for("source_changed", "the camera sends B-frames, which its headers did not say")

    def _explain(self, ended: Ended) -> Reason:
        if ended.problem is not None and ended.problem.startswith("program "):
            return reason_for("ffmpeg_missing", f"the ffmpeg program cannot be started: {ended.problem}")
        if ended.problem is not None:
            return reason_for("invalid_data", ended.problem)
        return diagnose(
            ended.lines,
            ended.return_code,
            had_video=self.has_shown_video,
            is_late=self._clock.monotonic() - self._started >= self._config.stall_seconds,
        )

    def _tick(self) -> Reason | None:
        now = self._clock.monotonic()
        # Until the first part the camera has as long again: connecting and waiting for a key frame take time.
        patience = self._config.stall_seconds * (1 if self._first_video is not None else 2)
        if now - self._last_video > patience:
            return reason_for("stalled", f"no video for {patience:.0f} s")
        wish = self._owner.renew_and_read_desired()
        if wish is None:
            return None
        self._owner.obey(wish)
        if wish.source_version != self._owner.source_version:
            return reason_for("source_changed")
        if self._has_new_sound():
            self._owner.source = None
            self._owner.has_looked_for_sound = True
            return reason_for("source_changed", "the camera sends sound, which it did not before")
        self._write_figures()
        if self._running.dropped_parts > self._reported_drops:
            self._owner.log.warning("%d parts dropped: this worker is too slow", self._running.dropped_parts)
            self._reported_drops = self._running.dropped_parts
        return self._ask_outputs() if self._is_flowing(now) else None

    def _has_new_sound(self) -> bool:
        """Whether the camera has a sound track that it did not have when it was looked at. Looked for once."""
        source = self._owner.source
        return (
            self.has_shown_video
            and source is not None
            and source.audio is None
            and not self._owner.has_looked_for_sound
            and self._running.input_audio is not None
        )

    def _is_flowing(self, now: float) -> bool:
        """Whether the camera has sent video for a while: what an output lacks otherwise is not the output's fault."""
        is_silent = now - self._last_video > self._silent_seconds
        return self._flowing_since is not None and not is_silent and now - self._flowing_since >= _FLOWING_SECONDS

    def _ask_outputs(self) -> Reason | None:
        for item in self._pipeline.attached:
            try:
                code = item.output.check(self._owner.device_id)
            except Exception:
                self._owner.log.exception("output '%s' failed in its check", item.output.name)
                continue
            if code is not None and self._owner.may_restart_for_output(self._clock.monotonic()):
                return reason_for(code)
        return None

    def _write_figures(self) -> None:
        figures = {
            "fps": self._part_clock.fps(self._clock.monotonic() - self._last_video),
            "bitrate_kbps": self._part_clock.bitrate_kbps(self._clock.monotonic() - self._last_video),
            "last_part_at": self._part_clock.last_arrival,
            "key_frame_interval_seconds": self._part_clock.key_frame_interval_seconds,
            "viewers": 0,
            "dropped_parts": self._running.dropped_parts,
            "outputs": describe_outputs(self._pipeline),
            "has_audio": self._has_audio,
            "worker": self._services.worker,
        }
        for item in self._pipeline.attached:
            try:
                figures.update(item.output.figures(self._owner.device_id))
            except Exception:
                self._owner.log.exception("output '%s' failed to give its figures", item.output.name)
        try:
            self._owner.live.write(self._owner.device_id, figures)
        except redis.RedisError as error:
            self._owner.log.debug("the live figures cannot be written now: %s", error)
