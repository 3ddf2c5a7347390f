"""Bookmarks: moments on a device with title, note, tags and a clip of their own. Milliseconds since 1970, UTC.

Rows, and how they are found; what people do with them is in gateway/captures/bookmark_changes.py. Every function opens
its own session and raises `gateway.database.DatabaseUnavailable` when the database is away.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import peewee

from gateway import database
from gateway.captures.tags import TagCount, count_tags, tagged, tags_of
from gateway.errors import NotFound
from gateway.jobs.model import Job
from gateway.tenancy.scopes import EveryTenantScope, IdField, TenantRow, TimeField

#: Where the clip of a bookmark stands.
PENDING, READY, FAILED = CLIP_STATES = ("pending", "ready", "failed")

#: The kind of the jobs that make clips; parameters: `bookmark_id`, and `asked` as the caller asked it.
CLIP = "clip"

NEWEST, OLDEST = BOOKMARK_ORDERS = ("newest", "oldest")


class Bookmark(TenantRow):
    """A moment; `clip_file` and `poster_file` are keys among the capture files, `clip_notes` a JSON list of texts."""

    id = IdField(primary_key=True)
    device_id = IdField()
    device_name = peewee.TextField()
    at_ms = peewee.BigIntegerField()
    title = peewee.TextField()
    note = peewee.TextField()
    search_text = peewee.TextField()  # case-folded title, note, tags and device name
    before_ms = peewee.IntegerField()
    after_ms = peewee.IntegerField()
    clip_state = peewee.TextField()
    clip_job_id = IdField(null=True)
    clip_reason_code = peewee.TextField(null=True)
    clip_reason_message = peewee.TextField(null=True)
    clip_file = peewee.TextField(null=True)
    clip_size = peewee.BigIntegerField(null=True)
    clip_start_ms = peewee.BigIntegerField(null=True)
    clip_end_ms = peewee.BigIntegerField(null=True)
    clip_seconds = peewee.DoubleField(null=True)
    clip_codec = peewee.TextField(null=True)
    clip_notes = peewee.TextField()
    poster_file = peewee.TextField(null=True)
    version = peewee.IntegerField()
    created_by = peewee.TextField()
    created_at = TimeField()
    updated_at = TimeField()
    deleted_at = TimeField(null=True)

    class Meta:
        table_name = "bookmarks"


class BookmarkTag(TenantRow):
    """One tag of a bookmark."""

    bookmark_id = IdField()
    tag = peewee.TextField()

    class Meta:
        table_name = "bookmark_tags"
        primary_key = peewee.CompositeKey("bookmark_id", "tag")


@dataclass(frozen=True, slots=True)
class BookmarkValues:
    """All that a person may set of a bookmark; its clip reaches from `before_ms` before the moment to `after_ms`
    after."""

    at_ms: int
    title: str
    note: str = ""
    tags: tuple[str, ...] = ()
    before_ms: int = 5000
    after_ms: int = 5000

    @property
    def start_ms(self) -> int:
        return self.at_ms - self.before_ms

    @property
    def end_ms(self) -> int:
        return self.at_ms + self.after_ms

    def same_clip(self, bookmark: Bookmark) -> bool:
        """Whether they ask for the same clip as the bookmark has."""
        return (self.at_ms, self.before_ms, self.after_ms) == (bookmark.at_ms, bookmark.before_ms, bookmark.after_ms)


@dataclass(frozen=True, slots=True)
class BookmarkFilter:
    """Which bookmarks are listed: those to which all of it applies. `end_ms` is not part of the range.

    `device_ids`: of one of them; `tags`: with all of them; `text` is looked for in title, note, tags and the device's
    name.
    """

    device_ids: tuple[str, ...] = ()
    start_ms: int | None = None
    end_ms: int | None = None
    tags: tuple[str, ...] = ()
    text: str | None = None


def find_bookmark(scope: EveryTenantScope, bookmark_id: str) -> Bookmark:
    """A bookmark with its tags as `.tags` and, while its clip is pending, the job that makes it as `.job`.

    Raises NotFound, also for one that is deleted.
    """
    with database.session():
        bookmark = scope.select(Bookmark).where(is_shown(bookmark_id)).first()
        if bookmark is None:
            raise bookmark_missing(bookmark_id)
        _complete(scope, [bookmark])
        return bookmark


def list_bookmarks(
    scope: EveryTenantScope, wanted: BookmarkFilter, *, order: str = NEWEST, limit: int = 50, offset: int = 0
) -> tuple[list[Bookmark], int]:
    """A page of bookmarks as `find_bookmark` gives them, and how many there are on all pages."""
    with database.session():
        query = _filtered(scope, wanted)
        total = query.count()
        by = (Bookmark.at_ms.desc(), Bookmark.id.desc()) if order == NEWEST else (Bookmark.at_ms, Bookmark.id)
        bookmarks = list(query.order_by(*by).limit(limit).offset(offset))
        _complete(scope, bookmarks)
        return bookmarks, total


def count_bookmark_tags(
    scope: EveryTenantScope, device_ids: Sequence[str] = (), *, limit: int = 50, offset: int = 0
) -> tuple[list[TagCount], int]:
    """A page of the tags of bookmarks, the most used first, and how many different ones there are."""
    return count_tags(scope, Bookmark, BookmarkTag.bookmark_id, device_ids=device_ids, limit=limit, offset=offset)


def _filtered(scope: EveryTenantScope, wanted: BookmarkFilter) -> peewee.ModelSelect:
    query = scope.select(Bookmark).where(Bookmark.deleted_at.is_null())
    if wanted.device_ids:
        query = query.where(Bookmark.device_id.in_(list(wanted.device_ids)))
    if wanted.start_ms is not None:
        query = query.where(Bookmark.at_ms >= wanted.start_ms)
    if wanted.end_ms is not None:
        query = query.where(Bookmark.at_ms < wanted.end_ms)
    for tag in wanted.tags:
        query = query.where(Bookmark.id.in_(tagged(scope, BookmarkTag.bookmark_id, BookmarkTag.tag == tag)))
    if wanted.text:
        query = query.where(Bookmark.search_text.contains(wanted.text.casefold()))
    return query


def _complete(scope: EveryTenantScope, bookmarks: list[Bookmark]) -> None:
    """Tags and jobs of a whole list, with a query for each."""
    jobs: dict[str, Job] = {}
    tags = tags_of(scope, BookmarkTag.bookmark_id, [bookmark.id for bookmark in bookmarks])
    pending = [bookmark.clip_job_id for bookmark in bookmarks if bookmark.clip_state == PENDING]
    if pending:
        jobs = {job.id: job for job in scope.select(Job).where(Job.id.in_(pending))}
    for bookmark in bookmarks:
        bookmark.tags = tags[bookmark.id]
        bookmark.job = jobs.get(bookmark.clip_job_id) if bookmark.clip_state == PENDING else None


def is_shown(bookmark_id: str) -> Any:
    """The condition of one bookmark that is not deleted."""
    return (Bookmark.id == bookmark_id) & Bookmark.deleted_at.is_null()


def bookmark_missing(bookmark_id: str) -> NotFound:
    """What is raised for one that is not there."""
    return NotFound(f"there is no bookmark with id '{bookmark_id}'")
