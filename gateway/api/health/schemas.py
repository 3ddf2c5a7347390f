"""Reply schemas of health."""

import marshmallow as ma

from gateway.api.base import Choice, ReplySchema

STATUSES = ("ok", "degraded", "down")


class ComponentSchema(ReplySchema):
    """The state of one component."""

    status = Choice(STATUSES)
    latency_ms = ma.fields.Float(metadata={"description": "duration of the check in milliseconds"})
    reason = ma.fields.String(allow_none=True, metadata={"description": "what is wrong"})
    remedy = ma.fields.String(allow_none=True, metadata={"description": "how to resolve it"})
    detail = ma.fields.Dict(metadata={"description": "details of this component"})


class HealthSchema(ReplySchema):
    """The state of the service: `down` without database, Redis or any plugin and with a SECRET_KEY that fits no device,
    `degraded` if anything else is not ok."""

    status = Choice(STATUSES)
    version = ma.fields.String()
    components = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Nested(ComponentSchema))


class ProbeStatusSchema(ReplySchema):
    """The reply to a liveness or readiness check."""

    status = Choice(STATUSES)
