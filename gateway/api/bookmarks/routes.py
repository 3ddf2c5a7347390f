"""`/bookmarks`: moments with a title and a clip; creating, listing, changing, deleting and restoring them."""

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
from gateway.api.bookmarks.changes import report_change, request_clip
from gateway.api.bookmarks.footage import find_clip_footage, find_footage_again, refuse_clip
from gateway.api.bookmarks.media import clip_response, poster_response
from gateway.api.bookmarks.schemas import (
    BOOKMARK_EXAMPLE,
    BookmarkQueryArgsSchema,
    BookmarkSchema,
    ClipArgsSchema,
    NewBookmarkSchema,
    PosterArgsSchema,
)
from gateway.api.bookmarks.values import new_id, values_of
from gateway.api.bookmarks.views import bookmark_view
from gateway.api.conditional import (
    IdempotencySchema,
    IfMatchSchema,
    etag_header,
    location_header,
    seen_version,
    with_etag,
)
from gateway.api.merge_patch import merge, repeat_unless_conditional
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
    count_bookmark_tags,
    find_bookmark,
    list_bookmarks,
)
from gateway.footage.recordings import find_recording
from gateway.jobs.model import find_repeated

blp = Blueprint(
    "bookmarks", __name__, url_prefix="/bookmarks", description="Moments with a title, each with its own clip"
)

_ETAG = etag_header("the bookmark")


@blp.route("")
class Bookmarks(MethodView):
    @blp.arguments(BookmarkQueryArgsSchema, location="query")
    @blp.list_response(BookmarkSchema)
    @blp.errors(422, 503)
    def get(self, args: dict[str, Any]) -> Any:
        """List bookmarks

        Newest first, unless `order` says otherwise. Includes the bookmarks of deleted devices.
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
        """Create a bookmark

        A job makes the clip from recorded footage, from what the media bus still holds, and from what follows the
        moment. 404 with reason `no_footage` if there is no footage; `errors` names the nearest.
        """
        scope, key = current_scope(), headers["key"]
        recording = find_recording(scope, data["device_id"])
        asked = {name: value for name, value in data.items() if name != "device_id"} | {"tags": list(data["tags"])}
        request_key = f"bookmark:{key}" if key else None
        before = find_repeated(scope, CLIP, asked, device_id=recording.device_id, request_key=request_key)
        values = values_of(data, now_ms())
        footage = None
        if before is None:
            found = find_clip_footage(recording, values.start_ms, values.end_ms)
            if not found.is_available:
                return refuse_clip(found)
            footage = found.held
        bookmark, is_new = create_bookmark(
            scope,
            new_id(scope.tenant_id, key),
            values,
            device_id=recording.device_id,
            device_name=recording.device.name,
            asked=asked,
            request_key=request_key,
            footage=footage,
            created_by=current_name(),
        )
        if is_new:
            request_clip(bookmark)
            report_change(bookmark, "created")
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

        Sets title, note and tags. If the moment or a length changes, a new clip is made; without footage for it, 404
        with reason `no_footage`, and nothing changes. With If-Match, 412 if the bookmark has changed since it was read.
        """
        before = find_bookmark(current_scope(), str(bookmark_id))
        return _replace(data, before, seen_version(headers, before, "bookmark"))

    @blp.patch_arguments()
    @blp.arguments(IfMatchSchema, location="headers")
    @blp.response(200, BookmarkSchema, headers=_ETAG)
    @blp.errors(400, 403, 404, 409, 412, 413, 415, 422, 503)
    def patch(self, patch: dict[str, Any], headers: dict[str, Any], bookmark_id: Any) -> Any:
        """Change fields of a bookmark

        A JSON merge patch (RFC 7396): fields that are sent replace those of the bookmark; null empties a text or list
        and leaves a moment or length as it is. The rest as with PUT.
        """

        def change() -> Any:
            before = find_bookmark(current_scope(), str(bookmark_id))
            data = merge(BookmarkSchema, bookmark_view(before), patch)
            return _replace(data, before, seen_version(headers, before, "bookmark") or before.version)

        return repeat_unless_conditional(change, headers)

    @blp.response(204)
    @blp.errors(403, 404, 503)
    def delete(self, bookmark_id: Any) -> Response:
        """Delete a bookmark

        Removes the bookmark and its clip at once. `restore` brings them back within UNDO_MINUTES.
        """
        report_change(delete_bookmark(current_scope(), str(bookmark_id), by=current_name()), "deleted")
        return no_content()


@blp.route("/<uuid:bookmark_id>/clip")
class BookmarkClipAgain(MethodView):
    @blp.doc(operationId="remake_bookmark_clip")
    @blp.response(202, BookmarkSchema, headers=_ETAG)
    @blp.errors(403, 404, 409, 415, 503)
    def post(self, bookmark_id: Any) -> Any:
        """Recreate the clip

        The existing clip stays until the new one is ready. A clip that is already being made continues. 404 with reason
        `no_footage` if the footage is gone.
        """
        scope = current_scope()
        before = find_bookmark(scope, str(bookmark_id))
        found = find_footage_again(before, before)
        if not found.is_available:
            return refuse_clip(found)
        bookmark, is_renewed = renew_clip(
            scope, before.id, footage=found.held, keep_hours=services().config.export_keep_hours, by=current_name()
        )
        if is_renewed:
            request_clip(bookmark)
        return _shown(bookmark, 202)


@blp.route("/<uuid:bookmark_id>/clip.mp4")
class BookmarkClip(MethodView):
    @blp.media_arguments(ClipArgsSchema)
    @blp.file_response("video/mp4")
    @blp.errors(404, 409, 416, 422, 503)
    def get(self, args: dict[str, Any], bookmark_id: Any) -> Response:
        """Read the clip

        An MP4 that can be played while it is downloaded. 409 with reason `clip_pending` while the clip is being made,
        or `clip_failed` if that failed; 404 with reason `file_missing` if its file is gone.
        """
        return clip_response(find_bookmark(current_scope(), str(bookmark_id)), is_download=bool(args["download"]))


@blp.route("/<uuid:bookmark_id>/poster.jpg")
class BookmarkPoster(MethodView):
    @blp.media_arguments(PosterArgsSchema)
    @blp.file_response("image/jpeg")
    @blp.errors(404, 409, 416, 422, 503)
    def get(self, args: dict[str, Any], bookmark_id: Any) -> Response:
        """Read the poster

        A picture of the moment. 404 with reason `no_picture` if there is none, or none yet.
        """
        return poster_response(find_bookmark(current_scope(), str(bookmark_id)), args["width"])


def _restore(bookmark_id: str) -> Any:
    undo_minutes = services().config.undo_minutes
    bookmark, is_restored = restore_bookmark(current_scope(), bookmark_id, undo_minutes=undo_minutes, by=current_name())
    if is_restored:
        report_change(bookmark, "restored")
    return _shown(bookmark)


def _replace(data: dict[str, Any], before: Bookmark, if_version: int | None) -> Any:
    values = values_of(data, before.at_ms, before)
    footage = None
    if not values.same_clip(before):
        found = find_footage_again(before, values)
        if not found.is_available:
            return refuse_clip(found)
        footage = found.held
    bookmark, is_renewed = replace_bookmark(
        current_scope(),
        before.id,
        values,
        footage=footage,
        if_version=if_version,
        keep_hours=services().config.export_keep_hours,
        by=current_name(),
    )
    if is_renewed:
        request_clip(bookmark)
    if bookmark.version != before.version:
        report_change(bookmark, "changed")
    return _shown(bookmark)


def _shown(bookmark: Bookmark, status: int = 200, *, location: str | None = None) -> tuple[Any, int, dict[str, str]]:
    return with_etag(bookmark_view(bookmark), bookmark, status, location=location)


add_restore_route(blp, "BookmarkRestore", "bookmark", BookmarkSchema, _restore)
