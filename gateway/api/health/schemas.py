"""What is received about health."""

import marshmallow as ma

from gateway.api.base import Choice, ReplySchema

STATUSES = ("ok", "degraded", "down")


class ComponentSchema(ReplySchema):
    """The state of one component."""

    status = Choice(STATUSES)
    latency_ms = ma.fields.Float(metadata={"description": "how long its check took"})
    reason = ma.fields.String(allow_none=True, metadata={"description": "what is wrong"})
    remedy = ma.fields.String(allow_none=True, metadata={"description": "what to do about it"})
    detail = ma.fields.Dict(metadata={"description": "figures that belong to this component"})


class HealthSchema(ReplySchema):
    """The state of the whole: `down` without database or Redis, `degraded` when anything else is not ok."""

    status = Choice(STATUSES)
    version = ma.fields.String()
    components = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Nested(ComponentSchema))


class ProbeStatusSchema(ReplySchema):
    """The answer to an orchestrator."""

    status = Choice(STATUSES)
