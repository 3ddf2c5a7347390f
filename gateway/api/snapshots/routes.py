"""`/snapshots`: stored pictures; listing, reading, describing, deleting and restoring them."""

from typing import Any

from flask import Response
from flask.views import MethodView

from gateway.api.base import BINARY, Blueprint, current_scope, no_content, offset_of, paginated, services
from gateway.api.conditional import IfMatchSchema, etag_header, seen_version, with_etag
from gateway.api.merge_patch import merge, repeat_unless_conditional
from gateway.api.snapshots.image import image_response
from gateway.api.snapshots.schemas import (
    SNAPSHOT_EXAMPLE,
    ImageArgsSchema,
    SnapshotQueryArgsSchema,
    SnapshotSchema,
)
from gateway.api.snapshots.views import snapshot_view
from gateway.api.tags import add_tags_route
from gateway.api.undo import add_restore_route
from gateway.captures.pictures import PICTURE_FORMATS, media_type
from gateway.captures.snapshot_lists import (
    SnapshotFilter,
    count_snapshot_tags,
    delete_snapshot,
    find_snapshot,
    list_snapshots,
    replace_snapshot,
    restore_snapshot,
)
from gateway.captures.snapshots import Snapshot

blp = Blueprint("snapshots", __name__, url_prefix="/snapshots", description="Stored pictures")

_ETAG = etag_header("the snapshot")
_IMAGES = {media_type(name): {"schema": BINARY} for name in PICTURE_FORMATS}


@blp.route("")
class Snapshots(MethodView):
    @blp.arguments(SnapshotQueryArgsSchema, location="query")
    @blp.list_response(SnapshotSchema)
    @blp.errors(422, 503)
    def get(self, args: dict[str, Any]) -> Any:
        """List snapshots

        Newest first, unless `order` says otherwise. Includes the snapshots of deleted devices.
        """
        wanted = SnapshotFilter(
            device_ids=args["device_id"],
            kinds=args["kind"],
            tags=args["tag"],
            start_ms=args["start"],
            end_ms=args["end"],
            text=args["q"],
        )
        found, total = list_snapshots(
            current_scope(), wanted, order=args["order"], limit=args["page_size"], offset=offset_of(args)
        )
        return paginated([snapshot_view(snapshot) for snapshot in found], total, args)


add_tags_route(blp, "SnapshotTags", "snapshots", count_snapshot_tags)


@blp.route("/<uuid:snapshot_id>")
class SnapshotById(MethodView):
    @blp.response(200, SnapshotSchema, headers=_ETAG)
    @blp.errors(404, 503)
    def get(self, snapshot_id: Any) -> Any:
        """Read a snapshot"""
        return _shown(find_snapshot(current_scope(), str(snapshot_id)))

    @blp.arguments(SnapshotSchema, example=SNAPSHOT_EXAMPLE)
    @blp.arguments(IfMatchSchema, location="headers")
    @blp.response(200, SnapshotSchema, headers=_ETAG)
    @blp.errors(400, 403, 404, 412, 413, 415, 422, 503)
    def put(self, data: dict[str, Any], headers: dict[str, Any], snapshot_id: Any) -> Any:
        """Describe a snapshot

        Sets tags and note; omitted fields become empty. With If-Match, 412 if the snapshot has changed since it was
        read.
        """
        before = find_snapshot(current_scope(), str(snapshot_id))
        return _replace(data, before, seen_version(headers, before, "snapshot"))

    @blp.patch_arguments()
    @blp.arguments(IfMatchSchema, location="headers")
    @blp.response(200, SnapshotSchema, headers=_ETAG)
    @blp.errors(400, 403, 404, 412, 413, 415, 422, 503)
    def patch(self, patch: dict[str, Any], headers: dict[str, Any], snapshot_id: Any) -> Any:
        """Change tags or note of a snapshot

        A JSON merge patch (RFC 7396): a field that is sent replaces that of the snapshot, null empties it. The rest as
        with PUT.
        """

        def change() -> Any:
            before = find_snapshot(current_scope(), str(snapshot_id))
            data = merge(SnapshotSchema, snapshot_view(before), patch)
            return _replace(data, before, seen_version(headers, before, "snapshot") or before.version)

        return repeat_unless_conditional(change, headers)

    @blp.response(204)
    @blp.errors(403, 404, 503)
    def delete(self, snapshot_id: Any) -> Response:
        """Delete a snapshot

        Removes the snapshot at once. `restore` brings it back within UNDO_MINUTES.
        """
        delete_snapshot(current_scope(), str(snapshot_id))
        return no_content()


@blp.route("/<uuid:snapshot_id>/image")
class SnapshotImage(MethodView):
    @blp.media_arguments(ImageArgsSchema)
    @blp.doc(responses={200: {"content": _IMAGES}, 206: {"content": _IMAGES}})
    @blp.file_response(media_type(PICTURE_FORMATS[0]))
    @blp.errors(404, 409, 416, 422, 503)
    def get(self, args: dict[str, Any], snapshot_id: Any) -> Response:
        """Read the picture of a snapshot

        The original, or a smaller version, or another format. The picture never changes and may be cached indefinitely.
        404 with reason `file_missing` if its file is gone, 409 with reason `picture_damaged` if the file cannot be
        decoded.
        """
        return image_response(find_snapshot(current_scope(), str(snapshot_id)), args)


def _replace(data: dict[str, Any], before: Snapshot, if_version: int | None) -> Any:
    values = {"note": data["note"], "tags": data["tags"]}
    return _shown(replace_snapshot(current_scope(), before.id, **values, if_version=if_version))


def _shown(snapshot: Snapshot) -> tuple[dict[str, Any], int, dict[str, str]]:
    return with_etag(snapshot_view(snapshot), snapshot)


def _restore(snapshot_id: str) -> Any:
    return _shown(restore_snapshot(current_scope(), snapshot_id, undo_minutes=services().config.undo_minutes))


add_restore_route(blp, "SnapshotRestore", "snapshot", SnapshotSchema, _restore)
