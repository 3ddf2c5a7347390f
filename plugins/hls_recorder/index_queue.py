"""The queue of one recorder: index entries that wait to be written, in order."""

import logging
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.footage.recorder_state import DeviceState
from gateway.footage.segments import Fence
from gateway.plugin_api import SegmentFact
from plugins.hls_recorder.entries import Entry, ObserveEntry, SaveEntry
from plugins.hls_recorder.segment import OpenSegment

log = logging.getLogger(__name__)

#: More than a day of one device. Beyond it the oldest entries are dropped; reconciliation finds their files.
MAX_QUEUE_LENGTH = 2000


@dataclass(frozen=True, slots=True)
class WrittenSegment:
    """A closed segment whose row is written."""

    segment: OpenSegment
    row_id: int


class IndexQueue:
    """Index entries of one recorder, in order, and the last device state that was read from the database.

    `device_state` is None when the device was deleted. `is_lost`: another recorder has claimed the recording.
    `is_closed`: the recorder has ended. `busy_since`: when its present call to the disk started, in monotonic seconds.
    `finished` holds closed segments for the recorder to report.
    """

    def __init__(self, device_id: str, fence: Fence, device_state: DeviceState, device_state_at: float) -> None:
        self.device_id = device_id
        self.fence = fence
        self.device_state: DeviceState | None = device_state
        #: Monotonic seconds of the reading.
        self.device_state_at = device_state_at
        self.is_lost = False
        self.is_closed = False
        self.finished: deque[WrittenSegment] = deque()
        self.busy_since: float | None = None
        self._entries: deque[Entry] = deque()
        self._lock = threading.Lock()
        self._last_observed: tuple[str, str | None] | None = None

    def push(self, entry: Entry) -> None:
        """Append an entry."""
        with self._lock:
            if self.is_lost:
                return
            self._entries.append(entry)
            if len(self._entries) > MAX_QUEUE_LENGTH:
                dropped = self._entries.popleft()
                dropped.forget()
                log.warning(
                    "device %s: the index is too far behind, an entry is left to the reconciliation", self.device_id
                )

    def save(self, segment: OpenSegment, *, is_closed: bool) -> None:
        """Queue a segment's durable state; it replaces a state that is still queued."""
        with self._lock:
            segment.update_durable_state(is_closed=is_closed)
            is_new, segment.is_queued = not segment.is_queued, True
        if is_new:
            self.push(SaveEntry(segment))

    def confirm_write(self, entry: SaveEntry, row_id: int) -> bool:
        """Record that a state was written; returns whether it was the segment's last one."""
        segment = entry.segment
        with self._lock:
            segment.row_id = row_id
            segment.is_queued = segment.durable_state is not entry.written
        if segment.is_queued:
            self.push(SaveEntry(segment))
        return not segment.is_queued and entry.written.is_closed

    def observe(self, observed: str, reason: str | None = None, message: str | None = None) -> None:
        """Queue the observed state of the recording, when it differs from the last one."""
        if self._last_observed == (observed, reason):
            return
        self._last_observed = (observed, reason)
        with self._lock:
            # Only the newest state matters, so a flapping one does not fill the queue while the database is away.
            for entry in [entry for entry in self._entries if isinstance(entry, ObserveEntry)]:
                self._entries.remove(entry)
        self.push(ObserveEntry(observed, reason, message))

    def pending(self) -> list[Entry]:
        with self._lock:
            return list(self._entries)

    def remove_written(self, written: Iterable[Entry]) -> None:
        """Remove written entries from the front of the queue."""
        with self._lock:
            for entry in written:
                if self._entries and self._entries[0] is entry:
                    self._entries.popleft()

    def mark_lost(self) -> None:
        """Another recorder has claimed the recording: discard all entries, now and later."""
        with self._lock:
            self.is_lost = True
            self._entries.clear()


def describe_segment(device_id: str, finished: WrittenSegment) -> SegmentFact:
    """A finished segment as reported to hooks."""
    values = finished.segment.durable_state.values
    return SegmentFact(
        finished.row_id, device_id, values.start_ms, values.duration_ms, values.size, finished.segment.key
    )
