"""The recorder of one device: puts parts into files, and tells the index what is in them and what is missing."""

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gateway.clock import Clock
from gateway.config import Config
from gateway.errors import LeaseLost, Unavailable
from gateway.media import Part, Position, SegmentFact, segment_key
from gateway.outputs import Consumption
from gateway.recording_plan import Decision
from gateway.retention import request_room
from gateway.storage import Storage, StorageFull, StorageUnavailable
from plugins.hls_recorder.entrance import Entrance, Gate
from plugins.hls_recorder.entries import CloseGapEntry, GapEntry, MarkEntry, OpenGapEntry
from plugins.hls_recorder.facts import DeviceFacts
from plugins.hls_recorder.index import IndexLine, IndexWriter, describe
from plugins.hls_recorder.reasons import UNWANTED, explain_silence
from plugins.hls_recorder.segment import LONGEST_PART_MS, OpenSegment, Place

#: With parts of half a second every second one is followed by a sync: no byte waits a second for it.
SYNC_SECONDS = 0.45
INDEX_SECONDS = 3.0
MINUTE_MS = 60_000
#: Without a key part a file ends after so long at any part.
LONGEST_SEGMENT_MS = 120_000
#: A shorter hole between two parts is none: times are rounded, and a new run begins a moment after the last.
HOLE_MS = 200
#: Parts of one run that are further apart than this, or runs that overlap by more, are the work of a clock that was set.
JUMP_MS = 5_000
#: For so long after the clock was set, a hole or overlap of footage is put down to that.
_JUMP_MEMORY_SECONDS = 60.0
SILENT_SECONDS = 5.0
#: A recorder that takes parts so long after they came runs out of the bus.
_LATE_SHARE = 0.6
#: When nothing is wanted any more, parts of before are waited for so long.
_LAST_PARTS_SECONDS = 2.0
_DRAIN_SECONDS = 5.0
#: What the database said longer ago than this may have changed.
_FRESH_SECONDS = 3.0
_SANE_MS = range(946_684_800_000, 4_102_444_800_000)  # from the year 2000 to 2100


@dataclass(slots=True)
class Memory:
    """What a process remembers of a device from one attachment to the next."""

    trouble: str | None = None
    starts_over: bool = False
    entrance: Entrance | None = None
    bytes_written: int = 0
    durable_at: float | None = None


@dataclass(slots=True)
class Footage:
    """Where the footage ends, and the reason of the gap that is noted as open behind it.

    `unwanted_until_ms`: that gap is a time in which nobody wanted footage, and ends here at the latest.
    """

    position: Position | None
    end_ms: int | None
    open_gap: str | None = None
    unwanted_until_ms: int | None = None

    @property
    def hole_begins_ms(self) -> int | None:
        """From when on footage is missing, if none comes."""
        return self.end_ms if self.unwanted_until_ms is None else self.unwanted_until_ms


class DeviceRecorder(Consumption):
    """One attachment. What it raises ends it; the next one finds its way by what is on disk."""

    def __init__(
        self,
        *,
        config: Config,
        clock: Clock,
        storage: Storage,
        index: IndexWriter,
        line: IndexLine,
        memory: Memory,
        footage: Footage,
        gate: Gate | None,
        notify: Callable[[str, SegmentFact], None],
    ) -> None:
        self._config = config
        self._clock = clock
        self._storage = storage
        self._index = index
        self._line = line
        self._memory = memory
        self._footage = footage
        self._gate = gate
        self._notify = notify
        self._settings = line.facts.settings
        self._log = logging.getLogger(f"vas.record.{line.device_id}")
        self._segment: OpenSegment | None = None
        self._is_first = True
        self._is_broken = False
        self._is_closed = False
        self._lateness = 0.0
        self._last_duration_ms = 0
        self._slow_call: str | None = None
        self._last_part_at = clock.monotonic()
        self._attached_ms = self._now_ms()
        self._clock_offset = clock.wall() - clock.monotonic()
        self._jumped_at = -math.inf
        self._behind_since: float | None = None
        self._ending_at_ms: int | None = None
        self._ending_until = 0.0

    @property
    def position(self) -> Position | None:
        return self._footage.position

    # ---- parts -------------------------------------------------------------------------------------------------

    def take(self, part: Part, init_segment: bytes) -> None:
        """Write a part. Raises LeaseLost, StorageUnavailable, and Conflict for a file that is there already."""
        self._check_owner()
        self._announce()
        self._watch_clock()
        position = self._footage.position
        if position is not None and part.position <= position:
            return
        place = self._place(part)
        self._last_part_at = self._clock.monotonic()
        if self._ending_at_ms is not None and place.start_ms >= self._ending_at_ms:
            return
        if self._gate is None:
            self._write(part, place, init_segment)
            return
        for admitted in self._gate.admit(part, place):
            self._write(*admitted, init_segment)
        if self._gate.is_open:
            self._gate = None

    def _write(self, part: Part, place: Place, init_segment: bytes) -> None:
        if self._segment is not None and self._needs_new_file(self._segment, part, place):
            self._finish_segment()
        with self._disk():
            if self._segment is None:
                self._segment = self._begin(part, place, init_segment)
            self._segment.append(part, place, self._clock.monotonic())
        self._note_hole(part, place)
        self._footage.position, self._footage.end_ms = part.position, place.end_ms
        self._memory.bytes_written += len(part.data)
        self._memory.trouble = self._memory.entrance = None
        self._lateness = self._clock.wall() - part.end
        self._last_duration_ms = place.duration_ms
        self._is_first = False
        self._slow_call = None
        self._keep_safe()

    def _begin(self, part: Part, place: Place, init_segment: bytes) -> OpenSegment:
        settings = self._settings
        key = segment_key(settings.tenant_id, settings.device_id, place.start_ms, part.run, part.sequence)
        writer = self._storage.create(key)
        return OpenSegment(
            writer, key, storage_id=self._storage.id, first=part.position, start_ms=place.start_ms, init_segment=init_segment
        )

    @staticmethod
    def _needs_new_file(segment: OpenSegment, part: Part, place: Place) -> bool:
        if part.run != segment.run or part.sequence != segment.next_sequence:
            return True
        if not -JUMP_MS <= place.start_ms - segment.end_ms <= JUMP_MS:
            return True
        if part.is_key and place.start_ms // MINUTE_MS != segment.start_ms // MINUTE_MS:
            return True
        return place.start_ms - segment.start_ms >= LONGEST_SEGMENT_MS

    def _place(self, part: Part) -> Place:
        """Where the part belongs; what cannot be is replaced by what is likely."""
        duration_ms = round(part.duration * 1000) if 0 <= part.duration < math.inf else 0
        duration_ms = min(duration_ms, LONGEST_PART_MS)
        start_ms = round(part.start * 1000) if abs(part.start) < math.inf else -1
        if start_ms not in _SANE_MS:
            follows = self._segment is not None and part.run == self._segment.run
            start_ms = self._segment.end_ms if follows else self._now_ms() - duration_ms
        return Place(start_ms, duration_ms)

    # ---- what is missing ---------------------------------------------------------------------------------------

    def _note_hole(self, part: Part, place: Place) -> None:
        """Before the first footage after a hole: say how long it was, and why."""
        footage = self._footage
        if footage.unwanted_until_ms is not None:
            footage.end_ms, footage.unwanted_until_ms, footage.open_gap = footage.unwanted_until_ms, None, None
            self._line.push(CloseGapEntry(min(footage.end_ms, place.start_ms)))
        elif footage.open_gap is not None:
            footage.open_gap = None
            self._line.push(CloseGapEntry(place.start_ms))
            return
        if footage.end_ms is None:
            return
        if place.start_ms < footage.end_ms - JUMP_MS:
            seconds = round((footage.end_ms - place.start_ms) / 1000)
            note = f"the clock was set back by about {seconds} s: footage of two times overlaps from here on"
            self._line.push(MarkEntry(self._settings.tenant_id, place.start_ms, "clock_jumped", note))
        elif place.start_ms - footage.end_ms > HOLE_MS:
            reason, otherwise = self._explain(part)
            self._line.push(
                GapEntry(self._line.device_id, footage.end_ms, place.start_ms, reason, otherwise)
            )

    def _explain(self, part: Part) -> tuple[str | None, str]:
        """The reason of the hole before this part, None where the stream's history must tell; and what to say otherwise."""
        if self._memory.trouble is not None:
            return self._memory.trouble, "unknown"
        if self._clock.monotonic() - self._jumped_at < _JUMP_MEMORY_SECONDS:
            return "clock_jumped", "unknown"
        position = self._footage.position
        if position is None or part.run != position.run:
            return None, "recorder_restarted" if self._is_first else "unknown"
        if part.sequence == position.sequence + 1:
            return "clock_jumped", "unknown"
        if self._is_first:
            return "recorder_restarted", "unknown"
        if self._slow_call is not None:
            return self._slow_call, "unknown"
        is_late = self._lateness > self._config.bus_window_seconds * _LATE_SHARE
        return "too_slow" if is_late else "bus_lost", "unknown"

    def _watch_clock(self) -> None:
        offset = self._clock.wall() - self._clock.monotonic()
        if abs(offset - self._clock_offset) * 1000 > JUMP_MS:
            self._jumped_at = self._clock.monotonic()
        self._clock_offset = offset

    # ---- time that passes --------------------------------------------------------------------------------------

    def tick(self) -> str | None:
        """Keep what was written safe, follow the wish, and notice that nothing comes. Raises as `take` does."""
        self._check_owner()
        self._announce()
        facts = self._line.facts
        if facts is None:
            return "device_deleted"
        self._settings = facts.settings
        self._keep_safe()
        decision = facts.settings.decide(self._now_ms())
        if not decision.is_wanted:
            return self._end(decision)
        self._ending_at_ms = None
        silent = self._clock.monotonic() - self._last_part_at
        if silent > SILENT_SECONDS + self._last_duration_ms / 1000:
            self._note_silence()
        if self._segment is not None and silent > 2 * self._config.stall_seconds:
            # Nothing more comes into this file: the stream has begun a new run by now, or will.
            self._finish_segment()
        return None

    def _keep_safe(self) -> None:
        """Sync and index what is due."""
        segment = self._segment
        if segment is None:
            return
        now = self._clock.monotonic()
        is_new = segment.snapshot is None
        since = segment.unsynced_since
        if since is not None and (is_new or now - since >= SYNC_SECONDS):
            with self._disk():
                segment.sync()
            self._memory.durable_at = self._clock.wall()
        if now - segment.indexed_at >= INDEX_SECONDS and segment.has_news:
            segment.indexed_at = now
            self._line.save(segment, is_closed=False)
            self._line.observe("recording")

    def _finish_segment(self) -> None:
        segment = self._segment
        with self._disk():
            segment.sync()
        segment.close()
        self._segment = None
        self._line.save(segment, is_closed=True)

    def _note_silence(self) -> None:
        """No part has come for a while: say so while it lasts."""
        facts = self._line.facts
        position = self._footage.position
        reason = explain_silence(facts)
        if reason is None:
            self._check_run(facts)
            return
        is_wanted = reason not in UNWANTED
        self._line.observe("interrupted" if position is not None and is_wanted else "waiting", reason)
        footage = self._footage
        if footage.open_gap is None or footage.unwanted_until_ms is not None:
            start_ms = footage.hole_begins_ms
        elif is_wanted == (footage.open_gap not in UNWANTED):
            return
        else:
            start_ms = self._now_ms()
        footage.open_gap, footage.unwanted_until_ms = reason, None
        start_ms = self._attached_ms if start_ms is None else start_ms
        self._line.push(OpenGapEntry(start_ms, reason, is_wanted=is_wanted))

    def _check_run(self, facts: DeviceFacts) -> None:
        """Notice runs that count from a lower number than the footage: the database was put back to an older state.

        Nothing that the bus carries from then on would ever come after our position. Raises Unavailable.
        """
        now = self._clock.monotonic()
        position = self._footage.position
        is_behind = facts.observed == "running" and position is not None and facts.run < position.run
        if not is_behind or now - self._line.facts_at > _FRESH_SECONDS:
            self._behind_since = None
        elif self._behind_since is None:
            self._behind_since = now
        elif now - self._behind_since > SILENT_SECONDS:
            self._memory.starts_over = True
            raise Unavailable(f"run {facts.run} of the stream is below run {position.run} of its footage")

    def _end(self, decision: Decision) -> str | None:
        """Footage is not wanted any more: what was sent before this moment is still taken."""
        now = self._clock.monotonic()
        if self._ending_at_ms is None:
            self._ending_at_ms = self._now_ms()
            self._ending_until = now + _LAST_PARTS_SECONDS
        end_ms = self._footage.end_ms
        has_all = self._segment is None or end_ms >= self._ending_at_ms
        if not has_all and now < self._ending_until:
            return None
        if self._segment is not None:
            self._finish_segment()
        is_recent = end_ms is not None and abs(self._ending_at_ms - end_ms) < JUMP_MS
        self._line.push(
            OpenGapEntry(
                end_ms if is_recent else self._ending_at_ms,
                decision.reason_code,
                is_wanted=False,
                by_name=decision.by_name,
            )
        )
        is_waiting = decision.reason_code in {"not_planned", "no_event"}
        self._line.observe("waiting" if is_waiting else "off", decision.reason_code)
        return decision.reason_code

    # ---- the end -----------------------------------------------------------------------------------------------

    def close(self, reason: str) -> None:
        """Make safe what was taken. After a failure of the disk the row stays open: the next attachment reads the file."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            if self._segment is not None and not self._is_broken and not self._line.is_lost:
                self._finish_segment()
            if not self._line.is_lost:
                self._index.drain([self._line], _DRAIN_SECONDS)
            self._announce()
        finally:
            self._line.is_closed = True
            if self._segment is not None:
                self._segment.close()
                self._segment = None

    # ---- small things ------------------------------------------------------------------------------------------

    def _check_owner(self) -> None:
        if self._line.is_lost:
            raise LeaseLost(f"recording {self._line.fence.recording_id} belongs to another recorder")

    def _announce(self) -> None:
        while self._line.finished:
            finished = self._line.finished.popleft()
            self._notify(self._line.device_id, describe(self._line.device_id, finished))

    @contextmanager
    def _disk(self) -> Iterator[None]:
        """Around what may block or fail: a failure is remembered, told and noted as the beginning of a gap."""
        started = self._line.busy_since = self._clock.monotonic()
        try:
            yield
        except StorageUnavailable as error:
            self._is_broken = True
            self._fail(error)
            raise
        finally:
            self._line.busy_since = None
            if self._clock.monotonic() - started > SILENT_SECONDS:
                self._slow_call = "storage_failed"

    def _fail(self, error: StorageUnavailable) -> None:
        if isinstance(error, StorageFull):
            request_room()
        footage = self._footage
        if self._segment is not None:
            since_ms = self._segment.durable_end_ms
        elif footage.open_gap is not None and footage.unwanted_until_ms is None:
            since_ms = self._now_ms()
        else:
            since_ms = footage.hole_begins_ms
        note_trouble(self._line, self._memory, error, self._attached_ms if since_ms is None else since_ms)

    def _now_ms(self) -> int:
        return round(self._clock.wall() * 1000)


def note_trouble(line: IndexLine, memory: Memory, error: StorageUnavailable, since_ms: int) -> None:
    """Say that nothing can be recorded, and since when."""
    memory.trouble = error.reason
    line.observe("interrupted", error.reason, error.message)
    line.push(OpenGapEntry(since_ms, error.reason))
