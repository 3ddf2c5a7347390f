"""Writes the index from a thread of its own: a database that is slow or away never delays a file.

What recorders want written waits in a queue for each of them, in order, and goes out with everyone else's in one
transaction, about twice a second. What the database says of their wishes and streams is read on the same occasion.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable

import peewee

from gateway import database
from gateway.clock import Clock
from gateway.errors import LeaseLost, Unavailable
from gateway.footage.recorder_state import DeviceState, read_device_states
from gateway.footage.segments import Fence
from gateway.media import SegmentFact
from plugins.hls_recorder.entries import Entry
from plugins.hls_recorder.index_queue import IndexQueue, WrittenSegment, describe_segment
from plugins.hls_recorder.metrics import REPORT_SECONDS

log = logging.getLogger(__name__)

#: How often what waits is written, and how often wishes are read.
WRITE_SECONDS = 0.5
STATE_SECONDS = 1.0
#: A database that is away is asked again after so long.
RETRY_SECONDS = 2.0
#: So many of one queue go out in one transaction, so that no other queue waits long.
_BATCH = 100
#: A recorder whose call to the disk has not returned for so long is shown as interrupted.
STUCK_SECONDS = 5.0


class IndexWriter:
    """All queues of a process. Without a thread (`is_threaded=False`, for tests) `work` is called by whoever waits."""

    def __init__(
        self,
        clock: Clock,
        announce: Callable[[str, SegmentFact], None],
        *,
        report: Callable[[], None] = lambda: None,
        is_threaded: bool = True,
    ) -> None:
        """`announce` tells of a closed segment whose recorder is gone, `report` is called every REPORT_SECONDS."""
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
        """A queue for a recorder that has claimed its device."""
        queue = IndexQueue(device_id, fence, device_state, self._clock.monotonic())
        with self._lock:
            self._queues.append(queue)
            if self._thread is None and self._is_threaded and not self._is_closed:
                self._thread = threading.Thread(target=self._run, name="recording-index", daemon=True)
                self._thread.start()
        return queue

    def drain(self, queues: Iterable[IndexQueue], seconds: float) -> bool:
        """Wait until all that waits in `queues` is written; False when it was not within `seconds`."""
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
        """Write what waits and read the device_state if it is time; False when the database is away. Never raises."""
        with self._working:
            self._watch()
            is_well = self._write_all() and self._read_device_states()
        with self._lock:
            self._queues = [queue for queue in self._queues if not queue.is_closed or queue.pending()]
        with self._idle:
            self._idle.notify_all()
        return is_well

    def close(self, seconds: float = 5.0) -> None:
        """Write what waits, for at most `seconds`, and end. May be called twice."""
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
        """A disk that does not answer is told of by us: the recorder itself cannot."""
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
        # In one order everywhere, so that two processes that lock several recordings cannot wait for each other.
        queues.sort(key=lambda queue: queue.fence.recording_id)
        # After two failures each goes alone: one queue that cannot be written must not hold up the others.
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
            log.debug("the index waits: %s", error)
            return False
        for queue in lost:
            queue.mark_lost()
        for queue, entries in written:
            queue.remove_written(entry for entry, _ in entries)
            for entry, row_id in entries:
                if row_id is not None and queue.confirm_write(entry, row_id):
                    self._tell(queue, WrittenSegment(entry.segment, row_id))
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
                log.exception("device %s: an entry of the index cannot be written and is left out", queue.device_id)
                entry.forget()
            done.append((entry, row_id))
        return done

    def _tell(self, queue: IndexQueue, finished: WrittenSegment) -> None:
        """Hooks are called in the recorder's own thread, or here once there is none."""
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
            device_state = read_device_states([queue.fence.recording_id for queue in queues])
        except Unavailable as error:
            log.debug("wishes cannot be read now: %s", error)
            return False
        for queue in queues:
            queue.device_state = device_state.get(queue.fence.recording_id)
            queue.device_state_at = now
            if queue.device_state is not None and queue.device_state.settings.fencing_token != queue.fence.token:
                queue.mark_lost()
        return True
