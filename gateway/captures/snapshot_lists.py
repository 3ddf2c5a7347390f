"""Finds, lists, changes, deletes and restores snapshots. Times in ms since 1970, UTC.

Every function opens its own transaction and raises `gateway.database.DatabaseUnavailable` when the database is away.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway import database
from gateway.captures.changes import (
    CAPTURE_ORDERS,
    NEWEST,
    CaptureFilter,
    check_version,
    filter_captures,
    find_row,
    lock_row,
    read_page,
    restore,
    soft_delete,
)
from gateway.captures.snapshots import Snapshot, SnapshotTag
from gateway.tags import TagCount, count_tags, join_search_text, replace_tags, tags_of
from gateway.tenancy.scopes import EveryTenantScope, TenantScope

SNAPSHOT_ORDERS = CAPTURE_ORDERS


@dataclass(frozen=True, slots=True)
class SnapshotFilter(CaptureFilter):
    """A filter of snapshots; `kinds`: of any of these kinds."""

    kinds: Sequence[str] = ()


def find_snapshot(scope: EveryTenantScope, snapshot_id: str, *, with_deleted: bool = False) -> Snapshot:
    """A snapshot with its tags as `.tags`; raises NotFound, by default also for a deleted one."""
    with database.session():
        snapshot = find_row(scope, Snapshot, snapshot_id, with_deleted=with_deleted)
        _add_tags(scope, [snapshot])
        return snapshot


def list_snapshots(
    scope: EveryTenantScope, criteria: SnapshotFilter, *, order: str = NEWEST, limit: int = 50, offset: int = 0
) -> tuple[list[Snapshot], int]:
    """A page of snapshots with their tags as `.tags`, and the total count."""
    with database.session():
        query = filter_captures(scope, Snapshot, SnapshotTag.snapshot_id, criteria)
        if criteria.kinds:
            query = query.where(Snapshot.kind.in_(list(criteria.kinds)))
        snapshots, total = read_page(query, order=order, limit=limit, offset=offset)
        _add_tags(scope, snapshots)
        return snapshots, total


def count_snapshot_tags(
    scope: EveryTenantScope, device_ids: Sequence[str] = (), *, limit: int = 50, offset: int = 0
) -> tuple[list[TagCount], int]:
    """A page of the tags of snapshots, the most used first, and the number of different tags."""
    return count_tags(scope, Snapshot, SnapshotTag.snapshot_id, device_ids=device_ids, limit=limit, offset=offset)


def newest_snapshot(scope: EveryTenantScope, device_id: str) -> Snapshot | None:
    """The newest snapshot of a device, without its tags."""
    with database.session():
        query = scope.select(Snapshot).where(Snapshot.device_id == device_id, Snapshot.deleted_at.is_null())
        return query.order_by(Snapshot.at_ms.desc()).first()


def replace_snapshot(
    scope: TenantScope, snapshot_id: str, *, note: str, tags: Iterable[str], if_version: int | None = None
) -> Snapshot:
    """Replace note and tags of a snapshot; equal values change nothing, not even the version.

    Raises NotFound, and VersionChanged if the version is not `if_version`.
    """
    new_tags = sorted(set(tags))
    with database.transaction():
        lock_row(scope, Snapshot, snapshot_id)
        snapshot = find_snapshot(scope, snapshot_id)
        check_version(snapshot, if_version)
        if (snapshot.note, snapshot.tags) == (note, new_tags):
            return snapshot
        columns = {"note": note, "search_text": join_search_text(note, *new_tags, snapshot.device_name)}
        scope.update(Snapshot, **columns, version=Snapshot.version + 1).where(Snapshot.id == snapshot_id).execute()
        replace_tags(scope, SnapshotTag.snapshot_id, snapshot_id, new_tags)
        return find_snapshot(scope, snapshot_id)


def delete_snapshot(scope: TenantScope, snapshot_id: str, at: datetime | None = None) -> None:
    """Delete a snapshot so that it can be restored. Raises NotFound."""
    with database.transaction():
        soft_delete(scope, Snapshot, snapshot_id, at)


def restore_snapshot(
    scope: TenantScope, snapshot_id: str, *, undo_minutes: float, at: datetime | None = None
) -> Snapshot:
    """Restore a deleted snapshot; one that is not deleted stays as it is.

    Raises NotFound if there is none, or if it was deleted more than `undo_minutes` ago.
    """
    with database.transaction():
        restore(scope, Snapshot, snapshot_id, undo_minutes=undo_minutes, at=at)
        return find_snapshot(scope, snapshot_id)


def _add_tags(scope: EveryTenantScope, snapshots: list[Snapshot]) -> None:
    tags = tags_of(scope, SnapshotTag.snapshot_id, [snapshot.id for snapshot in snapshots])
    for snapshot in snapshots:
        snapshot.tags = tags[snapshot.id]
