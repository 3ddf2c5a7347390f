"""Tags of devices, snapshots and bookmarks: the field, the filter, and the list of the tags in use."""

from collections.abc import Callable
from typing import Any

import marshmallow as ma
from flask.views import MethodView

from gateway.api.base import (
    Blueprint,
    DeviceIds,
    PageArgsSchema,
    ReplySchema,
    ShortList,
    Text,
    current_scope,
    offset_of,
    paginated,
)

MAX_TAGS = 20
MAX_TAG_CHARACTERS = 50


class Tags(ShortList):
    """Tags of one resource; in Python a tuple in alphabetical order without duplicates."""

    def __init__(self, *, example: tuple[str, ...] = ("gate",), **options: Any) -> None:
        super().__init__(
            Text(low=1, high=MAX_TAG_CHARACTERS),
            load_default=list,
            validate=ma.validate.Length(max=MAX_TAGS, error=f"must have at most {MAX_TAGS} entries"),
            metadata={
                "description": f"at most {MAX_TAGS}, without duplicates, in alphabetical order",
                "example": list(example),
            },
            **options,
        )

    def deserialize(self, value: Any, attr: str | None = None, data: Any = None, **options: Any) -> tuple[str, ...]:
        # After the validation: duplicates count towards the limit.
        return tuple(sorted(set(super().deserialize(value, attr, data, **options))))


class TagFilter(ShortList):
    """Query parameter of a list: only resources that have all of these tags."""

    def __init__(self, things: str, **options: Any) -> None:
        super().__init__(
            Text(low=1, high=MAX_TAG_CHARACTERS),
            load_default=list,
            validate=ma.validate.Length(max=MAX_TAGS, error=f"must be at most {MAX_TAGS}"),
            metadata={"description": f"only {things} with this tag; if repeated, only those with all of the tags"},
            **options,
        )


class TagQueryArgsSchema(PageArgsSchema):
    """Query of a list of tags."""

    device_id = DeviceIds("count only what belongs to this device; may be repeated for several devices")


class TagSchema(ReplySchema):
    """A tag in use."""

    tag = ma.fields.String(metadata={"example": "gate"})
    count = ma.fields.Integer(metadata={"description": "how many have it; deleted ones are not counted"})


def add_tags_route(blp: Blueprint, endpoint: str, things: str, count_tags: Callable[..., Any]) -> None:
    """Add `GET /tags` to the blueprint of a resource.

    `things` is the plural that the documentation shows; `count_tags(scope, device_ids, limit=, offset=)` gives the
    counts of a page and the number of all tags.
    """

    @blp.route("/tags", endpoint=endpoint)
    class TagList(MethodView):
        @blp.arguments(TagQueryArgsSchema, location="query")
        @blp.list_response(TagSchema)
        @blp.errors(422, 503)
        @blp.doc(
            operationId=f"list_{things.removesuffix('s')}_tags",
            summary=f"List the tags of {things}",
            description=f"The most used first, each with the number of {things} that have it.",
        )
        def get(self, args: dict[str, Any]) -> Any:
            tags, total = count_tags(
                current_scope(), args["device_id"], limit=args["page_size"], offset=offset_of(args)
            )
            return paginated(tags, total, args)
