"""`/notifications/deliveries`: what was sent, to whom, and with which outcome."""

import json
from typing import Any

import marshmallow as ma
from flask.views import MethodView

from gateway.plugin_api import utc_now
from gateway.plugin_api.web import (
    Blueprint,
    Choice,
    Choices,
    DeviceIds,
    Id,
    PageArgsSchema,
    ReplySchema,
    Time,
    current_scope,
    offset_of,
    paginated,
)
from plugins.notifications.channels.model import KINDS
from plugins.notifications.deliveries.model import STATES, Delivery, find_delivery, list_deliveries, retry

#: Limit of ids in the database.
_NUMBER = "int(max=9223372036854775807)"


class DeliverySchema(ReplySchema):
    """A notification for one channel."""

    id = ma.fields.Integer(required=True)
    message_id = ma.fields.String(
        required=True, metadata={"description": "the same in every attempt: receivers drop repeats by it"}
    )
    channel_id = Id(required=True)
    channel_name = ma.fields.String(required=True)
    kind = Choice(KINDS, required=True, metadata={"description": "kind of the channel"})
    rule_id = Id(allow_none=True, metadata={"description": "null for a test"})
    rule_name = ma.fields.String()
    event_id = ma.fields.Integer(allow_none=True)
    device_id = Id(allow_none=True)
    device_name = ma.fields.String()
    state = Choice(
        STATES,
        required=True,
        metadata={
            "description": "`pending` until it is delivered or given up after 24 hours; `cancelled` with its channel"
        },
    )
    type = ma.fields.String(metadata={"example": "detection.began"})
    title = ma.fields.String()
    text = ma.fields.String()
    data = ma.fields.Dict(keys=ma.fields.String(), metadata={"description": "the event, as webhooks get it"})
    attempts = ma.fields.Integer()
    created_at = Time()
    next_try_at = Time(allow_none=True)
    finished_at = Time(allow_none=True)
    status = ma.fields.Integer(allow_none=True, metadata={"description": "HTTP status or SMTP code of the answer"})
    answer = ma.fields.String(allow_none=True, metadata={"description": "beginning of the answer"})
    reason = ma.fields.String(
        allow_none=True,
        metadata={"description": "code of the failure, such as `timed_out`, `refused` or `address_not_allowed`"},
    )
    error = ma.fields.String(allow_none=True, metadata={"description": "the failure, as text for people"})


class DeliveryQueryArgsSchema(PageArgsSchema):
    """Query of the list of deliveries."""

    state = Choices(STATES, "only deliveries in this state; may be repeated")
    channel_id = Id(load_default=None, metadata={"description": "only those of this channel"})
    rule_id = Id(load_default=None, metadata={"description": "only those of this rule"})
    device_id = DeviceIds("only those about this device; may be repeated")


def delivery_view(delivery: Delivery) -> dict[str, Any]:
    """A delivery as replies show it."""
    columns = {name: getattr(delivery, name) for name in DeliverySchema().fields if name != "data"}
    return columns | {"data": json.loads(delivery.data)}


def build_blueprint() -> Blueprint:
    """Build the resource."""
    blp = Blueprint(
        "notification_deliveries",
        __name__,
        url_prefix="/notifications/deliveries",
        description="Notifications that were sent or wait",
    )

    @blp.route("")
    class NotificationDeliveries(MethodView):
        @blp.arguments(DeliveryQueryArgsSchema, location="query")
        @blp.list_response(DeliverySchema)
        @blp.errors(422, 503)
        def get(self, args: dict[str, Any]) -> Any:
            """List deliveries

            Newest first. Finished ones are removed after the days of the option `keep_days`.
            """
            found, total = list_deliveries(
                current_scope(),
                states=args["state"],
                channel_id=args["channel_id"],
                rule_id=args["rule_id"],
                device_ids=args["device_id"],
                limit=args["page_size"],
                offset=offset_of(args),
            )
            return paginated([delivery_view(delivery) for delivery in found], total, args)

    @blp.route(f"/<{_NUMBER}:delivery_id>")
    class NotificationDeliveryById(MethodView):
        @blp.response(200, DeliverySchema)
        @blp.errors(404, 503)
        def get(self, delivery_id: int) -> Any:
            """Read a delivery"""
            return delivery_view(find_delivery(current_scope(), delivery_id))

    @blp.route(f"/<{_NUMBER}:delivery_id>/retry")
    class NotificationDeliveryRetry(MethodView):
        @blp.doc(operationId="retry_notification_delivery")
        @blp.response(202, DeliverySchema)
        @blp.errors(403, 404, 409, 415, 503)
        def post(self, delivery_id: int) -> Any:
            """Send a delivery again

            Whatever became of it, with the same message id. One that waits is tried now. 409 if its
            channel was deleted, or with reason `disabled` if that is disabled.
            """
            return delivery_view(retry(current_scope(), delivery_id, utc_now()))

    return blp
