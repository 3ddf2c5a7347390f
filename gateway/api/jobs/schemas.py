"""What is sent and received about jobs."""

import marshmallow as ma

from gateway.api.base import Choice, Id, PageArgsSchema, ReasonSchema, ReplySchema, Text, Time
from gateway.jobs.model import JOB_STATES


class JobResultSchema(ReplySchema):
    """What a job has made: a file of its own, the picture of a snapshot or the clip of a bookmark."""

    url = ma.fields.String(metadata={"description": "where it can be fetched, by ranges too"})
    snapshot_id = Id(allow_none=True, metadata={"description": "the snapshot that the job has taken"})
    bookmark_id = Id(allow_none=True, metadata={"description": "the bookmark whose clip the job has made"})
    name = ma.fields.String(
        allow_none=True,
        metadata={
            "description": "null where it is no file of the job's own",
            "example": "Front gate 2026-11-22 10.00.00.mp4",
        },
    )
    size = ma.fields.Integer(allow_none=True, metadata={"description": "bytes"})
    content_type = ma.fields.String(allow_none=True, metadata={"example": "video/mp4"})
    start = Time(allow_none=True, metadata={"description": "when its first picture was taken"})
    end = Time(allow_none=True, metadata={"description": "when its last picture ended"})
    duration_seconds = ma.fields.Float(allow_none=True, metadata={"description": "how long it plays, without gaps"})
    notes = ma.fields.List(
        ma.fields.String(),
        metadata={"description": "what is worth knowing of it, such as gaps, damages, and why it was encoded anew"},
    )


class JobSchema(ReplySchema):
    """Work that takes longer than a request. It is kept for EXPORT_KEEP_HOURS after its end."""

    id = Id()
    kind = ma.fields.String(
        metadata={"description": "`export`, `snapshot`, `clip` or `time_lapse`", "example": "export"}
    )
    device_id = Id(allow_none=True)
    device_name = ma.fields.String(allow_none=True, metadata={"description": "null once the device is deleted"})
    state = Choice(JOB_STATES)
    progress = ma.fields.Float(metadata={"description": "0 to 1"})
    stage = ma.fields.String(allow_none=True, metadata={"description": "what it does now", "example": "copying"})
    result = ma.fields.Nested(JobResultSchema, allow_none=True, metadata={"description": "null until it is done"})
    error = ma.fields.Nested(ReasonSchema, allow_none=True, metadata={"description": "why it has failed"})
    created_at = Time()
    started_at = Time(allow_none=True)
    finished_at = Time(allow_none=True)
    expires_at = Time(allow_none=True, metadata={"description": "when it and its result are removed"})


class JobQueryArgsSchema(PageArgsSchema):
    """Query of the list of jobs."""

    state = Choice(JOB_STATES, load_default=None, metadata={"description": "only in this state"})
    kind = Text(load_default=None, low=1, high=40, metadata={"description": "only of this kind", "example": "export"})
    device_id = Id(load_default=None, metadata={"description": "only of this device"})
