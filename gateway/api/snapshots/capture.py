"""`POST /snapshots/devices/{id}/capture/…`: a picture of now or of a recorded moment, at once or by a job."""

import hashlib
import json
import time
import uuid
from typing import Any

import redis
from flask import Response, url_for
from flask.views import MethodView

from gateway.api.base import Blueprint, current_name, current_scope, services
from gateway.api.conditional import IdempotencySchema, etag_header, location_header, with_etag
from gateway.api.errors import ApiError
from gateway.api.jobs.requests import accepted
from gateway.api.jobs.schemas import JobSchema
from gateway.api.nearest import refuse_empty
from gateway.api.snapshots.schemas import HistoricalCaptureArgsSchema, LiveCaptureArgsSchema, SnapshotSchema
from gateway.api.snapshots.views import snapshot_view
from gateway.captures.queue import HISTORICAL, LIVE, SNAPSHOT, CaptureAnswer, CaptureRequest
from gateway.captures.snapshot_lists import find_snapshot
from gateway.captures.snapshots import Snapshot
from gateway.clock import utc_now
from gateway.errors import Conflict, InvalidValue, NotFound, Unavailable
from gateway.inventory import find_device
from gateway.jobs.model import create_job, find_repeated, format_job_error

blp = Blueprint("captures", __name__, url_prefix="/snapshots", description="Taking pictures")

#: The kind of the jobs that take a picture.
CAPTURE_JOB = "snapshot"
#: A request without a seat waits so long for one at most: each is given back within the time of a picture.
_SLOT_SECONDS = 1.0
#: For so long a repeated request is held against the first one of its key.
_KEY_SECONDS = 86_400
#: What a worker's reason is to a caller; any other is an outage.
_STATUS = {"no_picture": 409, "picture_damaged": 409, "device_deleted": 404}

_CREATED = location_header("the snapshot") | etag_header("the snapshot")
_ACCEPTED = location_header("the job")


@blp.route("/devices/<uuid:device_id>/capture/live")
class LiveCapture(MethodView):
    @blp.arguments(LiveCaptureArgsSchema, required=False)
    @blp.arguments(IdempotencySchema, location="headers")
    @blp.response(201, SnapshotSchema, headers=_CREATED)
    @blp.alt_response(202, schema=JobSchema, headers=_ACCEPTED, description="it takes longer, and is made by a job")
    @blp.errors(400, 403, 404, 409, 413, 415, 422, 503)
    def post(self, data: dict[str, Any], headers: dict[str, Any], device_id: Any) -> Any:
        """Take a picture of now

        Keeps the newest picture that the camera has sent; the camera is not connected to again. When it takes longer
        than `wait_seconds`, 202 and a job, whose snapshot has the id that is in the job's result. 409 with reason
        `no_picture` when the device sends none, with why and what to do.
        """
        return _capture(str(device_id), data, headers["key"], kind=LIVE, at_ms=None)


@blp.route("/devices/<uuid:device_id>/capture/historical")
class HistoricalCapture(MethodView):
    @blp.arguments(HistoricalCaptureArgsSchema)
    @blp.arguments(IdempotencySchema, location="headers")
    @blp.response(201, SnapshotSchema, headers=_CREATED)
    @blp.alt_response(202, schema=JobSchema, headers=_ACCEPTED, description="it takes longer, and is made by a job")
    @blp.errors(400, 403, 404, 409, 413, 415, 422, 503)
    def post(self, data: dict[str, Any], headers: dict[str, Any], device_id: Any) -> Any:
        """Take a picture of a recorded moment

        Also of a device that is stopped. The snapshot's `at` is the moment of its frame. 404 with reason `no_footage`
        where nothing was recorded; `errors` then names the nearest footage. 409 with reason `picture_damaged` where the
        footage cannot be decoded.
        """
        if data["at"] > int(utc_now().timestamp() * 1000):
            raise InvalidValue("at", "'at' must not be in the future: only what was recorded can be shown")
        return _capture(str(device_id), data, headers["key"], kind=HISTORICAL, at_ms=data["at"])


def _capture(device_id: str, data: dict[str, Any], key: str | None, *, kind: str, at_ms: int | None) -> Any:
    scope = current_scope()
    device = find_device(scope, device_id)
    asked = {"kind": kind, "at_ms": at_ms, "accuracy": data["accuracy"], "tags": data["tags"], "note": data["note"]}
    request = CaptureRequest(
        # The same key, the same snapshot: a worker that finds it made does not make it again.
        id=str(uuid.uuid4() if key is None else uuid.uuid5(uuid.UUID(scope.tenant_id), f"snapshot:{key}")),
        what=SNAPSHOT,
        tenant_id=scope.tenant_id,
        device_id=device.id,
        created_by=current_name(),
        **asked,
    )
    if key is not None:
        _check_key(request.id, {"device_id": device.id, **asked})
        if (made := _made(request)) is not None:
            return _created(made)
        if (job := find_repeated(scope, CAPTURE_JOB, asked, device_id=device.id, request_key=key)) is not None:
            return accepted(job)
    answer = _ask(request, data["wait_seconds"])
    if answer is None:
        # A worker may have been late by little.
        if (made := _made(request)) is not None:
            return _created(made)
        parameters = {"asked": asked, **request.to_dict()}
        job, is_new = create_job(scope, CAPTURE_JOB, parameters, device_id=device.id, request_key=key)
        if is_new:
            services().send_job(job.id)
        return accepted(job)
    if answer.reason is not None:
        return _refused(answer)
    return _created(find_snapshot(scope, request.id))


def _ask(request: CaptureRequest, wait_seconds: float) -> CaptureAnswer | None:
    """What the snapshot worker answers; None where it does not in time, or there is none."""
    wired = services()
    if wait_seconds == 0 or not wired.has_snapshot_worker():
        return None
    # A bus that is away is found out by a client of little patience.
    wired.bus.ping()
    deadline = time.monotonic() + wait_seconds
    if not wired.capture_slots.acquire(timeout=min(_SLOT_SECONDS, wait_seconds / 2)):
        return None
    try:
        return wired.captures.ask(request, wait_seconds=deadline - time.monotonic())
    finally:
        wired.capture_slots.release()


def _check_key(request_id: str, asked: dict[str, Any]) -> None:
    """Raise Conflict `key_reused` where the key was used for another request, Unavailable without Redis."""
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


def _made(request: CaptureRequest) -> Snapshot | None:
    """The snapshot of a request that was made already. Raises Conflict `snapshot_deleted`."""
    try:
        snapshot = find_snapshot(current_scope(), request.id, with_deleted=True)
    except NotFound:
        return None
    if snapshot.deleted_at is not None:
        raise Conflict(
            "the snapshot of this idempotency key was deleted: bring it back, or choose a new key",
            reason="snapshot_deleted",
        )
    return snapshot


def _created(snapshot: Snapshot) -> tuple[dict[str, Any], int, dict[str, str]]:
    location = url_for("snapshots.SnapshotById", snapshot_id=snapshot.id)
    return with_etag(snapshot_view(snapshot), snapshot, 201, location=location)


def _refused(answer: CaptureAnswer) -> Response:
    """What the worker says, as an error."""
    reason = format_job_error(answer.reason or "job_failed", answer.message)
    if answer.reason == "no_footage":
        return refuse_empty("there is no footage of this moment", answer.nearest_before_ms, answer.nearest_after_ms)
    message = reason.message if answer.message or not reason.remedy else f"{reason.message}: {reason.remedy}"
    raise ApiError(_STATUS.get(reason.code, 503), message, reason=reason.code)
