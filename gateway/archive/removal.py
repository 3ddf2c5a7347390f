"""Deletes the objects of deleted footage from archives.

Each is a row, written in the transaction that deleted the footage, and removed after the object: whatever is killed in
between, the object is deleted again later. An archive that is away is asked again after growing pauses.
"""

import logging
from collections.abc import Callable, Sequence

from peewee import fn

from gateway import database
from gateway.archives import Archive
from gateway.clock import Clock
from gateway.errors import Unavailable
from gateway.footage.copies import ArchiveDeletion, ArchiveRow

log = logging.getLogger(__name__)

_BATCH = 50
#: Objects that a process has begun to delete are left alone by others for this time.
_CLAIM_MS = 300_000
_MAX_PAUSE_MS = 900_000
_MAX_ERROR = 300


class ObjectRemoval:
    """Deletes objects of some archives. `keep_going` is called between two objects and raises to end the work."""

    def __init__(
        self, archives: Sequence[Archive], clock: Clock, *, keep_going: Callable[[], None] = lambda: None
    ) -> None:
        self._archives = archives
        self._clock = clock
        self._keep_going = keep_going
        self._failures: dict[str, int] = {}

    def turn(self) -> int:
        """Delete what is due, a batch of each archive; returns the number of deleted objects. Raises
        DatabaseUnavailable.
        """
        return sum(self._remove_some(archive) for archive in self._archives)

    def _remove_some(self, archive: Archive) -> int:
        claimed = self._claim(archive.name)
        deleted: list[int] = []
        try:
            for row in claimed:
                self._keep_going()
                archive.delete(row.object_key)
                deleted.append(row.id)
            if claimed:
                self._failures.pop(archive.name, None)
        except Exception as error:
            self._put_off(archive.name, [row.id for row in claimed if row.id not in deleted], error)
        finally:
            with database.transaction():
                ArchiveDeletion.delete().where(ArchiveDeletion.id.in_(deleted)).execute()
        return len(deleted)

    def _claim(self, name: str) -> list[ArchiveDeletion]:
        now_ms = self._now_ms()
        with database.transaction():
            of_archive = ArchiveRow.select(ArchiveRow.id).where(ArchiveRow.name == name)
            due = ArchiveDeletion.select().where(
                ArchiveDeletion.archive_id.in_(of_archive), ArchiveDeletion.next_try_ms <= now_ms
            )
            due = due.order_by(ArchiveDeletion.next_try_ms, ArchiveDeletion.id).limit(_BATCH)
            rows = list(due.for_update() if database.is_postgresql() else due)
            ids = [row.id for row in rows]
            ArchiveDeletion.update(next_try_ms=now_ms + _CLAIM_MS).where(ArchiveDeletion.id.in_(ids)).execute()
        return rows

    def _put_off(self, name: str, ids: list[int], error: Exception) -> None:
        """Try again later what could not be deleted; an interruption by `keep_going` is passed on."""
        failures = self._failures[name] = self._failures.get(name, 0) + 1
        pause_ms = min(_MAX_PAUSE_MS, 1000 * 2 ** min(failures, 20))
        text = (error.message if isinstance(error, Unavailable) else f"{type(error).__name__}: {error}")[:_MAX_ERROR]
        with database.transaction():
            ArchiveDeletion.update(
                attempts=ArchiveDeletion.attempts + 1, next_try_ms=self._now_ms() + pause_ms, error=text
            ).where(ArchiveDeletion.id.in_(ids)).execute()
        if failures == 1:
            log.warning("objects of the archive '%s' cannot be deleted now: %s", name, text)

    def _now_ms(self) -> int:
        return int(self._clock.wall() * 1000)


def count_waiting_objects() -> dict[str, int]:
    """The number of objects that are to be deleted, by archive."""
    with database.session():
        query = (
            ArchiveDeletion.select(ArchiveRow.name, fn.COUNT(ArchiveDeletion.id))
            .join(ArchiveRow, on=(ArchiveRow.id == ArchiveDeletion.archive_id))
            .group_by(ArchiveRow.name)
        )
        return dict(query.tuples())
