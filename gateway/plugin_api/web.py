"""What a plugin's routes are made of (`register_blueprints`). Import it in that module only: it needs Flask."""

from gateway.api.base import (
    BINARY,
    Blueprint,
    Choice,
    Choices,
    Count,
    DeferredReply,
    DeviceIds,
    ErrorSchema,
    Flag,
    Id,
    IfMatchSchema,
    PageArgsSchema,
    ReasonSchema,
    ReplySchema,
    Schema,
    ShortList,
    Text,
    Time,
    WeeklyPlan,
    ZoneName,
    current_name,
    current_scope,
    etag_header,
    location_header,
    no_content,
    offset_of,
    paginated,
    request_stream,
    seen_version,
    with_etag,
)
from gateway.api.conditional import IdempotencySchema
from gateway.api.idempotency import create_once
from gateway.api.merge_patch import merge, repeat_unless_conditional
from gateway.api.time_fields import Moment, OrderedRange

__all__ = [  # noqa: RUF022 (in groups)
    # Routes and replies
    "Blueprint",
    "DeferredReply",
    "create_once",
    "etag_header",
    "location_header",
    "merge",
    "no_content",
    "repeat_unless_conditional",
    "request_stream",
    "seen_version",
    "with_etag",
    # The request: its tenant, through which every query goes, and the name of its author
    "current_name",
    "current_scope",
    # Pages of lists
    "PageArgsSchema",
    "offset_of",
    "paginated",
    # Schemas
    "BINARY",
    "ErrorSchema",
    "IdempotencySchema",
    "IfMatchSchema",
    "OrderedRange",
    "ReasonSchema",
    "ReplySchema",
    "Schema",
    # Fields
    "Choice",
    "Choices",
    "Count",
    "DeviceIds",
    "Flag",
    "Id",
    "Moment",
    "ShortList",
    "Text",
    "Time",
    "WeeklyPlan",
    "ZoneName",
]
