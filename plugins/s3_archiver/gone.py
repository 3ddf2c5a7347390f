"""Deletes the objects of snapshots, clips and exports that were deleted, through the core's removal of objects.

No event has to arrive: the rows of objects are compared with those of their subjects, a page after the other.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import peewee

from gateway.captures.bookmarks import Bookmark
from gateway.captures.snapshots import Snapshot
from gateway.jobs.model import Job
from gateway.plugin_api import EVERY_TENANT, Conflict, NotFound, TenantRow, TenantScope, database, remove_object
from plugins.s3_archiver.model import ArchivedObject
from plugins.s3_archiver.outbox import ARCHIVE
from plugins.s3_archiver.settings import CLIPS, EXPORTS, SNAPSHOTS

_SUBJECTS: dict[str, type[TenantRow]] = {SNAPSHOTS: Snapshot, CLIPS: Bookmark, EXPORTS: Job}
#: Objects of each kind that a turn compares.
_PAGE = 2000


class _Row(NamedTuple):
    subject_id: Any
    object_key: str
    expires_at: datetime | None
    subject: Any


class GoneObjects:
    """Finds objects whose subject is gone. One that waits to be restored still has its row, and keeps its object.

    The object of an export that was deleted by itself, after its time, stays.
    """

    def __init__(self, *, clock: Callable[[], datetime], page: int = _PAGE) -> None:
        self._clock, self._page = clock, page
        self._after: dict[str, Any] = dict.fromkeys(_SUBJECTS)

    def turn(self) -> int:
        """Compare the next objects of each kind; returns the number of those that will be deleted."""
        return sum(self._turn_of(kind) for kind in _SUBJECTS)

    def _turn_of(self, kind: str) -> int:
        rows = _read(kind, self._after[kind], self._page)
        self._after[kind] = rows[-1].subject_id if len(rows) == self._page else None
        now = self._clock()
        gone = [row for row in rows if row.subject is None and not _stays(kind, row, now)]
        with database.transaction():
            for row in gone:
                _delete(kind, row.subject_id, row.object_key, now)
        return len(gone)


def delete_object(scope: TenantScope, kind: str, subject_id: str, *, now: datetime) -> None:
    """Have one object deleted. Raises NotFound, and Conflict while its subject exists and would be archived again."""
    with database.transaction():
        mine = scope.select(ArchivedObject).where(ArchivedObject.kind == kind, ArchivedObject.subject_id == subject_id)
        row = mine.first()
        if row is None:
            raise NotFound(f"nothing of the kind '{kind}' with the id '{subject_id}' is archived")
        model = _SUBJECTS[kind]
        if scope.select(model, model.id).where(model.id == subject_id).exists():
            raise Conflict(f"it would be archived again: delete it from the {kind} themselves", reason="object_in_use")
        _delete(kind, subject_id, row.object_key, now)


def _read(kind: str, after: Any, limit: int) -> list[_Row]:
    model = _SUBJECTS[kind]
    columns = (ArchivedObject.subject_id, ArchivedObject.object_key, ArchivedObject.expires_at, model.id)
    query = EVERY_TENANT.select(ArchivedObject, *columns)
    query = query.join(model, peewee.JOIN.LEFT_OUTER, on=(model.id == ArchivedObject.subject_id))
    query = query.where(ArchivedObject.kind == kind).order_by(ArchivedObject.subject_id).limit(limit)
    if after is not None:
        query = query.where(ArchivedObject.subject_id > after)
    with database.session():
        return [_Row(*row) for row in query.tuples()]


def _stays(kind: str, row: _Row, now: datetime) -> bool:
    return kind == EXPORTS and (row.expires_at is None or row.expires_at <= now)


def _delete(kind: str, subject_id: Any, object_key: str, now: datetime) -> None:
    """Replace a row by the deletion of its object. Runs in the caller's transaction."""
    row = (ArchivedObject.kind == kind, ArchivedObject.subject_id == subject_id)
    if EVERY_TENANT.delete(ArchivedObject).where(*row, ArchivedObject.object_key == object_key).execute():
        remove_object(ARCHIVE, object_key, int(now.timestamp() * 1000))
