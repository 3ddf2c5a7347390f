"""The segment file that is being written: its parts, and the state of it that is durable."""

from dataclasses import dataclass
from typing import NamedTuple

from gateway.footage.segments import SegmentValues
from gateway.media import PartFact, pack_parts
from gateway.plugin_api import Part, Position
from gateway.storage.interface import SegmentWriter

#: A larger distance between parts of one run, or a larger overlap of runs, means that a clock was set.
JUMP_MS = 5_000

_PACKED_BYTES = len(pack_parts([PartFact(0, 0, 0, 0, False, False)]))


class Place(NamedTuple):
    """The time range of a part on the wall clock, in milliseconds since 1970, UTC."""

    start_ms: int
    duration_ms: int

    @property
    def end_ms(self) -> int:
        return self.start_ms + self.duration_ms


@dataclass(frozen=True, slots=True)
class DurableState:
    """The state of a segment for the index, which has only what is durable."""

    values: SegmentValues
    packed: bytes
    is_closed: bool


class OpenSegment:
    """One file, to which parts of one run with consecutive sequences are appended."""

    def __init__(
        self, writer: SegmentWriter, key: str, *, storage_id: int, first: Position, start_ms: int, init_segment: bytes
    ) -> None:
        self.key = key
        self.start_ms = start_ms
        self.run = first.run
        self.row_id: int | None = None
        self.is_queued = False
        self.durable_state: DurableState | None = None
        self.indexed_at = float("-inf")
        self.unsynced_since: float | None = None
        self.last_duration_ms = 0
        self._writer = writer
        self._storage_id = storage_id
        self._sequence = first.sequence
        self._init = init_segment
        self._packed = bytearray()
        self._parts = self._frames = self._offset_ms = 0
        # Parts, frames, duration and size at the last sync.
        self._durable = (0, 0, 0, 0)

    @property
    def next_sequence(self) -> int:
        return self._sequence + self._parts

    @property
    def end_ms(self) -> int:
        """The end of the last part, durable or not."""
        return self.start_ms + self._offset_ms + self.last_duration_ms

    @property
    def durable_end_ms(self) -> int:
        """The end of the last durable part."""
        return self.start_ms + self._durable[2]

    @property
    def size(self) -> int:
        return self._writer.size

    @property
    def has_news(self) -> bool:
        """Whether more is durable than the index has."""
        return self.durable_state is None or self.durable_state.values.size != self._durable[3]

    def append(self, part: Part, place: Place, now: float) -> None:
        """Append a part, all or nothing; raises StorageUnavailable."""
        is_first = not self._parts
        self._writer.append(self._init + part.data if is_first else part.data)
        # Times in a file never go back, because players would stop there.
        self._offset_ms = max(self._offset_ms, place.start_ms - self.start_ms)
        self.last_duration_ms = place.duration_ms
        self._packed += pack_parts(
            (PartFact(len(part.data), self._offset_ms, place.duration_ms, part.frames, part.is_key, part.has_audio),)
        )
        self._parts += 1
        self._frames += part.frames
        if self.unsynced_since is None:
            self.unsynced_since = now

    def sync(self) -> None:
        """Make the appended parts durable; raises StorageUnavailable."""
        if self.unsynced_since is None:
            return
        state = (self._parts, self._frames, self.end_ms - self.start_ms, self._writer.size)
        self._writer.sync()
        self._durable = state
        self.unsynced_since = None

    def update_durable_state(self, *, is_closed: bool) -> None:
        """Update `durable_state`, which the index writer reads, to what is durable now."""
        parts, frames, duration_ms, size = self._durable
        self.durable_state = DurableState(
            SegmentValues(
                start_ms=self.start_ms,
                duration_ms=duration_ms,
                run=self.run,
                sequence=self._sequence,
                parts=parts,
                frames=frames,
                size=size,
                init_size=len(self._init),
                storage_id=self._storage_id,
            ),
            bytes(self._packed[: parts * _PACKED_BYTES]),
            is_closed,
        )

    def close(self) -> None:
        """Close the file without making anything durable. May be called twice."""
        self._writer.close()
