"""Keeps one device's stream alive: `run` retries for ever, `run_once` is one attempt, one life of FFmpeg."""

import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import redis

from gateway.bus import BusWriter
from gateway.clock import Clock, SystemClock
from gateway.config import Config
from gateway.errors import LeaseLost, VasError
from gateway.leases import STREAM, Leases
from gateway.live import LiveFigures
from gateway.media import Part, SourceInfo
from gateway.messages import Messages
from gateway.models.streams import DeviceSettings, Wish, read_device_settings
from gateway.outputs import DirectOutput, PipelineInputs
from gateway.secrets import SealBroken, SecretBox
from gateway.sources import AddressNotAllowed, SourcePolicy, check_addresses, parse_source
from gateway.states import Reason, StreamState, reason_for
from workers.backoff import Backoff
from workers.ffmpeg.diagnosis import diagnose
from workers.ffmpeg.fmp4 import Fragment, InitSegment
from workers.ffmpeg.probe import ProbeResult, probe_source
from workers.ffmpeg.process import Arrived, Ended
from workers.knock import EXPECTED_ANSWERS, KNOCK_AFTER, Knocker
from workers.leftovers import end_leftovers
from workers.loop import MediaLoop, RunningPipeline
from workers.pipeline import Pipeline, build_pipeline, describe_outputs
from workers.record import StreamRecordKeeper
from workers.timeline import ClockJumped, Timeline

#: How often the owner looks at the wish and its outputs, and writes its figures.
TICK_SECONDS = 1.0

#: After so long without a wish of an output for a new start, its next one is obeyed at once.
_OUTPUT_FORGIVE_SECONDS = 60

#: Only after so much video outputs are asked whether it arrives with them, which they look at every two seconds.
_FLOWING_SECONDS = 3.0

#: After these an attempt cannot succeed until a person has changed something.
_FAILED_REASONS = frozenset({"ffmpeg_missing", "address_not_allowed"})

#: After these the camera is well: the next attempt follows at once.
_AT_ONCE_REASONS = frozenset({"source_changed", "output_changed"})

#: After these nothing was learnt of what the camera sends: what was known of it is still the best guess.
_AWAY_REASONS = frozenset({
    "refused", "unreachable", "timed_out", "unknown_host", "closed_by_camera", "camera_error", "unauthorized",
    "forbidden", "not_found", "port_in_use",
})

#: An audio track that never comes, or that FFmpeg cannot read, shows itself in one of these.
_MAYBE_AUDIO_REASONS = frozenset({"stalled", "unsupported_codec", "invalid_data", "unknown"})


@dataclass(frozen=True, slots=True)
class Services:
    """What a supervisor works with; one set for all devices of a worker process."""

    config: Config
    worker: str
    redis: redis.Redis
    media_redis: redis.Redis
    loop: MediaLoop
    outputs: list[DirectOutput]
    secrets: SecretBox
    messages: Messages
    on_state: Callable[[str, str, str | None], None]
    clock: Clock = SystemClock()  # noqa: RUF009 - it has no state


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended, and for how many seconds it had shown video."""

    reason: Reason
    healthy_seconds: float = 0.0


class Stopped(Exception):
    """The wish is no longer that this stream runs; carries the reason's code."""


class StreamSupervisor:
    """The owner of one device's stream, in one actor's thread."""

    def __init__(self, device_id: str, services: Services) -> None:
        self.device_id = device_id
        self._services = services
        self._config = services.config
        self._clock = services.clock
        self._log = logging.getLogger(f"vas.stream.{device_id}")
        self._leases = Leases(services.redis)
        self._live = LiveFigures(services.redis)
        self._record = StreamRecordKeeper(device_id, services.worker, services.on_state)
        self._bus = BusWriter(
            services.media_redis, device_id,
            window_seconds=self._config.bus_window_seconds, max_bytes=self._config.bus_max_bytes,
            resend_seconds=self._config.bus_resend_seconds,
        )
        self._owner = f"{services.worker}/{time.time_ns()}"
        self._source: SourceInfo | None = None
        self._sub_source: SourceInfo | None = None
        self._source_version: int | None = None
        self._tried_version: int | None = None
        self._is_without_audio = False
        self._woken_by: str | None = None
        self._next_renewal = 0.0
        self._next_tick = 0.0
        self._next_output_restart = 0.0
        self._output_backoff = Backoff(longest_seconds=300, forgive_seconds=_OUTPUT_FORGIVE_SECONDS, first_seconds=1.0)

    # ---- the loop ----------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Own the device until it is to stop, or another owner has it; never raises for what a camera does."""
        if not self._leases.take(STREAM, self.device_id, self._owner, self._config.lease_seconds):
            self._log.info("owned by another worker: nothing to do")
            return
        self._services.messages.start_taken(self.device_id)
        ending = "worker_stopped"
        try:
            if not self._record.claim():
                return
            end_leftovers(self.device_id)
            self._keep_running()
        except Stopped as stopped:
            ending = str(stopped)
        except LeaseLost as lost:
            ending = ""
            self._log.warning("stopped: %s", lost)
        finally:
            self._end(ending)

    def _keep_running(self) -> None:
        backoff = Backoff(longest_seconds=self._config.backoff_max_seconds)
        self._record.observe(StreamState.STARTING)
        while True:
            outcome = self.run_once()
            code = outcome.reason.code
            state = StreamState.FAILED if code in _FAILED_REASONS else StreamState.RECONNECTING
            if code in _AT_ONCE_REASONS:
                self._log.info("restarting: %s", outcome.reason.message)
                self._record.observe(StreamState.STARTING, outcome.reason)
            else:
                self._record.observe(state, outcome.reason)
                pause = backoff.after(outcome.healthy_seconds)
                self._log.warning("lost: %s; next attempt in %.1f s", outcome.reason.message, pause)
                self._pause(pause, code)
            # Each life of FFmpeg is a run of its own: the bus refuses a number that it has seen.
            if not self._record.claim():
                raise LeaseLost(f"another worker claimed device '{self.device_id}'")

    def _pause(self, seconds: float, code: str) -> None:
        """Wait, but no longer than until the camera answers differently than it did, or a person has changed it."""
        end = self._clock.monotonic() + seconds
        knocker = None
        device = None
        if seconds > 1.5 and code in KNOCK_AFTER:
            with contextlib.suppress(SealBroken):
                device = self._read_device()
        if device is not None:
            # A camera whose answer woke us in vain answers a knock otherwise than FFmpeg: only a change counts then.
            expected = EXPECTED_ANSWERS.get(code) if self._woken_by != code else None
            knocker = Knocker(self._services.loop.loop, device.source_url, expected)
        self._woken_by = None
        try:
            while (left := end - self._clock.monotonic()) > 0:
                wish = self._renew_and_read_wish()
                self._obey(wish)
                if wish is not None and self._tried_version not in (None, wish.source_version):
                    self._log.info("the device was changed")
                    return
                self._bus.flush()
                if knocker is not None and knocker.is_back:
                    self._log.info("the camera answers again")
                    self._woken_by = code
                    return
                time.sleep(min(0.25, left))
        finally:
            if knocker is not None:
                knocker.close()

    # ---- one attempt -------------------------------------------------------------------------------------------

    def run_once(self) -> Outcome:
        """One life of FFmpeg, from looking at the camera to the end. Raises Stopped or LeaseLost."""
        try:
            device = self._read_device()
        except SealBroken as error:
            return Outcome(reason_for("unknown", error.message))
        if device is None:
            raise Stopped("device_deleted")
        self._tried_version = device.source_version
        try:
            policy = SourcePolicy.from_config(self._config)
            for url in filter(None, (device.source_url, device.sub_source_url)):
                check_addresses(parse_source(url), policy)
        except AddressNotAllowed as error:
            return Outcome(reason_for("address_not_allowed", error.message))
        if self._source_version != device.source_version:
            self._source_version = device.source_version
            self._source = self._record.read_source(device.source_version)
            self._sub_source = None
            self._is_without_audio = False
        if self._source is None:
            found = self._look_at(device.source_url, device.transport)
            if found.source is None or found.reason is not None:
                return Outcome(found.reason)
            self._keep_source(found.source)
        source = replace(self._source, audio=None) if self._is_without_audio else self._source
        inputs = PipelineInputs(source, lambda: self._find_sub(device))
        # Resolving names and attaching outputs may take seconds each: the lease is fresh before both.
        self._obey(self._renew_and_read_wish())
        pipeline = build_pipeline(self._config, device, inputs, self._services.outputs)
        self._obey(self._renew_and_read_wish())
        running = self._services.loop.start_pipeline(list(pipeline.command), self.device_id)
        attempt = _Attempt(self, running, pipeline)
        try:
            outcome = attempt.follow()
        finally:
            running.stop()
        if not attempt.has_shown_video:
            # A strange or missing audio track must not hurt the video: the next attempt goes without.
            self._is_without_audio = source.audio is not None and outcome.reason.code in _MAYBE_AUDIO_REASONS
            if outcome.reason.code not in _AWAY_REASONS:
                # What we believed of the camera may be wrong: look again before the next attempt.
                self._source = self._sub_source = None
        return outcome

    def _find_sub(self, device: DeviceSettings) -> SourceInfo | None:
        if device.sub_source_url is None:
            return None
        if self._sub_source is None:
            found = self._look_at(device.sub_source_url, device.transport)
            if found.reason is not None:
                self._log.warning("the sub-stream cannot be used: %s", found.reason.message)
                return None
            self._sub_source = found.source
        return self._sub_source

    def _look_at(self, url: str, transport: str) -> ProbeResult:
        """A look takes seconds: the lease is held and the wish obeyed meanwhile."""
        return probe_source(
            self._config, url, transport, on_wait=lambda: self._obey(self._renew_and_read_wish())
        )

    def _keep_source(self, source: SourceInfo) -> None:
        self._source = source
        self._record.keep_source(source, self._source_version)

    def _read_device(self) -> DeviceSettings | None:
        return self._record.read_device(lambda: read_device_settings(self.device_id, self._services.secrets))

    # ---- ownership ---------------------------------------------------------------------------------------------

    def _renew_and_read_wish(self) -> Wish | None:
        """Once a tick: hold the lease, read the wish. None when there is nothing new to know."""
        now = self._clock.monotonic()
        if now >= self._next_renewal:
            self._next_renewal = now + self._config.lease_seconds / 4
            try:
                self._leases.renew(STREAM, self.device_id, self._owner, self._config.lease_seconds)
            except redis.RedisError as error:
                # Redis is away for everyone: the database's run number is the fence meanwhile.
                self._next_renewal = now + TICK_SECONDS
                self._log.debug("the lease cannot be renewed now: %s", error)
        if now < self._next_tick:
            return None
        self._next_tick = now + TICK_SECONDS
        return self._record.read_wish()

    def _may_restart_for_output(self, now: float) -> bool:
        """An output that asks for new starts again and again is heard ever more seldom: the stream goes on."""
        if now < self._next_output_restart:
            return False
        quiet_seconds = now - self._next_output_restart
        forgiving = quiet_seconds >= _OUTPUT_FORGIVE_SECONDS
        self._next_output_restart = now + self._output_backoff.after(quiet_seconds if forgiving else 0)
        return True

    def _obey(self, wish: Wish | None) -> None:
        if wish is not None and not wish.is_running:
            raise Stopped(wish.reason)

    def _end(self, ending: str) -> None:
        """Give everything back; what is away now (Redis, database) heals by itself later."""
        try:
            if ending == "worker_stopped":
                self._record.observe(StreamState.RECONNECTING, reason_for("worker_stopped"))
            elif ending:
                self._log.info("stopped: %s", ending)
                self._record.observe(StreamState.STOPPED, reason_for(ending))
        except VasError as error:
            self._log.warning("the last state is not written: %s", error)
            ending = ""
        for output in self._services.outputs:
            try:
                output.release(self.device_id)
            except Exception:
                self._log.exception("output '%s' failed to release the device", output.name)
        try:
            if ending:
                self._live.forget(self.device_id)
            self._leases.release(STREAM, self.device_id, self._owner)
        except redis.RedisError as error:
            self._log.debug("the lease ends by itself: %s", error)


class _Attempt:
    """What is known while one FFmpeg runs."""

    def __init__(self, owner: StreamSupervisor, running: RunningPipeline, pipeline: Pipeline) -> None:
        self._owner = owner
        self._services = owner._services
        self._config = owner._config
        self._clock = owner._clock
        self._record = owner._record
        self._running = running
        self._pipeline = pipeline
        self._timeline = Timeline(window_seconds=4.0)
        self._started = self._clock.monotonic()
        self._last_video = self._started
        self._first_video: float | None = None
        self._flowing_since: float | None = None
        self._silent_seconds = self._config.part_seconds + 1.5
        self._run = self._record.run
        self._sequence = 0
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
            self._owner._bus.open_run(self._run, event.data)
            return None
        if isinstance(event, Ended):
            return self._explain(event)
        return self._publish(event, arrived.wall)

    def _publish(self, fragment: Fragment, arrived_at: float) -> Reason | None:
        if fragment.frames == 0:
            # Audio alone: carried, but no sign of life (FIELD.md, complaint 2).
            return None
        if fragment.has_new_parameters:
            self._owner._source = None
            return reason_for("resolution_changed")
        try:
            start = self._timeline.place(fragment, arrived_at)
        except ClockJumped as jump:
            return reason_for("stalled", str(jump))
        self._sequence += 1
        now = self._clock.monotonic()
        if self._flowing_since is None or now - self._last_video > self._silent_seconds:
            self._flowing_since = now
        self._last_video = now
        self._owner._bus.publish(Part(
            device_id=self._owner.device_id, run=self._run, sequence=self._sequence, start=start,
            duration=fragment.duration, is_key=fragment.is_key, frames=fragment.frames, data=fragment.data,
            has_audio=fragment.has_audio,
        ))
        if self._first_video is None:
            self._first_video = self._last_video
            self._owner._log.info("running after %.1f s", self._last_video - self._started)
            self._record.observe(StreamState.RUNNING)
        return self._compare_with_source(fragment)

    def _compare_with_source(self, fragment: Fragment) -> Reason | None:
        """What only the video itself tells: B-frames that the headers did not announce."""
        video = self._owner._source.video if self._owner._source else None
        if video is None or not fragment.has_b_frames or video.has_b_frames:
            return None
        self._owner._keep_source(replace(self._owner._source, video=replace(video, has_b_frames=True)))
        return reason_for("source_changed", "the camera sends B-frames, which its headers did not say")

    def _explain(self, ended: Ended) -> Reason:
        if ended.problem is not None and ended.problem.startswith("program "):
            return reason_for("ffmpeg_missing", f"the ffmpeg program cannot be started: {ended.problem}")
        if ended.problem is not None:
            return reason_for("invalid_data", ended.problem)
        return diagnose(
            ended.lines, ended.return_code, had_video=self.has_shown_video,
            is_late=self._clock.monotonic() - self._started >= self._config.stall_seconds,
        )

    def _tick(self) -> Reason | None:
        now = self._clock.monotonic()
        # Until the first part the camera has as long again: connecting and waiting for a key frame take time.
        patience = self._config.stall_seconds * (1 if self._first_video is not None else 2)
        if now - self._last_video > patience:
            return reason_for("stalled", f"no video for {patience:.0f} s")
        wish = self._owner._renew_and_read_wish()
        if wish is None:
            return None
        self._owner._obey(wish)
        if wish.source_version != self._owner._source_version:
            return reason_for("source_changed")
        self._write_figures()
        if self._running.dropped_parts > self._reported_drops:
            self._owner._log.warning("%d parts dropped: this worker is too slow", self._running.dropped_parts)
            self._reported_drops = self._running.dropped_parts
        return self._ask_outputs() if self._is_flowing(now) else None

    def _is_flowing(self, now: float) -> bool:
        """Whether the camera has sent video for a while: what an output lacks otherwise is not the output's fault."""
        is_silent = now - self._last_video > self._silent_seconds
        return self._flowing_since is not None and not is_silent and now - self._flowing_since >= _FLOWING_SECONDS

    def _ask_outputs(self) -> Reason | None:
        for item in self._pipeline.attached:
            try:
                code = item.output.check(self._owner.device_id)
            except Exception:
                self._owner._log.exception("output '%s' failed in its check", item.output.name)
                continue
            if code is not None and self._owner._may_restart_for_output(self._clock.monotonic()):
                return reason_for(code)
        return None

    def _write_figures(self) -> None:
        figures = {
            "fps": self._timeline.fps(self._clock.monotonic() - self._last_video),
            "bitrate_kbps": self._timeline.bitrate_kbps(self._clock.monotonic() - self._last_video),
            "last_part_at": self._timeline.last_arrival,
            "key_frame_interval_seconds": self._timeline.key_frame_interval_seconds,
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
                self._owner._log.exception("output '%s' failed to give its figures", item.output.name)
        try:
            self._owner._live.write(self._owner.device_id, figures)
        except redis.RedisError as error:
            self._owner._log.debug("the live figures cannot be written now: %s", error)
