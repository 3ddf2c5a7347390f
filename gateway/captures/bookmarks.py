"""Bookmarks: moments on a device with title, note, tags and a clip of their own. Milliseconds since 1970, UTC.

Rows and queries; changes are in gateway/captures/bookmark_changes.py. Every function opens its own session and raises
`gateway.database.DatabaseUnavailable` when the database is away.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import peewee

from gateway import database
from gateway.captures.changes import CAPTURE_ORDERS, NEWEST, CaptureFilter, filter_captures, find_row, read_page
from gateway.jobs.model import Job
from gateway.tags import TagCount, count_tags, tags_of
from gateway.tenancy.scopes import EveryTenantScope, IdField, TenantRow, TimeField

#: States of the clip of a bookmark.
PENDING, READY, FAILED = CLIP_STATES = ("pending", "ready", "failed")

#: The kind of the jobs that make clips; parameters: `bookmark_id`, and the caller's request as `asked`.
CLIP = "clip"

BOOKMARK_ORDERS = CAPTURE_ORDERS

#: Bookmarks have no filter beyond that of all captures.
BookmarkFilter = CaptureFilter


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
    """Values of a bookmark that a caller may set; its clip is from `before_ms` before to `after_ms` after `at_ms`."""

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
        """Whether the bookmark's clip has the same range."""
        return (self.at_ms, self.before_ms, self.after_ms) == (bookmark.at_ms, bookmark.before_ms, bookmark.after_ms)


def find_bookmark(scope: EveryTenantScope, bookmark_id: str) -> Bookmark:
    """A bookmark with its tags as `.tags` and, while its clip is pending, the job that makes it as `.job`.

    Raises NotFound, also for a deleted one.
    """
    with database.session():
        bookmark = find_row(scope, Bookmark, bookmark_id)
        _complete(scope, [bookmark])
        return bookmark


def list_bookmarks(
    scope: EveryTenantScope, criteria: BookmarkFilter, *, order: str = NEWEST, limit: int = 50, offset: int = 0
) -> tuple[list[Bookmark], int]:
    """A page of bookmarks in the form of `find_bookmark`, and the total count."""
    with database.session():
        query = filter_captures(scope, Bookmark, BookmarkTag.bookmark_id, criteria)
        bookmarks, total = read_page(query, order=order, limit=limit, offset=offset)
        _complete(scope, bookmarks)
        return bookmarks, total


def count_bookmark_tags(
    scope: EveryTenantScope, device_ids: Sequence[str] = (), *, limit: int = 50, offset: int = 0
) -> tuple[list[TagCount], int]:
    """A page of the tags of bookmarks, the most used first, and the number of different tags."""
    return count_tags(scope, Bookmark, BookmarkTag.bookmark_id, device_ids=device_ids, limit=limit, offset=offset)


def _complete(scope: EveryTenantScope, bookmarks: list[Bookmark]) -> None:
    """Add tags and jobs to a whole list, with one query for each."""
    jobs: dict[str, Job] = {}
    tags = tags_of(scope, BookmarkTag.bookmark_id, [bookmark.id for bookmark in bookmarks])
    pending = [bookmark.clip_job_id for bookmark in bookmarks if bookmark.clip_state == PENDING]
    if pending:
        jobs = {job.id: job for job in scope.select(Job).where(Job.id.in_(pending))}
    for bookmark in bookmarks:
        bookmark.tags = tags[bookmark.id]
        bookmark.job = jobs.get(bookmark.clip_job_id) if bookmark.clip_state == PENDING else None
