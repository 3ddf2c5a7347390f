"""The tags of snapshots and bookmarks: written, read, looked for and counted. Each within its caller's transaction.

`owner` is the column that says whose tag a row is: `SnapshotTag.snapshot_id` or `BookmarkTag.bookmark_id`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import peewee

from gateway import database
from gateway.tenancy.scopes import EveryTenantScope, TenantRow, TenantScope


@dataclass(frozen=True, slots=True)
class TagCount:
    """A tag, and how many have it."""

    tag: str
    count: int


def replace_tags(scope: TenantScope, owner: peewee.Field, owner_id: str, tags: Iterable[str]) -> None:
    """Give one snapshot or bookmark these tags and no other."""
    scope.delete(owner.model).where(owner == owner_id).execute()
    for tag in dict.fromkeys(tags):
        scope.insert(owner.model, **{owner.name: owner_id}, tag=tag).execute()


def tags_of(scope: EveryTenantScope, owner: peewee.Field, ids: Sequence[str]) -> dict[str, list[str]]:
    """The tags in alphabetical order, by id; one query for a whole list."""
    found: dict[str, list[str]] = {id_: [] for id_ in ids}
    if found:
        for row in scope.select(owner.model).where(owner.in_(list(ids))):
            found[getattr(row, owner.name)].append(row.tag)
    return {id_: sorted(tags) for id_, tags in found.items()}


def tagged(scope: EveryTenantScope, owner: peewee.Field, condition: Any) -> peewee.ModelSelect:
    """The ids of those with a tag to which a condition applies."""
    return scope.select(owner.model, owner).where(condition)


def count_tags(
    scope: EveryTenantScope,
    model: type[TenantRow],
    owner: peewee.Field,
    *,
    device_ids: Sequence[str] = (),
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[TagCount], int]:
    """A page of the tags that are in use, the most used first, and how many different ones there are.

    `device_ids`: only what is of one of these devices. What is deleted does not count.
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
