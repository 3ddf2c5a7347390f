"""Bodies and replies of changes of many devices: a result for each, in the order of the request."""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma

from gateway.api.base import Id, ReplySchema, Schema, ShortList
from gateway.api.tags import MAX_TAGS, Tags
from gateway.bulk_changes import DISABLED, NOT_FOUND, TOO_MANY_TAGS

#: Devices of one request.
MAX_DEVICES = 500

_FAULTS = {
    NOT_FOUND: (404, "there is no device with this id"),
    DISABLED: (409, "the device is disabled: enable it first"),
    TOO_MANY_TAGS: (422, f"the device would have more than {MAX_TAGS} tags"),
}


class BulkArgsSchema(Schema):
    """The devices to change."""

    device_ids = ShortList(
        Id(),
        required=True,
        validate=ma.validate.Length(min=1, max=MAX_DEVICES, error=f"must have 1 to {MAX_DEVICES} entries"),
        metadata={"description": "ids of the devices; one that is repeated counts once"},
    )

    @ma.post_load
    def drop_repeated(self, data: dict[str, Any], **_options: Any) -> dict[str, Any]:
        return data | {"device_ids": list(dict.fromkeys(data["device_ids"]))}


class BulkTagsArgsSchema(BulkArgsSchema):
    """Tags to add to devices and to remove from them."""

    add = Tags()
    remove = Tags(example=())

    @ma.validates_schema
    def check_tags(self, data: dict[str, Any], **_options: Any) -> None:
        if not data["add"] and not data["remove"]:
            raise ma.ValidationError({"add": ["'add' or 'remove' must have an entry"]})
        if both := set(data["add"]) & set(data["remove"]):
            raise ma.ValidationError({"remove": [f"'{min(both)}' must not be in 'add' as well"]})


class DeviceResultSchema(ReplySchema):
    """What became of one device."""

    device_id = Id(required=True)
    status = ma.fields.Integer(
        required=True,
        metadata={"description": "the status that a request for this device alone would get", "example": 202},
    )
    reason = ma.fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "`not_found`, `device_disabled` or `too_many_tags`; null if it was done"},
    )
    message = ma.fields.String(required=True, metadata={"description": "what is wrong; empty if it was done"})


class BulkResultSchema(ReplySchema):
    """The results of a change of many devices, in the order of the request."""

    succeeded = ma.fields.Integer(required=True)
    failed = ma.fields.Integer(required=True)
    results = ma.fields.List(ma.fields.Nested(DeviceResultSchema), required=True)


def bulk_view(reasons: Mapping[str, str | None], *, done: int) -> dict[str, Any]:
    """The reply for the reasons by device id; `done` is the status of a device whose change was made."""
    results = []
    for device_id, reason in reasons.items():
        status, message = (done, "") if reason is None else _FAULTS[reason]
        results.append({"device_id": device_id, "status": status, "reason": reason, "message": message})
    failed = sum(reason is not None for reason in reasons.values())
    return {"succeeded": len(results) - failed, "failed": failed, "results": results}
