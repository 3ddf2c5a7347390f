"""`/bookmarks`: moments with a title and a clip; made, listed, changed, deleted and brought back."""

import logging
import uuid
from typing import Any

from flask import Response, url_for
from flask.views import MethodView

from gateway.api.base import (
    Blueprint,
    current_name,
    current_scope,
    no_content,
    offset_of,
    paginated,
    services,
)
from gateway.api.bookmarks.footage import ClipFootage, look_for_footage, refuse_clip
from gateway.api.bookmarks.media import clip_response, poster_response
from gateway.api.bookmarks.schemas import (
    BOOKMARK_EXAMPLE,
    BookmarkQueryArgsSchema,
    BookmarkSchema,
    ClipArgsSchema,
    NewBookmarkSchema,
    PosterArgsSchema,
)
from gateway.api.bookmarks.views import bookmark_view
from gateway.api.conditional import (
    IdempotencySchema,
    IfMatchSchema,
    etag_header,
    location_header,
    seen_version,
    with_etag,
)
from gateway.api.tags import add_tags_route
from gateway.api.time_fields import now_ms
from gateway.api.undo import add_restore_route
from gateway.captures.bookmark_changes import (
    create_bookmark,
    delete_bookmark,
    renew_clip,
    replace_bookmark,
    restore_bookmark,
)
from gateway.captures.bookmarks import (
    CLIP,
    Bookmark,
    BookmarkFilter,
    BookmarkValues,
    count_bookmark_tags,
    find_bookmark,
    list_bookmarks,
)
from gateway.captures.queue import CLIP as CLIP_REQUEST
from gateway.captures.queue import CaptureRequest
from gateway.errors import Conflict, InvalidValue, NotFound, Unavailable
from gateway.footage.recordings import Recording, find_recording
from gateway.jobs.model import find_repeated
from gateway.media import BookmarkFact
from gateway.plugin_manager import notify

logger = logging.getLogger(__name__)

blp = Blueprint("bookmarks", __name__, url_prefix="/bookmarks", description="Moments with a title and a clip")

_ETAG = etag_header("the bookmark")
_BINARY = {"type": "string", "format": "binary"}

#: A clock that is so much ahead of this one is not in the future.
_CLOCK_MS = 1000
#: A snapshot worker that comes later than this finds the job in the database.
_WAKE_SECONDS = 10.0


@blp.route("")
class Bookmarks(MethodView):
    @blp.arguments(BookmarkQueryArgsSchema, location="query")
    @blp.list_response(BookmarkSchema)
    @blp.errors(422, 503)
    def get(self, args: dict[str, Any]) -> Any:
        """List bookmarks

        Newest first, unless `order` says otherwise. Those of deleted devices are among them.
        """
        wanted = BookmarkFilter(
            device_ids=tuple(args["device_id"]),
            start_ms=args["start"],
            end_ms=args["end"],
            tags=tuple(args["tag"]),
            text=args["q"],
        )
        found, total = list_bookmarks(
            current_scope(), wanted, order=args["order"], limit=args["page_size"], offset=offset_of(args)
        )
        return paginated([bookmark_view(bookmark) for bookmark in found], total, args)

    @blp.arguments(NewBookmarkSchema, example=BOOKMARK_EXAMPLE)
    @blp.arguments(IdempotencySchema, location="headers")
    @blp.response(201, BookmarkSchema, headers=_ETAG | location_header("the bookmark"))
    @blp.errors(400, 403, 404, 409, 413, 415, 422, 503)
    def post(self, data: dict[str, Any], headers: dict[str, Any]) -> Any:
        """Make a bookmark

        Its clip is made by a job: what is recorded, or what the media bus still holds, and what comes after the moment.
        404 with reason `no_footage` where there is none, naming the nearest.
        """
        scope, key = current_scope(), headers["key"]
        recording = find_recording(scope, data["device_id"])
        asked = {name: value for name, value in data.items() if name != "device_id"} | {"tags": list(data["tags"])}
        request_key = f"bookmark:{key}" if key else None
        before = find_repeated(scope, CLIP, asked, device_id=recording.device_id, request_key=request_key)
        values = _values_of(data, now_ms())
        footage = None
        if before is None:
            found = look_for_footage(recording, values.start_ms, values.end_ms)
            if not found.is_there:
                return refuse_clip(found)
            footage = found.held
        bookmark, is_new = create_bookmark(
            scope,
            _new_id(scope.tenant_id, key),
            values,
            device_id=recording.device_id,
            device_name=recording.device.name,
            asked=asked,
            request_key=request_key,
            footage=footage,
            created_by=current_name(),
        )
        if is_new:
            _wake_worker(bookmark)
            _tell(bookmark, "created")
        location = url_for("bookmarks.BookmarkById", bookmark_id=bookmark.id)
        return _shown(bookmark, 201, location=location)


add_tags_route(blp, "BookmarkTags", "bookmarks", count_bookmark_tags)


@blp.route("/<uuid:bookmark_id>")
class BookmarkById(MethodView):
    @blp.response(200, BookmarkSchema, headers=_ETAG)
    @blp.errors(404, 503)
    def get(self, bookmark_id: Any) -> Any:
        """Read a bookmark"""
        return _shown(find_bookmark(current_scope(), str(bookmark_id)))

    @blp.arguments(BookmarkSchema)
    @blp.arguments(IfMatchSchema, location="headers")
    @blp.response(200, BookmarkSchema, headers=_ETAG)
    @blp.errors(400, 403, 404, 409, 412, 413, 415, 422, 503)
    def put(self, data: dict[str, Any], headers: dict[str, Any], bookmark_id: Any) -> Any:
        """Change a bookmark

        Sets title, note and tags. Another moment or length has the clip made anew, where there is footage: otherwise
        404 with reason `no_footage`, and nothing changes. With If-Match, 412 when it was changed since it was read.
        """
        scope = current_scope()
        before = find_bookmark(scope, str(bookmark_id))
        if_version = seen_version(headers, before, "bookmark")
        values = _values_of(data, before.at_ms, before)
        footage = None
        if not values.same_clip(before):
            found = _look_again(before, values)
            if not found.is_there:
                return refuse_clip(found)
            footage = found.held
        bookmark, is_renewed = replace_bookmark(
            scope,
            before.id,
            values,
            footage=footage,
            if_version=if_version,
            keep_hours=services().config.export_keep_hours,
            by=current_name(),
        )
        if is_renewed:
            _wake_worker(bookmark)
        if bookmark.version != before.version:
            _tell(bookmark, "changed")
        return _shown(bookmark)

    @blp.response(204)
    @blp.errors(403, 404, 503)
    def delete(self, bookmark_id: Any) -> Response:
        """Delete a bookmark

        It is gone at once with its clip, and can be brought back by `restore` for UNDO_MINUTES.
        """
        _tell(delete_bookmark(current_scope(), str(bookmark_id)), "deleted")
        return no_content()


@blp.route("/<uuid:bookmark_id>/clip")
class BookmarkClipAgain(MethodView):
    @blp.response(202, BookmarkSchema, headers=_ETAG)
    @blp.errors(403, 404, 409, 415, 503)
    def post(self, bookmark_id: Any) -> Any:
        """Have the clip made again

        The one of before stays until the new one is there. One that is being made goes on. 404 with reason `no_footage`
        where the footage is gone.
        """
        scope = current_scope()
        before = find_bookmark(scope, str(bookmark_id))
        found = _look_again(before, before)
        if not found.is_there:
            return refuse_clip(found)
        bookmark, is_renewed = renew_clip(
            scope, before.id, footage=found.held, keep_hours=services().config.export_keep_hours, by=current_name()
        )
        if is_renewed:
            _wake_worker(bookmark)
        return _shown(bookmark, 202)


@blp.route("/<uuid:bookmark_id>/clip.mp4")
class BookmarkClip(MethodView):
    @blp.arguments(ClipArgsSchema, location="query")
    @blp.response(200, _BINARY, content_type="video/mp4")
    @blp.alt_response(206, schema=_BINARY, content_type="video/mp4", description="a range of it")
    @blp.alt_response(304, description="it is the one that If-None-Match names")
    @blp.errors(404, 409, 416, 422, 503)
    def get(self, args: dict[str, Any], bookmark_id: Any) -> Response:
        """Read the clip

        An MP4 that plays while it is fetched. 409 with reason `clip_pending` while it is made, with `clip_failed` where
        it could not be; 404 with reason `file_missing` when its file is gone.
        """
        return clip_response(find_bookmark(current_scope(), str(bookmark_id)), is_download=bool(args["download"]))


@blp.route("/<uuid:bookmark_id>/poster.jpg")
class BookmarkPoster(MethodView):
    @blp.arguments(PosterArgsSchema, location="query")
    @blp.response(200, _BINARY, content_type="image/jpeg")
    @blp.alt_response(206, schema=_BINARY, content_type="image/jpeg", description="a range of it")
    @blp.alt_response(304, description="it is the one that If-None-Match names")
    @blp.errors(404, 409, 416, 422, 503)
    def get(self, args: dict[str, Any], bookmark_id: Any) -> Response:
        """Read the picture of the moment

        404 with reason `no_picture` where there is none (yet).
        """
        return poster_response(find_bookmark(current_scope(), str(bookmark_id)), args["width"])


def _values_of(data: dict[str, Any], at_ms: int, before: Bookmark | None = None) -> BookmarkValues:
    """What was asked, with what was left out as it is or now. Raises InvalidValue."""
    at = at_ms if data["at"] is None else data["at"]
    if at > now_ms() + _CLOCK_MS:
        raise InvalidValue("at", "'at' must not be in the future: a bookmark is of a moment that was seen")
    lengths = [
        getattr(before, f"{name}_ms") if data[f"{name}_seconds"] is None else round(data[f"{name}_seconds"] * 1000)
        for name in ("before", "after")
    ]
    longest = services().config.max_clip_seconds
    if not 0 < sum(lengths) <= longest * 1000:
        raise InvalidValue(
            "before_seconds",
            f"'before_seconds' and 'after_seconds' together must be more than 0 and at most {longest}, "
            f"not {sum(lengths) / 1000:g}",
        )
    return BookmarkValues(at, data["title"], data["note"], data["tags"], *lengths)


def _look_again(bookmark: Bookmark, values: Any) -> ClipFootage:
    """Raises Conflict `device_deleted`."""
    return look_for_footage(_recording_of(bookmark), values.at_ms - values.before_ms, values.at_ms + values.after_ms)


def _recording_of(bookmark: Bookmark) -> Recording:
    try:
        return find_recording(current_scope(), bookmark.device_id)
    except NotFound:
        raise Conflict(
            f"device '{bookmark.device_name}' was deleted, and its footage with it: no new clip can be made",
            reason="device_deleted",
        ) from None


def _new_id(tenant_id: str | None, key: str | None) -> str:
    """The same key gives the same id."""
    return str(uuid.uuid4() if key is None else uuid.uuid5(uuid.UUID(tenant_id), f"bookmark:{key}"))


def _wake_worker(bookmark: Bookmark) -> None:
    """Ask a snapshot worker, or a jobs worker where none lives. The row is there already: in the end the clock asks."""
    wired, job_id = services(), bookmark.clip_job_id
    try:
        if wired.has_snapshot_worker():
            wired.captures.send(CaptureRequest(id=job_id, what=CLIP_REQUEST), keep_seconds=_WAKE_SECONDS)
            return
    except Unavailable as error:
        logger.warning("clip %s cannot be asked for at once: %s", bookmark.id, error)
    wired.send_job(job_id)


def _tell(bookmark: Bookmark, change: str) -> None:
    fact = BookmarkFact(
        bookmark.id, change, bookmark.at_ms, bookmark.title, tags=tuple(bookmark.tags), by_name=current_name()
    )
    notify(services().plugins, "on_bookmark", device_id=bookmark.device_id, bookmark=fact)


def _restore(bookmark_id: str) -> Any:
    undo_minutes = services().config.undo_minutes
    bookmark, is_restored = restore_bookmark(current_scope(), bookmark_id, undo_minutes=undo_minutes)
    if is_restored:
        _tell(bookmark, "restored")
    return _shown(bookmark)


def _shown(bookmark: Bookmark, status: int = 200, *, location: str | None = None) -> tuple[Any, int, dict[str, str]]:
    return with_etag(bookmark_view(bookmark), bookmark, status, location=location)


add_restore_route(blp, "BookmarkRestore", "bookmark", BookmarkSchema, _restore)
