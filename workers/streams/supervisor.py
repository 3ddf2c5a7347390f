"""Keeps one device's stream alive: `run` retries until it is stopped, `run_once` is one attempt with one FFmpeg."""

import contextlib
import logging
import time
from dataclasses import replace

import redis

from gateway.devices.sources import AddressNotAllowed, SourcePolicy, check_addresses, parse_source
from gateway.errors import LeaseLost, VasError
from gateway.leases import STREAM, name_owner
from gateway.media import SourceInfo
from gateway.outputs import PipelineInputs
from gateway.secrets import SealBroken
from gateway.states import StreamState, reason_for
from gateway.storage.clock_trust import last_seen_seconds
from gateway.streams.bus import BusWriter
from gateway.streams.live_stats import LiveStats
from gateway.streams.queries import DesiredStream, DeviceSettings, read_device_settings
from workers.backoff import Backoff
from workers.ffmpeg.probe import ProbeResult, probe_source
from workers.lease_keeper import HeldLease
from workers.streams.attempt import Attempt, ExpectedSource, Outcome
from workers.streams.loop import RunningPipeline
from workers.streams.orphans import end_orphaned_processes
from workers.streams.output_restarts import OutputRestartLimit
from workers.streams.pipeline import build_pipeline
from workers.streams.reachability import EXPECTED_ANSWERS, PROBE_AFTER, ReachabilityProbe
from workers.streams.services import Services
from workers.streams.state_writer import StreamStateWriter

#: Interval at which the owner reads the desired state, checks its outputs and writes its live stats.
TICK_SECONDS = 1.0

#: A supervisor without a sign of life for this long hangs, and another worker may take its device. Calls of outputs and
#: of the database, and stopping FFmpeg, end before.
_SILENCE_SECONDS = 60.0

#: Reasons after which an attempt cannot succeed until a person has changed something.
_FAILED_REASONS = frozenset({"ffmpeg_missing", "address_not_allowed", "wrong_secret_key"})

#: Reasons that are no fault of the camera: the next attempt follows without a pause.
_IMMEDIATE_RESTART_REASONS = frozenset({"source_changed", "output_changed"})

#: Reasons that reveal nothing about the camera's stream: its last known description stays in use.
_KEEP_SOURCE_REASONS = frozenset(
    {
        "refused",
        "unreachable",
        "timed_out",
        "unknown_host",
        "closed_by_camera",
        "camera_error",
        "redirected",
        "unauthorized",
        "forbidden",
        "not_found",
        "port_in_use",
        "ffmpeg_killed",
    }
)

#: Upper limit of the time that FFmpeg may wait for the first picture of a camera whose stream is known.
_MAX_PATIENCE_SECONDS = 12.0

#: Reasons that an audio track may cause which never arrives or which FFmpeg cannot read.
_MAYBE_AUDIO_REASONS = frozenset({"stalled", "unsupported_codec", "invalid_data", "unknown"})


class Stopped(Exception):
    """The desired state is no longer running; the message is the reason's code."""


class StreamSupervisor:
    """The owner of one device's stream, in one actor's thread."""

    def __init__(self, device_id: str, services: Services) -> None:
        self.device_id = device_id
        self._services = services
        self._config = services.config
        self._clock = services.clock
        self._log = logging.getLogger(f"vas.stream.{device_id}")
        self._lease: HeldLease | None = None
        self._live_stats = LiveStats(services.redis)
        self._writer = StreamStateWriter(device_id, services.worker, services.on_state)
        self._bus = BusWriter(
            services.media_redis,
            device_id,
            window_seconds=self._config.bus_window_seconds,
            max_bytes=self._config.bus_max_bytes,
            resend_seconds=self._config.bus_resend_seconds,
            min_start=last_seen_seconds,
        )
        self._output_restarts = OutputRestartLimit()
        self._source: SourceInfo | None = None
        self._sub_source: SourceInfo | None = None
        self._source_version: int | None = None
        self._attempted_version: int | None = None
        self._is_without_audio = False
        self._has_looked_for_sound = False
        self._patience_seconds = 0.0
        self._woken_by: str | None = None
        self._next_tick = 0.0

    # ---- the loop ----------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Own the device until it is stopped or another worker owns it; never raises because of a camera."""
        self._lease = self._services.leases.take(
            STREAM, self.device_id, name_owner(self._services.worker), silence_seconds=_SILENCE_SECONDS
        )
        if self._lease is None:
            self._log.info("owned by another worker: nothing to do")
            return
        self._services.messages.start_taken(self.device_id)
        ending = "worker_stopped"
        try:
            if not self._writer.claim():
                return
            end_orphaned_processes(self.device_id)
            self._keep_running()
        except Stopped as stopped:
            ending = str(stopped)
        except LeaseLost as lost:
            ending = ""
            self._log.warning("stopped: %s", lost)
        finally:
            self._end(ending)

    def _keep_running(self) -> None:
        backoff = Backoff(max_seconds=self._config.backoff_max_seconds)
        self._writer.observe(StreamState.STARTING)
        while True:
            outcome = self.run_once()
            code = outcome.reason.code
            state = StreamState.FAILED if code in _FAILED_REASONS else StreamState.RECONNECTING
            if code in _IMMEDIATE_RESTART_REASONS:
                self._log.info("restarting: %s", outcome.reason.message)
                self._writer.observe(StreamState.STARTING, outcome.reason)
            else:
                self._writer.observe(state, outcome.reason)
                pause = backoff.after(outcome.healthy_seconds)
                self._log.warning("lost: %s; next attempt in %.1f s", outcome.reason.message, pause)
                self._pause(pause, code)
            # Each FFmpeg process is a run of its own: the bus refuses a number that it has seen.
            if not self._writer.claim():
                if self._writer.is_deleted:
                    raise Stopped("device_deleted")
                raise LeaseLost(f"another worker claimed device '{self.device_id}'")

    def _pause(self, seconds: float, code: str) -> None:
        """Wait until the time is over, the camera's answer to a probe has changed, or its settings have changed."""
        end = self._clock.monotonic() + seconds
        reachability_probe = None
        device = None
        if seconds > 1.5 and code in PROBE_AFTER:
            with contextlib.suppress(SealBroken):
                device = self._read_device()
        if device is not None:
            # A camera that answered the last probe but failed again: its answer is expected now, only a change counts.
            expected = EXPECTED_ANSWERS.get(code) if self._woken_by != code else None
            reachability_probe = ReachabilityProbe(self._services.loop.loop, device.source_url, expected)
        self._woken_by = None
        try:
            while (left := end - self._clock.monotonic()) > 0:
                desired = self._check_desired()
                if desired is not None and self._attempted_version not in (None, desired.source_version):
                    self._log.info("the device was changed")
                    return
                self._bus.flush()
                if reachability_probe is not None and reachability_probe.is_back:
                    self._log.info("the camera answers again")
                    self._woken_by = code
                    return
                time.sleep(min(0.25, left))
        finally:
            if reachability_probe is not None:
                reachability_probe.close()

    # ---- one attempt -------------------------------------------------------------------------------------------

    def run_once(self) -> Outcome:
        """One attempt, from inspecting the camera to the end of FFmpeg. Raises Stopped or LeaseLost."""
        try:
            device = self._read_device()
        except SealBroken as error:
            # Settings without that secret are tried at once.
            desired = self._writer.read_desired()
            self._attempted_version = desired.source_version if desired is not None else None
            return Outcome(reason_for("wrong_secret_key", error.message))
        if device is None:
            raise Stopped("device_deleted")
        self._attempted_version = device.source_version
        try:
            policy = SourcePolicy.from_config(self._config)
            for url in filter(None, (device.source_url, device.sub_source_url)):
                check_addresses(parse_source(url), policy)
        except AddressNotAllowed as error:
            return Outcome(reason_for("address_not_allowed", error.message))
        if self._source_version != device.source_version:
            self._source_version = device.source_version
            self._source = self._writer.read_source(device.source_version)
            self._sub_source = None
            self._is_without_audio = self._has_looked_for_sound = False
            self._patience_seconds = 0.0
        if self._source is None:
            found = self._inspect(device.source_url, device.transport)
            if found.source is None or found.reason is not None:
                return Outcome(found.reason)
            self._keep_source(found.source)
            if found.source.audio is not None:
                self._has_looked_for_sound = False
        source = replace(self._source, audio=None) if self._is_without_audio else self._source
        outcome = self._attempt(device, source)
        if not outcome.has_shown_video:
            # A strange or missing audio track must not affect the video: the next attempt omits it.
            self._is_without_audio = source.audio is not None and outcome.reason.code in _MAYBE_AUDIO_REASONS
            if outcome.reason.code == "no_video":
                # Sound came at once, the first picture comes only with the next key frame: the next attempt waits for
                # it.
                video = self._source.video if self._source else None
                interval = video.key_frame_interval_seconds if video else None
                self._patience_seconds = min((interval or 3.0) + 1.0, _MAX_PATIENCE_SECONDS)
            if outcome.reason.code not in _KEEP_SOURCE_REASONS:
                # The camera's description may be wrong: inspect it again before the next attempt.
                self._source = self._sub_source = None
        return outcome

    def _attempt(self, device: DeviceSettings, source: SourceInfo) -> Outcome:
        """Run FFmpeg with `source` as the description of the camera, and store what the attempt learnt about it."""
        inputs = PipelineInputs(source, lambda: self._find_sub(device))
        # Resolving names and attaching outputs may take seconds each.
        self._check_desired()
        pipeline = build_pipeline(
            self._config, device, inputs, self._services.outputs, patience_seconds=self._patience_seconds
        )
        self._check_desired()
        running = self._services.loop.start_pipeline(list(pipeline.command), self.device_id, folders=pipeline.folders)
        attempt = Attempt(
            self.device_id,
            self._services,
            running,
            pipeline,
            expected=ExpectedSource(self._source, self._source_version, self._has_looked_for_sound),
            writer=self._writer,
            bus=self._bus,
            live_stats=self._live_stats,
            check_desired=self._check_desired,
            output_restarts=self._output_restarts,
        )
        try:
            outcome = attempt.follow()
            # Stored before FFmpeg is stopped, which takes seconds and may be interrupted by a shutdown.
            self._apply(outcome)
        finally:
            _stop_completely(running)
        return outcome

    def _apply(self, outcome: Outcome) -> None:
        if outcome.source is not None:
            self._keep_source(outcome.source)
        if outcome.is_source_outdated:
            self._source = None
        if outcome.has_found_sound:
            self._has_looked_for_sound = True

    def _find_sub(self, device: DeviceSettings) -> SourceInfo | None:
        if device.sub_source_url is None:
            return None
        if self._sub_source is None:
            found = self._inspect(device.sub_source_url, device.transport)
            if found.reason is not None:
                self._log.warning("the sub-stream cannot be used: %s", found.reason.message)
                return None
            self._sub_source = found.source
        return self._sub_source

    def _inspect(self, url: str, transport: str) -> ProbeResult:
        """Inspect a source. This takes seconds, during which a stop is obeyed."""
        return probe_source(self._config, url, transport, on_wait=self._check_desired)

    def _keep_source(self, source: SourceInfo) -> None:
        self._source = source
        self._writer.keep_source(source, self._source_version)

    def _read_device(self) -> DeviceSettings | None:
        return self._writer.read_device(lambda: read_device_settings(self.device_id, self._services.secrets))

    # ---- ownership ---------------------------------------------------------------------------------------------

    def _check_desired(self) -> DesiredStream | None:
        """Check the lease, and read the desired state when due; None when there is nothing new.

        Raises Stopped when the stream is to stop, LeaseLost when another worker owns the device.
        """
        self._services.leases.check(self._lease)
        now = self._clock.monotonic()
        if now < self._next_tick:
            return None
        self._next_tick = now + TICK_SECONDS
        desired = self._writer.read_desired()
        if desired is not None and not desired.is_running:
            raise Stopped(desired.reason)
        return desired

    def _end(self, ending: str) -> None:
        """Release everything. A failure of Redis or the database is only logged: leases expire, states recover."""
        try:
            if ending == "worker_stopped":
                self._writer.observe(StreamState.RECONNECTING, reason_for("worker_stopped"))
            elif ending:
                self._log.info("stopped: %s", ending)
                self._writer.observe(StreamState.STOPPED, reason_for(ending))
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
                self._live_stats.forget(self.device_id)
        except redis.RedisError as error:
            self._log.debug("the live stats expire by themselves: %s", error)
        self._services.leases.release(self._lease)


def _stop_completely(running: RunningPipeline) -> None:
    """Wait until FFmpeg has ended, also when a shutdown interrupts the wait: the lease is released afterwards."""
    try:
        running.stop()
    except TimeoutError:
        raise
    except BaseException:
        running.stop()
        raise
