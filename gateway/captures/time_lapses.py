"""Selects the pictures of a time-lapse: key frames of a recording, or snapshots.

All times are milliseconds since 1970, UTC. A range is divided into steps; each step has at most one picture.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import ceil
from typing import NamedTuple

import peewee

from gateway import database
from gateway.captures.snapshots import Snapshot
from gateway.footage.gaps import HOLE_MS
from gateway.footage.reading import packed_between, segments_between
from gateway.footage.recordings import Recording
from gateway.footage.segments import StoredSegment
from gateway.media import segment_key, unpack_parts
from gateway.tenancy.scopes import EveryTenantScope

#: How far before a range its first picture may be: no camera has key frames further apart.
_BEFORE_MS = 20_000
#: The range of the index that is read at once.
_WINDOW_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Steps:
    """A range in steps of equal length; the last one may be shorter."""

    start_ms: int
    end_ms: int
    step_ms: float

    @property
    def count(self) -> int:
        return max(1, ceil((self.end_ms - self.start_ms) / self.step_ms - 1e-9))

    def number_of(self, at_ms: int) -> int:
        """The number of the step of a moment, from 0; negative before the range."""
        return int((at_ms - self.start_ms) // self.step_ms)

    def start_of(self, number: int) -> int:
        """The start of a step; the end of the range for the number after the last one."""
        return min(self.end_ms, round(self.start_ms + number * self.step_ms))


class KeyFrame(NamedTuple):
    """A part of a file that begins with a key frame: `offset` and `size` in bytes."""

    at_ms: int
    key: str
    init_size: int
    offset: int
    size: int


@dataclass(slots=True)
class Pick:
    """A picture and the number of steps for which it is shown: its own, and following ones without a newer picture."""

    frame: KeyFrame
    steps: int = 1


@dataclass(slots=True)
class Picks:
    """The pictures in order, and the ranges without footage."""

    pictures: list[Pick] = field(default_factory=list)
    gaps: list[tuple[int, int]] = field(default_factory=list)


def pick_key_frames(recording: Recording, steps: Steps, check: Callable[[], None] = lambda: None) -> Picks:
    """The first key frame of each step; a step with footage but without a key frame shows the one before it.

    `check` is called for each file and may raise.
    """
    picker = _Picker(recording, steps)
    at, follows = steps.start_ms - _BEFORE_MS, False
    while at < steps.end_ms:
        end = min(at + _WINDOW_MS, steps.end_ms)
        for segment in segments_between(recording.id, at, end):
            check()
            # A file that starts in the previous window was read there.
            if segment.start_ms >= at or not follows:
                picker.add(segment)
        # A long step needs no more footage once it has its picture.
        at = max(end, steps.start_of(picker.last + 1)) if steps.step_ms > _WINDOW_MS else end
        follows = at == end
    return picker.finish()


def pick_snapshots(
    scope: EveryTenantScope,
    device_id: str,
    start_ms: int,
    end_ms: int,
    *,
    step_ms: float | None = None,
    schedule_id: int | None = None,
) -> list[Snapshot]:
    """The snapshots of a range, oldest first; with a step, the first of each."""
    query = _between(scope, device_id, start_ms, end_ms, schedule_id).order_by(Snapshot.at_ms, Snapshot.id)
    with database.session():
        if step_ms is None:
            return list(query)
        steps, taken = Steps(start_ms, end_ms, step_ms), {}
        # Not as a list: a schedule may have taken a picture each second for a year.
        for snapshot in query.iterator():
            taken.setdefault(steps.number_of(snapshot.at_ms), snapshot)
        return list(taken.values())


def count_snapshots(
    scope: EveryTenantScope, device_id: str, start_ms: int, end_ms: int, *, schedule_id: int | None = None
) -> int:
    """The number of snapshots in a range."""
    with database.session():
        return _between(scope, device_id, start_ms, end_ms, schedule_id).count()


def nearest_snapshots(scope: EveryTenantScope, device_id: str, at_ms: int) -> tuple[int | None, int | None]:
    """The moments of the last snapshot of a device before a moment, and of the first after it."""
    kept = scope.select(Snapshot, Snapshot.at_ms).where(Snapshot.device_id == device_id, Snapshot.deleted_at.is_null())
    with database.session():
        before = kept.where(Snapshot.at_ms < at_ms).order_by(Snapshot.at_ms.desc()).limit(1).scalar()
        after = kept.where(Snapshot.at_ms >= at_ms).order_by(Snapshot.at_ms).limit(1).scalar()
    return before, after


def _between(
    scope: EveryTenantScope, device_id: str, start_ms: int, end_ms: int, schedule_id: int | None
) -> peewee.ModelSelect:
    query = scope.select(Snapshot).where(
        Snapshot.device_id == device_id,
        Snapshot.at_ms >= start_ms,
        Snapshot.at_ms < end_ms,
        Snapshot.deleted_at.is_null(),
    )
    return query if schedule_id is None else query.where(Snapshot.schedule_id == schedule_id)


class _Picker:
    """Picks from the files of a recording in order. `last` is the newest step with a picture, -1 before the first."""

    def __init__(self, recording: Recording, steps: Steps) -> None:
        self._recording, self._steps = recording, steps
        self._picks = Picks()
        self._covered = steps.start_ms - _BEFORE_MS
        self._before: KeyFrame | None = None
        self.last = -1

    def add(self, segment: StoredSegment) -> None:
        """Pick from a file, unless its step has a picture already."""
        if self.last >= 0 and self._steps.number_of(segment.end_ms - 1) <= self.last:
            self._covered = max(self._covered, segment.end_ms)
            return
        for frame, end_ms in _parts(self._recording, segment):
            if frame.at_ms >= self._steps.end_ms:
                break
            if frame.at_ms - self._covered > HOLE_MS and self._covered <= self._steps.start_ms:
                # A key frame before a hole does not show the start of the range.
                self._before = None
            if frame.size:
                self._add_key(frame)
            self._covered = max(self._covered, end_ms)

    def finish(self) -> Picks:
        """All pictures, with the steps after the last one."""
        self._take_before()
        self._close(self._steps.count)
        return self._picks

    def _add_key(self, frame: KeyFrame) -> None:
        number = self._steps.number_of(frame.at_ms)
        if number < 0:
            self._before = frame
            return
        if number > 0:
            self._take_before()
        if number > self.last:
            self._close(number)
            self._picks.pictures.append(Pick(frame))
            self.last = number

    def _take_before(self) -> None:
        """Start a range that begins between two key frames with the one before it."""
        if self.last < 0 and self._before is not None and self._covered > self._steps.start_ms:
            self._picks.pictures.append(Pick(self._before))
            self.last = 0

    def _close(self, following: int) -> None:
        """Fill the steps between the last picture and the step `following`: the picture is held, or there is a gap."""
        steps, first_empty = self._steps, self.last + 1
        if self._picks.pictures:
            covered = ceil((self._covered - steps.start_ms) / steps.step_ms)
            held = min(max(covered - first_empty, 0), following - first_empty)
            self._picks.pictures[-1].steps += held
            first_empty += held
        if first_empty < following:
            self._picks.gaps.append((steps.start_of(first_empty), steps.start_of(following)))


def _parts(recording: Recording, segment: StoredSegment) -> Iterator[tuple[KeyFrame, int]]:
    """The parts of a file with their ends; parts without a key frame have size 0."""
    packed = packed_between(recording.id, segment.start_ms, segment.start_ms + 1).get(segment.id, b"")
    key = segment_key(recording.tenant_id, recording.device_id, segment.start_ms, segment.run, segment.sequence)
    offset = segment.init_size
    for part in unpack_parts(packed):
        at_ms = segment.start_ms + part.offset_ms
        yield KeyFrame(at_ms, key, segment.init_size, offset, part.size if part.is_key else 0), at_ms + part.duration_ms
        offset += part.size
