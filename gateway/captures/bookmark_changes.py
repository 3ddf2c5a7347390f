"""What people do with bookmarks: made, changed, deleted and brought back, each as one transaction.

The worker that makes a clip writes through gateway/captures/clips.py. Every function raises
`gateway.database.DatabaseUnavailable` when the database is away.
"""

import contextlib
import json
from datetime import datetime, timedelta
from typing import Any

from gateway import database
from gateway.captures.bookmarks import (
    CLIP,
    PENDING,
    Bookmark,
    BookmarkTag,
    BookmarkValues,
    bookmark_missing,
    find_bookmark,
    is_shown,
)
from gateway.captures.tags import replace_tags
from gateway.clock import utc_now
from gateway.errors import Conflict, NotFound, VersionChanged
from gateway.jobs.model import FootageRange, Job, create_job, request_cancel
from gateway.tenancy.scopes import TenantScope


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

    `footage` is protected until the clip is made. Raises Conflict `key_reused` where the key was used for something
    else, or its bookmark was deleted.
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
                "the bookmark that was made with this idempotency key was deleted: choose a new key",
                reason="key_reused",
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

    Values that are the same as before change nothing, not even the version. The clip of before stays until the new one
    is there. Raises NotFound, and VersionChanged when it is not `if_version` any more.
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
            Bookmark,
            at_ms=values.at_ms,
            before_ms=values.before_ms,
            after_ms=values.after_ms,
            **words,
            version=Bookmark.version + 1,
            updated_at=now,
        ).where(Bookmark.id == bookmark_id).execute()
        replace_tags(scope, BookmarkTag.bookmark_id, bookmark_id, values.tags)
        if not is_same_clip:
            _renew_clip(scope, bookmark, footage=footage, keep_hours=keep_hours, by=by, at=now)
        return find_bookmark(scope, bookmark_id), not is_same_clip


def renew_clip(
    scope: TenantScope,
    bookmark_id: str,
    *,
    footage: FootageRange | None,
    keep_hours: float,
    by: str = "",
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
        if not scope.update(Bookmark, deleted_at=at or utc_now()).where(is_shown(bookmark_id)).execute():
            raise bookmark_missing(bookmark_id)
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
    scope: TenantScope,
    bookmark_id: str,
    device_id: str,
    *,
    footage: FootageRange | None,
    by: str,
    at: datetime,
    asked: dict[str, Any] | None = None,
    request_key: str | None = None,
) -> tuple[Job, bool]:
    return create_job(
        scope,
        CLIP,
        {"asked": asked or {}, "bookmark_id": bookmark_id},
        device_id=device_id,
        request_key=request_key,
        footage=footage,
        created_by=by,
        at=at,
    )


def _words(values: BookmarkValues, device_name: str) -> dict[str, Any]:
    search_text = "\n".join([values.title, values.note, *values.tags, device_name]).casefold()
    return {"title": values.title, "note": values.note, "search_text": search_text}
