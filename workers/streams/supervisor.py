"""Keeps one device's stream alive: `run` retries for ever, `run_once` is one attempt, one life of FFmpeg."""

import contextlib
import logging
import time
from dataclasses import replace

import redis

from gateway.devices.sources import AddressNotAllowed, SourcePolicy, check_addresses, parse_source
from gateway.errors import LeaseLost, VasError
from gateway.leases import STREAM, Leases, name_owner
from gateway.media import SourceInfo
from gateway.outputs import PipelineInputs
from gateway.secrets import SealBroken
from gateway.states import StreamState, reason_for
from gateway.streams.bus import BusWriter
from gateway.streams.live_stats import LiveStats
from gateway.streams.model import DesiredStream, DeviceSettings, read_device_settings
from workers.backoff import Backoff
from workers.ffmpeg.probe import ProbeResult, probe_source
from workers.streams.attempt import Attempt, Outcome
from workers.streams.orphans import end_orphaned_processes
from workers.streams.pipeline import build_pipeline
from workers.streams.reachability import EXPECTED_ANSWERS, PROBE_AFTER, ReachabilityProbe
from workers.streams.services import Services
from workers.streams.state_writer import StreamStateWriter

#: How often the owner looks at the wish and its outputs, and writes its figures.
TICK_SECONDS = 1.0

#: After so long without a wish of an output for a new start, its next one is obeyed at once.
_OUTPUT_FORGIVE_SECONDS = 60

#: After these an attempt cannot succeed until a person has changed something.
_FAILED_REASONS = frozenset({"ffmpeg_missing", "address_not_allowed"})

#: After these the camera is well: the next attempt follows at once.
_AT_ONCE_REASONS = frozenset({"source_changed", "output_changed"})

#: After these nothing was learnt of what the camera sends: what was known of it is still the best guess.
_AWAY_REASONS = frozenset(
    {
        "refused",
        "unreachable",
        "timed_out",
        "unknown_host",
        "closed_by_camera",
        "camera_error",
        "unauthorized",
        "forbidden",
        "not_found",
        "port_in_use",
        "ffmpeg_killed",
    }
)

#: The longest that FFmpeg may wait for the first picture of a camera that it knows.
_MAX_PATIENCE_SECONDS = 12.0

#: An audio track that never comes, or that FFmpeg cannot read, shows itself in one of these.
_MAYBE_AUDIO_REASONS = frozenset({"stalled", "unsupported_codec", "invalid_data", "unknown"})


class Stopped(Exception):
    """The wish is no longer that this stream runs; carries the reason's code."""


class StreamSupervisor:
    """The owner of one device's stream, in one actor's thread."""

    def __init__(self, device_id: str, services: Services) -> None:
        self.device_id = device_id
        self.services = services
        self.config = services.config
        self.clock = services.clock
        self.log = logging.getLogger(f"vas.stream.{device_id}")
        self._leases = Leases(services.redis)
        self.live = LiveStats(services.redis)
        self.record = StreamStateWriter(device_id, services.worker, services.on_state)
        self.bus = BusWriter(
            services.media_redis,
            device_id,
            window_seconds=self.config.bus_window_seconds,
            max_bytes=self.config.bus_max_bytes,
            resend_seconds=self.config.bus_resend_seconds,
        )
        self._owner = name_owner(services.worker)
        self.source: SourceInfo | None = None
        self._sub_source: SourceInfo | None = None
        self.source_version: int | None = None
        self._tried_version: int | None = None
        self._is_without_audio = False
        self.has_looked_for_sound = False
        self._patience_seconds = 0.0
        self._woken_by: str | None = None
        self._next_renewal = 0.0
        self._next_tick = 0.0
        self._next_output_restart = 0.0
        self._output_backoff = Backoff(longest_seconds=300, forgive_seconds=_OUTPUT_FORGIVE_SECONDS, first_seconds=1.0)

    # ---- the loop ----------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Own the device until it is to stop, or another owner has it; never raises for what a camera does."""
        if not self._leases.take(STREAM, self.device_id, self._owner, self.config.lease_seconds):
            self.log.info("owned by another worker: nothing to do")
            return
        self.services.messages.start_taken(self.device_id)
        ending = "worker_stopped"
        try:
            if not self.record.claim():
                return
            end_orphaned_processes(self.device_id)
            self._keep_running()
        except Stopped as stopped:
            ending = str(stopped)
        except LeaseLost as lost:
            ending = ""
            self.log.warning("stopped: %s", lost)
        finally:
            self._end(ending)

    def _keep_running(self) -> None:
        backoff = Backoff(longest_seconds=self.config.backoff_max_seconds)
        self.record.observe(StreamState.STARTING)
        while True:
            outcome = self.run_once()
            code = outcome.reason.code
            state = StreamState.FAILED if code in _FAILED_REASONS else StreamState.RECONNECTING
            if code in _AT_ONCE_REASONS:
                self.log.info("restarting: %s", outcome.reason.message)
                self.record.observe(StreamState.STARTING, outcome.reason)
            else:
                self.record.observe(state, outcome.reason)
                pause = backoff.after(outcome.healthy_seconds)
                self.log.warning("lost: %s; next attempt in %.1f s", outcome.reason.message, pause)
                self._pause(pause, code)
            # Each life of FFmpeg is a run of its own: the bus refuses a number that it has seen.
            if not self.record.claim():
                raise LeaseLost(f"another worker claimed device '{self.device_id}'")

    def _pause(self, seconds: float, code: str) -> None:
        """Wait, but no longer than until the camera answers differently than it did, or a person has changed it."""
        end = self.clock.monotonic() + seconds
        reachability_probe = None
        device = None
        if seconds > 1.5 and code in PROBE_AFTER:
            with contextlib.suppress(SealBroken):
                device = self._read_device()
        if device is not None:
            # A camera whose answer woke us in vain answers a knock otherwise than FFmpeg: only a change counts then.
            expected = EXPECTED_ANSWERS.get(code) if self._woken_by != code else None
            reachability_probe = ReachabilityProbe(self.services.loop.loop, device.source_url, expected)
        self._woken_by = None
        try:
            while (left := end - self.clock.monotonic()) > 0:
                wish = self.renew_and_read_desired()
                self.obey(wish)
                if wish is not None and self._tried_version not in (None, wish.source_version):
                    self.log.info("the device was changed")
                    return
                self.bus.flush()
                if reachability_probe is not None and reachability_probe.is_back:
                    self.log.info("the camera answers again")
                    self._woken_by = code
                    return
                time.sleep(min(0.25, left))
        finally:
            if reachability_probe is not None:
                reachability_probe.close()

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
            policy = SourcePolicy.from_config(self.config)
            for url in filter(None, (device.source_url, device.sub_source_url)):
                check_addresses(parse_source(url), policy)
        except AddressNotAllowed as error:
            return Outcome(reason_for("address_not_allowed", error.message))
        if self.source_version != device.source_version:
            self.source_version = device.source_version
            self.source = self.record.read_source(device.source_version)
            self._sub_source = None
            self._is_without_audio = self.has_looked_for_sound = False
            self._patience_seconds = 0.0
        if self.source is None:
            found = self._inspect(device.source_url, device.transport)
            if found.source is None or found.reason is not None:
                return Outcome(found.reason)
            self.keep_source(found.source)
            if found.source.audio is not None:
                self.has_looked_for_sound = False
        source = replace(self.source, audio=None) if self._is_without_audio else self.source
        inputs = PipelineInputs(source, lambda: self._find_sub(device))
        # Resolving names and attaching outputs may take seconds each: the lease is fresh before both.
        self.obey(self.renew_and_read_desired())
        pipeline = build_pipeline(
            self.config, device, inputs, self.services.outputs, patience_seconds=self._patience_seconds
        )
        self.obey(self.renew_and_read_desired())
        running = self.services.loop.start_pipeline(list(pipeline.command), self.device_id)
        attempt = Attempt(self, running, pipeline)
        try:
            outcome = attempt.follow()
        finally:
            running.stop()
        if not attempt.has_shown_video:
            # A strange or missing audio track must not hurt the video: the next attempt goes without.
            self._is_without_audio = source.audio is not None and outcome.reason.code in _MAYBE_AUDIO_REASONS
            if outcome.reason.code == "no_video":
                # Its sound came at once, its first picture only with the next key frame: that one is waited for.
                interval = self.source.video.key_frame_interval_seconds if self.source and self.source.video else None
                self._patience_seconds = min((interval or 3.0) + 1.0, _MAX_PATIENCE_SECONDS)
            if outcome.reason.code not in _AWAY_REASONS:
                # What we believed of the camera may be wrong: look again before the next attempt.
                self.source = self._sub_source = None
        return outcome

    def _find_sub(self, device: DeviceSettings) -> SourceInfo | None:
        if device.sub_source_url is None:
            return None
        if self._sub_source is None:
            found = self._inspect(device.sub_source_url, device.transport)
            if found.reason is not None:
                self.log.warning("the sub-stream cannot be used: %s", found.reason.message)
                return None
            self._sub_source = found.source
        return self._sub_source

    def _inspect(self, url: str, transport: str) -> ProbeResult:
        """A look takes seconds: the lease is held and the wish obeyed meanwhile."""
        return probe_source(self.config, url, transport, on_wait=lambda: self.obey(self.renew_and_read_desired()))

    def keep_source(self, source: SourceInfo) -> None:
        self.source = source
        self.record.keep_source(source, self.source_version)

    def _read_device(self) -> DeviceSettings | None:
        return self.record.read_device(lambda: read_device_settings(self.device_id, self.services.secrets))

    # ---- ownership ---------------------------------------------------------------------------------------------

    def renew_and_read_desired(self) -> DesiredStream | None:
        """Once a tick: hold the lease, read the wish. None when there is nothing new to know."""
        now = self.clock.monotonic()
        if now >= self._next_renewal:
            self._next_renewal = now + self.config.lease_seconds / 4
            try:
                self._leases.renew(STREAM, self.device_id, self._owner, self.config.lease_seconds)
            except redis.RedisError as error:
                # Redis is away for everyone: the database's run number is the fence meanwhile.
                self._next_renewal = now + TICK_SECONDS
                self.log.debug("the lease cannot be renewed now: %s", error)
        if now < self._next_tick:
            return None
        self._next_tick = now + TICK_SECONDS
        return self.record.read_desired()

    def may_restart_for_output(self, now: float) -> bool:
        """An output that asks for new starts again and again is heard ever more seldom: the stream goes on."""
        if now < self._next_output_restart:
            return False
        quiet_seconds = now - self._next_output_restart
        forgiving = quiet_seconds >= _OUTPUT_FORGIVE_SECONDS
        self._next_output_restart = now + self._output_backoff.after(quiet_seconds if forgiving else 0)
        return True

    def obey(self, wish: DesiredStream | None) -> None:
        if wish is not None and not wish.is_running:
            raise Stopped(wish.reason)

    def _end(self, ending: str) -> None:
        """Give everything back; what is away now (Redis, database) heals by itself later."""
        try:
            if ending == "worker_stopped":
                self.record.observe(StreamState.RECONNECTING, reason_for("worker_stopped"))
            elif ending:
                self.log.info("stopped: %s", ending)
                self.record.observe(StreamState.STOPPED, reason_for(ending))
        except VasError as error:
            self.log.warning("the last state is not written: %s", error)
            ending = ""
        for output in self.services.outputs:
            try:
                output.release(self.device_id)
            except Exception:
                self.log.exception("output '%s' failed to release the device", output.name)
        try:
            if ending:
                self.live.forget(self.device_id)
            self._leases.release(STREAM, self.device_id, self._owner)
        except redis.RedisError as error:
            self.log.debug("the lease ends by itself: %s", error)
