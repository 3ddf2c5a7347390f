"""`/plugins/s3_archiver`: the state of the uploads, the objects, a test of the connection, and trying again now."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import marshmallow as ma
import redis

from gateway.plugin_api import PluginContext, RedisErrorsAs, TenantScope, Unavailable, connect_redis, database
from gateway.plugin_api.web import (
    Blueprint,
    IdempotencySchema,
    PageArgsSchema,
    ReplySchema,
    Time,
    create_once,
    current_scope,
    offset_of,
    paginated,
)
from plugins.s3_archiver.gone import delete_object
from plugins.s3_archiver.model import ARCHIVED, WAITING, ArchivedObject, remedy_of
from plugins.s3_archiver.reported import TEST_KIND
from plugins.s3_archiver.settings import CLIPS, EXPORTS, SNAPSHOTS, read_settings
from plugins.s3_archiver.status import STATES, UNCONFIGURED, StatusStore

_STORED_KINDS = (SNAPSHOTS, CLIPS, EXPORTS)


class FailureSchema(ReplySchema):
    """Why uploads wait."""

    code = ma.fields.String(required=True)
    message = ma.fields.String(required=True)
    remedy = ma.fields.String(required=True, metadata={"description": "what to do about it"})
    detail = ma.fields.String(metadata={"description": "the words of the storage"})


class UploadSchema(ReplySchema):
    """An upload under way."""

    kind = ma.fields.String(required=True)
    key = ma.fields.String(required=True)
    size = ma.fields.Integer(required=True)
    sent = ma.fields.Integer(required=True, metadata={"description": "bytes that were read for it"})


class UploadsSchema(ReplySchema):
    """The state of the uploads."""

    state = ma.fields.String(
        required=True,
        validate=ma.validate.OneOf((*STATES, "unknown")),
        metadata={
            "description": "`closed`: outside of the allowed hours; `failing`: it waits because of `reason`; "
            "`unknown`: no process uploads, or Redis does not answer"
        },
    )
    reason = ma.fields.Nested(FailureSchema, allow_none=True)
    failing_since = ma.fields.String(allow_none=True)
    next_try_at = ma.fields.String(allow_none=True)
    backlog_bytes = ma.fields.Integer(required=True)
    backlog_objects = ma.fields.Integer(required=True, metadata={"description": "waiting files other than segments"})
    oldest_at = ma.fields.String(allow_none=True, metadata={"description": "time of the oldest that waits"})
    failing_objects = ma.fields.Integer(required=True, metadata={"description": "files that failed by themselves"})
    bytes_per_second = ma.fields.Float(required=True, metadata={"description": "over the last minute"})
    ends_at = ma.fields.String(
        allow_none=True,
        metadata={"description": "when the backlog is empty, at the rate at which it shrinks; null while it does not"},
    )
    uploaded_bytes = ma.fields.Integer(required=True, metadata={"description": "since the start of the process"})
    uploaded_objects = ma.fields.Integer(required=True)
    warn_hours = ma.fields.Integer(required=True)
    active = ma.fields.List(ma.fields.Nested(UploadSchema), required=True)
    updated_at = ma.fields.String(allow_none=True)


class ArchivedObjectSchema(ReplySchema):
    """A snapshot, clip or export in the bucket, or the next attempt."""

    kind = ma.fields.String(required=True, validate=ma.validate.OneOf(_STORED_KINDS))
    subject_id = ma.fields.UUID(
        required=True, metadata={"description": "id of the snapshot, of the bookmark of the clip, or of the job"}
    )
    device_id = ma.fields.UUID(required=True)
    key = ma.fields.String(required=True, attribute="object_key", metadata={"description": "below the prefix"})
    size = ma.fields.Integer(required=True)
    checksum = ma.fields.String(allow_none=True)
    state = ma.fields.String(required=True, validate=ma.validate.OneOf((ARCHIVED, WAITING)))
    attempts = ma.fields.Integer(required=True, metadata={"description": "failed ones in a row"})
    next_try_at = Time(allow_none=True)
    error_code = ma.fields.String(allow_none=True)
    remedy = ma.fields.Function(lambda row: remedy_of(row.error_code), metadata={"type": ["string", "null"]})
    archived_at = Time(allow_none=True)


class ArchivedObjectArgsSchema(PageArgsSchema):
    """Which objects to list."""

    kind = ma.fields.String(validate=ma.validate.OneOf(_STORED_KINDS))
    state = ma.fields.String(validate=ma.validate.OneOf((ARCHIVED, WAITING)))
    device_id = ma.fields.UUID()


class StartedTestSchema(ReplySchema):
    """A test of the connection that was started."""

    job_id = ma.fields.UUID(required=True, metadata={"description": "the job with the result, in `/api/v1/jobs`"})


def build_blueprint(plugin: PluginContext) -> Blueprint:
    """Build the resource."""
    blp = Blueprint("s3_archiver", __name__, url_prefix="/plugins/s3_archiver", description="Archive in S3 storage")
    store = StatusStore(connect_redis(plugin.config.redis_url, timeout_seconds=1.0))

    @blp.route("/status")
    @blp.response(200, UploadsSchema)
    def read_uploads() -> dict[str, Any]:
        """Read the state of the uploads

        What waits, how fast it goes, and why it does not; renewed every two seconds. Figures are those of the whole
        installation; `active` has the caller's own uploads.
        """
        scope = current_scope()
        try:
            found = store.read()
        except redis.RedisError:
            found = None
        if found is not None:
            mine = [one for one in found.active if str(one.get("key")).startswith(f"{scope.tenant_id}/")]
            return asdict(found) | {"active": mine}
        is_configured = read_settings(plugin.options.installation()).bucket is not None
        state = "unknown" if is_configured else UNCONFIGURED
        numbers = ("backlog_bytes", "backlog_objects", "failing_objects", "bytes_per_second", "uploaded_bytes")
        return {"state": state, "active": [], "warn_hours": 0, "uploaded_objects": 0} | dict.fromkeys(numbers, 0)

    @blp.route("/objects")
    @blp.arguments(ArchivedObjectArgsSchema, location="query")
    @blp.response(200, ArchivedObjectSchema(many=True))
    @blp.errors(422, 503)
    def list_archived_objects(args: dict[str, Any]) -> Any:
        """List archived snapshots, clips and exports

        The newest first. Where segments are is told by the timeline of their recording.
        """
        return paginated(*find_objects(current_scope(), args), args)

    @blp.route("/objects/<any(snapshots, clips, exports):kind>/<uuid:subject_id>", methods=["DELETE"])
    @blp.response(204)
    @blp.errors(404, 409, 503)
    def delete_archived_object(kind: str, subject_id: Any) -> None:
        """Delete an archived object

        For exports that were deleted by themselves after their time, whose objects stay. The objects of deleted
        snapshots, clips and exports go by themselves. 409 with reason `object_in_use` while the snapshot, bookmark or
        export exists: it would be archived again.
        """
        delete_object(current_scope(), kind, str(subject_id), now=datetime.now(UTC))

    @blp.route("/test", methods=["POST"])
    @blp.arguments(IdempotencySchema, location="headers")
    @blp.response(202, StartedTestSchema)
    @blp.errors(403, 409, 415, 422, 503)
    def test_archive_connection(headers: dict[str, Any]) -> Any:
        """Test the connection

        Writes, reads, lists and deletes a small object, from the process that uploads. The result is
        `result.data` of the job: `is_ok`, and `steps` with the reason of the one that failed.
        """
        current_scope()
        return create_once(
            headers["key"], StartedTestSchema, lambda: ({"job_id": plugin.jobs.create(TEST_KIND, {})}, 202, {})
        )

    @blp.route("/retry", methods=["POST"])
    @blp.response(204)
    @blp.errors(503)
    def retry_uploads() -> None:
        """Try all uploads now

        Ends the pauses after failures.
        """
        current_scope()
        with RedisErrorsAs(Unavailable, "Redis does not answer"):
            store.ask_to_retry()

    return blp


def find_objects(scope: TenantScope, args: dict[str, Any]) -> tuple[list[ArchivedObject], int]:
    """A page of the tenant's objects, and the total count."""
    query = scope.select(ArchivedObject)
    for name in ("kind", "state"):
        if args.get(name):
            query = query.where(getattr(ArchivedObject, name) == args[name])
    if args.get("device_id"):
        query = query.where(ArchivedObject.device_id == str(args["device_id"]))
    order = (ArchivedObject.archived_at.desc(nulls="first"), ArchivedObject.kind, ArchivedObject.subject_id)
    with database.session():
        total = query.count()
        return list(query.order_by(*order).limit(args["page_size"]).offset(offset_of(args))), total
