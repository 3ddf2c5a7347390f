"""Tags and search texts of devices, snapshots and bookmarks. Each function runs within its caller's transaction.

`owner` is the column of a tag table that names the row with the tag: `DeviceTag.device_id`, `SnapshotTag.snapshot_id`
or `BookmarkTag.bookmark_id`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import peewee

from gateway import database
from gateway.tenancy.scopes import EveryTenantScope, TenantRow, TenantScope


@dataclass(frozen=True, slots=True)
class TagCount:
    """A tag, and how many rows have it."""

    tag: str
    count: int


def join_search_text(*texts: str) -> str:
    """The case-folded text in which a row is searched; search it with a case-folded term."""
    return "\n".join(texts).casefold()


def replace_tags(scope: TenantScope, owner: peewee.Field, owner_id: str, tags: Iterable[str]) -> None:
    """Replace all tags of one row."""
    scope.delete(owner.model).where(owner == owner_id).execute()
    for tag in dict.fromkeys(tags):
        scope.insert(owner.model, **{owner.name: owner_id}, tag=tag).execute()


def tags_of(scope: EveryTenantScope, owner: peewee.Field, ids: Sequence[str]) -> dict[str, list[str]]:
    """The tags of rows in alphabetical order, by id; one query for a whole list."""
    found: dict[str, list[str]] = {id_: [] for id_ in ids}
    if found:
        for row in scope.select(owner.model).where(owner.in_(list(ids))):
            found[getattr(row, owner.name)].append(row.tag)
    return {id_: sorted(tags) for id_, tags in found.items()}


def with_all_tags(
    scope: EveryTenantScope, query: peewee.ModelSelect, owner: peewee.Field, tags: Iterable[str]
) -> peewee.ModelSelect:
    """Narrow a query of devices, snapshots or bookmarks to the rows that have all of these tags."""
    for tag in tags:
        query = query.where(query.model.id.in_(scope.select(owner.model, owner).where(owner.model.tag == tag)))
    return query


def count_tags(
    scope: EveryTenantScope,
    model: type[TenantRow],
    owner: peewee.Field,
    *,
    device_ids: Sequence[str] = (),
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[TagCount], int]:
    """A page of the tags in use, the most used first, and the number of different tags.

    `device_ids`: only rows of these devices. Deleted rows do not count.
    """
    count = peewee.fn.COUNT(owner)
    with database.session():
        query = (
            scope.select(owner.model, owner.model.tag, count)
            .join(model, on=(model.id == owner))
            .where(model.deleted_at.is_null())
            .group_by(owner.model.tag)
        )
        if device_ids:
            query = query.where(model.device_id.in_(list(device_ids)))
        total = query.count()
        rows = query.order_by(count.desc(), owner.model.tag).limit(limit).offset(offset).tuples()
        return [TagCount(*row) for row in rows], total
