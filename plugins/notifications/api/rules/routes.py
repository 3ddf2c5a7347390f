"""`/notifications/rules`: which events are reported, and how."""

import time
from typing import Any

import marshmallow as ma
from flask import Response, url_for
from flask.views import MethodView

from gateway.plugin_api import DAY_MS, Event, TenantScope, database, format_time, utc_now
from gateway.plugin_api.web import (
    Blueprint,
    Choice,
    Count,
    DeviceIds,
    Flag,
    Id,
    IdempotencySchema,
    IfMatchSchema,
    ReplySchema,
    Schema,
    ShortList,
    Text,
    Time,
    WeeklyPlan,
    ZoneName,
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
from plugins.notifications.channels.model import find_channel
from plugins.notifications.engine import preview
from plugins.notifications.happenings import BEGAN, MOMENTS
from plugins.notifications.rules import model
from plugins.notifications.rules.model import ActiveRule, Rule
from plugins.notifications.texts import DEFAULT_TEXT, DEFAULT_TITLE, PLACEHOLDERS, check_template, render

RULE_EXAMPLE = {
    "name": "People at night",
    "kinds": ["detection"],
    "labels": ["person"],
    "min_score": 0.6,
    "tags": ["outside"],
    "channel_ids": ["5f3f5a0e-6d4e-4b53-8b51-3f6a1f0c2f11"],
    "cooldown_seconds": 300,
    "time_zone": "Europe/Berlin",
    "quiet_hours": {"monday": [["08:00", "18:00"]]},
    "title": DEFAULT_TITLE,
    "text": DEFAULT_TEXT,
    "picture": True,
}
_ETAG = etag_header("the rule")
_CONDITIONS = ("kinds", "states", "labels", "zones", "tags")
#: Events that a preview looks at, the newest.
_MAX_PREVIEWED = 10_000
_SHOWN = 5
_TEMPLATE = "`{name}` is replaced: " + "; ".join(f"`{{{name}}}` {text}" for name, text in PLACEHOLDERS.items())


def _words(description: str, *, size: int = 30) -> ShortList:
    return ShortList(
        Text(low=1, high=100),
        load_default=list,
        validate=ma.validate.Length(max=size, error=f"must have at most {size} entries"),
        metadata={"description": description},
    )


class Template(Text):
    """A text with placeholders."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options)
        problem = check_template(text)
        if problem:
            raise ma.ValidationError(f"'{attr}' {problem}")
        return text


class Score(ma.fields.Float):
    """A number from 0 to 1."""

    def __init__(self, **options: Any) -> None:
        super().__init__(validate=ma.validate.Range(min=0, max=1), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_options: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise ma.ValidationError(f"'{attr}' must be a number from 0 to 1")
        return float(value)


class OutcomesSchema(ReplySchema):
    """What became of the events that a rule matched within the last day."""

    sent = ma.fields.Integer()
    cooldown = ma.fields.Integer(metadata={"description": "suppressed by the cooldown"})
    quiet = ma.fields.Integer(metadata={"description": "suppressed by quiet hours"})
    late = ma.fields.Integer(metadata={"description": "older than a day when they were read"})


class RuleSchema(Schema):
    """A rule. Conditions that are empty allow everything."""

    id = Id(dump_only=True)
    name = Text(required=True, low=1, high=100)
    enabled = Flag(load_default=True)
    kinds = _words("kinds of events, such as `state`, `recording`, `gap`, `health`, `job`, or those of plugins")
    states = _words("only events in one of these states, such as `reconnecting` or `failed`; with `labels` too: either")
    labels = _words("only detections with one of these labels, such as `person`")
    zones = _words("only detections in one of these zones")
    min_score = Score(load_default=None, allow_none=True, metadata={"description": "lowest score of a detection"})
    device_ids = DeviceIds("only these devices, and those with one of `tags`")
    tags = _words("only devices with one of these tags, and those of `device_ids`")
    moment = Choice(
        MOMENTS,
        load_default=BEGAN,
        metadata={"description": "`began`: as soon as an event matches; `ended`: once an event that lasted is over"},
    )
    quiet_hours = WeeklyPlan(
        load_default=dict, metadata={"description": "spans of local time by weekday in which nothing is sent"}
    )
    time_zone = ZoneName(load_default="UTC")
    cooldown_seconds = Count(
        low=0,
        high=86_400,
        load_default=0,
        metadata={"description": "after a notification, nothing about the same device for so long"},
    )
    title = Template(load_default=DEFAULT_TITLE, low=1, high=200, metadata={"description": _TEMPLATE})
    text = Template(
        load_default=DEFAULT_TEXT, high=1000, lines=True, metadata={"description": "placeholders as in `title`"}
    )
    picture = Flag(
        load_default=False, metadata={"description": "send the picture of the event, or of now, where possible"}
    )
    channel_ids = ShortList(
        Id(),
        load_default=list,
        validate=ma.validate.Length(max=20, error="must have at most 20 entries"),
        metadata={"description": "where to; without any, the rule only counts"},
    )
    last_day = ma.fields.Nested(OutcomesSchema, dump_only=True)
    version = ma.fields.Integer(dump_only=True)
    created_by = ma.fields.String(dump_only=True)
    created_at = Time(dump_only=True)
    updated_at = Time(dump_only=True)


class PreviewItemSchema(ReplySchema):
    """An event that a rule would have matched."""

    at = ma.fields.String()
    device_id = Id(allow_none=True)
    device_name = ma.fields.String()
    title = ma.fields.String()
    text = ma.fields.String()


class PreviewSchema(ReplySchema):
    """What a rule would have done within the last day."""

    events = ma.fields.Integer(metadata={"description": "events that were looked at, the newest 10,000 at most"})
    matched = ma.fields.Integer(metadata={"description": "events that match"})
    notifications = ma.fields.Integer(metadata={"description": "of these, what cooldown and quiet hours leave"})
    newest = ma.fields.List(ma.fields.Nested(PreviewItemSchema))


def build_blueprint() -> Blueprint:
    """Build the resource."""
    blp = Blueprint(
        "notification_rules",
        __name__,
        url_prefix="/notifications/rules",
        description="Which events are reported, to whom, and when not",
    )

    @blp.route("")
    class NotificationRules(MethodView):
        @blp.response(200, RuleSchema(many=True))
        @blp.errors(503)
        def get(self) -> Any:
            """List rules

            All of them, by name.
            """
            rules = model.list_rules(current_scope())
            counts = _count([rule.id for rule in rules])
            return [_view(rule, counts[rule.id]) for rule in rules]

        @blp.arguments(RuleSchema, example=RULE_EXAMPLE)
        @blp.arguments(IdempotencySchema, location="headers")
        @blp.response(201, RuleSchema, headers=_ETAG | location_header("the rule"))
        @blp.errors(400, 403, 404, 409, 413, 415, 422, 503)
        def post(self, data: dict[str, Any], headers: dict[str, Any]) -> Any:
            """Add a rule

            It reports events from now on.
            """

            def create() -> Any:
                scope = current_scope()
                rule = model.create_rule(
                    scope,
                    name=data["name"],
                    enabled=data["enabled"],
                    settings=_settings(scope, data),
                    by=current_name(),
                    at=utc_now(),
                )
                location = url_for("notification_rules.NotificationRuleById", rule_id=rule.id)
                return _shown(rule, 201, location=location)

            return create_once(headers["key"], RuleSchema, create)

    @blp.route("/preview")
    class NotificationRulePreview(MethodView):
        @blp.doc(operationId="preview_notification_rule")
        @blp.arguments(RuleSchema, example=RULE_EXAMPLE)
        @blp.response(200, PreviewSchema)
        @blp.errors(400, 403, 404, 413, 415, 422, 503)
        def post(self, data: dict[str, Any]) -> Any:
            """Preview a rule

            What the rule would have done with the events of the last 24 hours. Nothing is saved or sent.
            """
            scope = current_scope()
            now = utc_now()
            row = Rule(id=_NO_ID, tenant_id=scope.tenant_id, name=data["name"])
            row.settings = model.dump_settings(_settings(scope, data))
            rule = ActiveRule.from_row(row)
            events = _events_of_last_day(scope, int(now.timestamp() * 1000))
            matched, notifications = preview(scope, rule, events)
            newest = [
                {
                    "at": format_time(happening.start_ms),
                    "device_id": happening.device_id,
                    "device_name": happening.device_name,
                    "title": render(rule.title, happening, rule=rule.name, zone=rule.time_zone),
                    "text": render(rule.text, happening, rule=rule.name, zone=rule.time_zone),
                }
                for happening in reversed(matched[-_SHOWN:])
            ]
            return {
                "events": len(events),
                "matched": len(matched),
                "notifications": notifications,
                "newest": newest,
            }

    @blp.route("/<uuid:rule_id>")
    class NotificationRuleById(MethodView):
        @blp.response(200, RuleSchema, headers=_ETAG)
        @blp.errors(404, 503)
        def get(self, rule_id: Any) -> Any:
            """Read a rule"""
            return _shown(model.find_rule(current_scope(), str(rule_id)))

        @blp.arguments(RuleSchema, example=RULE_EXAMPLE)
        @blp.arguments(IfMatchSchema, location="headers")
        @blp.response(200, RuleSchema, headers=_ETAG)
        @blp.errors(400, 403, 404, 409, 412, 413, 415, 422, 503)
        def put(self, data: dict[str, Any], headers: dict[str, Any], rule_id: Any) -> Any:
            """Change a rule

            Sets every field; omitted fields get their default. With If-Match, 412 if it has changed since it was read.
            """
            before = model.find_rule(current_scope(), str(rule_id))
            return _replace(data, before, seen_version(headers, before, "rule"))

        @blp.patch_arguments()
        @blp.arguments(IfMatchSchema, location="headers")
        @blp.response(200, RuleSchema, headers=_ETAG)
        @blp.errors(400, 403, 404, 409, 412, 413, 415, 422, 503)
        def patch(self, patch: dict[str, Any], headers: dict[str, Any], rule_id: Any) -> Any:
            """Change fields of a rule

            A JSON merge patch (RFC 7396): fields that are sent replace those of the rule, null restores a default. The
            rest as with PUT.
            """

            def change() -> Any:
                before = model.find_rule(current_scope(), str(rule_id))
                data = merge(RuleSchema, _view(before, {}), patch)
                return _replace(data, before, seen_version(headers, before, "rule") or before.version)

            return repeat_unless_conditional(change, headers)

        @blp.response(204)
        @blp.errors(403, 404, 503)
        def delete(self, rule_id: Any) -> Response:
            """Delete a rule

            Its deliveries stay as a history; what waits is still sent.
            """
            model.delete_rule(current_scope(), str(rule_id))
            return no_content()

    return blp


#: Stands for the id of a rule that is not saved.
_NO_ID = "00000000-0000-0000-0000-000000000000"


def _settings(scope: TenantScope, data: dict[str, Any]) -> dict[str, Any]:
    """The settings of a body. Raises NotFound for a channel that does not exist."""
    for channel_id in data["channel_ids"]:
        find_channel(scope, channel_id)
    conditions = {name: list(dict.fromkeys(data[name])) for name in _CONDITIONS}
    conditions |= {"devices": data["device_ids"], "min_score": data["min_score"], "moment": data["moment"]}
    others = ("quiet_hours", "time_zone", "cooldown_seconds", "title", "text", "picture")
    return {
        "conditions": conditions,
        "channel_ids": list(dict.fromkeys(data["channel_ids"])),
        **{name: data[name] for name in others},
    }


def _view(rule: Rule, last_day: dict[str, int]) -> dict[str, Any]:
    settings = rule.read_settings()
    conditions = settings.pop("conditions")
    conditions["device_ids"] = conditions.pop("devices")
    columns = ("id", "name", "enabled", "version", "created_by", "created_at", "updated_at")
    return {name: getattr(rule, name) for name in columns} | conditions | settings | {"last_day": last_day}


def _replace(data: dict[str, Any], before: Rule, if_version: int | None) -> Any:
    scope = current_scope()
    rule = model.replace_rule(
        scope,
        before.id,
        name=data["name"],
        enabled=data["enabled"],
        settings=_settings(scope, data),
        at=utc_now(),
        if_version=if_version,
    )
    return _shown(rule)


def _shown(rule: Rule, status: int = 200, *, location: str | None = None) -> Any:
    return with_etag(_view(rule, _count([rule.id])[rule.id]), rule, status, location=location)


def _count(rule_ids: list[str]) -> dict[str, dict[str, int]]:
    return model.count_outcomes(current_scope(), rule_ids, time.time_ns() // 1_000_000 - DAY_MS)


def _events_of_last_day(scope: TenantScope, now_ms: int) -> list[Any]:
    with database.session():
        query = scope.select(Event).where(Event.start_ms >= now_ms - DAY_MS)
        newest = query.order_by(Event.start_ms.desc(), Event.id.desc()).limit(_MAX_PREVIEWED)
        return [event.to_fact() for event in newest][::-1]
