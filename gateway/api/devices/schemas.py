"""Request and reply schemas of devices."""

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
from gateway.api.devices.source_fields import (
    Fingerprint,
    SourceText,
    check_trust,
    password,
    tls_trust,
    username,
)
from gateway.api.events.schemas import Words
from gateway.api.tags import TagFilter, Tags
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


class RecordingStateSchema(ReplySchema):
    """The recording of a device, as lists show it."""

    mode = Choice(MODES, metadata={"description": "recording mode"})
    observed = Choice(
        OBSERVED,
        metadata={"description": "`recording` only while footage is being written: never for longer than 10 s without"},
    )
    is_wanted = ma.fields.Boolean(metadata={"description": "whether footage is wanted now"})
    reason = ma.fields.Nested(
        ReasonSchema, allow_none=True, metadata={"description": "why nothing is recorded now; null while it is"}
    )
    since = Time(metadata={"description": "start of the observed state"})


class DeviceSchema(Schema):
    """A configured camera."""

    id = Id(dump_only=True)
    name = Text(
        required=True,
        low=1,
        high=100,
        metadata={"description": "unique, ignoring case", "example": "Front gate"},
    )
    source_url = SourceText(
        required=True,
        metadata={
            "format": "uri",
            "description": "URL of the camera: rtsp, rtsps, or a scheme of a plugin. User and password in it, "
            "percent-encoded, are stored "
            "encrypted and shown as `***`; sending the URL back exactly as it was shown keeps them",
            "example": SOURCE_EXAMPLE,
        },
    )
    sub_source_url = SourceText(
        load_default=None,
        allow_none=True,
        metadata={"description": "URL of the camera's sub-stream, with the same rules; null without one"},
    )
    username = username()
    password = password()
    transport = Choice(
        TRANSPORTS, load_default="tcp", metadata={"description": "transport protocol of RTP from the camera"}
    )
    tls_trust = tls_trust()
    tls_fingerprint = Fingerprint()
    description = Text(load_default="", high=2000, lines=True)
    location = Text(load_default="", high=200, metadata={"example": "Building 2, north"})
    tags = Tags(example=("gate", "outside"))
    start_mode = Choice(
        START_MODES,
        load_default="always",
        metadata={
            "description": "`always`: runs permanently; `manual`: runs when it is started; `on_demand`: runs while "
            "somebody watches"
        },
    )
    idle_seconds = Count(
        low=5,
        high=86_400,
        load_default=60,
        metadata={"description": "an on_demand device stops after this many seconds without a viewer"},
    )
    enabled = Flag(load_default=True, metadata={"description": "a disabled device never runs"})
    state = Choice(
        [s.value for s in StreamState],
        dump_only=True,
        attribute="stream.observed",
        metadata={"description": "observed state of the stream"},
    )
    desired = Choice(
        [s.value for s in DesiredState],
        dump_only=True,
        attribute="stream.desired",
        metadata={"description": "desired state of the stream"},
    )
    recording = ma.fields.Nested(RecordingStateSchema, dump_only=True, allow_none=True)
    has_credentials = ma.fields.Boolean(dump_only=True, metadata={"description": "whether a URL contains credentials"})
    created_at = Time(dump_only=True)
    updated_at = Time(dump_only=True)

    @ma.validates_schema
    def check_trust(self, data: dict[str, Any], **_options: Any) -> None:
        check_trust(data)


class DeviceQueryArgsSchema(PageArgsSchema):
    """Query of the list of devices."""

    sort = Choice(ORDERS, load_default="name", metadata={"description": "field to sort by; `-` reverses the order"})
    tag = TagFilter("devices")
    state = Choice(
        [s.value for s in StreamState], load_default=None, metadata={"description": "only devices in this state"}
    )
    q = Text(
        load_default=None,
        high=200,
        metadata={"description": "only devices with this text in name, description, location, tags or shown URL"},
    )


class ProbeArgsSchema(Schema):
    """A source to probe."""

    source_url = SourceText(required=True, metadata={"example": SOURCE_EXAMPLE})
    username = username()
    password = password()
    transport = Choice(TRANSPORTS, load_default="tcp")
    tls_trust = tls_trust()
    tls_fingerprint = Fingerprint()
    device_id = Id(
        load_default=None,
        allow_none=True,
        metadata={
            "description": "device whose stored password to use if `source_url` contains `***`, as that device shows it"
        },
    )
    try_now = Flag(
        load_default=False,
        metadata={
            "description": "log in although the camera has refused this login three times within ten minutes, so that "
            "it may lock this address out"
        },
    )

    @ma.validates_schema
    def check_trust(self, data: dict[str, Any], **_options: Any) -> None:
        check_trust(data)


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
    """A video track with the measurements of a probe."""

    bitrate_kbps = ma.fields.Float(allow_none=True)
    pixel_format = ma.fields.String(allow_none=True, metadata={"example": "yuv420p"})


class TrackSchema(ReplySchema):
    """One track of the source."""

    index = ma.fields.Integer()
    type = ma.fields.String(metadata={"example": "video"})
    codec = ma.fields.String(metadata={"example": "h264"})


class AdviceSchema(ReplySchema):
    """Advice on a source before its device is added."""

    level = Choice(("info", "warning"))
    code = ma.fields.String()
    message = ma.fields.String()


class CertificateSchema(ReplySchema):
    """The certificate that the camera shows, trusted or not."""

    fingerprint = ma.fields.String(
        metadata={"description": "SHA-256, for `tls_fingerprint` of a device with the trust `pinned`"}
    )
    subject = ma.fields.String(allow_none=True, metadata={"example": "CN=camera.local,O=Example"})
    issuer = ma.fields.String(allow_none=True)
    expires = ma.fields.String(allow_none=True, metadata={"format": "date-time"})


class ProbeResultSchema(ReplySchema):
    """The result of a probe."""

    reachable = ma.fields.Boolean(required=True)
    reason = ma.fields.Nested(ReasonSchema, allow_none=True, metadata={"description": "cause, if not reachable"})
    elapsed_ms = ma.fields.Integer(allow_none=True)
    time_to_first_frame_ms = ma.fields.Integer(allow_none=True)
    video = ma.fields.Nested(ProbedVideoSchema, allow_none=True)
    audio = ma.fields.Nested(AudioSchema, allow_none=True)
    tracks = ma.fields.List(ma.fields.Nested(TrackSchema))
    advice = ma.fields.List(ma.fields.Nested(AdviceSchema))
    picture = ma.fields.String(
        allow_none=True,
        metadata={
            "description": "JPEG of the first key frame in base64, at most 640 pixels in each direction; null without",
            "contentEncoding": "base64",
            "contentMediaType": "image/jpeg",
        },
    )
    server = ma.fields.String(allow_none=True, metadata={"description": "name that the camera gives itself"})
    login = ma.fields.String(allow_none=True, metadata={"example": "digest SHA-256"})
    transport = ma.fields.String(
        allow_none=True, metadata={"description": "transport of RTP that the camera accepted", "example": "tcp"}
    )
    notes = ma.fields.List(
        ma.fields.String(), metadata={"description": "what is unusual: tracks left out, departures from the standards"}
    )
    tls = ma.fields.Nested(
        CertificateSchema, allow_none=True, metadata={"description": "certificate of an rtsps camera; null without"}
    )
    clock_rate = ma.fields.Float(
        allow_none=True, metadata={"description": "media seconds of the camera's time stamps in a real second"}
    )


class DeviceEventQueryArgsSchema(PageArgsSchema):
    """Query of the events of a device."""

    kind = Words("only of this kind; may be repeated for several kinds", 64)
