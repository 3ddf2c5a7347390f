"""Bookmarks: moments on a device with title, note, tags and a clip of their own. Milliseconds since 1970, UTC.

Rows, and what people do with them; the worker that makes a clip writes through gateway/models/clips.py. Every function opens
its own transaction and raises `gateway.database.DatabaseUnavailable` when the database is away.
"""

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import peewee

from gateway import database
from gateway.clock import utc_now
from gateway.errors import Conflict, NotFound
from gateway.models.base import EveryTenantScope, IdField, TenantRow, TenantScope, TimeField
from gateway.models.capture_tags import TagCount, count_tags, replace_tags, tagged, tags_of
from gateway.models.inventory import VersionChanged
from gateway.models.jobs import FootageRange, Job, create_job, request_cancel

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
    """All that a person may set of a bookmark; its clip reaches from `before_ms` before the moment to `after_ms` after."""

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

    `device_ids`: of one of them; `tags`: with all of them; `text` is looked for in title, note, tags and the device's name.
    """

    device_ids: tuple[str, ...] = ()
    start_ms: int | None = None
    end_ms: int | None = None
    tags: tuple[str, ...] = ()
    text: str | None = None


# ---- looking --------------------------------------------------------------------------------------------------


def find_bookmark(scope: EveryTenantScope, bookmark_id: str) -> Bookmark:
    """A bookmark with its tags as `.tags` and, while its clip is pending, the job that makes it as `.job`.

    Raises NotFound, also for one that is deleted.
    """
    with database.session():
        bookmark = scope.select(Bookmark).where(_shown(bookmark_id)).first()
        if bookmark is None:
            raise _not_found(bookmark_id)
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
    return count_tags(
        scope, Bookmark, BookmarkTag.bookmark_id, device_ids=device_ids, limit=limit, offset=offset
    )


# ---- changing -------------------------------------------------------------------------------------------------


def create_bookmark(
    scope: TenantScope,
    bookmark_id: str,
    values: BookmarkValues,
    *,
    device_id: str,
    device_name: str,
    asked: dict[str, Any],
    request_key: str | None = None,
    footage: FootageRange | None = None,
    created_by: str = "",
    at: datetime | None = None,
) -> tuple[Bookmark, bool]:
    """A bookmark with the job of its clip, and whether it is new: the same `request_key` again gives the one of before.

    `footage` is protected until the clip is made. Raises Conflict `key_reused` where the key was used for something else, or
    its bookmark was deleted.
    """
    now = at or utc_now()
    with database.transaction():
        job, is_new = _make_job(
            scope, bookmark_id, device_id, footage=footage, by=created_by, at=now, asked=asked, request_key=request_key
        )
        if is_new:
            scope.insert(
                Bookmark,
                id=bookmark_id,
                device_id=device_id,
                device_name=device_name,
                at_ms=values.at_ms,
                before_ms=values.before_ms,
                after_ms=values.after_ms,
                **_words(values, device_name),
                clip_state=PENDING,
                clip_job_id=job.id,
                clip_notes="[]",
                version=1,
                created_by=created_by,
                created_at=now,
                updated_at=now,
            ).execute()
            replace_tags(scope, BookmarkTag.bookmark_id, bookmark_id, values.tags)
        try:
            return find_bookmark(scope, bookmark_id if is_new else json.loads(job.parameters)["bookmark_id"]), is_new
        except NotFound:
            raise Conflict(
                "the bookmark that was made with this idempotency key was deleted: choose a new key", reason="key_reused"
            ) from None


def replace_bookmark(
    scope: TenantScope,
    bookmark_id: str,
    values: BookmarkValues,
    *,
    footage: FootageRange | None = None,
    if_version: int | None = None,
    keep_hours: float,
    by: str = "",
    at: datetime | None = None,
) -> tuple[Bookmark, bool]:
    """Replace what people may set of a bookmark, and whether that asks for a new clip, whose job is made then.

    Values that are the same as before change nothing, not even the version. The clip of before stays until the new one is
    there. Raises NotFound, and VersionChanged when it is not `if_version` any more.
    """
    now = at or utc_now()
    with database.transaction():
        bookmark = _lock(scope, bookmark_id)
        if if_version is not None and bookmark.version != if_version:
            raise VersionChanged(f"bookmark '{bookmark_id}' was changed in the meantime: read it again")
        words = _words(values, bookmark.device_name)
        is_same_clip = values.same_clip(bookmark)
        before = (bookmark.title, bookmark.note, bookmark.tags)
        if is_same_clip and before == (values.title, values.note, list(values.tags)):
            return bookmark, False
        scope.update(
            Bookmark, at_ms=values.at_ms, before_ms=values.before_ms, after_ms=values.after_ms, **words,
            version=Bookmark.version + 1, updated_at=now,
        ).where(Bookmark.id == bookmark_id).execute()
        replace_tags(scope, BookmarkTag.bookmark_id, bookmark_id, values.tags)
        if not is_same_clip:
            _renew_clip(scope, bookmark, footage=footage, keep_hours=keep_hours, by=by, at=now)
        return find_bookmark(scope, bookmark_id), not is_same_clip


def renew_clip(
    scope: TenantScope, bookmark_id: str, *, footage: FootageRange | None, keep_hours: float, by: str = "",
    at: datetime | None = None,
) -> tuple[Bookmark, bool]:
    """Have the clip made again, and whether a job was made for it: one that is being made already goes on.

    Raises NotFound.
    """
    with database.transaction():
        bookmark = _lock(scope, bookmark_id)
        if bookmark.job is not None and bookmark.job.finished_at is None:
            return bookmark, False
        _renew_clip(scope, bookmark, footage=footage, keep_hours=keep_hours, by=by, at=at or utc_now())
        return find_bookmark(scope, bookmark_id), True


def delete_bookmark(scope: TenantScope, bookmark_id: str, at: datetime | None = None) -> Bookmark:
    """Hide a bookmark, and give it; the clock process removes it and its clip once it cannot be brought back.

    Raises NotFound.
    """
    with database.transaction():
        bookmark = find_bookmark(scope, bookmark_id)
        if not scope.update(Bookmark, deleted_at=at or utc_now()).where(_shown(bookmark_id)).execute():
            raise _not_found(bookmark_id)
        return bookmark


def restore_bookmark(
    scope: TenantScope, bookmark_id: str, *, undo_minutes: float, at: datetime | None = None
) -> tuple[Bookmark, bool]:
    """Bring a deleted bookmark back, and whether it was deleted; one that is not stays as it is.

    Raises NotFound when there is none, or it was deleted more than `undo_minutes` ago.
    """
    since = (at or utc_now()) - timedelta(minutes=undo_minutes)
    with database.transaction():
        lately = (Bookmark.id == bookmark_id) & (Bookmark.deleted_at >= since)
        is_restored = bool(scope.update(Bookmark, deleted_at=None).where(lately).execute())
        return find_bookmark(scope, bookmark_id), is_restored


# ---- inside ---------------------------------------------------------------------------------------------------


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


def _lock(scope: TenantScope, bookmark_id: str) -> Bookmark:
    """The bookmark, which nobody else changes until the transaction ends; raises NotFound."""
    if database.is_postgresql():
        scope.select(Bookmark, Bookmark.id).where(Bookmark.id == bookmark_id).for_update().first()
    return find_bookmark(scope, bookmark_id)


def _renew_clip(
    scope: TenantScope, bookmark: Bookmark, *, footage: FootageRange | None, keep_hours: float, by: str, at: datetime
) -> None:
    """Make a job for the clip in place of the one of before; within the caller's transaction."""
    if bookmark.clip_state == PENDING and bookmark.clip_job_id is not None:
        # It has ended, or is gone: then there is nothing to cancel.
        with contextlib.suppress(NotFound, Conflict):
            request_cancel(scope, bookmark.clip_job_id, keep_hours=keep_hours, at=at)
    job, _ = _make_job(scope, bookmark.id, bookmark.device_id, footage=footage, by=by, at=at)
    scope.update(
        Bookmark, clip_state=PENDING, clip_job_id=job.id, clip_reason_code=None, clip_reason_message=None
    ).where(Bookmark.id == bookmark.id).execute()


def _make_job(
    scope: TenantScope, bookmark_id: str, device_id: str, *, footage: FootageRange | None, by: str, at: datetime,
    asked: dict[str, Any] | None = None, request_key: str | None = None,
) -> tuple[Job, bool]:
    return create_job(
        scope, CLIP, {"asked": asked or {}, "bookmark_id": bookmark_id}, device_id=device_id, request_key=request_key,
        footage=footage, created_by=by, at=at,
    )


def _words(values: BookmarkValues, device_name: str) -> dict[str, Any]:
    search_text = "\n".join([values.title, values.note, *values.tags, device_name]).casefold()
    return {"title": values.title, "note": values.note, "search_text": search_text}


def _shown(bookmark_id: str) -> Any:
    return (Bookmark.id == bookmark_id) & Bookmark.deleted_at.is_null()


def _not_found(bookmark_id: str) -> NotFound:
    return NotFound(f"there is no bookmark with id '{bookmark_id}'")
