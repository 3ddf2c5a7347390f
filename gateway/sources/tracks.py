"""What a session with a camera describes: tracks, codec data, and the errors of a session."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.errors import VasError
from gateway.states import reason_for

VIDEO = "video"
AUDIO = "audio"


class SourceError(VasError):
    """Why a camera cannot be read (any longer): `reason` is a code of gateway.states.REASONS."""

    def __init__(self, code: str, message: str | None = None) -> None:
        super().__init__(message or reason_for(code).message, reason=code)


@dataclass(frozen=True, slots=True)
class TrackDescription:
    """A track as the camera announces it.

    `kind`: "video", "audio" or another media type of the SDP. `codec` is FFmpeg's name where there is one (h264, hevc,
    mjpeg, mpeg4, aac, pcm_alaw, pcm_mulaw, opus, adpcm_g726, adpcm_g722, pcm_s16be, mp2 …), otherwise the encoding name
    of the SDP in lower case. `control` is the absolute URL for SETUP, without credentials. `direction`: "sendrecv",
    "sendonly", "recvonly" or "inactive" as the SDP says. `problem`: why the track cannot be used, as the end of a
    sentence; None if it can.
    """

    index: int
    kind: str
    codec: str
    payload_type: int
    clock_rate: int
    channels: int = 1
    parameters: Mapping[str, str] = field(default_factory=dict)
    control: str = field(default="", repr=False)
    direction: str = "sendrecv"
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class CodecData:
    """What a decoder needs before the first unit of a track.

    `parameter_sets`: NAL units without start codes: SPS and PPS, for H.265 VPS, SPS and PPS. `extra_data`: the codec's
    private data as Matroska stores it (avcC, hvcC, AudioSpecificConfig, OpusHead), empty without any. `fps` is the
    announced rate, `has_b_frames` None while it is unknown.
    """

    codec: str
    extra_data: bytes = field(default=b"", repr=False)
    parameter_sets: tuple[bytes, ...] = field(default=(), repr=False)
    width: int = 0
    height: int = 0
    profile: str | None = None
    pixel_format: str | None = None
    fps: float | None = None
    has_b_frames: bool | None = None
    sample_rate: int = 0
    channels: int = 0


@dataclass(frozen=True, slots=True)
class Description:
    """What a camera says of itself: all tracks, also those that cannot be used, and what is unusual about its answers.

    `login`: "none", "basic" or "digest" with its algorithm. `quirks`: short sentences. `transport`: how the media come,
    such as "tcp". `gives_units`: the session gives whole access units instead of RTP packets.
    """

    tracks: tuple[TrackDescription, ...]
    server: str | None = None
    login: str = "none"
    quirks: tuple[str, ...] = ()
    transport: str = "tcp"
    gives_units: bool = False
