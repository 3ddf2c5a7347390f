"""The recorder of one device: writes each part of the bus into a file once, in order, and makes it durable."""

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gateway.footage.segments import MAX_PART_MS
from gateway.media import segment_key
from gateway.plugin_api import (
    Clock,
    Config,
    Consumption,
    LeaseLost,
    Part,
    Position,
    SegmentFact,
    Storage,
    StorageFull,
    StorageUnavailable,
)
from gateway.schedules.recording_plan import Decision
from gateway.storage.room_requests import request_room
from plugins.hls_recorder.footage import AttachmentState, Footage
from plugins.hls_recorder.index import IndexWriter
from plugins.hls_recorder.index_queue import IndexQueue, describe_segment
from plugins.hls_recorder.pre_roll import PreRollFilter
from plugins.hls_recorder.segment import JUMP_MS, OpenSegment, Place

#: Age of unsynced data at which the next part triggers a sync, and at which a tick does so without a part. Parts of
#: half a second make one sync a second, and no byte waits for it longer than a second.
SYNC_SECONDS = 0.45
LATE_SYNC_SECONDS = 0.7
INDEX_SECONDS = 3.0
MINUTE_MS = 60_000
#: Duration at which a file without another key part ends at any part.
FORCED_SPLIT_MS = 120_000
#: Longest wait for parts from before the moment in which footage was no longer wanted.
_LAST_PARTS_SECONDS = 2.0
_DRAIN_SECONDS = 5.0
_SANE_MS = range(946_684_800_000, 4_102_444_800_000)  # from the year 2000 to 2100


class DeviceRecorder(Consumption):
    """One attachment. An exception ends it; the next one resumes from what is on disk."""

    def __init__(
        self,
        *,
        config: Config,
        clock: Clock,
        storage: Storage,
        index: IndexWriter,
        queue: IndexQueue,
        state: AttachmentState,
        footage: Footage,
        pre_roll_filter: PreRollFilter | None,
        notify: Callable[[str, SegmentFact], None],
        on_close: Callable[[], None],
    ) -> None:
        self._stall_seconds = config.stall_seconds
        self._clock = clock
        self._storage = storage
        self._index = index
        self._queue = queue
        self._state = state
        self._footage = footage
        self._pre_roll_filter = pre_roll_filter
        self._notify = notify
        self._on_close = on_close
        self._settings = queue.device_state.settings
        self._log = logging.getLogger(f"vas.record.{queue.device_id}")
        self._segment: OpenSegment | None = None
        self._is_broken = False
        self._is_closed = False
        self._ending_at_ms: int | None = None
        self._ending_until = 0.0

    @property
    def position(self) -> Position | None:
        return self._footage.position

    # ---- parts -------------------------------------------------------------------------------------------------

    def take(self, part: Part, init_segment: bytes) -> None:
        """Write a part. Raises LeaseLost, StorageUnavailable, and Conflict when its file exists already."""
        self._check_owner()
        self._announce()
        position = self._footage.position
        if position is not None and part.position <= position:
            return
        place = self._place(part)
        self._footage.note_arrival()
        if self._ending_at_ms is not None and place.start_ms >= self._ending_at_ms:
            return
        if self._pre_roll_filter is None:
            self._write(part, place, init_segment)
            return
        for accepted in self._pre_roll_filter.accept(part, place):
            self._write(*accepted, init_segment)
        if self._pre_roll_filter.is_open:
            self._pre_roll_filter = None

    def _write(self, part: Part, place: Place, init_segment: bytes) -> None:
        if self._segment is not None and self._needs_new_file(self._segment, part, place):
            self._finish_segment()
        with self._disk():
            if self._segment is None:
                self._segment = self._begin(part, place, init_segment)
            self._segment.append(part, place, self._clock.monotonic())
        self._state.unsafe_since = self._segment.unsynced_since
        self._footage.extend(part, place)
        self._sync_and_index(SYNC_SECONDS)

    def _begin(self, part: Part, place: Place, init_segment: bytes) -> OpenSegment:
        settings = self._settings
        key = segment_key(settings.tenant_id, settings.device_id, place.start_ms, part.run, part.sequence)
        return OpenSegment(
            self._storage.create(key),
            key,
            storage_id=self._storage.id,
            first=part.position,
            start_ms=place.start_ms,
            init_segment=init_segment,
        )

    @staticmethod
    def _needs_new_file(segment: OpenSegment, part: Part, place: Place) -> bool:
        if part.run != segment.run or part.sequence != segment.next_sequence:
            return True
        if not -JUMP_MS <= place.start_ms - segment.end_ms <= JUMP_MS:
            return True
        if part.is_key and place.start_ms // MINUTE_MS != segment.start_ms // MINUTE_MS:
            return True
        return place.start_ms - segment.start_ms >= FORCED_SPLIT_MS

    def _place(self, part: Part) -> Place:
        """The time range of a part; implausible times are replaced by likely ones."""
        duration_ms = round(part.duration * 1000) if 0 <= part.duration < math.inf else 0
        duration_ms = min(duration_ms, MAX_PART_MS)
        start_ms = round(part.start * 1000) if abs(part.start) < math.inf else -1
        if start_ms not in _SANE_MS:
            follows = self._segment is not None and part.run == self._segment.run
            start_ms = self._segment.end_ms if follows else self._now_ms() - duration_ms
        return Place(start_ms, duration_ms)

    # ---- ticks --------------------------------------------------------------------------------------

    def tick(self) -> str | None:
        """Sync and index what is due, follow the desired state, and detect silence. Raises as `take` does."""
        self._check_owner()
        self._announce()
        device_state = self._queue.device_state
        if device_state is None:
            return "device_deleted"
        self._settings = device_state.settings
        self._sync_and_index(LATE_SYNC_SECONDS)
        decision = device_state.settings.decide(self._now_ms())
        if not decision.is_wanted:
            return self._end(decision)
        self._ending_at_ms = None
        self._footage.note_silence(device_state)
        if self._segment is not None and self._footage.silent_seconds > 2 * self._stall_seconds:
            # No more parts come for this file: the stream has started a new run, or will.
            self._finish_segment()
        return None

    def _sync_and_index(self, sync_seconds: float) -> None:
        """Sync and index what is due."""
        segment = self._segment
        if segment is None:
            return
        now = self._clock.monotonic()
        is_new = segment.durable_state is None
        since = segment.unsynced_since
        if since is not None and (is_new or now - since >= sync_seconds):
            with self._disk():
                segment.sync()
            self._state.unsafe_since = None
        if now - segment.indexed_at >= INDEX_SECONDS and segment.has_news:
            segment.indexed_at = now
            self._queue.save(segment, is_closed=False)

    def _finish_segment(self) -> None:
        segment = self._segment
        with self._disk():
            segment.sync()
        segment.close()
        self._segment = self._state.unsafe_since = None
        self._queue.save(segment, is_closed=True)

    def _end(self, decision: Decision) -> str | None:
        """End recording, after the parts that were sent before footage was no longer wanted."""
        now = self._clock.monotonic()
        if self._ending_at_ms is None:
            self._ending_at_ms = self._now_ms()
            self._ending_until = now + _LAST_PARTS_SECONDS
        has_all = self._segment is None or self._footage.end_ms >= self._ending_at_ms
        if not has_all and now < self._ending_until:
            return None
        if self._segment is not None:
            self._finish_segment()
        self._footage.note_end(decision, self._ending_at_ms)
        return decision.reason_code

    # ---- closing -----------------------------------------------------------------------------------------------

    def close(self, reason: str) -> None:
        """Make what was taken durable. After a failure of the disk the row stays open, and the next attachment repairs
        it.
        """
        if self._is_closed:
            return
        self._is_closed = True
        try:
            if self._segment is not None and not self._is_broken and not self._queue.is_lost:
                self._finish_segment()
            if not self._queue.is_lost and not self._index.drain([self._queue], _DRAIN_SECONDS):
                self._log.warning("stopped (%s) while the index waits for the database", reason)
            self._announce()
        finally:
            self._queue.is_closed = True
            self._state.unsafe_since = None
            if self._segment is not None:
                self._segment.close()
                self._segment = None
            self._on_close()

    # ---- internals ------------------------------------------------------------------------------------------

    def _check_owner(self) -> None:
        if self._queue.is_lost:
            raise LeaseLost(f"recording {self._queue.fence.recording_id} belongs to another recorder")

    def _announce(self) -> None:
        while self._queue.finished:
            finished = self._queue.finished.popleft()
            self._notify(self._queue.device_id, describe_segment(self._queue.device_id, finished))

    @contextmanager
    def _disk(self) -> Iterator[None]:
        """Wraps calls to the disk, which may block or fail; a failure is published and opens a gap."""
        started = self._queue.busy_since = self._clock.monotonic()
        try:
            yield
        except StorageUnavailable as error:
            self._is_broken = True
            if isinstance(error, StorageFull):
                request_room()
            self._footage.note_failure(error, self._segment.durable_end_ms if self._segment is not None else None)
            raise
        finally:
            self._queue.busy_since = None
            self._footage.note_call(self._clock.monotonic() - started)

    def _now_ms(self) -> int:
        return round(self._clock.wall() * 1000)
