"""Keeps one device's stream alive: `run` retries until it is stopped, `run_once` is one session with the camera."""

import contextlib
import logging
import time
from concurrent.futures import TimeoutError as FutureTimeoutError

import redis

from gateway.devices.sources import parse_source
from gateway.errors import LeaseLost, PluginError, VasError
from gateway.leases import STREAM, name_owner
from gateway.media import SourceInfo
from gateway.outputs import DeviceContext
from gateway.secrets import SealBroken
from gateway.states import StreamState, reason_for
from gateway.storage.clock_trust import last_seen_seconds
from gateway.streams.bus import BusWriter
from gateway.streams.live_stats import LiveStats
from gateway.streams.queries import DesiredStream, DeviceSettings, read_device_settings
from workers.backoff import Backoff
from workers.ingest.ingest import IngestSettings
from workers.lease_keeper import HeldLease
from workers.streams.attempt import Attempt, Outcome
from workers.streams.loop import RunningIngest
from workers.streams.orphans import end_orphaned_processes
from workers.streams.output_keeper import OutputKeeper
from workers.streams.reachability import PROBE_AFTER, ReachabilityProbe
from workers.streams.services import Services
from workers.streams.sources import sources_of
from workers.streams.state_writer import StreamStateWriter

#: Interval at which the owner reads the desired state, checks its outputs and writes its live stats.
TICK_SECONDS = 1.0

#: A supervisor without a sign of life for this long hangs, and another worker may take its device. Calls of outputs and
#: of the database, and stopping FFmpeg, end before.
_SILENCE_SECONDS = 60.0

_RELEASE_SECONDS = 2.0

#: Reasons after which an attempt cannot succeed until a person has changed something.
_FAILED_REASONS = frozenset({"ffmpeg_missing", "address_not_allowed", "wrong_secret_key"})

#: Reasons that are no fault of the camera: the next attempt follows without a pause.
_IMMEDIATE_RESTART_REASONS = frozenset({"source_changed"})


#: A camera that answers wrongly, as many do while they start, is tried each 4 s for the first three minutes.
_SOON = (4.0, 180.0)


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
        self._source: SourceInfo | None = None
        self._attempted_version: int | None = None
        self._next_tick = 0.0
        # On the monotonic clock of this machine: cameras that begin with their past send again what was delivered.
        self._delivered_until = float("-inf")

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
        backoff = Backoff(max_seconds=self._config.backoff_max_seconds, soon=_SOON)
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
            # Each session is a run of its own: the bus refuses a number that it has seen.
            if not self._writer.claim():
                if self._writer.is_deleted:
                    raise Stopped("device_deleted")
                raise LeaseLost(f"another worker claimed device '{self.device_id}'")

    def _pause(self, seconds: float, code: str) -> None:
        """Wait until the time is over, the camera is reachable again, its settings have changed, or a person asks for
        a try. A paused login is waited for as long as it is paused."""
        end = self._clock.monotonic() + seconds
        reachability_probe = None
        device = None
        if code == "login_paused" or (seconds > 1.5 and code in PROBE_AFTER):
            with contextlib.suppress(SealBroken):
                device = self._read_device()
        if code == "login_paused":
            self._pause_login(device)
            return
        source = parse_source(device.source_url) if device is not None else None
        port = self._services.sources.port_of(source.scheme, source.port) if source is not None else None
        if port is not None:
            reachability_probe = ReachabilityProbe(self._services.loop.loop, device.source_url, port)
        try:
            while (left := end - self._clock.monotonic()) > 0:
                desired = self._check_desired()
                if desired is not None and self._attempted_version not in (None, desired.source_version):
                    self._log.info("the device was changed")
                    return
                self._bus.flush()
                if reachability_probe is not None and reachability_probe.is_back:
                    self._log.info("the camera answers again")
                    return
                if desired is not None and self._is_try_asked():
                    return
                time.sleep(min(0.25, left))
        finally:
            if reachability_probe is not None:
                reachability_probe.close()

    def _pause_login(self, device: DeviceSettings | None) -> None:
        """Wait until the login may be tried again, or the settings have changed. Asking costs the camera nothing."""
        source = parse_source(device.source_url) if device is not None else None
        next_look = self._clock.monotonic() + TICK_SECONDS
        while True:
            desired = self._check_desired()
            if desired is not None and self._attempted_version not in (None, desired.source_version):
                self._log.info("the device was changed")
                return
            self._bus.flush()
            if self._clock.monotonic() >= next_look:
                next_look = self._clock.monotonic() + TICK_SECONDS
                if source is None or self._services.logins.check(source) is None or self._is_try_asked():
                    return
            time.sleep(0.25)

    def _is_try_asked(self) -> bool:
        try:
            is_asked = self._services.try_now.take(self.device_id)
        except redis.RedisError:
            return False
        if is_asked:
            self._log.info("a person asks for a try")
        return is_asked

    # ---- one attempt -------------------------------------------------------------------------------------------

    def run_once(self) -> Outcome:
        """One attempt, from connecting to the camera to the end of the session. Raises Stopped or LeaseLost."""
        try:
            device = self._read_device()
        except SealBroken as error:
            # Settings without that secret are tried at once.
            desired = self._writer.read_desired()
            self._attempted_version = desired.source_version if desired is not None else None
            return Outcome(reason_for("wrong_secret_key", error.message))
        if device is None:
            raise Stopped("device_deleted")
        if self._attempted_version != device.source_version:
            self._attempted_version = device.source_version
            self._source = self._writer.read_source(device.source_version)
        self._check_desired()
        settings = IngestSettings(
            self._config.ffmpeg_bin,
            self._config.part_seconds,
            self._config.stall_seconds,
            delivered_until=self._delivered_until,
        )
        sources = sources_of(device, self._config, self._services.logins, self._services.sources)
        running = self._services.loop.start_ingest(self.device_id, settings, sources)
        keeper = OutputKeeper(
            DeviceContext(id=device.id, tenant_id=device.tenant_id, name=device.name),
            self._services.outputs,
            self._services.calls,
            set_output=running.set_output,
            find_sub=running.find_sub,
        )
        attempt = Attempt(
            self.device_id,
            self._services,
            running,
            keeper,
            source_version=device.source_version,
            writer=self._writer,
            bus=self._bus,
            live_stats=self._live_stats,
            check_desired=self._check_desired,
            on_source=self._keep_source,
        )
        try:
            return attempt.follow()
        finally:
            self._delivered_until = max(self._delivered_until, attempt.delivered_until)
            _stop_completely(running)

    def _keep_source(self, source: SourceInfo) -> None:
        if source != self._source:
            self._source = source
            self._writer.keep_source(source, self._attempted_version)

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
        self._release_outputs()
        try:
            if ending:
                self._live_stats.forget(self.device_id)
        except redis.RedisError as error:
            self._log.debug("the live stats expire by themselves: %s", error)
        self._services.leases.release(self._lease)

    def _release_outputs(self) -> None:
        """Ask all outputs to release the device, and wait for up to two seconds."""
        asked = []
        for output in self._services.outputs:
            with contextlib.suppress(PluginError):
                asked.append((output, self._services.calls.submit(output, "release", output.release, self.device_id)))
        end = time.monotonic() + _RELEASE_SECONDS
        for output, future in asked:
            try:
                future.result(max(0.0, end - time.monotonic()))
            except FutureTimeoutError:
                self._log.warning("output '%s' is slow to release the device", output.name)
            except Exception:
                self._log.exception("output '%s' failed to release the device", output.name)


def _stop_completely(running: RunningIngest) -> None:
    """Wait until FFmpeg has ended, also when a shutdown interrupts the wait: the lease is released afterwards."""
    try:
        running.stop()
    except TimeoutError:
        raise
    except BaseException:
        running.stop()
        raise
