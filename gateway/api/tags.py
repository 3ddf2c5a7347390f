"""Tags of snapshots, bookmarks and devices: the field, and the list of those in use."""

from typing import Any

import marshmallow as ma

from gateway.api.base import Id, PageArgsSchema, ReplySchema, Text

MAX_TAGS = 20
MAX_DEVICES = 200


def tags_field(**options: Any) -> ma.fields.List:
    """Tags as people give them."""
    return ma.fields.List(
        Text(low=1, high=50),
        load_default=list,
        validate=ma.validate.Length(max=MAX_TAGS, error=f"must have at most {MAX_TAGS} entries"),
        metadata={"description": f"at most {MAX_TAGS}; each once, in alphabetical order", "example": ["gate"]},
        **options,
    )


class TagQueryArgsSchema(PageArgsSchema):
    """Query of the tags of snapshots or bookmarks."""

    device_id = ma.fields.List(
        Id(),
        load_default=list,
        validate=ma.validate.Length(max=MAX_DEVICES, error=f"must be at most {MAX_DEVICES}"),
        metadata={"description": "only those of this device; given more than once, of any of them"},
    )


class TagSchema(ReplySchema):
    """A tag that is in use."""

    tag = ma.fields.String(metadata={"example": "gate"})
    count = ma.fields.Integer(metadata={"description": "how many have it; what is deleted does not count"})
