"""Reply schemas of one plugin with its work."""

import marshmallow as ma

from gateway.api.base import Choice, ReplySchema, Time
from gateway.api.plugins.schemas import PluginSchema
from gateway.plugin_work.services import SERVICE_STATES


class PluginJobKindSchema(ReplySchema):
    """A kind of jobs that a plugin has."""

    kind = ma.fields.String(metadata={"example": "my_plugin.copy"})
    title = ma.fields.String(metadata={"example": "Copy footage"})


class PluginScheduleSchema(ReplySchema):
    """Periodic work of a plugin. The times are null until a plugins worker has seen it."""

    name = ma.fields.String()
    every_seconds = ma.fields.Float()
    deadline_seconds = ma.fields.Float(metadata={"description": "a run that takes longer is ended"})
    is_running = ma.fields.Boolean()
    started_at = Time(allow_none=True, metadata={"description": "start of the last run"})
    ended_at = Time(allow_none=True, metadata={"description": "end of the last run that has ended"})
    next_at = Time(allow_none=True)
    error = ma.fields.String(allow_none=True, metadata={"description": "why the last run failed"})
    failures = ma.fields.Integer(metadata={"description": "runs that failed in a row"})


class PluginServiceSchema(ReplySchema):
    """Work of a plugin that runs all the time."""

    name = ma.fields.String()
    state = Choice(
        SERVICE_STATES,
        allow_none=True,
        metadata={"description": "`pausing`: it has died and is started again; null: no plugins worker has it now"},
    )
    since = Time(allow_none=True)
    worker = ma.fields.String(allow_none=True, metadata={"description": "plugins worker that runs it"})
    restarts = ma.fields.Integer(metadata={"description": "since that worker has it"})
    deaths = ma.fields.Integer(metadata={"description": "in a row, without a healthy minute between them"})
    error = ma.fields.String(allow_none=True, metadata={"description": "why it died"})
    cpu_percent = ma.fields.Float(allow_none=True, metadata={"description": "of one core, of all its processes"})
    memory_bytes = ma.fields.Integer(allow_none=True, metadata={"description": "of all its processes"})


class PluginProblemOfWorkSchema(ReplySchema):
    """A problem of a plugin's work."""

    reason = ma.fields.String()
    remedy = ma.fields.String()


class PluginWithWorkSchema(PluginSchema):
    """An installed plugin, with its work beside streams."""

    jobs = ma.fields.List(ma.fields.Nested(PluginJobKindSchema))
    schedules = ma.fields.List(ma.fields.Nested(PluginScheduleSchema))
    services = ma.fields.List(ma.fields.Nested(PluginServiceSchema))
    tables = ma.fields.List(ma.fields.String(), metadata={"description": "its tables in the database"})
    folder_bytes = ma.fields.Integer(
        allow_none=True,
        metadata={
            "description": "files in its folder on this machine; null without one, and with more than 20,000 files"
        },
    )
    work_problems = ma.fields.List(ma.fields.Nested(PluginProblemOfWorkSchema))
