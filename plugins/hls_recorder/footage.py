"""The end of a device's footage, and the gaps in it with their reasons."""

import math
from dataclasses import dataclass

from gateway.footage.recorder_state import DeviceState
from gateway.footage.recorder_status import SILENT_SECONDS as STALLED_SECONDS
from gateway.footage.recorder_status import WAITING_REASONS
from gateway.plugin_api import Clock, Config, Part, Position, StorageUnavailable, StreamState, Unavailable
from gateway.schedules.recording_plan import Decision
from plugins.hls_recorder.entries import CloseGapEntry, GapEntry, MarkEntry, OpenGapEntry
from plugins.hls_recorder.index_queue import IndexQueue
from plugins.hls_recorder.pre_roll import RecordingStart
from plugins.hls_recorder.reasons import UNWANTED, explain_silence
from plugins.hls_recorder.segment import JUMP_MS, Place

#: Shorter holes between two parts are ignored: times are rounded, and a new run begins a moment after the last one.
HOLE_MS = 200
#: Time after the expected end of the next part from which on the stream counts as silent.
SILENT_SECONDS = 5.0
#: The same for a stream that says itself why it sends nothing.
_LULL_SECONDS = 1.0
#: Duration of a call to the disk that explains parts missing after it.
_SLOW_CALL_SECONDS = 5.0
#: Time after a step of the clock in which it explains a hole.
_JUMP_MEMORY_SECONDS = 60.0
#: Lateness of parts, as a share of the bus window, that explains parts lost from the bus.
_LATE_SHARE = 0.6
#: Age from which on the device state may be out of date.
_FRESH_SECONDS = 3.0


@dataclass(slots=True)
class AttachmentState:
    """State of a device that a process keeps from one attachment of the output to the next.

    `error_reason`: why nothing could be written. `restarts`: the position on the bus is no longer valid, and recording
    starts with the oldest part. `recording_start`: where recording may start, until the first part is recorded.
    `unsafe_since`: monotonic seconds of the oldest byte that is not durable; `written_at`: of the last written part.
    """

    error_reason: str | None = None
    restarts: bool = False
    recording_start: RecordingStart | None = None
    bytes_written: int = 0
    unsafe_since: float | None = None
    written_at: float | None = None


class Footage:
    """The end of a device's footage and its open gap. Times in milliseconds since 1970, UTC.

    `open_gap` is the reason of the open gap. With `unwanted_until_ms` footage was not wanted in that gap, which ends
    there at the latest.
    """

    def __init__(
        self,
        config: Config,
        clock: Clock,
        queue: IndexQueue,
        state: AttachmentState,
        *,
        position: Position | None,
        end_ms: int | None,
        open_gap: str | None = None,
        unwanted_until_ms: int | None = None,
    ) -> None:
        self.position = position
        self.end_ms = end_ms
        self._open_gap = open_gap
        self._unwanted_until_ms = unwanted_until_ms
        self._window_seconds = config.bus_window_seconds
        self._clock = clock
        self._queue = queue
        self._state = state
        self._attached_ms = self._now_ms()
        self._is_first = True
        self._lateness = 0.0
        self._last_duration_ms = 0
        self._last_part_at = clock.monotonic()
        self._had_slow_call = False
        self._clock_offset = clock.wall() - clock.monotonic()
        self._jumped_at = -math.inf
        self._behind_since: float | None = None

    @property
    def silent_seconds(self) -> float:
        """Time since the last part arrived."""
        return self._clock.monotonic() - self._last_part_at

    # ---- parts --------------------------------------------------------------------------------------------

    def note_arrival(self) -> None:
        """Record that a part has arrived, whether or not it is written."""
        self._last_part_at = self._clock.monotonic()
        offset = self._clock.wall() - self._last_part_at
        if abs(offset - self._clock_offset) * 1000 > JUMP_MS:
            self._jumped_at = self._last_part_at
        self._clock_offset = offset

    def extend(self, part: Part, place: Place) -> None:
        """Extend the footage by a written part, and add a gap with its reason for a hole before it."""
        self._note_hole(part, place)
        self.position, self.end_ms = part.position, place.end_ms
        self._state.error_reason = self._state.recording_start = None
        self._state.bytes_written += len(part.data)
        self._state.written_at = self._clock.monotonic()
        self._queue.observe("recording")
        self._lateness = self._clock.wall() - part.end
        self._last_duration_ms = place.duration_ms
        self._is_first = self._had_slow_call = False

    def note_call(self, seconds: float) -> None:
        """Record the duration of a call to the disk."""
        if seconds > _SLOW_CALL_SECONDS:
            self._had_slow_call = True

    # ---- gaps ---------------------------------------------------------------------------------------

    def note_silence(self, device_state: DeviceState) -> None:
        """Publish why no parts arrive, and open a gap once that lasts. Raises Unavailable as `_check_run` does."""
        silent_seconds = self.silent_seconds - self._last_duration_ms / 1000
        if silent_seconds <= _LULL_SECONDS:
            return
        reason = explain_silence(device_state)
        if reason is None:
            if silent_seconds > STALLED_SECONDS:
                is_running = device_state.observed == StreamState.RUNNING
                self._queue.observe("interrupted", "recorder_stalled" if is_running else "stream_starting")
            if silent_seconds > SILENT_SECONDS:
                self._check_run(device_state)
            return
        is_wanted = reason not in UNWANTED
        self._queue.observe("interrupted" if self.position is not None and is_wanted else "waiting", reason)
        if silent_seconds <= SILENT_SECONDS:
            return
        if self._open_gap is None or self._unwanted_until_ms is not None:
            start_ms = self._hole_begins_ms
        elif is_wanted == (self._open_gap not in UNWANTED):
            return
        else:
            start_ms = self._now_ms()
        self._open_gap, self._unwanted_until_ms = reason, None
        start_ms = self._attached_ms if start_ms is None else start_ms
        self._queue.push(OpenGapEntry(start_ms, reason, is_wanted=is_wanted))

    def note_failure(self, error: StorageUnavailable, durable_end_ms: int | None) -> None:
        """Open a gap because nothing can be written; `durable_end_ms`: end of what is durable in the open file."""
        since_ms = durable_end_ms
        if since_ms is None:
            is_known = self._open_gap is not None and self._unwanted_until_ms is None
            since_ms = self._now_ms() if is_known else self._hole_begins_ms
        report_storage_error(self._queue, self._state, error, self._attached_ms if since_ms is None else since_ms)

    def note_end(self, decision: Decision, at_ms: int) -> None:
        """Open a gap because footage is not wanted any more since `at_ms`."""
        is_recent = self.end_ms is not None and abs(at_ms - self.end_ms) < JUMP_MS
        self._queue.push(
            OpenGapEntry(
                self.end_ms if is_recent else at_ms,
                decision.reason_code,
                is_wanted=False,
                by_name=decision.by_name,
            )
        )
        self._queue.observe("waiting" if decision.reason_code in WAITING_REASONS else "off", decision.reason_code)

    @property
    def _hole_begins_ms(self) -> int | None:
        return self.end_ms if self._unwanted_until_ms is None else self._unwanted_until_ms

    def _note_hole(self, part: Part, place: Place) -> None:
        if self._unwanted_until_ms is not None:
            # A lead-in recorded from before footage was wanted makes that gap shorter.
            self.end_ms = min(self._unwanted_until_ms, place.start_ms)
            self._unwanted_until_ms = self._open_gap = None
            self._queue.push(CloseGapEntry(self.end_ms))
        elif self._open_gap is not None:
            self._open_gap = None
            self._queue.push(CloseGapEntry(place.start_ms))
            return
        if self.end_ms is None:
            return
        if place.start_ms < self.end_ms - JUMP_MS:
            seconds = round((self.end_ms - place.start_ms) / 1000)
            note = f"the clock was set back by about {seconds} s: footage of two times overlaps from here on"
            tenant_id = self._queue.device_state.settings.tenant_id
            self._queue.push(MarkEntry(tenant_id, place.start_ms, "clock_jumped", note))
        elif place.start_ms - self.end_ms > HOLE_MS:
            reason = self._explain(part)
            otherwise = "recorder_restarted" if self._is_first else "unknown"
            self._queue.push(GapEntry(self._queue.device_id, self.end_ms, place.start_ms, reason, otherwise))

    def _explain(self, part: Part) -> str | None:
        """The reason of the hole before this part; None when the stream's history decides."""
        if self._state.error_reason is not None:
            return self._state.error_reason
        if self._clock.monotonic() - self._jumped_at < _JUMP_MEMORY_SECONDS:
            return "clock_jumped"
        if self.position is None or part.run != self.position.run:
            return None
        if part.sequence == self.position.sequence + 1:
            return "clock_jumped"
        if self._is_first:
            return "recorder_restarted"
        if self._had_slow_call:
            return "storage_failed"
        return "too_slow" if self._lateness > self._window_seconds * _LATE_SHARE else "bus_lost"

    def _check_run(self, device_state: DeviceState) -> None:
        """Detect run numbers below that of the footage, as after an older database was restored.

        No later part of the bus would come after the present position. Raises Unavailable, to start over.
        """
        now = self._clock.monotonic()
        is_behind = (
            device_state.observed == "running" and self.position is not None and device_state.run < self.position.run
        )
        if not is_behind or now - self._queue.device_state_at > _FRESH_SECONDS:
            self._behind_since = None
        elif self._behind_since is None:
            self._behind_since = now
        elif now - self._behind_since > SILENT_SECONDS:
            self._state.restarts = True
            raise Unavailable(f"run {device_state.run} of the stream is below run {self.position.run} of its footage")

    def _now_ms(self) -> int:
        return round(self._clock.wall() * 1000)


def report_storage_error(queue: IndexQueue, state: AttachmentState, error: StorageUnavailable, since_ms: int) -> None:
    """Publish that nothing can be recorded, and open a gap."""
    state.error_reason = error.reason
    queue.observe("interrupted", error.reason, error.message)
    queue.push(OpenGapEntry(since_ms, error.reason))
