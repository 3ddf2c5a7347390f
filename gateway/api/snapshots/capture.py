"""`POST /snapshots/devices/{id}/capture/…`: take a live or a recorded picture, at once or with a job."""

import hashlib
import json
import uuid
from collections.abc import Callable
from typing import Any

import redis
from flask import Response, url_for
from flask.views import MethodView

from gateway.api.base import Blueprint, DeferredReply, current_name, current_scope, services
from gateway.api.conditional import IdempotencySchema, etag_header, location_header, with_etag
from gateway.api.errors import ApiError
from gateway.api.jobs.requests import accepted
from gateway.api.jobs.schemas import JobSchema
from gateway.api.nearest import refuse_empty
from gateway.api.snapshots.schemas import HistoricalCaptureArgsSchema, LiveCaptureArgsSchema, SnapshotSchema
from gateway.api.snapshots.views import snapshot_view
from gateway.api.time_fields import now_ms
from gateway.captures.queue import HISTORICAL, LIVE, SNAPSHOT, CaptureAnswer, CaptureRequest
from gateway.captures.snapshot_lists import find_snapshot
from gateway.captures.snapshots import Snapshot
from gateway.errors import Conflict, InvalidValue, NotFound, Unavailable
from gateway.inventory import find_device
from gateway.jobs.model import create_job, find_repeated, format_job_error

blp = Blueprint("captures", __name__, url_prefix="/snapshots", description="Taking snapshots")

#: The kind of jobs that take a picture.
CAPTURE_JOB = "snapshot"
#: For this long a repeated request is compared with the first one of its key.
_KEY_SECONDS = 86_400
#: HTTP status for a worker's reason; any other reason is an outage (503).
_STATUS = {"no_picture": 409, "picture_damaged": 409, "device_deleted": 404}

_CREATED = location_header("the snapshot") | etag_header("the snapshot")
_ACCEPTED = location_header("the job")


@blp.route("/devices/<uuid:device_id>/capture/live")
class LiveCapture(MethodView):
    @blp.arguments(LiveCaptureArgsSchema, required=False)
    @blp.arguments(IdempotencySchema, location="headers")
    @blp.doc(operationId="capture_live")
    @blp.response(201, SnapshotSchema, headers=_CREATED)
    @blp.alt_response(202, schema=JobSchema, headers=_ACCEPTED, description="the picture takes longer; a job continues")
    @blp.errors(400, 403, 404, 409, 413, 415, 422, 503)
    def post(self, data: dict[str, Any], headers: dict[str, Any], device_id: Any) -> Any:
        """Take a live snapshot

        Stores the newest picture that the camera has sent, without another connection to the camera. After
        `wait_seconds` the reply is 202 with a job, and the result of the job names the snapshot. 409 with reason
        `no_picture` if the device sends no video; the message gives the cause and a remedy.
        """
        return _capture(str(device_id), data, headers["key"], kind=LIVE, at_ms=None)


@blp.route("/devices/<uuid:device_id>/capture/historical")
class HistoricalCapture(MethodView):
    @blp.arguments(HistoricalCaptureArgsSchema)
    @blp.arguments(IdempotencySchema, location="headers")
    @blp.doc(operationId="capture_historical")
    @blp.response(201, SnapshotSchema, headers=_CREATED)
    @blp.alt_response(202, schema=JobSchema, headers=_ACCEPTED, description="the picture takes longer; a job continues")
    @blp.errors(400, 403, 404, 409, 413, 415, 422, 503)
    def post(self, data: dict[str, Any], headers: dict[str, Any], device_id: Any) -> Any:
        """Take a snapshot of a recorded moment

        Also possible while the device is stopped. `at` of the snapshot is the time of its frame. 404 with reason
        `no_footage` if nothing is recorded at that moment; `errors` names the nearest footage. 409 with reason
        `picture_damaged` if the footage cannot be decoded.
        """
        if data["at"] > now_ms():
            raise InvalidValue("at", "'at' must not be in the future")
        return _capture(str(device_id), data, headers["key"], kind=HISTORICAL, at_ms=data["at"])


def _capture(device_id: str, data: dict[str, Any], key: str | None, *, kind: str, at_ms: int | None) -> Any:
    scope = current_scope()
    device = find_device(scope, device_id)
    asked = {"kind": kind, "at_ms": at_ms, "accuracy": data["accuracy"], "tags": data["tags"], "note": data["note"]}
    request = CaptureRequest(
        # The same key gives the same id: a worker that finds the snapshot does not take it again.
        id=str(uuid.uuid4() if key is None else uuid.uuid5(uuid.UUID(scope.tenant_id), f"snapshot:{key}")),
        what=SNAPSHOT,
        tenant_id=scope.tenant_id,
        device_id=device.id,
        created_by=current_name(),
        **asked,
    )
    if key is not None:
        _check_key(request.id, {"device_id": device.id, **asked})
        if (made := _find_made(request)) is not None:
            return _created(made)
        if (job := find_repeated(scope, CAPTURE_JOB, asked, device_id=device.id, request_key=key)) is not None:
            return accepted(job)

    def reply(answer: CaptureAnswer | None) -> Any:
        if answer is not None:
            return _created(find_snapshot(scope, request.id)) if answer.reason is None else _refused(answer)
        # A worker may have finished just after the deadline.
        if (made := _find_made(request)) is not None:
            return _created(made)
        parameters = {"asked": asked, **request.to_dict()}
        job, is_new = create_job(scope, CAPTURE_JOB, parameters, device_id=device.id, request_key=key)
        if is_new:
            services().send_job(job.id)
        return accepted(job)

    return _ask_worker(request, data["wait_seconds"], reply) or reply(None)


def _ask_worker(
    request: CaptureRequest, wait_seconds: float, reply: Callable[[CaptureAnswer | None], Any]
) -> DeferredReply | None:
    """The reply to the answer of the snapshot worker, None if it is late; no reply if nobody can be asked now."""
    wired = services()
    if wait_seconds == 0 or not wired.has_snapshot_worker() or (give_back := wired.waits.take()) is None:
        return None
    try:
        # Fails fast if the bus is unavailable: this client has a short timeout.
        wired.bus.ping()
        pending = wired.captures.ask(request, wait_seconds=wait_seconds)
    except Exception:
        give_back()
        raise

    def close() -> None:
        pending.close()
        give_back()

    return DeferredReply(pending.future, wait_seconds, lambda: reply(pending.answer()), close=close)


def _check_key(request_id: str, asked: dict[str, Any]) -> None:
    """Raise Conflict `key_reused` if the key belongs to another request, Unavailable without Redis."""
    client, name = services().redis, f"vas:capture-key:{request_id}"
    mark = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    try:
        pipeline = client.pipeline()
        pipeline.set(name, mark, nx=True, ex=_KEY_SECONDS)
        pipeline.get(name)
        known = pipeline.execute()[1]
    except redis.RedisError as error:
        raise Unavailable("the queue (Redis) does not answer", reason="redis_unavailable") from error
    if known is not None and known.decode() != mark:
        raise Conflict("this idempotency key was used for another request: choose a new one", reason="key_reused")


def _find_made(request: CaptureRequest) -> Snapshot | None:
    """The snapshot that this request has made already, if any. Raises Conflict `snapshot_deleted`."""
    try:
        snapshot = find_snapshot(current_scope(), request.id, with_deleted=True)
    except NotFound:
        return None
    if snapshot.deleted_at is not None:
        raise Conflict(
            "the snapshot of this idempotency key was deleted: restore it, or choose a new key",
            reason="snapshot_deleted",
        )
    return snapshot


def _created(snapshot: Snapshot) -> tuple[dict[str, Any], int, dict[str, str]]:
    location = url_for("snapshots.SnapshotById", snapshot_id=snapshot.id)
    return with_etag(snapshot_view(snapshot), snapshot, 201, location=location)


def _refused(answer: CaptureAnswer) -> Response:
    """The error reply for the reason that the worker gives."""
    reason = format_job_error(answer.reason or "job_failed", answer.message)
    if answer.reason == "no_footage":
        return refuse_empty("there is no footage of this moment", answer.nearest_before_ms, answer.nearest_after_ms)
    message = reason.message if answer.message or not reason.remedy else f"{reason.message}: {reason.remedy}"
    raise ApiError(_STATUS.get(reason.code, 503), message, reason=reason.code)
