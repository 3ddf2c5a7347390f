"""Folders of footage: one for each device and day."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from gateway import database
from gateway.clock import DAY_MS
from gateway.footage.recordings import Recording
from gateway.footage.segments import Segment
from gateway.tenancy.scopes import EVERY_RECORDING, EVERY_TENANT


@dataclass(frozen=True, slots=True)
class Folder:
    """The footage of one device and day; `day` counts from 1970, UTC."""

    recording_id: int
    tenant_id: str
    device_id: str
    day: int

    @property
    def prefix(self) -> str:
        """The prefix of its files' keys."""
        return f"{self.tenant_id}/{self.device_id}/{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(self.day):%Y-%m-%d}"


def list_folders(now_ms: int, *, days_before: int = 0) -> Iterator[Folder]:
    """Every device and day that may have footage, the newest days first.

    The days come from the rows, and start `days_before` the oldest row: no folder of the store is listed for them.
    """
    bounds = []
    for recording in read_recordings():
        with database.session():
            query = EVERY_RECORDING.select(Segment, Segment.start_ms).where(Segment.recording_id == recording.id)
            first_ms = query.order_by(Segment.start_ms).limit(1).scalar()
        bounds.append((recording, (now_ms if first_ms is None else min(first_ms, now_ms)) // DAY_MS - days_before))
    newest = now_ms // DAY_MS + 1
    for day in range(newest, min((first for _, first in bounds), default=newest) - 1, -1):
        yield from (folder_of(recording, day) for recording, first in bounds if first <= day)


def folder_with_footage(folder: Folder) -> Folder | None:
    """The device's folder of the newest day with rows up to this one; None when there is none."""
    with database.session():
        query = EVERY_RECORDING.select(Segment, Segment.start_ms).where(
            Segment.recording_id == folder.recording_id, Segment.start_ms < (folder.day + 1) * DAY_MS
        )
        start_ms = query.order_by(Segment.start_ms.desc()).limit(1).scalar()
    return None if start_ms is None else replace(folder, day=start_ms // DAY_MS)


def read_recordings(ids: list[int] | None = None) -> list[Recording]:
    """The recordings of devices that are not deleted, optionally only those with these ids."""
    with database.session():
        query = EVERY_TENANT.select(Recording).where(Recording.deleted_at.is_null())
        if ids is not None:
            query = query.where(Recording.id.in_(list(set(ids))))
        return list(query.order_by(Recording.id))


def folder_of(recording: Recording, day: int) -> Folder:
    """The folder of a recording and day."""
    return Folder(recording.id, recording.tenant_id, recording.device_id, day)
