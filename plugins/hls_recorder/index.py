"""Writes the index from a thread of its own: a database that is slow or away never delays a file.

What recorders want written waits in a line for each of them, in order, and goes out with everyone else's in one
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
from gateway.footage.recorder_state import DeviceFacts, read_facts
from gateway.footage.segments import Fence
from gateway.media import SegmentFact
from plugins.hls_recorder.entries import Entry
from plugins.hls_recorder.index_queue import Finished, IndexQueue, describe
from plugins.hls_recorder.metrics import REPORT_SECONDS

log = logging.getLogger(__name__)

#: How often what waits is written, and how often wishes are read.
WRITE_SECONDS = 0.5
FACTS_SECONDS = 1.0
#: A database that is away is asked again after so long.
RETRY_SECONDS = 2.0
#: So many of one line go out in one transaction, so that no other line waits long.
_BATCH = 100
#: A recorder whose call to the disk has not returned for so long is shown as interrupted.
STUCK_SECONDS = 5.0


class IndexWriter:
    """All lines of a process. Without a thread (`is_threaded=False`, for tests) `work` is called by whoever waits."""

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
        self._lines: list[IndexQueue] = []
        self._lock = threading.Lock()
        self._working = threading.Lock()
        self._wake = threading.Event()
        self._idle = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._next_facts = 0.0
        self._failures = 0

    def open_line(self, device_id: str, fence: Fence, facts: DeviceFacts) -> IndexQueue:
        """A line for a recorder that has claimed its device."""
        line = IndexQueue(device_id, fence, facts, self._clock.monotonic())
        with self._lock:
            self._lines.append(line)
            if self._thread is None and self._is_threaded and not self._is_closed:
                self._thread = threading.Thread(target=self._run, name="recording-index", daemon=True)
                self._thread.start()
        return line

    def drain(self, lines: Iterable[IndexQueue], seconds: float) -> bool:
        """Wait until all that waits in `lines` is written; False when it was not within `seconds`."""
        lines = list(lines)
        if not self._is_threaded:
            while any(line.pending() for line in lines):
                if not self.work():
                    return False
            return True
        deadline = time.monotonic() + seconds
        with self._idle:
            while any(line.pending() for line in lines):
                self._wake.set()
                left = deadline - time.monotonic()
                if left <= 0 or not self._thread_lives():
                    return False
                self._idle.wait(min(left, 0.25))
        return True

    def lines_of(self, device_id: str) -> list[IndexQueue]:
        with self._lock:
            return [line for line in self._lines if line.device_id == device_id]

    @property
    def attached(self) -> int:
        """Devices that are being recorded."""
        with self._lock:
            return sum(not line.is_closed for line in self._lines)

    @property
    def waiting(self) -> int:
        """Entries that are not written yet."""
        with self._lock:
            lines = list(self._lines)
        return sum(len(line.pending()) for line in lines)

    def work(self) -> bool:
        """Write what waits and read the facts if it is time; False when the database is away. Never raises."""
        with self._working:
            self._watch()
            is_well = self._write_all() and self._read_facts()
        with self._lock:
            self._lines = [line for line in self._lines if not line.is_closed or line.pending()]
        with self._idle:
            self._idle.notify_all()
        return is_well

    def close(self, seconds: float = 5.0) -> None:
        """Write what waits, for at most `seconds`, and end. May be called twice."""
        if self._is_closed:
            return
        self._is_closed = True
        with self._lock:
            lines = list(self._lines)
        self.drain(lines, seconds)
        self._wake.set()
        if self._thread is not None:
            self._thread.join(2.0)

    # ---- the thread --------------------------------------------------------------------------------------------

    def _run(self) -> None:
        pause = WRITE_SECONDS
        next_report = 0.0
        while not self._is_closed or any(line.pending() for line in self._lines):
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
        for line in list(self._lines):
            since = line.busy_since
            if since is not None and now - since > STUCK_SECONDS:
                line.observe("interrupted", "storage_failed", "the disk of the footage does not answer")

    def _write_all(self) -> bool:
        with self._lock:
            lines = [line for line in self._lines if line.pending()]
        if not lines:
            return True
        # In one order everywhere, so that two processes that lock several recordings cannot wait for each other.
        lines.sort(key=lambda line: line.fence.recording_id)
        # After two failures each goes alone: one line that cannot be written must not hold up the others.
        groups = [lines] if self._failures < 2 else [[line] for line in lines]
        is_written = all(list(map(self._write, groups)))
        self._failures = 0 if is_written else self._failures + 1
        return is_written

    def _write(self, lines: list[IndexQueue]) -> bool:
        written: list[tuple[IndexQueue, list[tuple[Entry, int | None]]]] = []
        lost = []
        try:
            with database.transaction():
                for line in lines:
                    try:
                        written.append((line, self._write_line(line)))
                    except LeaseLost:
                        lost.append(line)
        except Unavailable as error:
            log.debug("the index waits: %s", error)
            return False
        for line in lost:
            line.lose()
        for line, entries in written:
            line.settle(entry for entry, _ in entries)
            for entry, row_id in entries:
                if row_id is not None and line.finalize_segment(entry, row_id):
                    self._tell(line, Finished(entry.segment, row_id))
        return True

    def _write_line(self, line: IndexQueue) -> list[tuple[Entry, int | None]]:
        done: list[tuple[Entry, int | None]] = []
        for entry in line.pending()[:_BATCH]:
            row_id = None
            try:
                row_id = entry.write(line.fence)
            except (LeaseLost, Unavailable, peewee.OperationalError, peewee.InterfaceError):
                raise
            except Exception:
                log.exception("device %s: an entry of the index cannot be written and is left out", line.device_id)
                entry.forget()
            done.append((entry, row_id))
        return done

    def _tell(self, line: IndexQueue, finished: Finished) -> None:
        """Hooks are called in the recorder's own thread, or here once there is none."""
        if line.is_closed:
            self._announce(line.device_id, describe(line.device_id, finished))
        else:
            line.finished.append(finished)

    def _read_facts(self) -> bool:
        now = self._clock.monotonic()
        if now < self._next_facts:
            return True
        with self._lock:
            lines = [line for line in self._lines if not line.is_closed]
        self._next_facts = now + FACTS_SECONDS
        if not lines:
            return True
        try:
            facts = read_facts([line.fence.recording_id for line in lines])
        except Unavailable as error:
            log.debug("wishes cannot be read now: %s", error)
            return False
        for line in lines:
            line.facts = facts.get(line.fence.recording_id)
            line.facts_at = now
            if line.facts is not None and line.facts.settings.epoch != line.fence.epoch:
                line.lose()
        return True
