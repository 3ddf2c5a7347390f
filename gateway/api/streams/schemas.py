"""Request and reply schemas of streams."""

import marshmallow as ma

from gateway.api.base import Choice, DeviceIds, Id, PageArgsSchema, ReasonSchema, ReplySchema, Text, Time
from gateway.api.devices.schemas import AudioSchema, RecordingStateSchema, VideoSchema
from gateway.inventory import TRANSPORTS
from gateway.outputs import OutputMode
from gateway.states import DesiredState, StreamState
from gateway.streams.output_states import STATES as OUTPUT_STATES

STATES = tuple(state.value for state in StreamState)


class OutputSchema(ReplySchema):
    """An output of a plugin: a direct one of the stream, or one that reads the media bus."""

    name = ma.fields.String(metadata={"example": "webrtc"})
    plugin = ma.fields.String(allow_none=True, metadata={"description": "name of its plugin"})
    mode = Choice(
        [mode.value for mode in OutputMode],
        allow_none=True,
        metadata={
            "description": "source of its video: copied, from the sub-stream, or re-encoded; null if it is not "
            "attached, and for outputs that read the media bus"
        },
    )
    state = Choice(
        OUTPUT_STATES,
        metadata={
            "description": "waiting: for a disk or server, and attached again by itself; failed: it raised an error; "
            "blocked: a call of it does not return; set_aside: processes died in the code of its plugin"
        },
    )
    reason = ma.fields.String(
        allow_none=True,
        metadata={"description": "why the video is not copied, or what is wrong with the output; null if nothing is"},
    )
    since = Time(allow_none=True, metadata={"description": "start of the state; null for direct outputs"})
    lag_seconds = ma.fields.Float(
        allow_none=True,
        metadata={"description": "delay of the last part that it has taken, in seconds; null for direct outputs"},
    )
    figures = ma.fields.Dict(metadata={"description": "live figures of the output's own"})


class StreamSchema(ReplySchema):
    """The live pipeline of a device: desired and observed state, and live statistics (null while there are none)."""

    device_id = Id()
    device_name = ma.fields.String()
    desired = Choice([state.value for state in DesiredState], metadata={"description": "desired state"})
    observed = Choice(STATES, metadata={"description": "observed state"})
    reason = ma.fields.Nested(ReasonSchema, allow_none=True)
    since = Time(metadata={"description": "start of the observed state"})
    run = ma.fields.Integer(allow_none=True, metadata={"description": "number of the current or last run"})
    restarts = ma.fields.Integer(metadata={"description": "number of restarts since the stream was started"})
    video = ma.fields.Nested(VideoSchema, allow_none=True)
    audio = ma.fields.Nested(AudioSchema, allow_none=True)
    fps = ma.fields.Float(allow_none=True, metadata={"description": "current frames per second"})
    bitrate_kbps = ma.fields.Float(allow_none=True, metadata={"description": "current bitrate in kbit/s"})
    last_part_age_ms = ma.fields.Integer(
        allow_none=True, metadata={"description": "age of the newest footage in milliseconds"}
    )
    viewers = ma.fields.Integer(allow_none=True)
    outputs = ma.fields.List(ma.fields.Nested(OutputSchema))
    is_reencoded = ma.fields.Boolean(metadata={"description": "whether an output re-encodes the video"})
    reencode_reason = ma.fields.String(allow_none=True)
    notes = ma.fields.List(
        ma.fields.String(),
        metadata={
            "description": "what is unusual about the camera's stream, as text for people: tracks that are left out, "
            "departures from the standards, a clock at a wrong rate, a sub-stream that cannot be used"
        },
    )
    transport = Choice(
        TRANSPORTS,
        allow_none=True,
        metadata={"description": "transport of RTP in use; not that of the device if the camera refused it"},
    )
    camera_server = ma.fields.String(allow_none=True, metadata={"description": "name that the camera gives itself"})
    login = ma.fields.String(
        allow_none=True, metadata={"description": "kind of login that the camera asks for", "example": "digest SHA-256"}
    )
    clock_rate = ma.fields.Float(
        allow_none=True, metadata={"description": "media seconds of the camera's time stamps in a real second"}
    )
    lost_packets = ma.fields.Integer(
        allow_none=True, metadata={"description": "RTP packets that were lost since the session began"}
    )
    ffmpeg_restarts = ma.fields.Integer(
        allow_none=True,
        metadata={"description": "times FFmpeg was started again since the session began, without loss of footage"},
    )
    camera_sessions = ma.fields.Integer(
        allow_none=True,
        metadata={"description": "connections with the camera: 2 while an output uses its sub-stream as well"},
    )
    worker = ma.fields.String(allow_none=True, metadata={"description": "name of the worker process that runs it"})
    recording = ma.fields.Nested(
        RecordingStateSchema, allow_none=True, metadata={"description": "recording of the device"}
    )


class ActiveStreamQueryArgsSchema(PageArgsSchema):
    """Query of the list of active streams."""

    q = Text(load_default=None, high=200, metadata={"description": "only streams of devices with this text"})
    device = DeviceIds("only of this device; may be repeated for several devices")


class StreamQueryArgsSchema(ActiveStreamQueryArgsSchema):
    """Query of the list of streams."""

    state = Choice(STATES, load_default=None, metadata={"description": "only streams in this state"})
