"""Entries of the index queue: each is one small change of the database, fenced by the recorder's fencing token."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import peewee

from gateway.footage.gap_rows import add_gap, close_gaps, cut_file_gaps, open_gap
from gateway.footage.recorder_state import add_mark
from gateway.footage.recordings import observe_recording
from gateway.footage.segments import Fence, Segment, SegmentState, save_segment
from plugins.hls_recorder.reasons import UNWANTED, explain_gap
from plugins.hls_recorder.segment import DurableState, OpenSegment


class Entry(ABC):
    """A change that may be repeated without harm."""

    @abstractmethod
    def write(self, fence: Fence) -> int | None:
        """Make the change in transactions of the fence. A SaveEntry returns the row's id. Raises LeaseLost."""

    def forget(self) -> None:
        """The entry was dropped and will not be written."""


class SaveEntry(Entry):
    """The row of a segment, with what is durable at the moment of writing."""

    def __init__(self, segment: OpenSegment) -> None:
        self.segment = segment
        self.written: DurableState | None = None

    def write(self, fence: Fence) -> int:
        durable_state = self.written = self.segment.durable_state
        try:
            return self._save(fence, self.segment.row_id, durable_state)
        except peewee.IntegrityError:
            if self.segment.row_id is not None:
                raise
        # The row exists: the reply to an earlier attempt was lost with its connection, or the file was removed and is
        # written again from what the bus still holds.
        return self._save(fence, self._find(fence, durable_state), durable_state)

    def forget(self) -> None:
        self.segment.is_queued = False

    @staticmethod
    def _save(fence: Fence, row_id: int | None, durable_state: DurableState) -> int:
        return save_segment(
            fence, row_id, durable_state.values, durable_state.packed, is_closed=durable_state.is_closed
        )

    @staticmethod
    def _find(fence: Fence, durable_state: DurableState) -> int:
        values = durable_state.values
        with fence.transaction() as footage:
            row = (
                footage.select(Segment)
                .where(
                    Segment.start_ms == values.start_ms,
                    Segment.run == values.run,
                    Segment.sequence == values.sequence,
                )
                .get()
            )
            is_missing = Segment.state == SegmentState.MISSING
            if footage.update(Segment, state=SegmentState.OPEN).where(Segment.id == row.id, is_missing).execute():
                # The bus keeps the newest parts, so with the first one it also has the others of the lost file.
                cut_file_gaps(footage, row.start_ms, row.start_ms + row.duration_ms)
        return row.id


@dataclass(frozen=True, slots=True)
class ObserveEntry(Entry):
    """The observed state of the recording."""

    observed: str
    reason: str | None = None
    message: str | None = None

    def write(self, fence: Fence) -> None:
        observe_recording(fence.recording_id, fence.token, self.observed, reason=self.reason, message=self.message)


@dataclass(frozen=True, slots=True)
class OpenGapEntry(Entry):
    """A gap that starts at a moment."""

    start_ms: int
    reason: str
    is_wanted: bool = True
    by_name: str | None = None

    def write(self, fence: Fence) -> None:
        open_gap(fence, self.start_ms, self.reason, is_wanted=self.is_wanted, by_name=self.by_name)


@dataclass(frozen=True, slots=True)
class CloseGapEntry(Entry):
    """The end of the open gap, where footage begins again."""

    end_ms: int

    def write(self, fence: Fence) -> None:
        close_gaps(fence, self.end_ms)


@dataclass(frozen=True, slots=True)
class GapEntry(Entry):
    """A gap that has ended. Without a `reason` the history of the stream gives one, or else `otherwise`."""

    device_id: str
    start_ms: int
    end_ms: int
    reason: str | None
    otherwise: str = "unknown"

    def write(self, fence: Fence) -> None:
        reason = self.reason or explain_gap(self.device_id, self.start_ms, self.end_ms) or self.otherwise
        add_gap(fence, self.start_ms, self.end_ms, reason, is_wanted=reason not in UNWANTED)


@dataclass(frozen=True, slots=True)
class MarkEntry(Entry):
    """A mark on the timeline that is no gap, such as the start of overlapping footage."""

    tenant_id: str
    at_ms: int
    label: str
    note: str

    def write(self, fence: Fence) -> None:
        add_mark(fence, self.tenant_id, self.at_ms, label=self.label, note=self.note, source="hls_recorder")
