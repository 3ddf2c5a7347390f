"""Request and reply schemas of jobs."""

import marshmallow as ma

from gateway.api.base import Choice, Id, PageArgsSchema, ReasonSchema, ReplySchema, Text, Time
from gateway.jobs.model import JOB_STATES


class JobResultSchema(ReplySchema):
    """The result of a job: a file of its own, the picture of a snapshot or the clip of a bookmark."""

    url = ma.fields.String(
        allow_none=True,
        metadata={"description": "URL of the result, which supports ranges; null for a plugin's job without a file"},
    )
    snapshot_id = Id(allow_none=True, metadata={"description": "id of the snapshot that the job took"})
    bookmark_id = Id(allow_none=True, metadata={"description": "id of the bookmark whose clip the job made"})
    name = ma.fields.String(
        allow_none=True,
        metadata={
            "description": "name of the file; null if the job has no file of its own",
            "example": "Front gate 2026-11-22 10.00.00.mp4",
        },
    )
    size = ma.fields.Integer(allow_none=True, metadata={"description": "bytes"})
    content_type = ma.fields.String(allow_none=True, metadata={"example": "video/mp4"})
    start = Time(allow_none=True, metadata={"description": "time of the first frame"})
    end = Time(allow_none=True, metadata={"description": "end of the last frame"})
    duration_seconds = ma.fields.Float(allow_none=True, metadata={"description": "playing time, without gaps"})
    data = ma.fields.Dict(allow_none=True, metadata={"description": "what the job of a plugin has returned"})
    notes = ma.fields.List(
        ma.fields.String(),
        metadata={"description": "remarks, such as gaps, damaged footage, and the cause of re-encoding"},
    )


class JobSchema(ReplySchema):
    """Work that takes longer than a request. A job is kept for EXPORT_KEEP_HOURS after its end."""

    id = Id()
    kind = ma.fields.String(
        metadata={
            "description": "`export`, `snapshot`, `clip` or `time_lapse`; for plugins their name, a dot and a word",
            "example": "export",
        }
    )
    title = ma.fields.String(allow_none=True, metadata={"description": "name of the kind, for jobs of plugins"})
    device_id = Id(allow_none=True)
    device_name = ma.fields.String(allow_none=True, metadata={"description": "null once the device is deleted"})
    state = Choice(JOB_STATES)
    progress = ma.fields.Float(metadata={"description": "0 to 1"})
    stage = ma.fields.String(allow_none=True, metadata={"description": "current step", "example": "copying"})
    result = ma.fields.Nested(JobResultSchema, allow_none=True, metadata={"description": "null until the job is done"})
    error = ma.fields.Nested(ReasonSchema, allow_none=True, metadata={"description": "cause of a failure"})
    created_at = Time()
    started_at = Time(allow_none=True)
    finished_at = Time(allow_none=True)
    expires_at = Time(allow_none=True, metadata={"description": "when the job and its result are removed"})


class JobQueryArgsSchema(PageArgsSchema):
    """Query of the list of jobs."""

    state = Choice(JOB_STATES, load_default=None, metadata={"description": "only jobs in this state"})
    kind = Text(
        load_default=None, low=1, high=100, metadata={"description": "only jobs of this kind", "example": "export"}
    )
    device_id = Id(load_default=None, metadata={"description": "only jobs of this device"})
