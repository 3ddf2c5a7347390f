"""What is received about streams."""

import marshmallow as ma

from gateway.api.base import Choice, DeviceIds, Id, PageArgsSchema, ReasonSchema, ReplySchema, Text, Time
from gateway.api.devices.schemas import AudioSchema, RecordingStateSchema, VideoSchema
from gateway.outputs import OutputMode
from gateway.states import DesiredState, StreamState

STATES = tuple(state.value for state in StreamState)


class OutputSchema(ReplySchema):
    """An output that hangs on the stream."""

    name = ma.fields.String(metadata={"example": "webrtc"})
    mode = Choice([mode.value for mode in OutputMode], metadata={"description": "how it gets its video"})
    reason = ma.fields.String(allow_none=True, metadata={"description": "why the video is not simply copied"})


class StreamSchema(ReplySchema):
    """A device's live pipeline: the wish, the fact, and its live figures (null while there are none)."""

    device_id = Id()
    device_name = ma.fields.String()
    desired = Choice([state.value for state in DesiredState], metadata={"description": "the wish"})
    observed = Choice(STATES, metadata={"description": "the fact"})
    reason = ma.fields.Nested(ReasonSchema, allow_none=True)
    since = Time(metadata={"description": "when it came into this state"})
    run = ma.fields.Integer(allow_none=True, metadata={"description": "number of the present or last run"})
    restarts = ma.fields.Integer(metadata={"description": "how often it was lost since it was started"})
    video = ma.fields.Nested(VideoSchema, allow_none=True)
    audio = ma.fields.Nested(AudioSchema, allow_none=True)
    fps = ma.fields.Float(allow_none=True, metadata={"description": "frames per second now"})
    bitrate_kbps = ma.fields.Float(allow_none=True, metadata={"description": "kbit/s now"})
    last_part_age_ms = ma.fields.Integer(allow_none=True, metadata={"description": "age of the newest footage"})
    viewers = ma.fields.Integer(allow_none=True)
    outputs = ma.fields.List(ma.fields.Nested(OutputSchema))
    is_reencoded = ma.fields.Boolean(metadata={"description": "whether an output re-encodes the video"})
    reencode_reason = ma.fields.String(allow_none=True)
    worker = ma.fields.String(allow_none=True, metadata={"description": "which process runs it"})
    recording = ma.fields.Nested(RecordingStateSchema, allow_none=True, metadata={"description": "whether it is kept"})


class ActiveStreamQueryArgsSchema(PageArgsSchema):
    """Query of the list of active streams."""

    q = Text(load_default=None, high=200, metadata={"description": "only devices with this text"})
    device = DeviceIds("only of this device; may be repeated for several devices")


class StreamQueryArgsSchema(ActiveStreamQueryArgsSchema):
    """Query of the list of streams."""

    state = Choice(STATES, load_default=None, metadata={"description": "only in this state"})
