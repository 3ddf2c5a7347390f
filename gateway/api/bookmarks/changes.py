"""Consequences of a changed bookmark: a request for its clip, and the event for plugins."""

import logging

from gateway.api.base import current_name, services
from gateway.captures.bookmarks import Bookmark
from gateway.captures.queue import CLIP, CaptureRequest
from gateway.errors import Unavailable
from gateway.media import BookmarkFact
from gateway.plugin_manager import notify

logger = logging.getLogger(__name__)

#: A snapshot worker that is later than this finds the job in the database.
_REQUEST_SECONDS = 10.0


def request_clip(bookmark: Bookmark) -> None:
    """Ask a snapshot worker for the clip, or a jobs worker where none runs.

    The job is in the database already: without either the clock process asks again later.
    """
    wired, job_id = services(), bookmark.clip_job_id
    try:
        if wired.has_snapshot_worker():
            wired.captures.send(CaptureRequest(id=job_id, what=CLIP), keep_seconds=_REQUEST_SECONDS)
            return
    except Unavailable as error:
        logger.warning("clip %s cannot be requested at once: %s", bookmark.id, error)
    wired.send_job(job_id)


def report_change(bookmark: Bookmark, change: str) -> None:
    """Report a change (`created`, `changed`, `deleted`, `restored`) to plugins."""
    fact = BookmarkFact(
        bookmark.id, change, bookmark.at_ms, bookmark.title, tags=tuple(bookmark.tags), by_name=current_name()
    )
    notify(services().plugins, "on_bookmark", device_id=bookmark.device_id, bookmark=fact)
