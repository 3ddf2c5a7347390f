"""`/notifications/channels`: receivers, their tests, secrets and browsers."""

from collections.abc import Callable
from typing import Any

import marshmallow as ma
from flask import Response, request, url_for
from flask.views import MethodView

from gateway.plugin_api import Conflict, InvalidValue, PluginContext, database, utc_now
from gateway.plugin_api.web import (
    Blueprint,
    Choice,
    Count,
    Flag,
    Id,
    IdempotencySchema,
    IfMatchSchema,
    ReplySchema,
    Schema,
    ShortList,
    Text,
    Time,
    create_once,
    current_name,
    current_scope,
    etag_header,
    location_header,
    merge,
    no_content,
    repeat_unless_conditional,
    seen_version,
    with_etag,
)
from plugins.notifications.api.deliveries.routes import DeliverySchema, delivery_view
from plugins.notifications.channels import model, subscriptions, values
from plugins.notifications.channels.model import KINDS, PUSH, WEBHOOK, Channel
from plugins.notifications.deliveries import model as deliveries
from plugins.notifications.network import AddressPolicy, AddressRefused, AddressUnknown
from plugins.notifications.senders.mail import ENCRYPTIONS
from plugins.notifications.senders.push import has_valid_keys

CHANNEL_EXAMPLE = {
    "name": "Operations",
    "kind": "webhook",
    "enabled": True,
    "webhook": {"url": "https://hooks.example.org/vas"},
}
_ETAG = etag_header("the channel")
_MAX_HEADERS = 10
#: Sealed settings that null removes.
_REMOVABLE = frozenset({"password", "headers"})


class WebhookSchema(Schema):
    """A receiver of HTTP requests, signed by the Standard Webhooks specification."""

    url = Text(required=True, low=1, high=1000, metadata={"description": "https or http; redirects are not followed"})
    headers = ma.fields.Dict(
        keys=ma.fields.String(validate=ma.validate.Length(max=100)),
        values=ma.fields.String(validate=ma.validate.Length(max=2000)),
        load_only=True,
        allow_none=True,
        validate=ma.validate.Length(max=_MAX_HEADERS, error=f"must have at most {_MAX_HEADERS} entries"),
        metadata={
            "description": "headers of your own, kept sealed; omitted: unchanged, null: none",
            "maxProperties": _MAX_HEADERS,
        },
    )
    secret = ma.fields.String(
        load_only=True,
        validate=ma.validate.Length(max=200),
        metadata={"description": "`whsec_` and 24 to 64 bytes as base64; omitted: unchanged, or made by the service"},
    )
    header_names = ma.fields.List(ma.fields.String(), dump_only=True)
    previous_valid_until = ma.fields.String(
        dump_only=True, allow_none=True, metadata={"description": "until then the former secret signs too"}
    )


class MqttSchema(Schema):
    """An MQTT broker."""

    host = Text(required=True, low=1, high=253)
    port = Count(low=1, high=65535, load_default=1883)
    tls = Flag(load_default=False)
    ca_certificate = Text(
        load_default=None,
        allow_none=True,
        high=20_000,
        lines=True,
        metadata={
            "description": "PEM of the authority that signed the broker's certificate; null: those of the system"
        },
    )
    username = Text(load_default=None, allow_none=True, high=200)
    password = ma.fields.String(
        load_only=True,
        allow_none=True,
        validate=ma.validate.Length(max=1000),
        metadata={"description": "kept sealed; omitted: unchanged, null: none"},
    )
    prefix = Text(load_default="vas", low=1, high=100, metadata={"description": "first levels of all topics"})
    discovery = Flag(load_default=True, metadata={"description": "announce devices to Home Assistant"})
    discovery_prefix = Text(load_default="homeassistant", low=1, high=100)
    pictures = Flag(load_default=True, metadata={"description": "publish the picture of the last event"})
    commands = Flag(
        load_default=False,
        metadata={"description": "obey commands of the broker's clients that switch recording and detection"},
    )
    has_password = ma.fields.Boolean(dump_only=True)


class MailSchema(Schema):
    """A mail server and recipients."""

    host = Text(required=True, low=1, high=253)
    port = Count(
        low=1,
        high=65535,
        load_default=None,
        allow_none=True,
        metadata={"description": "null: 587 with STARTTLS, 465 with TLS, otherwise 25"},
    )
    encryption = Choice(ENCRYPTIONS, load_default="starttls")
    username = Text(load_default=None, allow_none=True, high=200)
    password = ma.fields.String(
        load_only=True,
        allow_none=True,
        validate=ma.validate.Length(max=1000),
        metadata={"description": "kept sealed; omitted: unchanged, null: none"},
    )
    sender = Text(required=True, low=3, high=254)
    recipients = ShortList(
        Text(low=3, high=254),
        required=True,
        validate=ma.validate.Length(min=1, max=20, error="must have 1 to 20 entries"),
    )
    has_password = ma.fields.Boolean(dump_only=True)


class PushSchema(Schema):
    """Browsers that have subscribed."""

    public_key = ma.fields.String(
        dump_only=True, metadata={"description": "the VAPID key for `PushManager.subscribe`, base64url"}
    )
    browsers = ma.fields.Integer(dump_only=True, metadata={"description": "number of subscriptions"})


class ChannelSchema(Schema):
    """A receiver of notifications. The part that is named like its kind has its settings."""

    id = Id(dump_only=True)
    name = Text(required=True, low=1, high=100)
    kind = Choice(KINDS, required=True, metadata={"description": "cannot be changed"})
    enabled = Flag(load_default=True)
    webhook = ma.fields.Nested(WebhookSchema, load_default=None, allow_none=True)
    mqtt = ma.fields.Nested(MqttSchema, load_default=None, allow_none=True)
    mail = ma.fields.Nested(MailSchema, load_default=None, allow_none=True)
    push = ma.fields.Nested(PushSchema, load_default=None, allow_none=True)
    state = Choice(
        ("ok", "failing", "disabled"),
        dump_only=True,
        metadata={"description": "`failing` since the last delivery failed"},
    )
    disabled_reason = ma.fields.String(
        dump_only=True,
        allow_none=True,
        metadata={
            "description": "why the service disabled it: `failing` for too many days, or `gone` by the receiver's own "
            "word (410); null if a person did"
        },
    )
    failing_since = Time(dump_only=True, allow_none=True)
    last_ok_at = Time(dump_only=True, allow_none=True)
    last_error = ma.fields.String(dump_only=True, allow_none=True)
    pending = ma.fields.Integer(dump_only=True, metadata={"description": "deliveries that wait"})
    version = ma.fields.Integer(dump_only=True)
    created_by = ma.fields.String(dump_only=True)
    created_at = Time(dump_only=True)
    updated_at = Time(dump_only=True)


class WebhookSecretSchema(ReplySchema):
    """The secret of a webhook, shown once."""

    secret = ma.fields.String(required=True, metadata={"description": "with it receivers check signatures"})
    previous_valid_until = ma.fields.String(
        allow_none=True, metadata={"description": "until then the former secret signs too"}
    )


class SubscriptionSchema(Schema):
    """A browser, with what its `PushSubscription.toJSON()` says; endpoint and keys are kept sealed and not shown."""

    id = Id(dump_only=True)
    endpoint = ma.fields.String(required=True, load_only=True, validate=ma.validate.Length(max=1000))
    p256dh = ma.fields.String(
        required=True, load_only=True, validate=ma.validate.Length(max=200), metadata={"description": "base64url"}
    )
    auth = ma.fields.String(
        required=True, load_only=True, validate=ma.validate.Length(max=100), metadata={"description": "base64url"}
    )
    browser = Text(load_default="", high=100, metadata={"description": "a name for people"})
    created_by = ma.fields.String(dump_only=True)
    created_at = Time(dump_only=True)


def build_blueprint(plugin: PluginContext, policy: Callable[[], AddressPolicy]) -> Blueprint:
    """Build the resource."""
    blp = Blueprint(
        "notification_channels",
        __name__,
        url_prefix="/notifications/channels",
        description="Receivers of notifications: webhooks, MQTT brokers, mail, browsers",
    )

    def view(channel: Channel, pending: dict[str, int]) -> dict[str, Any]:
        scope = current_scope()
        return values.show(
            channel,
            channel.open_secrets(plugin.secrets),
            pending=pending.get(channel.id, 0),
            browsers=len(subscriptions.list_subscriptions(scope, channel.id)) if channel.kind == PUSH else 0,
        )

    def shown(channel: Channel, status: int = 200, *, location: str | None = None) -> Any:
        found = view(channel, deliveries.count_pending(current_scope()))
        return with_etag(found, channel, status, location=location)

    def replace(data: dict[str, Any], before: Channel, if_version: int) -> Any:
        if data["kind"] != before.kind:
            raise InvalidValue("kind", f"'kind' must stay '{before.kind}': add a new channel instead")
        now, old = utc_now(), before.open_secrets(plugin.secrets)
        settings, secrets = values.split(before.kind, values.require_part(data), policy(), old, now)
        channel = model.replace_channel(
            current_scope(),
            plugin.secrets,
            before.id,
            name=data["name"],
            enabled=data["enabled"],
            settings=settings,
            secret_values=secrets,
            at=now,
            if_version=if_version,
        )
        return shown(channel)

    @blp.route("")
    class NotificationChannels(MethodView):
        @blp.response(200, ChannelSchema(many=True))
        @blp.errors(503)
        def get(self) -> Any:
            """List channels

            All of them, by name.
            """
            pending = deliveries.count_pending(current_scope())
            return [view(channel, pending) for channel in model.list_channels(current_scope())]

        @blp.arguments(ChannelSchema, example=CHANNEL_EXAMPLE)
        @blp.arguments(IdempotencySchema, location="headers")
        @blp.response(201, ChannelSchema, headers=_ETAG | location_header("the channel"))
        @blp.errors(400, 403, 409, 413, 415, 422, 503)
        def post(self, data: dict[str, Any], headers: dict[str, Any]) -> Any:
            """Add a channel

            An address that is neither public nor in the option `allowed_networks` is refused with reason
            `address_not_allowed`. The secret of a webhook is shown by `rotate` alone.
            """

            def create() -> Any:
                now = utc_now()
                settings, secrets = values.split(data["kind"], values.require_part(data), policy(), None, now)
                channel = model.create_channel(
                    current_scope(),
                    plugin.secrets,
                    name=data["name"],
                    kind=data["kind"],
                    enabled=data["enabled"],
                    settings=settings,
                    secret_values=secrets,
                    by=current_name(),
                    at=now,
                )
                location = url_for("notification_channels.NotificationChannelById", channel_id=channel.id)
                return shown(channel, 201, location=location)

            return create_once(headers["key"], ChannelSchema, create)

    @blp.route("/<uuid:channel_id>")
    class NotificationChannelById(MethodView):
        @blp.response(200, ChannelSchema, headers=_ETAG)
        @blp.errors(404, 503)
        def get(self, channel_id: Any) -> Any:
            """Read a channel"""
            return shown(model.find_channel(current_scope(), str(channel_id)))

        @blp.arguments(ChannelSchema, example=CHANNEL_EXAMPLE)
        @blp.arguments(IfMatchSchema, location="headers")
        @blp.response(200, ChannelSchema, headers=_ETAG)
        @blp.errors(400, 403, 404, 409, 412, 413, 415, 422, 503)
        def put(self, data: dict[str, Any], headers: dict[str, Any], channel_id: Any) -> Any:
            """Change a channel

            Sets every field; secrets that are omitted stay. With If-Match, 412 if it has changed since it was read.
            """
            before = model.find_channel(current_scope(), str(channel_id))
            return replace(data, before, seen_version(headers, before, "channel") or before.version)

        @blp.patch_arguments()
        @blp.arguments(IfMatchSchema, location="headers")
        @blp.response(200, ChannelSchema, headers=_ETAG)
        @blp.errors(400, 403, 404, 409, 412, 413, 415, 422, 503)
        def patch(self, patch: dict[str, Any], headers: dict[str, Any], channel_id: Any) -> Any:
            """Change fields of a channel

            A JSON merge patch (RFC 7396): fields that are sent replace those of the channel, null restores a default,
            or removes a password or headers; secrets that are not sent stay. The rest as with PUT.
            """

            def change() -> Any:
                before = model.find_channel(current_scope(), str(channel_id))
                data = merge(ChannelSchema, view(before, {}), patch)
                # What is not shown has no default to return to: null removes it, as with PUT.
                sent = patch.get(before.kind)
                for name in _REMOVABLE & sent.keys() if isinstance(sent, dict) and data[before.kind] else ():
                    if sent[name] is None:
                        data[before.kind][name] = None
                return replace(data, before, seen_version(headers, before, "channel") or before.version)

            return repeat_unless_conditional(change, headers)

        @blp.response(204)
        @blp.errors(403, 404, 503)
        def delete(self, channel_id: Any) -> Response:
            """Delete a channel

            Its browsers are forgotten, and what waits for it is cancelled. Its deliveries stay as a history.
            """
            scope = current_scope()
            with database.transaction():
                channel = model.delete_channel(scope, str(channel_id))
                subscriptions.forget_subscriptions(scope, channel.id)
                deliveries.cancel_pending(scope, channel.id, utc_now())
            return no_content()

    @blp.route("/<uuid:channel_id>/test")
    class NotificationChannelTest(MethodView):
        @blp.doc(operationId="test_notification_channel")
        @blp.arguments(IdempotencySchema, location="headers")
        @blp.response(202, DeliverySchema, headers=location_header("the delivery"))
        @blp.errors(403, 404, 409, 415, 422, 503)
        def post(self, headers: dict[str, Any], channel_id: Any) -> Any:
            """Send a test

            The delivery that is returned goes the way of all others; read it to see what became of it. 409 with reason
            `disabled` if the channel is disabled.
            """
            scope, now = current_scope(), utc_now()
            channel = model.find_channel(scope, str(channel_id))
            if not channel.enabled:
                raise Conflict(f"channel '{channel.name}' is disabled: enable it first", reason="disabled")

            def create() -> Any:
                with database.transaction():
                    delivery_id = deliveries.add_delivery(
                        scope,
                        channel,
                        type="test",
                        title=f"Test of channel {channel.name}",
                        text=f"Requested by {current_name()}. Notifications of this channel arrive here.",
                        data={},
                        at=now,
                    )
                found = deliveries.find_delivery(scope, delivery_id)
                location = url_for("notification_deliveries.NotificationDeliveryById", delivery_id=delivery_id)
                return delivery_view(found), 202, {"Location": location}

            return create_once(headers["key"], DeliverySchema, create)

    @blp.route("/<uuid:channel_id>/rotate")
    class NotificationChannelSecret(MethodView):
        @blp.doc(operationId="rotate_notification_channel_secret")
        @blp.response(200, WebhookSecretSchema)
        @blp.errors(403, 404, 409, 415, 503)
        def post(self, channel_id: Any) -> Any:
            """Make a new secret of a webhook, and show it

            It is shown here alone. The former one signs too for 24 hours, so that receivers can change it. 409 for a
            channel of another kind.
            """
            scope, now = current_scope(), utc_now()
            channel = model.find_channel(scope, str(channel_id))
            if channel.kind != WEBHOOK:
                raise Conflict("only webhooks have a secret for signatures")
            secrets = values.rotate(channel.open_secrets(plugin.secrets), now)
            model.replace_channel(
                scope,
                plugin.secrets,
                channel.id,
                name=channel.name,
                enabled=channel.enabled,
                settings=channel.read_settings(),
                secret_values=secrets,
                at=now,
                if_version=channel.version,
            )
            return {"secret": secrets["secret"], "previous_valid_until": secrets["previous_until"]}

    @blp.route("/<uuid:channel_id>/subscriptions")
    class NotificationSubscriptions(MethodView):
        @blp.response(200, SubscriptionSchema(many=True))
        @blp.errors(404, 503)
        def get(self, channel_id: Any) -> Any:
            """List the browsers of a channel"""
            scope = current_scope()
            return subscriptions.list_subscriptions(scope, model.find_channel(scope, str(channel_id)).id)

        @blp.arguments(SubscriptionSchema)
        @blp.response(201, SubscriptionSchema)
        @blp.errors(400, 403, 404, 409, 413, 415, 422, 503)
        def post(self, data: dict[str, Any], channel_id: Any) -> Any:
            """Subscribe a browser

            Repeated for the same endpoint, it renews the keys. 409 for a channel of another kind.
            """
            scope = current_scope()
            channel = model.find_channel(scope, str(channel_id))
            if channel.kind != PUSH:
                raise Conflict("only channels of the kind 'push' have browsers")
            keys = {name: data[name] for name in ("endpoint", "p256dh", "auth")}
            if not has_valid_keys(**keys):
                raise InvalidValue("p256dh", "'p256dh' and 'auth' must be the keys of a push subscription")
            try:
                policy().find_url(data["endpoint"], "endpoint")
            except AddressRefused as error:
                raise InvalidValue("endpoint", error.message, reason=error.reason) from None
            except AddressUnknown:
                pass  # it may be known by the time something is sent
            row, _ = subscriptions.subscribe(
                scope,
                plugin.secrets,
                channel.id,
                keys,
                browser=data["browser"] or request.user_agent.string[:100],
                by=current_name(),
                at=utc_now(),
            )
            return row

    @blp.route("/<uuid:channel_id>/subscriptions/<uuid:subscription_id>")
    class NotificationSubscriptionById(MethodView):
        @blp.response(204)
        @blp.errors(403, 404, 503)
        def delete(self, channel_id: Any, subscription_id: Any) -> Response:
            """Remove a browser"""
            subscriptions.unsubscribe(current_scope(), str(channel_id), str(subscription_id))
            return no_content()

    return blp
