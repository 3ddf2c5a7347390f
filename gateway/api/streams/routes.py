"""`/streams` and `/rtsp/streams`: the live pipelines of devices."""

from typing import Any

from flask import Response
from flask.views import MethodView

from gateway import bulk_changes, database
from gateway.api.base import BINARY, Blueprint, current_scope, offset_of, paginated, services
from gateway.api.devices.bulk import BulkArgsSchema, BulkResultSchema, bulk_view
from gateway.api.devices.values import stored_sources
from gateway.api.errors import ApiError
from gateway.api.streams.schemas import ActiveStreamQueryArgsSchema, StreamQueryArgsSchema, StreamSchema
from gateway.api.streams.views import stream_views
from gateway.devices.sources import parse_source
from gateway.errors import Conflict
from gateway.inventory import find_device, list_devices
from gateway.redis_client import queue_answers
from gateway.states import DesiredState, StreamState
from gateway.streams.model import request_start, request_stop

blp = Blueprint("streams", __name__, description="Live pipelines of devices: start, stop, state, newest footage")

_queue_answers = queue_answers()

ACTIVE = (StreamState.STARTING, StreamState.RUNNING, StreamState.RECONNECTING, StreamState.STOPPING)


@blp.route("/rtsp/streams/<uuid:device_id>/start", methods=["POST"])
@blp.response(202, StreamSchema)
@blp.errors(403, 404, 409, 503)
def start_stream(device_id: Any) -> Any:
    """Start a stream

    Sets the desired state to `running` and asks a worker; the observed state follows. May be repeated. 409 with reason
    `device_disabled` for a disabled device.
    """
    device = find_device(current_scope(), str(device_id))
    if not device.enabled:
        raise Conflict(f"device '{device.name}' is disabled: enable it first", reason="device_disabled")
    request_start(current_scope(), device.id, demanded_at=database.now())
    services().send_start(device.id)
    return _stream(device.id)


@blp.route("/rtsp/streams/<uuid:device_id>/stop", methods=["POST"])
@blp.response(202, StreamSchema)
@blp.errors(403, 404, 503)
def stop_stream(device_id: Any) -> Any:
    """Stop a stream

    Sets the desired state to `stopped`; the worker stops the stream within one or two seconds. May be repeated.
    """
    request_stop(current_scope(), str(device_id))
    return _stream(str(device_id))


@blp.route("/rtsp/streams/<uuid:device_id>/try-now", methods=["POST"])
@blp.response(202, StreamSchema)
@blp.errors(403, 404, 409, 503)
def try_stream_now(device_id: Any) -> Any:
    """Try a lost stream now

    Ends the pause until the next attempt, also that of a login which the camera has refused three times
    (`login_paused`). Nothing changes for a stream that runs. 409 with reason `device_disabled` or `stream_stopped` for
    one that is not to run.
    """
    device = find_device(current_scope(), str(device_id))
    if not device.enabled:
        raise Conflict(f"device '{device.name}' is disabled: enable it first", reason="device_disabled")
    if device.stream.desired != DesiredState.RUNNING:
        raise Conflict(f"device '{device.name}' is stopped: start it first", reason="stream_stopped")
    for _, url in stored_sources(device, services().box).values():
        services().logins.forget(parse_source(url))
    with _queue_answers:
        services().try_now.request(device.id)
    services().send_start(device.id)
    return _stream(device.id)


@blp.route("/rtsp/streams/start", methods=["POST"])
@blp.arguments(BulkArgsSchema)
@blp.response(200, BulkResultSchema)
@blp.errors(400, 403, 413, 415, 422, 503)
def start_streams(data: dict[str, Any]) -> Any:
    """Start many streams

    As `start` of each device, in one transaction. Always 200 with a result for each device: a missing or disabled one
    does not keep the others from starting. May be repeated.
    """
    reasons = bulk_changes.start_streams(current_scope(), data["device_ids"], demanded_at=database.now())
    for device_id, reason in reasons.items():
        if reason is None:
            services().send_start(device_id)
    return bulk_view(reasons, done=202)


@blp.route("/rtsp/streams/stop", methods=["POST"])
@blp.arguments(BulkArgsSchema)
@blp.response(200, BulkResultSchema)
@blp.errors(400, 403, 413, 415, 422, 503)
def stop_streams(data: dict[str, Any]) -> Any:
    """Stop many streams

    As `stop` of each device, in one transaction. Always 200 with a result for each device. May be repeated.
    """
    return bulk_view(bulk_changes.stop_streams(current_scope(), data["device_ids"]), done=202)


@blp.route("/streams")
class Streams(MethodView):
    @blp.arguments(StreamQueryArgsSchema, location="query")
    @blp.list_response(StreamSchema)
    @blp.errors(422, 503)
    def get(self, args: dict[str, Any]) -> Any:
        """List streams

        One per device, ordered by device name.
        """
        return _page(args, (args["state"],) if args["state"] else ())


@blp.route("/streams/active")
class ActiveStreams(MethodView):
    @blp.arguments(ActiveStreamQueryArgsSchema, location="query")
    @blp.list_response(StreamSchema)
    @blp.errors(422, 503)
    def get(self, args: dict[str, Any]) -> Any:
        """List active streams

        Streams that are starting, running, reconnecting or stopping.
        """
        return _page(args, ACTIVE)


@blp.route("/streams/<uuid:device_id>")
class StreamById(MethodView):
    @blp.response(200, StreamSchema)
    @blp.errors(404, 503)
    def get(self, device_id: Any) -> Any:
        """Read a stream"""
        return _stream(str(device_id))


@blp.route("/streams/<uuid:device_id>/latest.mp4")
class LatestFootage(MethodView):
    @blp.response(200, BINARY, content_type="video/mp4")
    @blp.errors(404, 503)
    def get(self, device_id: Any) -> Response:
        """Read the newest footage

        A small MP4 from the newest key frame until now, for a first picture before WebRTC is connected. 404 with reason
        `no_footage` if there is none.
        """
        device = find_device(current_scope(), str(device_id))
        group = services().bus.latest_group(device.id)
        if group is None:
            raise ApiError(404, f"device '{device.name}' has no live footage now", reason="no_footage")
        init_segment, parts = group
        return Response(b"".join([init_segment, *(part.data for part in parts)]), mimetype="video/mp4")


def _stream(device_id: str) -> dict[str, Any]:
    return stream_views([find_device(current_scope(), device_id)])[0]


def _page(args: dict[str, Any], states: tuple[str, ...]) -> Any:
    devices, total = list_devices(
        current_scope(),
        states=states,
        text=args["q"],
        ids=args["device"],
        limit=args["page_size"],
        offset=offset_of(args),
    )
    return paginated(stream_views(devices), total, args)
