"""Snapshots as people use them: found, listed, described anew, deleted and brought back. Times in ms since 1970, UTC.

Every function opens its own transaction and raises `gateway.database.DatabaseUnavailable` when the database is away.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import peewee

from gateway import database
from gateway.captures.snapshots import Snapshot, SnapshotTag, search_text
from gateway.captures.tags import TagCount, count_tags, replace_tags, tagged, tags_of
from gateway.clock import utc_now
from gateway.errors import NotFound, VersionChanged
from gateway.tenancy.scopes import EveryTenantScope, TenantScope

NEWEST, OLDEST = SNAPSHOT_ORDERS = ("newest", "oldest")


@dataclass(frozen=True, slots=True)
class SnapshotFilter:
    """Which snapshots are listed: those to which all of it applies. `end_ms` is not part of the range.

    `device_ids` and `kinds`: of one of them; `tags`: with all of them; `text` is looked for in note, tags and the
    device's name.
    """

    device_ids: Sequence[str] = ()
    kinds: Sequence[str] = ()
    tags: Sequence[str] = ()
    start_ms: int | None = None
    end_ms: int | None = None
    text: str | None = None


def find_snapshot(scope: EveryTenantScope, snapshot_id: str, *, with_deleted: bool = False) -> Snapshot:
    """A snapshot with its tags as `.tags`; raises NotFound, also for one that is deleted."""
    with database.session():
        query = scope.select(Snapshot).where(Snapshot.id == snapshot_id)
        if not with_deleted:
            query = query.where(Snapshot.deleted_at.is_null())
        snapshot = query.first()
        if snapshot is None:
            raise _not_found(snapshot_id)
        _add_tags(scope, [snapshot])
        return snapshot


def list_snapshots(
    scope: EveryTenantScope, wanted: SnapshotFilter, *, order: str = NEWEST, limit: int = 50, offset: int = 0
) -> tuple[list[Snapshot], int]:
    """A page of snapshots with their tags as `.tags`, and how many there are on all pages."""
    with database.session():
        query = _filtered(scope, wanted)
        total = query.count()
        ordered = (
            query.order_by(Snapshot.at_ms.desc(), Snapshot.id.desc())
            if order == NEWEST
            else query.order_by(Snapshot.at_ms, Snapshot.id)
        )
        snapshots = list(ordered.limit(limit).offset(offset))
        _add_tags(scope, snapshots)
        return snapshots, total


def count_snapshot_tags(
    scope: EveryTenantScope, device_ids: Sequence[str] = (), *, limit: int = 50, offset: int = 0
) -> tuple[list[TagCount], int]:
    """A page of the tags of snapshots, the most used first, and how many different ones there are."""
    return count_tags(scope, Snapshot, SnapshotTag.snapshot_id, device_ids=device_ids, limit=limit, offset=offset)


def newest_snapshot(scope: EveryTenantScope, device_id: str) -> Snapshot | None:
    """The newest picture that was kept of a device, without its tags."""
    with database.session():
        query = scope.select(Snapshot).where(Snapshot.device_id == device_id, Snapshot.deleted_at.is_null())
        return query.order_by(Snapshot.at_ms.desc()).first()


def replace_snapshot(
    scope: TenantScope, snapshot_id: str, *, note: str, tags: Iterable[str], if_version: int | None = None
) -> Snapshot:
    """Replace what people may set of a snapshot; the same as before changes nothing, not even the version.

    Raises NotFound, and VersionChanged when it is not `if_version` any more.
    """
    wanted = sorted(set(tags))
    with database.transaction():
        if database.is_postgresql():
            scope.select(Snapshot, Snapshot.id).where(Snapshot.id == snapshot_id).for_update().first()
        snapshot = find_snapshot(scope, snapshot_id)
        if if_version is not None and snapshot.version != if_version:
            raise VersionChanged(f"snapshot '{snapshot_id}' was changed in the meantime: read it again")
        if (snapshot.note, snapshot.tags) == (note, wanted):
            return snapshot
        words = {"note": note, "search_text": search_text(note, wanted, snapshot.device_name)}
        scope.update(Snapshot, **words, version=Snapshot.version + 1).where(Snapshot.id == snapshot_id).execute()
        replace_tags(scope, SnapshotTag.snapshot_id, snapshot_id, wanted)
        return find_snapshot(scope, snapshot_id)


def delete_snapshot(scope: TenantScope, snapshot_id: str, at: datetime | None = None) -> None:
    """Hide a snapshot; the clock process removes its file and row once it cannot be brought back. Raises NotFound."""
    with database.transaction():
        shown = (Snapshot.id == snapshot_id) & Snapshot.deleted_at.is_null()
        if not scope.update(Snapshot, deleted_at=at or utc_now()).where(shown).execute():
            raise _not_found(snapshot_id)


def restore_snapshot(
    scope: TenantScope, snapshot_id: str, *, undo_minutes: float, at: datetime | None = None
) -> Snapshot:
    """Bring a deleted snapshot back; one that is not deleted stays as it is.

    Raises NotFound when there is none, or it was deleted more than `undo_minutes` ago.
    """
    since = (at or utc_now()) - timedelta(minutes=undo_minutes)
    with database.transaction():
        lately = (Snapshot.id == snapshot_id) & (Snapshot.deleted_at >= since)
        scope.update(Snapshot, deleted_at=None).where(lately).execute()
        return find_snapshot(scope, snapshot_id)


def _filtered(scope: EveryTenantScope, wanted: SnapshotFilter) -> peewee.ModelSelect:
    query = scope.select(Snapshot).where(Snapshot.deleted_at.is_null())
    if wanted.device_ids:
        query = query.where(Snapshot.device_id.in_(list(wanted.device_ids)))
    if wanted.kinds:
        query = query.where(Snapshot.kind.in_(list(wanted.kinds)))
    if wanted.start_ms is not None:
        query = query.where(Snapshot.at_ms >= wanted.start_ms)
    if wanted.end_ms is not None:
        query = query.where(Snapshot.at_ms < wanted.end_ms)
    for tag in wanted.tags:
        query = query.where(Snapshot.id.in_(tagged(scope, SnapshotTag.snapshot_id, SnapshotTag.tag == tag)))
    if wanted.text:
        query = query.where(Snapshot.search_text.contains(wanted.text.casefold()))
    return query


def _add_tags(scope: EveryTenantScope, snapshots: list[Snapshot]) -> None:
    tags = tags_of(scope, SnapshotTag.snapshot_id, [snapshot.id for snapshot in snapshots])
    for snapshot in snapshots:
        snapshot.tags = tags[snapshot.id]


def _not_found(snapshot_id: str) -> NotFound:
    return NotFound(f"there is no snapshot with id '{snapshot_id}'")
