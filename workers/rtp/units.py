"""The access units that pass from a camera's session to its outputs."""

from dataclasses import dataclass, field

from gateway.sources.tracks import AUDIO, VIDEO, CodecData, SourceError, TrackDescription

__all__ = ["AUDIO", "VIDEO", "CodecData", "MediaUnit", "SourceError", "TrackDescription"]


@dataclass(slots=True)
class MediaUnit:
    """One access unit: a picture, or one or more frames of sound.

    `time` is its capture time in seconds of the monotonic clock (presentation order); `arrived` when its first packet
    came. `data`: as Matroska stores it (H.264 and H.265: NAL units, each after its length in 4 bytes; a JPEG; raw
    frames). `codec_data` is set where it differs from that of the unit before it, so always for the first.
    `timestamp`: its unwrapped RTP time.
    """

    kind: str
    time: float
    data: bytes = field(repr=False)
    is_key: bool = False
    arrived: float = 0.0
    duration: float = 0.0
    is_b_frame: bool = False
    codec_data: CodecData | None = field(default=None, repr=False)
    timestamp: int = 0
