"""Creates, changes, deletes and restores bookmarks, each in one transaction.

The worker that makes a clip writes through gateway/captures/clips.py. Every function raises
`gateway.database.DatabaseUnavailable` when the database is away.
"""

import contextlib
import json
from datetime import datetime
from typing import Any

from gateway import database
from gateway.captures.bookmarks import CLIP, PENDING, Bookmark, BookmarkTag, BookmarkValues, find_bookmark
from gateway.captures.changes import check_version, lock_row, restore, soft_delete
from gateway.clock import utc_now
from gateway.errors import Conflict, NotFound
from gateway.events.model import BOOKMARK, record_event
from gateway.jobs.model import FootageRange, Job, create_job, request_cancel
from gateway.tags import join_search_text, replace_tags
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
    """Create a bookmark and the job of its clip; returns the bookmark and whether it is new.

    A repeated `request_key` returns the first bookmark. `footage` is protected until the clip is made. Raises Conflict
    `key_reused` if the key was used for another request, or if its bookmark was deleted.
    """
    now = at or utc_now()
    with database.transaction():
        job, is_new = _create_clip_job(
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
                **_text_columns(values, device_name),
                clip_state=PENDING,
                clip_job_id=job.id,
                clip_notes="[]",
                version=1,
                created_by=created_by,
                created_at=now,
                updated_at=now,
            ).execute()
            replace_tags(scope, BookmarkTag.bookmark_id, bookmark_id, values.tags)
            _report(find_bookmark(scope, bookmark_id), "created", created_by)
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
    """Replace the values of a bookmark; returns the bookmark and whether a job for a new clip was created.

    Equal values change nothing, not even the version. The old clip stays until the new one is ready. Raises NotFound,
    and VersionChanged if the version is not `if_version`.
    """
    now = at or utc_now()
    with database.transaction():
        lock_row(scope, Bookmark, bookmark_id)
        bookmark = find_bookmark(scope, bookmark_id)
        check_version(bookmark, if_version)
        is_same_clip = values.same_clip(bookmark)
        before = (bookmark.title, bookmark.note, bookmark.tags)
        if is_same_clip and before == (values.title, values.note, list(values.tags)):
            return bookmark, False
        scope.update(
            Bookmark,
            at_ms=values.at_ms,
            before_ms=values.before_ms,
            after_ms=values.after_ms,
            **_text_columns(values, bookmark.device_name),
            version=Bookmark.version + 1,
            updated_at=now,
        ).where(Bookmark.id == bookmark_id).execute()
        replace_tags(scope, BookmarkTag.bookmark_id, bookmark_id, values.tags)
        if not is_same_clip:
            _renew_clip(scope, bookmark, footage=footage, keep_hours=keep_hours, by=by, at=now)
        bookmark = find_bookmark(scope, bookmark_id)
        _report(bookmark, "changed", by)
        return bookmark, not is_same_clip


def renew_clip(
    scope: TenantScope,
    bookmark_id: str,
    *,
    footage: FootageRange | None,
    keep_hours: float,
    by: str = "",
    at: datetime | None = None,
) -> tuple[Bookmark, bool]:
    """Make the clip again; returns the bookmark and whether a job was created: a clip job that runs goes on.

    Raises NotFound.
    """
    with database.transaction():
        lock_row(scope, Bookmark, bookmark_id)
        bookmark = find_bookmark(scope, bookmark_id)
        if bookmark.job is not None and bookmark.job.finished_at is None:
            return bookmark, False
        _renew_clip(scope, bookmark, footage=footage, keep_hours=keep_hours, by=by, at=at or utc_now())
        return find_bookmark(scope, bookmark_id), True


def delete_bookmark(scope: TenantScope, bookmark_id: str, *, by: str = "", at: datetime | None = None) -> Bookmark:
    """Delete a bookmark so that it can be restored; returns it as it was. Raises NotFound."""
    with database.transaction():
        bookmark = find_bookmark(scope, bookmark_id)
        soft_delete(scope, Bookmark, bookmark_id, at)
        _report(bookmark, "deleted", by)
        return bookmark


def restore_bookmark(
    scope: TenantScope, bookmark_id: str, *, undo_minutes: float, by: str = "", at: datetime | None = None
) -> tuple[Bookmark, bool]:
    """Restore a deleted bookmark; returns it and whether it was deleted.

    Raises NotFound if there is none, or if it was deleted more than `undo_minutes` ago.
    """
    with database.transaction():
        is_restored = restore(scope, Bookmark, bookmark_id, undo_minutes=undo_minutes, at=at)
        bookmark = find_bookmark(scope, bookmark_id)
        if is_restored:
            _report(bookmark, "restored", by)
        return bookmark, is_restored


def _report(bookmark: Bookmark, change: str, by: str) -> None:
    record_event(
        bookmark.tenant_id,
        bookmark.device_id,
        BOOKMARK,
        f"Bookmark {change}: {bookmark.title}",
        label=change,
        reference=bookmark.id,
        by_name=by or None,
    )


def _renew_clip(
    scope: TenantScope, bookmark: Bookmark, *, footage: FootageRange | None, keep_hours: float, by: str, at: datetime
) -> None:
    """Replace the job of the clip by a new one; within the caller's transaction."""
    if bookmark.clip_state == PENDING and bookmark.clip_job_id is not None:
        # A job that has ended or was deleted needs no cancellation.
        with contextlib.suppress(NotFound, Conflict):
            request_cancel(scope, bookmark.clip_job_id, keep_hours=keep_hours, at=at)
    job, _ = _create_clip_job(scope, bookmark.id, bookmark.device_id, footage=footage, by=by, at=at)
    scope.update(
        Bookmark, clip_state=PENDING, clip_job_id=job.id, clip_reason_code=None, clip_reason_message=None
    ).where(Bookmark.id == bookmark.id).execute()


def _create_clip_job(
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


def _text_columns(values: BookmarkValues, device_name: str) -> dict[str, Any]:
    search_text = join_search_text(values.title, values.note, *values.tags, device_name)
    return {"title": values.title, "note": values.note, "search_text": search_text}
