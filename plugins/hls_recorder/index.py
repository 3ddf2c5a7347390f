"""Writes the index in a thread of its own, so that a slow or unavailable database never delays a file.

Each recorder has a queue. About twice a second the entries of all queues are written in one transaction; about once a
second the desired states and the streams of their devices are read.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable

import peewee

from gateway.footage.recorder_state import DeviceState, read_device_states
from gateway.footage.segments import Fence
from gateway.plugin_api import Clock, LeaseLost, SegmentFact, Unavailable, database
from plugins.hls_recorder.entries import Entry
from plugins.hls_recorder.index_queue import IndexQueue, WrittenSegment, describe_segment
from plugins.hls_recorder.metrics import REPORT_SECONDS

log = logging.getLogger(__name__)

#: Intervals of writing queued entries and of reading device states.
WRITE_SECONDS = 0.5
STATE_SECONDS = 1.0
#: Pause before the next attempt while the database is unavailable.
RETRY_SECONDS = 2.0
#: Entries of one queue written in one transaction, so that the other queues do not wait long.
_BATCH = 100
#: Duration of a call to the disk after which its recorder is shown as interrupted.
STUCK_SECONDS = 5.0


class IndexWriter:
    """All queues of a process. Without a thread (`is_threaded=False`, for tests) the waiting caller runs `work`."""

    def __init__(
        self,
        clock: Clock,
        announce: Callable[[str, SegmentFact], None],
        *,
        report: Callable[[], None] = lambda: None,
        is_threaded: bool = True,
    ) -> None:
        """`announce` reports a closed segment whose recorder has ended; `report` is called every REPORT_SECONDS."""
        self._clock = clock
        self._announce = announce
        self._report = report
        self._is_threaded = is_threaded
        self._queues: list[IndexQueue] = []
        self._lock = threading.Lock()
        self._working = threading.Lock()
        self._wake = threading.Event()
        self._idle = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._next_read = 0.0
        self._failures = 0

    def open_queue(self, device_id: str, fence: Fence, device_state: DeviceState) -> IndexQueue:
        """Open the queue of a recorder that has claimed its device."""
        queue = IndexQueue(device_id, fence, device_state, self._clock.monotonic())
        with self._lock:
            self._queues.append(queue)
            if self._thread is None and self._is_threaded and not self._is_closed:
                self._thread = threading.Thread(target=self._run, name="recording-index", daemon=True)
                self._thread.start()
        return queue

    def drain(self, queues: Iterable[IndexQueue], seconds: float) -> bool:
        """Wait until all entries of `queues` are written; False when they are not within `seconds`."""
        queues = list(queues)
        if not self._is_threaded:
            while any(queue.pending() for queue in queues):
                if not self.work():
                    return False
            return True
        deadline = time.monotonic() + seconds
        with self._idle:
            while any(queue.pending() for queue in queues):
                self._wake.set()
                left = deadline - time.monotonic()
                if left <= 0 or not self._thread_lives():
                    return False
                self._idle.wait(min(left, 0.25))
        return True

    def queues_of(self, device_id: str) -> list[IndexQueue]:
        with self._lock:
            return [queue for queue in self._queues if queue.device_id == device_id]

    @property
    def attached(self) -> int:
        """Devices that are being recorded."""
        with self._lock:
            return sum(not queue.is_closed for queue in self._queues)

    @property
    def waiting(self) -> int:
        """Entries that are not written yet."""
        with self._lock:
            queues = list(self._queues)
        return sum(len(queue.pending()) for queue in queues)

    def work(self) -> bool:
        """Write queued entries, and read device states when due. False: the database is unavailable. Never raises."""
        with self._working:
            self._watch()
            is_available = self._write_all() and self._read_device_states()
        with self._lock:
            self._queues = [queue for queue in self._queues if not queue.is_closed or queue.pending()]
        with self._idle:
            self._idle.notify_all()
        return is_available

    def close(self, seconds: float = 5.0) -> None:
        """Write queued entries for at most `seconds`, then end. May be called twice."""
        if self._is_closed:
            return
        self._is_closed = True
        with self._lock:
            queues = list(self._queues)
        self.drain(queues, seconds)
        self._wake.set()
        if self._thread is not None:
            self._thread.join(2.0)

    # ---- the thread --------------------------------------------------------------------------------------------

    def _run(self) -> None:
        pause = WRITE_SECONDS
        next_report = 0.0
        while not self._is_closed or any(queue.pending() for queue in self._queues):
            self._wake.wait(pause)
            self._wake.clear()
            try:
                pause = WRITE_SECONDS if self.work() else RETRY_SECONDS
                if time.monotonic() >= next_report:
                    next_report = time.monotonic() + REPORT_SECONDS
                    self._report()
            except Exception:
                log.exception("the index of recordings cannot be written")
                pause = RETRY_SECONDS
            if self._is_closed and pause == RETRY_SECONDS:
                return

    def _thread_lives(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _watch(self) -> None:
        """Report a disk that does not answer: its recorder is blocked and cannot do so."""
        now = self._clock.monotonic()
        for queue in list(self._queues):
            since = queue.busy_since
            if since is not None and now - since > STUCK_SECONDS:
                queue.observe("interrupted", "storage_failed", "the disk of the footage does not answer")

    def _write_all(self) -> bool:
        with self._lock:
            queues = [queue for queue in self._queues if queue.pending()]
        if not queues:
            return True
        # The same order everywhere, so that two processes that lock several recordings do not deadlock.
        queues.sort(key=lambda queue: queue.fence.recording_id)
        # After two failures each queue is written alone: one that cannot be written must not delay the others.
        groups = [queues] if self._failures < 2 else [[queue] for queue in queues]
        is_written = all(list(map(self._write, groups)))
        self._failures = 0 if is_written else self._failures + 1
        return is_written

    def _write(self, queues: list[IndexQueue]) -> bool:
        written: list[tuple[IndexQueue, list[tuple[Entry, int | None]]]] = []
        lost = []
        try:
            with database.transaction():
                for queue in queues:
                    try:
                        written.append((queue, self._write_queue(queue)))
                    except LeaseLost:
                        lost.append(queue)
        except Unavailable as error:
            log.debug("the index cannot be written now: %s", error)
            return False
        for queue in lost:
            queue.mark_lost()
        for queue, entries in written:
            queue.remove_written(entry for entry, _ in entries)
            for entry, row_id in entries:
                if row_id is not None and queue.confirm_write(entry, row_id):
                    self._report_finished(queue, WrittenSegment(entry.segment, row_id))
        return True

    def _write_queue(self, queue: IndexQueue) -> list[tuple[Entry, int | None]]:
        done: list[tuple[Entry, int | None]] = []
        for entry in queue.pending()[:_BATCH]:
            row_id = None
            try:
                row_id = entry.write(queue.fence)
            except (LeaseLost, Unavailable, peewee.OperationalError, peewee.InterfaceError):
                raise
            except Exception:
                log.exception("device %s: an entry of the index cannot be written and is skipped", queue.device_id)
                entry.forget()
            done.append((entry, row_id))
        return done

    def _report_finished(self, queue: IndexQueue, finished: WrittenSegment) -> None:
        """Have the recorder's own thread call the hooks, or call them here when it has ended."""
        if queue.is_closed:
            self._announce(queue.device_id, describe_segment(queue.device_id, finished))
        else:
            queue.finished.append(finished)

    def _read_device_states(self) -> bool:
        now = self._clock.monotonic()
        if now < self._next_read:
            return True
        with self._lock:
            queues = [queue for queue in self._queues if not queue.is_closed]
        self._next_read = now + STATE_SECONDS
        if not queues:
            return True
        try:
            device_states = read_device_states([queue.fence.recording_id for queue in queues])
        except Unavailable as error:
            log.debug("device states cannot be read now: %s", error)
            return False
        for queue in queues:
            queue.device_state = device_states.get(queue.fence.recording_id)
            queue.device_state_at = now
            if queue.device_state is not None and queue.device_state.settings.fencing_token != queue.fence.token:
                queue.mark_lost()
        return True
