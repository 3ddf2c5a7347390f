"""What flows: sources, runs and parts. Pure values without input or output."""

from dataclasses import asdict, dataclass, field
from typing import Any

#: Codecs as FFmpeg spells them that WebRTC carries without re-encoding.
WEBRTC_VIDEO_CODECS = frozenset({"h264"})


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """A video track as the camera sends it."""

    codec: str
    width: int = 0
    height: int = 0
    fps: float | None = None
    profile: str | None = None
    pixel_format: str | None = None
    has_b_frames: bool = False
    key_frame_interval_seconds: float | None = None
    bitrate_kbps: float | None = None

    def same_format(self, other: "VideoInfo") -> bool:
        """Whether a pipeline built for `other` also fits this track."""
        return (
            self.codec == other.codec
            and self.has_b_frames == other.has_b_frames
            and (self.width, self.height) == (other.width, other.height)
        )


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """An audio track as the camera sends it."""

    codec: str
    sample_rate: int | None = None
    channels: int | None = None


@dataclass(frozen=True, slots=True)
class TrackInfo:
    """One track of the source, also those that are not used (ONVIF metadata)."""

    index: int
    type: str
    codec: str


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What a source URL offers."""

    video: VideoInfo | None = None
    audio: AudioInfo | None = None
    tracks: tuple[TrackInfo, ...] = field(default=())
    time_to_first_frame_ms: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "SourceInfo":
        """The reverse of `to_dict`; unknown keys of older versions are passed over."""

        def build(kind: type, values: dict[str, Any] | None) -> Any:
            if values is None:
                return None
            return kind(**{k: v for k, v in values.items() if k in kind.__dataclass_fields__})

        return cls(
            video=build(VideoInfo, data.get("video")),
            audio=build(AudioInfo, data.get("audio")),
            tracks=tuple(build(TrackInfo, track) for track in data.get("tracks") or ()),
            time_to_first_frame_ms=data.get("time_to_first_frame_ms"),
        )


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place on the bus: the run, and the part's number in it from 1."""

    run: int
    sequence: int

    @property
    def entry_id(self) -> str:
        """The bus entry with this position, as Redis Streams spell ids."""
        return f"{self.run}-{self.sequence}"

    @classmethod
    def parse(cls, text: str | bytes) -> "Position":
        """The reverse of `entry_id`."""
        run, _, sequence = (text.decode() if isinstance(text, bytes) else text).partition("-")
        return cls(int(run), int(sequence))


@dataclass(frozen=True, slots=True)
class Part:
    """One fMP4 `moof`+`mdat`: about half a second, always a new one at a key frame.

    `start` is the wall clock (seconds since 1970, UTC) of its first video frame, `duration` in seconds;
    `is_key` tells that its first video frame is a key frame; `frames` counts its video frames.
    """

    device_id: str
    run: int
    sequence: int
    start: float
    duration: float
    is_key: bool
    frames: int
    data: bytes = field(repr=False)

    @property
    def position(self) -> Position:
        return Position(self.run, self.sequence)
