"""Changes and lists that snapshots and bookmarks have in common: versions, soft deletion and its undo, filters.

Both tables have the columns `id`, `device_id`, `at_ms`, `search_text`, `version` and `deleted_at`, and a table of tags.
Each function runs within its caller's transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import peewee

from gateway import database
from gateway.errors import NotFound, VersionChanged
from gateway.tags import with_all_tags
from gateway.tenancy.scopes import EveryTenantScope, TenantRow, TenantScope

NEWEST, OLDEST = CAPTURE_ORDERS = ("newest", "oldest")


@dataclass(frozen=True, slots=True)
class CaptureFilter:
    """A filter of snapshots or bookmarks: rows must match all of its fields. `end_ms` is exclusive.

    `device_ids`: of any of these devices; `tags`: with all of them; `text` is searched in the row's texts, its tags
    and the device's name.
    """

    device_ids: Sequence[str] = ()
    start_ms: int | None = None
    end_ms: int | None = None
    tags: Sequence[str] = ()
    text: str | None = None


def filter_captures(
    scope: EveryTenantScope, model: type[TenantRow], tag_owner: peewee.Field, criteria: CaptureFilter
) -> peewee.ModelSelect:
    """The query of the rows that are not deleted and match a filter."""
    query = scope.select(model).where(model.deleted_at.is_null())
    if criteria.device_ids:
        query = query.where(model.device_id.in_(list(criteria.device_ids)))
    if criteria.start_ms is not None:
        query = query.where(model.at_ms >= criteria.start_ms)
    if criteria.end_ms is not None:
        query = query.where(model.at_ms < criteria.end_ms)
    query = with_all_tags(scope, query, tag_owner, criteria.tags)
    if criteria.text:
        query = query.where(model.search_text.contains(criteria.text.casefold()))
    return query


def read_page(query: peewee.ModelSelect, *, order: str, limit: int, offset: int) -> tuple[list[Any], int]:
    """A page of a query of captures in the order of their moments, and the total count."""
    model, total = query.model, query.count()
    columns = (model.at_ms.desc(), model.id.desc()) if order == NEWEST else (model.at_ms, model.id)
    return list(query.order_by(*columns).limit(limit).offset(offset)), total


def find_row(scope: EveryTenantScope, model: type[TenantRow], row_id: str, *, with_deleted: bool = False) -> Any:
    """A row; raises NotFound, by default also for a deleted one."""
    condition = (model.id == row_id) if with_deleted else _is_shown(model, row_id)
    row = scope.select(model).where(condition).first()
    if row is None:
        raise _not_found(model, row_id)
    return row


def lock_row(scope: TenantScope, model: type[TenantRow], row_id: str) -> None:
    """Keep other writers from a row until the transaction ends; SQLite has one writer anyway."""
    if database.is_postgresql():
        scope.select(model, model.id).where(model.id == row_id).for_update().first()


def check_version(row: Any, if_version: int | None) -> None:
    """Raise VersionChanged if the caller has seen another version of the row; None matches every version."""
    if if_version is not None and row.version != if_version:
        raise VersionChanged(f"{_noun(type(row))} '{row.id}' was changed in the meantime: read it again")


def soft_delete(scope: TenantScope, model: type[TenantRow], row_id: str, at: datetime | None = None) -> None:
    """Hide a row; the clock process deletes it and its files once it can no longer be restored. Raises NotFound."""
    if not scope.update(model, deleted_at=at or database.now()).where(_is_shown(model, row_id)).execute():
        raise _not_found(model, row_id)


def restore(
    scope: TenantScope, model: type[TenantRow], row_id: str, *, undo_minutes: float, at: datetime | None = None
) -> bool:
    """Restore a row that was deleted at most `undo_minutes` ago; returns whether there was one."""
    earliest = (at or database.now()) - timedelta(minutes=undo_minutes)
    condition = (model.id == row_id) & (model.deleted_at >= earliest)
    return bool(scope.update(model, deleted_at=None).where(condition).execute())


def _is_shown(model: type[TenantRow], row_id: str) -> Any:
    return (model.id == row_id) & model.deleted_at.is_null()


def _not_found(model: type[TenantRow], row_id: str) -> NotFound:
    return NotFound(f"there is no {_noun(model)} with id '{row_id}'")


def _noun(model: type[TenantRow]) -> str:
    return model.__name__.lower()
