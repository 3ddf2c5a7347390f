"""`/devices`: the configured cameras."""

from typing import Any

from flask import Response, url_for
from flask.views import MethodView

from gateway import database
from gateway.api.base import (
    Blueprint,
    current_name,
    current_scope,
    no_content,
    offset_of,
    paginated,
    services,
)
from gateway.api.conditional import (
    IdempotencySchema,
    IfMatchSchema,
    etag_header,
    location_header,
    seen_version,
    with_etag,
)
from gateway.api.devices.bulk import BulkResultSchema, BulkTagsArgsSchema, bulk_view
from gateway.api.devices.probing import probe
from gateway.api.devices.schemas import (
    DEVICE_EXAMPLE,
    DeviceEventQueryArgsSchema,
    DeviceQueryArgsSchema,
    DeviceSchema,
    ProbeArgsSchema,
    ProbeResultSchema,
)
from gateway.api.devices.values import new_values, replaced_values
from gateway.api.devices.views import device_view, device_views
from gateway.api.events.schemas import EventSchema
from gateway.api.events.views import event_view
from gateway.api.idempotency import create_once, stored_reply
from gateway.api.merge_patch import merge, repeat_unless_conditional
from gateway.api.tags import MAX_TAGS
from gateway.bulk_changes import change_tags
from gateway.device_bin import discard_device
from gateway.devices.model import Device
from gateway.events.model import events_of
from gateway.inventory import NewRecording, create_device, find_device, list_devices, replace_device
from gateway.states import DesiredState, StreamState

blp = Blueprint("devices", __name__, url_prefix="/devices", description="Configured cameras")

_ETAG = etag_header("the device")


@blp.route("")
class Devices(MethodView):
    @blp.arguments(DeviceQueryArgsSchema, location="query")
    @blp.list_response(DeviceSchema)
    @blp.errors(422, 503)
    def get(self, args: dict[str, Any]) -> Any:
        """List devices

        A page of devices, filtered and sorted.
        """
        devices, total = list_devices(
            current_scope(),
            sort=args["sort"],
            tags=args["tag"],
            states=(args["state"],) if args["state"] else (),
            text=args["q"],
            limit=args["page_size"],
            offset=offset_of(args),
        )
        return paginated(device_views(devices), total, args)

    @blp.arguments(DeviceSchema, example=DEVICE_EXAMPLE)
    @blp.arguments(IdempotencySchema, location="headers")
    @blp.response(201, DeviceSchema, headers=_ETAG | location_header("the device"))
    @blp.errors(400, 403, 409, 413, 415, 422, 503)
    def post(self, data: dict[str, Any], headers: dict[str, Any]) -> Any:
        """Add a device

        A device with the start mode `always` starts at once. 409 with reason `name_taken` if the name is in use.
        """
        wired = services()
        if (repeated := stored_reply(headers["key"])) is not None:
            return repeated
        values = new_values(data, wired.policy)
        recording = NewRecording(wired.config.recording_mode, wired.config.time_zone)
        to_start: list[str] = []

        def create() -> Any:
            device = create_device(current_scope(), values, wired.box, recording=recording)
            if device.stream.desired == DesiredState.RUNNING:
                to_start.append(device.id)
            location = url_for("devices.DeviceById", device_id=device.id)
            return with_etag(device_view(device), device, 201, location=location)

        return create_once(headers["key"], DeviceSchema, create, lambda: [wired.send_start(one) for one in to_start])


@blp.route("/<uuid:device_id>")
class DeviceById(MethodView):
    @blp.response(200, DeviceSchema, headers=_ETAG)
    @blp.errors(404, 503)
    def get(self, device_id: Any) -> Any:
        """Read a device"""
        device = find_device(current_scope(), str(device_id))
        return with_etag(device_view(device), device)

    @blp.arguments(DeviceSchema)
    @blp.arguments(IfMatchSchema, location="headers")
    @blp.response(200, DeviceSchema, headers=_ETAG)
    @blp.errors(400, 403, 404, 409, 412, 413, 415, 422, 503)
    def put(self, data: dict[str, Any], headers: dict[str, Any], device_id: Any) -> Any:
        """Replace a device

        Sets every field; omitted fields get their default. A source URL that is sent exactly as it was shown, with
        `***`, keeps its password; a changed URL must contain the password again. A running stream applies the change by
        itself. With If-Match, 412 if the device has changed since it was read.
        """
        before = find_device(current_scope(), str(device_id))
        return _replace(data, before, seen_version(headers, before, "device"))

    @blp.patch_arguments()
    @blp.arguments(IfMatchSchema, location="headers")
    @blp.response(200, DeviceSchema, headers=_ETAG)
    @blp.errors(400, 403, 404, 409, 412, 413, 415, 422, 503)
    def patch(self, patch: dict[str, Any], headers: dict[str, Any], device_id: Any) -> Any:
        """Change fields of a device

        A JSON merge patch (RFC 7396): fields that are sent replace those of the device, null restores a default. The
        rest as with PUT. With If-Match, 412 if the device has changed since it was read; without, a change by somebody
        else at the same time is kept.
        """

        def change() -> Any:
            before = find_device(current_scope(), str(device_id))
            data = merge(DeviceSchema, device_view(before), _without_unused_fingerprint(patch))
            return _replace(data, before, seen_version(headers, before, "device") or before.version)

        return repeat_unless_conditional(change, headers)

    @blp.response(204)
    @blp.errors(403, 404, 503)
    def delete(self, device_id: Any) -> Response:
        """Delete a device

        A running stream is stopped by its worker within seconds. The device goes into the bin with its settings,
        schedules, history and footage: `restore` brings it back within BIN_HOURS. After that its footage is deleted,
        also protected ranges.
        """
        discard_device(current_scope(), str(device_id), by_name=current_name())
        return no_content()


def _without_unused_fingerprint(patch: dict[str, Any]) -> dict[str, Any]:
    """The patch, which removes the fingerprint with the trust in it."""
    if patch.get("tls_trust", "pinned") == "pinned":
        return patch
    return {"tls_fingerprint": None} | patch


def _replace(data: dict[str, Any], before: Device, if_version: int | None) -> Any:
    wired = services()
    values = replaced_values(data, before, wired.policy, wired.box)
    device = replace_device(current_scope(), before.id, values, wired.box, if_version=if_version)
    if device.stream.desired == DesiredState.RUNNING and device.stream.observed == StreamState.STOPPED:
        wired.send_start(device.id)
    return with_etag(device_view(device), device)


@blp.route("/<uuid:device_id>/events")
class DeviceEvents(MethodView):
    @blp.arguments(DeviceEventQueryArgsSchema, location="query")
    @blp.list_response(EventSchema)
    @blp.errors(404, 422, 503)
    def get(self, args: dict[str, Any], device_id: Any) -> Any:
        """List the events of a device

        State transitions of its stream, and events of its snapshots and bookmarks; newest first.
        """
        with database.session():
            device = find_device(current_scope(), str(device_id))
            query = events_of(current_scope(), device.id, args["kind"])
            total = query.count()
            events = list(query.limit(args["page_size"]).offset(offset_of(args)))
        return paginated([event_view(event) for event in events], total, args)


@blp.route("/tags", methods=["POST"])
@blp.arguments(BulkTagsArgsSchema)
@blp.response(200, BulkResultSchema)
@blp.errors(400, 403, 413, 415, 422, 503)
def change_device_tags(data: dict[str, Any]) -> Any:
    """Change the tags of many devices

    Removes tags, then adds others, in one transaction. Always 200 with a result for each device: one that does not
    exist, or would have too many tags, keeps what it has. May be repeated.
    """
    reasons = change_tags(current_scope(), data["device_ids"], add=data["add"], remove=data["remove"], most=MAX_TAGS)
    return bulk_view(reasons, done=200)


@blp.route("/probe")
class DeviceProbe(MethodView):
    @blp.arguments(ProbeArgsSchema)
    @blp.doc(operationId="probe_source")
    @blp.response(200, ProbeResultSchema)
    @blp.errors(400, 403, 404, 409, 413, 415, 422, 429, 503)
    def post(self, data: dict[str, Any]) -> Any:
        """Probe a source

        Connects to the camera once and describes its tracks, with advice on settings that cost latency or CPU. Takes up
        to 20 seconds. An unreachable camera is a result, not an error. 503 with reason `no_worker` if no worker takes
        the job. With the `device_id` of a device that runs from this source, the answer is what its stream shows: the
        camera is not connected to a second time.
        """
        return probe(data)
