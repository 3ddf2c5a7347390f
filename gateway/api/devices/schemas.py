"""What is sent and received about devices."""

from typing import Any

import marshmallow as ma

from gateway.api.base import (
    Choice,
    Count,
    Flag,
    Id,
    PageArgsSchema,
    ReasonSchema,
    ReplySchema,
    Schema,
    Text,
    Time,
)
from gateway.api.tags import TagFilter, Tags
from gateway.devices.events import EVENT_KINDS
from gateway.devices.sources import MAX_URL_LENGTH, parse_source
from gateway.errors import InvalidValue
from gateway.footage.recordings import OBSERVED
from gateway.inventory import DEVICE_ORDER, START_MODES, TRANSPORTS
from gateway.schedules.recording_plan import MODES
from gateway.states import DesiredState, StreamState

SOURCE_EXAMPLE = "rtsp://viewer:password@192.168.1.20:554/stream1"

DEVICE_EXAMPLE = {
    "name": "Front gate",
    "source_url": SOURCE_EXAMPLE,
    "sub_source_url": "rtsp://viewer:password@192.168.1.20:554/stream2",
    "location": "Building 2, north",
    "tags": ["gate", "outside"],
    "start_mode": "on_demand",
    "idle_seconds": 120,
}

ORDERS = tuple(sign + name for name in DEVICE_ORDER for sign in ("", "-"))


class SourceText(Text):
    """A source URL: its text is checked here, its addresses when the device is saved."""

    def __init__(self, **options: Any) -> None:
        super().__init__(low=1, high=MAX_URL_LENGTH, **options)
        self.metadata.setdefault("pattern", "^[Rr][Tt][Ss][Pp][Ss]?://")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options)
        try:
            parse_source(text, attr or "source_url")
        except InvalidValue as error:
            raise ma.ValidationError(error.message) from None
        return text


class RecordingStateSchema(ReplySchema):
    """What a list shows of a device's recording."""

    mode = Choice(MODES, metadata={"description": "when it is recorded"})
    observed = Choice(OBSERVED, metadata={"description": "what its recorder does"})


class DeviceSchema(Schema):
    """A configured camera."""

    id = Id(dump_only=True)
    name = Text(
        required=True,
        low=1,
        high=100,
        metadata={"description": "unique, whatever the case of its letters", "example": "Front gate"},
    )
    source_url = SourceText(
        required=True,
        metadata={
            "format": "uri",
            "description": "the camera's rtsp or rtsps URL. User and password in it are kept encrypted and shown as "
            "`***`; the URL sent back exactly as it was shown keeps them",
            "example": SOURCE_EXAMPLE,
        },
    )
    sub_source_url = SourceText(
        load_default=None,
        allow_none=True,
        metadata={"description": "URL of the camera's smaller stream, by the same rules; null without one"},
    )
    transport = Choice(TRANSPORTS, load_default="tcp", metadata={"description": "how RTP comes from the camera"})
    description = Text(load_default="", high=2000, lines=True)
    location = Text(load_default="", high=200, metadata={"example": "Building 2, north"})
    tags = Tags(example=("gate", "outside"))
    start_mode = Choice(
        START_MODES,
        load_default="always",
        metadata={
            "description": "`always` runs from now on, `manual` when a person starts it, `on_demand` while "
            "somebody watches"
        },
    )
    idle_seconds = Count(
        low=5,
        high=86_400,
        load_default=60,
        metadata={"description": "seconds without a viewer after which an on_demand device stops"},
    )
    enabled = Flag(load_default=True, metadata={"description": "a disabled device never runs"})
    state = Choice(
        [s.value for s in StreamState],
        dump_only=True,
        attribute="stream.observed",
        metadata={"description": "what its stream does"},
    )
    desired = Choice(
        [s.value for s in DesiredState],
        dump_only=True,
        attribute="stream.desired",
        metadata={"description": "what its stream should do"},
    )
    recording = ma.fields.Nested(RecordingStateSchema, dump_only=True, allow_none=True)
    has_credentials = ma.fields.Boolean(dump_only=True, metadata={"description": "whether a URL holds a secret"})
    created_at = Time(dump_only=True)
    updated_at = Time(dump_only=True)


class DeviceQueryArgsSchema(PageArgsSchema):
    """Query of the list of devices."""

    sort = Choice(ORDERS, load_default="name", metadata={"description": "order; `-` turns it around"})
    tag = TagFilter("devices")
    state = Choice([s.value for s in StreamState], load_default=None, metadata={"description": "only in this state"})
    q = Text(
        load_default=None,
        high=200,
        metadata={"description": "only with this text in name, description, location, tags or shown URL"},
    )


class ProbeArgsSchema(Schema):
    """Which source to look at."""

    source_url = SourceText(required=True, metadata={"example": SOURCE_EXAMPLE})
    transport = Choice(TRANSPORTS, load_default="tcp")
    device_id = Id(
        load_default=None,
        allow_none=True,
        metadata={
            "description": "whose stored password to use when `source_url` is given as that device shows it, with `***`"
        },
    )


class VideoSchema(ReplySchema):
    """A video track as the camera sends it."""

    codec = ma.fields.String(metadata={"example": "h264"})
    profile = ma.fields.String(allow_none=True, metadata={"example": "Main"})
    width = ma.fields.Integer(metadata={"description": "pixels"})
    height = ma.fields.Integer(metadata={"description": "pixels"})
    fps = ma.fields.Float(allow_none=True)
    has_b_frames = ma.fields.Boolean(metadata={"description": "WebRTC cannot carry B-frames without re-encoding"})
    key_frame_interval_seconds = ma.fields.Float(allow_none=True)


class AudioSchema(ReplySchema):
    """An audio track as the camera sends it."""

    codec = ma.fields.String(metadata={"example": "aac"})
    sample_rate = ma.fields.Integer(allow_none=True, metadata={"description": "Hz"})
    channels = ma.fields.Integer(allow_none=True)


class ProbedVideoSchema(VideoSchema):
    """A video track with what a look at it has measured."""

    bitrate_kbps = ma.fields.Float(allow_none=True)
    pixel_format = ma.fields.String(allow_none=True, metadata={"example": "yuv420p"})


class TrackSchema(ReplySchema):
    """One track of the source."""

    index = ma.fields.Integer()
    type = ma.fields.String(metadata={"example": "video"})
    codec = ma.fields.String(metadata={"example": "h264"})


class AdviceSchema(ReplySchema):
    """Something worth knowing before the device is added."""

    level = Choice(("info", "warning"))
    code = ma.fields.String()
    message = ma.fields.String()


class ProbeResultSchema(ReplySchema):
    """What a source offers."""

    reachable = ma.fields.Boolean(required=True)
    reason = ma.fields.Nested(ReasonSchema, allow_none=True, metadata={"description": "why not, when not reachable"})
    elapsed_ms = ma.fields.Integer(allow_none=True)
    time_to_first_frame_ms = ma.fields.Integer(allow_none=True)
    video = ma.fields.Nested(ProbedVideoSchema, allow_none=True)
    audio = ma.fields.Nested(AudioSchema, allow_none=True)
    tracks = ma.fields.List(ma.fields.Nested(TrackSchema))
    advice = ma.fields.List(ma.fields.Nested(AdviceSchema))


class EventSchema(ReplySchema):
    """One event of a device: a transition of its stream, or what was made of its pictures."""

    id = ma.fields.Integer()
    at = Time()
    kind = Choice(EVENT_KINDS, metadata={"description": "`state`: a transition; only that has `from` and `to`"})
    from_state = Choice([s.value for s in StreamState], data_key="from", allow_none=True)
    to_state = Choice([s.value for s in StreamState], data_key="to", allow_none=True)
    reason = ma.fields.Nested(ReasonSchema, allow_none=True)
    run = ma.fields.Integer(allow_none=True, metadata={"description": "the run it happened in; null before the first"})
    text = ma.fields.String(allow_none=True, metadata={"description": "what happened, where it is no transition"})
    reference = ma.fields.String(
        allow_none=True, metadata={"description": "id of the snapshot or bookmark it is about"}
    )
    by_name = ma.fields.String(allow_none=True, metadata={"description": "who asked for it"})


class DeviceEventQueryArgsSchema(PageArgsSchema):
    """Query of a device's history."""

    kind = ma.fields.List(
        Choice(EVENT_KINDS),
        load_default=list,
        metadata={"description": "only of this kind; given more than once, of any of them"},
    )
