"""`/devices/deleted` and `/devices/{id}/restore`: the bin of deleted devices."""

from typing import Any

import marshmallow as ma
from flask import Response
from flask.views import MethodView

from gateway.api.base import Blueprint, Id, ReplySchema, Time, current_name, current_scope, no_content, services
from gateway.api.conditional import with_etag
from gateway.api.devices.schemas import DeviceSchema
from gateway.api.devices.views import device_view
from gateway.api.footage.views import recorded_sums
from gateway.api.time_fields import now_ms
from gateway.api.undo import add_restore_route
from gateway.device_bin import deleted_devices, purge_device, restore_device
from gateway.footage.lists import usage_of_all
from gateway.states import DesiredState

blp = Blueprint("device_bin", __name__, url_prefix="/devices", description="Deleted devices that can be restored")


class DeletedDeviceSchema(ReplySchema):
    """A deleted device in the bin."""

    id = Id(attribute="device_id")
    name = ma.fields.String()
    deleted_at = Time()
    deleted_by = ma.fields.String(metadata={"description": "name of the person or address that deleted it"})
    until = Time(metadata={"description": "time until which it can be restored; then its footage is deleted"})
    bytes = ma.fields.Integer(metadata={"description": "bytes of its footage that are still kept"})


@blp.route("/deleted")
class DeletedDevices(MethodView):
    @blp.response(200, DeletedDeviceSchema(many=True))
    @blp.errors(503)
    def get(self) -> Any:
        """List deleted devices

        The devices that can be restored, the newest deletion first.
        """
        found = deleted_devices(current_scope(), bin_hours=services().config.bin_hours)
        sizes: dict[str, int] = {}
        if found:
            usages = usage_of_all(current_scope(), now_ms(), recorded_sums())
            sizes = {usage.recording.device_id: usage.bytes for usage in usages}
        for row in found:
            row.bytes = sizes.get(row.device_id, 0)
        return found


@blp.route("/deleted/<uuid:device_id>")
class DeletedDeviceById(MethodView):
    @blp.response(204)
    @blp.errors(403, 404, 503)
    def delete(self, device_id: Any) -> Response:
        """Remove a deleted device for good

        It can no longer be restored; housekeeping deletes its footage, also protected ranges.
        """
        purge_device(current_scope(), str(device_id))
        return no_content()


def _restore(device_id: str) -> Any:
    device = restore_device(current_scope(), device_id, bin_hours=services().config.bin_hours, by_name=current_name())
    if device.stream.desired == DesiredState.RUNNING:
        services().send_start(device.id)
    return with_etag(device_view(device), device)


add_restore_route(
    blp,
    "DeviceRestore",
    "device",
    DeviceSchema,
    _restore,
    within="BIN_HOURS",
    conflict="409 with reason `name_taken` if another device has its name.",
)
