"""Purges rows of snapshots and bookmarks: deleted ones that can no longer be restored, and expired ones of schedules.

For the clock process. Rows are deleted first and their files afterwards: a file that a crash left behind is found by
`orphans_of`. Each function handles at most one batch and returns the keys of the files, which the caller deletes.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import peewee

from gateway import database
from gateway.captures.bookmarks import Bookmark
from gateway.captures.files import CLIPS, SNAPSHOTS
from gateway.captures.schedules import SnapshotSchedule
from gateway.captures.snapshots import Snapshot
from gateway.clock import DAY_MS
from gateway.tenancy.scopes import EVERY_TENANT, TenantRow

#: The columns that store keys of files, by the folder of the files.
_FILES: dict[str, tuple[type[TenantRow], tuple[str, ...]]] = {
    SNAPSHOTS: (Snapshot, ("file",)),
    CLIPS: (Bookmark, ("clip_file", "poster_file")),
}


def drop_deleted(before: datetime, batch: int = 200) -> list[str]:
    """Purge the snapshots and bookmarks that were deleted before a moment."""
    return [
        key
        for model, columns in _FILES.values()
        for key in _drop(model, columns, (model.deleted_at < before), model.deleted_at, batch)
    ]


def drop_expired(schedule: SnapshotSchedule, now_ms: int, batch: int = 200) -> list[str]:
    """Purge the snapshots that exceed their schedule's `keep_days` or `keep_count`."""
    kept = (Snapshot.schedule_id == schedule.id) & Snapshot.deleted_at.is_null()
    oldest = _oldest_to_keep(schedule, kept, now_ms)
    if oldest is None:
        return []
    return _drop(Snapshot, ("file",), kept & (Snapshot.at_ms < oldest), Snapshot.at_ms, batch)


def orphans_of(keys: Iterable[str]) -> list[str]:
    """The keys of files that no row stores. Names that no capture can have are not judged and not returned."""
    found = []
    by_folder: dict[str, dict[str, str]] = {}
    for key in keys:
        owner = _owner_of(key)
        if owner is not None:
            by_folder.setdefault(key.partition("/")[0], {})[key] = owner
    for folder, owners in by_folder.items():
        model, columns = _FILES[folder]
        fields = [getattr(model, name) for name in columns]
        with database.session():
            rows = EVERY_TENANT.select(model, *fields).where(model.id.in_(list(set(owners.values())))).tuples()
            known = {key for row in rows for key in row}
        found += [key for key in owners if key not in known]
    return found


def _oldest_to_keep(schedule: SnapshotSchedule, kept: Any, now_ms: int) -> int | None:
    """The moment of the oldest snapshot that a schedule keeps; None if it keeps all of them."""
    moments = []
    if schedule.keep_days is not None:
        moments.append(now_ms - schedule.keep_days * DAY_MS)
    if schedule.keep_count is not None:
        query = EVERY_TENANT.select(Snapshot, Snapshot.at_ms).where(kept).order_by(Snapshot.at_ms.desc())
        with database.session():
            last = query.offset(schedule.keep_count - 1).limit(1).scalar()
        if last is not None:
            moments.append(last)
    return max(moments, default=None)


def _drop(model: Any, columns: tuple[str, ...], condition: Any, order: peewee.Field, batch: int) -> list[str]:
    """Delete the rows that (still) match a condition, the oldest first; returns the keys of their files."""
    keys: list[str] = []
    with database.session():
        rows = list(EVERY_TENANT.select(model).where(condition).order_by(order).limit(batch))
    if not rows:
        return keys
    with database.transaction():
        for row in rows:
            # The row may have been restored meanwhile.
            if EVERY_TENANT.delete(model).where(condition, model.id == row.id).execute():
                keys += [key for name in columns if (key := getattr(row, name))]
    return keys


def _owner_of(key: str) -> str | None:
    """The id at the start of a file's name; None for a name that is not that of a capture."""
    folder, _, rest = key.partition("/")
    try:
        return str(uuid.UUID(rest.rpartition("/")[2][:36])) if folder in _FILES else None
    except ValueError:
        return None
