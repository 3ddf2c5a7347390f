"""A bookmark as the API shows it."""

import json
from typing import Any

from flask import url_for

from gateway.captures.bookmarks import Bookmark
from gateway.captures.clips import clip_status


def bookmark_view(bookmark: Bookmark) -> dict[str, Any]:
    """A bookmark as `gateway.captures.bookmarks.find_bookmark` gives it."""
    poster = url_for("bookmarks.BookmarkPoster", bookmark_id=bookmark.id) if bookmark.poster_file else None
    return {
        "id": bookmark.id,
        "device_id": bookmark.device_id,
        "device_name": bookmark.device_name,
        "at": bookmark.at_ms,
        "title": bookmark.title,
        "note": bookmark.note,
        "tags": bookmark.tags,
        "before_seconds": bookmark.before_ms / 1000,
        "after_seconds": bookmark.after_ms / 1000,
        "clip": _clip_view(bookmark),
        "poster_url": poster,
        "version": bookmark.version,
        "created_by": bookmark.created_by,
        "created_at": bookmark.created_at,
        "updated_at": bookmark.updated_at,
    }


def _clip_view(bookmark: Bookmark) -> dict[str, Any]:
    status = clip_status(bookmark)
    has_clip = bookmark.clip_file is not None
    return {
        "state": status.state,
        "progress": round(status.progress, 3),
        "job_id": status.job_id,
        "reason": status.reason,
        "url": url_for("bookmarks.BookmarkClip", bookmark_id=bookmark.id) if has_clip else None,
        "start": bookmark.clip_start_ms,
        "end": bookmark.clip_end_ms,
        "duration_seconds": bookmark.clip_seconds,
        "size": bookmark.clip_size,
        "codec": bookmark.clip_codec,
        "notes": json.loads(bookmark.clip_notes),
    }
