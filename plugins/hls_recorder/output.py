"""The consumer output: attaches a recorder to each device whose footage is wanted."""

import logging
from functools import partial

import redis

from gateway.footage.recorder_state import read_device_states
from gateway.footage.recordings import RecorderSettings, claim_recording, recordings_wanted
from gateway.footage.segments import Fence, Gap, last_segment
from gateway.plugin_api import (
    RECORDER,
    ConsumerContext,
    ConsumerOutput,
    Consumption,
    DeviceContext,
    NotFound,
    SegmentFact,
    StorageUnavailable,
    Unavailable,
    connect_redis,
)
from gateway.storage.local import ensure_storage
from plugins.hls_recorder.footage import AttachmentState, Footage, report_storage_error
from plugins.hls_recorder.index import IndexWriter
from plugins.hls_recorder.index_queue import IndexQueue
from plugins.hls_recorder.metrics import NAME, MetricsMeter, RecorderMetricsStore
from plugins.hls_recorder.pre_roll import PreRollFilter, RecordingStart, find_recording_start
from plugins.hls_recorder.pulse import PulseSender
from plugins.hls_recorder.recorder import DeviceRecorder
from plugins.hls_recorder.recovery import read_open_gap, recover

log = logging.getLogger(__name__)

_DRAIN_SECONDS = 5.0


class HlsRecorder(ConsumerOutput):
    """Records the parts of the bus into one-minute files with an index."""

    name = NAME
    role = RECORDER

    def __init__(self, context: ConsumerContext, *, is_threaded: bool = True) -> None:
        self._config = context.config
        self._clock = context.clock
        self._worker = context.worker
        self._context = context
        self._states: dict[str, AttachmentState] = {}
        self._meter = MetricsMeter()
        self._metrics_store = RecorderMetricsStore(connect_redis(self._config.redis_url))
        self.pulse = PulseSender(
            connect_redis(self._config.redis_url, timeout_seconds=1.0),
            context.clock,
            self._states,
            is_threaded=is_threaded,
        )
        self.index = IndexWriter(context.clock, self._announce, report=self._report, is_threaded=is_threaded)

    def wanted(self) -> list[str]:
        """The devices whose footage is wanted now."""
        return recordings_wanted(self._now_ms())

    def attach(self, device: DeviceContext) -> Consumption:
        """Claim the device, repair its newest files and resume after them.

        Raises Unavailable (database or storage) and NotFound.
        """
        # Entries of an earlier attachment are written before the claim, which would refuse them.
        if not self.index.drain(self.index.queues_of(device.id), _DRAIN_SECONDS):
            raise Unavailable(f"the index of device '{device.id}' waits for the database")
        state = self._states.setdefault(device.id, AttachmentState())
        queue = self._claim(device)
        is_attached = False
        try:
            recorder = self._resume(queue, state)
            is_attached = True
            return recorder
        finally:
            queue.is_closed = not is_attached
            if not is_attached:
                self.pulse.detached(device.id, queue.fence.token)
            self.index.drain([queue], _DRAIN_SECONDS)

    def close(self) -> None:
        self.index.close()
        self.pulse.close()

    def _claim(self, device: DeviceContext) -> IndexQueue:
        settings = claim_recording(device.id, self._worker)
        device_state = (
            read_device_states([settings.recording_id]).get(settings.recording_id) if settings is not None else None
        )
        if device_state is None:
            raise NotFound(f"there is no device with id '{device.id}'")
        self.pulse.attached(device.id, settings.fencing_token)
        return self.index.open_queue(device.id, Fence(settings.recording_id, settings.fencing_token), device_state)

    def _resume(self, queue: IndexQueue, state: AttachmentState) -> DeviceRecorder:
        settings = queue.device_state.settings
        now_ms = self._now_ms()
        gap = read_open_gap(queue.fence)
        # Kept when the disk fails before the first part: footage from before the start of recording is not wanted.
        state.recording_start = self._find_recording_start(settings, gap, now_ms) or state.recording_start
        try:
            storage = ensure_storage(self._config)
            recovered = recover(storage, settings, now_ms)
        except StorageUnavailable as error:
            report_storage_error(queue, state, error, self._hole_begins_ms(settings, gap, state, now_ms))
            raise
        for segment in recovered.closed:
            self._announce(queue.device_id, segment)
        restarts, state.restarts = state.restarts, False
        position = None if restarts else recovered.position
        is_unwanted = recovered.gap is not None and not recovered.gap.is_wanted
        recording_start = state.recording_start or (RecordingStart(0) if position is None else None)
        return DeviceRecorder(
            config=self._config,
            clock=self._clock,
            storage=storage,
            index=self.index,
            queue=queue,
            state=state,
            footage=Footage(
                self._config,
                self._clock,
                queue,
                state,
                position=position,
                end_ms=recovered.end_ms,
                open_gap=recovered.gap.reason_code if recovered.gap is not None else None,
                unwanted_until_ms=recording_start.from_ms if is_unwanted and recording_start is not None else None,
            ),
            pre_roll_filter=PreRollFilter(recording_start) if recording_start is not None else None,
            notify=self._announce,
            on_close=partial(self.pulse.detached, queue.device_id, queue.fence.token),
        )

    def _find_recording_start(self, settings: RecorderSettings, gap: Gap | None, now_ms: int) -> RecordingStart | None:
        decision = settings.decide(now_ms)
        if not decision.is_wanted:
            return RecordingStart(now_ms)
        return find_recording_start(settings, decision, gap, now_ms, round(self._config.bus_window_seconds * 1000))

    @staticmethod
    def _hole_begins_ms(settings: RecorderSettings, gap: Gap | None, state: AttachmentState, now_ms: int) -> int:
        if state.recording_start is not None:
            return state.recording_start.from_ms
        if gap is not None:
            return now_ms
        last = last_segment(settings.recording_id)
        return last.end_ms if last is not None else now_ms

    def _report(self) -> None:
        states = list(self._states.values())
        metrics = self._meter.measure(
            self.index.attached,
            sum(state.bytes_written for state in states),
            [since for state in states if (since := state.unsafe_since) is not None],
            self.index.waiting,
        )
        try:
            self._metrics_store.write(self._worker, metrics)
        except redis.RedisError as error:
            log.debug("the metrics of recording cannot be written now: %s", error)

    def _announce(self, device_id: str, segment: SegmentFact) -> None:
        self._context.notify("on_segment", device_id=device_id, segment=segment)

    def _now_ms(self) -> int:
        return round(self._clock.wall() * 1000)
