"""The analysis of devices in a process: their pictures, the detectors that they share, and the writer of events."""

import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import redis

from gateway.captures.queue import CaptureQueue
from gateway.plugin_api import (
    ConsumerContext,
    Consumption,
    Detector,
    DeviceContext,
    Part,
    PluginContext,
    Position,
    SubPictures,
    Unavailable,
    connect_redis,
)
from gateway.streams.bus import MediaBus
from plugins.ai_analytics.decoding import Decoder, Picture
from plugins.ai_analytics.detectors import build_detectors
from plugins.ai_analytics.detectors.runner import DetectorRunner
from plugins.ai_analytics.figures import FiguresStore
from plugins.ai_analytics.options import DeviceOptions
from plugins.ai_analytics.pace import Pace
from plugins.ai_analytics.pipeline import Findings, Pipeline
from plugins.ai_analytics.writer import EventWriter, end_forgotten

log = logging.getLogger(__name__)

_FIGURES_SECONDS = 2.0
#: Options of the installation that a detector is opened with.
_DETECTOR_OPTIONS = ("model_file", "label_file", "http_url", "http_token", "http_timeout_seconds")
_NICE = 5
#: A detector that takes less than this share of the pictures is too slow.
_ENOUGH = 0.7


class Analysis:
    """What the analyses of all devices of a process share."""

    def __init__(self, context: ConsumerContext, plugin: PluginContext) -> None:
        self._context = context
        self._plugin = plugin
        self._lock = threading.Lock()
        self._runners: dict[str, DetectorRunner] = {}
        self._runner_options: dict[str, Any] = {}
        self._detectors: dict[str, Detector] | None = None
        self._writer: EventWriter | None = None
        self._figures: FiguresStore | None = None
        self._bus: MediaBus | None = None
        self._reported_at = 0.0
        self._pictures = 0
        self._read: dict[str, tuple[Any, DeviceOptions]] = {}

    def attach(self, device: DeviceContext) -> Consumption:
        """Begin with the present pictures. Raises Unavailable."""
        self._open()
        end_forgotten(device.id, self._plugin.events)
        return AnalyticsConsumption(self, device)

    def close(self) -> None:
        with self._lock:
            runners, self._runners = list(self._runners.values()), {}
        for runner in runners:
            runner.close()
        if self._writer is not None:
            self._writer.close()

    # ---- for consumptions --------------------------------------------------------------------------------------

    @property
    def clock(self) -> Any:
        return self._context.clock

    @property
    def writer(self) -> EventWriter:
        return self._writer

    def read_options(self, device_id: str) -> DeviceOptions:
        """The present options of a device."""
        values = self._plugin.options.device(device_id)
        known = self._read.get(device_id)
        if known is None or known[0] != values:
            known = self._read[device_id] = values, DeviceOptions.read(values)
        return known[1]

    def last_position(self, device_id: str) -> Position | None:
        """The newest part of a device: what is older is not analysed."""
        return self._bus.last_position(device_id)

    def find_runners(self, names: tuple[str, ...]) -> dict[str, tuple[Detector, DetectorRunner]]:
        """The detectors of these names, opened with the present options of the installation."""
        values = self._plugin.options.installation()
        options = {name: values.get(name) for name in _DETECTOR_OPTIONS}
        with self._lock:
            if options != self._runner_options:
                old, self._runners, self._runner_options = self._runners, {}, options
                for runner in old.values():
                    threading.Thread(target=runner.close, daemon=True).start()
            found = {}
            for name in names:
                detector = self._find_detectors().get(name)
                if detector is None:
                    continue
                if name not in self._runners:
                    memory_mb = values.get("detector_memory_mb") or 1024
                    self._runners[name] = DetectorRunner(name, options, memory_mb=memory_mb)
                found[name] = (detector, self._runners[name])
            return found

    def count_picture(self) -> None:
        """A picture was analysed."""
        with self._lock:
            self._pictures += 1

    def report(self, device_id: str, figures: dict[str, Any]) -> None:
        """Publish the figures of a device, and now and then those of the detectors."""
        with suppress(redis.RedisError):
            self._figures.write_device(device_id, figures)
            with self._lock:
                counted, self._pictures = self._pictures, 0
            if counted:
                self._figures.count_pictures(counted)
            now = self.clock.monotonic()
            if now - self._reported_at > _FIGURES_SECONDS:
                self._reported_at = now
                with self._lock:
                    runners = list(self._runners.values())
                process = {
                    "detectors": [runner.figures() for runner in runners],
                    "waiting_events": self.writer.waiting,
                    "lost_events": self.writer.lost,
                    "problem": self.writer.problem,
                }
                self._figures.write_process(self._context.worker, process)

    def _open(self) -> None:
        with self._lock:
            if self._writer is None:
                config = self._context.config
                self._figures = FiguresStore(connect_redis(config.redis_url))
                self._bus = MediaBus(connect_redis(config.bus_redis_url))
                self._writer = EventWriter(self._plugin.events, lambda: CaptureQueue.connect(config), self.clock)

    def _find_detectors(self) -> dict[str, Detector]:
        if self._detectors is None:
            try:
                found = self._plugin.collect("register_detectors")
            except Exception:
                log.exception("the detectors of other plugins are left out")
                found = build_detectors(self._context.config)
            self._detectors = {detector.name: detector for detector in found}
        return self._detectors


class AnalyticsConsumption(Consumption):
    """The analysis of one device."""

    def __init__(self, output: Analysis, device: DeviceContext) -> None:
        self._output = output
        self._device = device
        self._decoder = Decoder()
        self._options = output.read_options(device.id)
        self.uses_sub_stream = self._options.uses_sub_stream
        self._source = "sub_stream" if self.uses_sub_stream else "key_frames"
        self._pace = Pace(self._options.fps, output.clock.wall)
        self._pipeline: Pipeline | None = None
        self._runners: dict[str, Any] = {}
        self._reported_at = 0.0
        self._last_at = 0.0
        self._is_nice = False

    @property
    def position(self) -> Position | None:
        return self._output.last_position(self._device.id)

    def take(self, part: Part, init_segment: bytes) -> None:
        """Analyse the key frame with which a part begins."""
        self._source = "key_frames"
        if part.is_key and self._pace.wants(part.start):
            self._analyse(lambda: self._decoder.decode_key_frame(part, init_segment))

    def take_sub(self, batch: SubPictures) -> None:
        """Analyse pictures of the sub-stream."""
        self._source = "sub_stream"
        for picture in self._decoder.decode_sub(batch, only_keys=self._pace.only_keys):
            if self._pace.wants(picture.at):
                self._analyse(lambda one=picture: one)

    def tick(self) -> str | None:
        options = self._read_options()
        if not options.is_on:
            return "requested"
        if options != self._options:
            if options.uses_sub_stream != self.uses_sub_stream:
                # Attached again, with the other source.
                return "source_changed"
            self._finish()
            self._options = options
            self._pace = Pace(options.fps, self._output.clock.wall)
            self._runners = {}
        self._renew_pipeline()
        now = self._output.clock.monotonic()
        self._put(self._pipeline.collect(round(self._last_at * 1000)))
        if now - self._reported_at >= _FIGURES_SECONDS:
            self._reported_at = now
            self._output.report(self._device.id, self.figures())
        return None

    def close(self, reason: str) -> None:
        self._finish()
        for _, runner in self._runners.values():
            runner.forget(self._device.id)

    def figures(self) -> dict[str, Any]:
        """What is analysed now, for users."""
        pace = self._pace
        missing = [name for name in self._options.detectors if name not in self._runners]
        problems = [
            f"detector '{name}': {runner.problem}" for name, (_, runner) in self._runners.items() if runner.problem
        ]
        problems += [f"no plugin has a detector '{name}'" for name in missing]
        rates = self._pipeline.detector_rates(self._last_at) if self._pipeline is not None else []
        slow = [one for one in rates if one["given_fps"] < _ENOUGH * one["wanted_fps"]]
        problems += [
            f"detector '{one['name']}' looks at {one['given_fps']:.1f} of {one['wanted_fps']:.1f} pictures a second: "
            "the machine is too busy"
            for one in slow
            if not self._runners[one["name"]][1].problem
        ]
        if pace.level:
            problems.append(
                f"{pace.given_fps:.1f} of {pace.fps:g} pictures a second are analysed: the machine is too busy"
            )
        return {
            "source": self._source,
            "wanted_fps": pace.fps,
            "given_fps": round(pace.given_fps, 2),
            "ms_per_picture": round(pace.ms_per_picture, 2),
            "level": pace.level,
            "is_slowed": bool(slow) or pace.level > 0,
            "detectors": rates,
            "damaged_pictures": self._decoder.damaged,
            "last_picture_ms": round(self._last_at * 1000) or None,
            "problems": problems,
        }

    def _read_options(self) -> DeviceOptions:
        """The present options; those before while the database is away."""
        try:
            return self._output.read_options(self._device.id)
        except Unavailable:
            return self._options

    def _renew_pipeline(self) -> None:
        try:
            runners = self._output.find_runners(self._options.detectors)
        except Unavailable:
            if self._pipeline is not None:
                return
            runners = {}
        if self._pipeline is None or runners != self._runners:
            self._finish()
            self._runners = runners
            self._pipeline = Pipeline(self._device.id, self._options, runners)

    def _analyse(self, decode: Callable[[], Picture | None]) -> None:
        if not self._is_nice:
            # On Linux, of this thread alone: recording comes first.
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
            self._is_nice = True
        began = time.thread_time()
        picture = decode()
        if picture is None or self._pipeline is None:
            return
        self._last_at = picture.at
        self._put(self._pipeline.look(picture))
        self._pace.note(time.thread_time() - began)
        self._output.count_picture()

    def _put(self, findings: Findings) -> None:
        writer = self._output.writer
        for incident in (*findings.began, *findings.changed, *findings.ended):
            writer.put(self._device, self._options.rules, incident)
        for shown in findings.shown:
            writer.show(self._device, shown)

    def _finish(self) -> None:
        if self._pipeline is not None:
            self._put(self._pipeline.close())
            self._pipeline = None
