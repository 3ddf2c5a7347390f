"""Values that describe media: sources, runs and parts. Pure."""

import re
import struct
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

#: Codecs, by their FFmpeg names, that WebRTC carries without re-encoding.
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


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """An audio track as the camera sends it."""

    codec: str
    sample_rate: int | None = None
    channels: int | None = None


@dataclass(frozen=True, slots=True)
class TrackInfo:
    """One track of the source, including unused ones (ONVIF metadata)."""

    index: int
    type: str
    codec: str


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """The tracks that a source URL offers. Without `has_packets` outputs can take no RTP packets of them."""

    video: VideoInfo | None = None
    audio: AudioInfo | None = None
    tracks: tuple[TrackInfo, ...] = field(default=())
    time_to_first_frame_ms: int | None = None
    has_packets: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "SourceInfo":
        """The reverse of `to_dict`; unknown keys of other versions are ignored."""

        def build(kind: type, values: dict[str, Any] | None) -> Any:
            if values is None:
                return None
            return kind(**{k: v for k, v in values.items() if k in kind.__dataclass_fields__})

        return cls(
            video=build(VideoInfo, data.get("video")),
            audio=build(AudioInfo, data.get("audio")),
            tracks=tuple(build(TrackInfo, track) for track in data.get("tracks") or ()),
            time_to_first_frame_ms=data.get("time_to_first_frame_ms"),
            has_packets=data.get("has_packets", True) is not False,
        )


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A position on the bus: the run, and the number of the part in it, from 1."""

    run: int
    sequence: int

    @property
    def entry_id(self) -> str:
        """The id of the bus entry with this position, in the format of Redis Streams."""
        return f"{self.run}-{self.sequence}"

    @classmethod
    def parse(cls, text: str | bytes) -> "Position":
        """The reverse of `entry_id`."""
        run, _, sequence = (text.decode() if isinstance(text, bytes) else text).partition("-")
        return cls(int(run), int(sequence))


@dataclass(frozen=True, slots=True)
class Part:
    """One fMP4 `moof`+`mdat` of about half a second; a new part begins at each key frame.

    `start` is the wall clock (seconds since 1970, UTC) of its first video frame, `duration` in seconds; `is_key`:
    whether its first video frame is a key frame; `frames`: number of video frames; `has_audio`: whether it contains
    audio. `segment` and `discontinuity` are assigned by the bus: the media sequence number of the HLS segment that the
    part belongs to, and the number of runs before its own. Both never decrease (RFC 8216, 4.3.3.2 and 4.3.3.3).
    """

    device_id: str
    run: int
    sequence: int
    start: float
    duration: float
    is_key: bool
    frames: int
    data: bytes = field(repr=False)
    has_audio: bool = False
    segment: int = field(default=0, compare=False)
    discontinuity: int = field(default=0, compare=False)

    @property
    def position(self) -> Position:
        return Position(self.run, self.sequence)

    @property
    def end(self) -> float:
        """The wall clock at the end of its last video frame."""
        return self.start + self.duration


@dataclass(frozen=True, slots=True)
class SubPicture:
    """A coded picture of a sub-stream. `at`: its capture time on the wall clock, in seconds since 1970, UTC."""

    at: float
    is_key: bool
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SubPictures:
    """Coded pictures of a device's sub-stream, in decoding order: those of about half a second.

    `codec` is FFmpeg's name; `extra_data` is the decoder's private data (avcC, hvcC), empty without any. Pictures of
    H.264 and H.265 are NAL units, each after its length in four bytes.
    """

    device_id: str
    position: Position
    codec: str
    extra_data: bytes = field(repr=False)
    pictures: tuple[SubPicture, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class PartFact:
    """A part in a file: `size` in bytes, `offset_ms` from the start of its segment, `duration_ms` of its video."""

    size: int
    offset_ms: int
    duration_ms: int
    frames: int
    is_key: bool
    has_audio: bool


_PACKED = struct.Struct("<IIHHBx")  # size, offset_ms, duration_ms, frames, flags, one unused byte
_KEY, _AUDIO = 1, 2


def pack_parts(parts: Iterable[PartFact]) -> bytes:
    """The index of a segment, 14 bytes per part. Numbers that do not fit are clamped."""
    return b"".join(
        _PACKED.pack(
            part.size,
            min(max(part.offset_ms, 0), 0xFFFF_FFFF),
            min(max(part.duration_ms, 0), 0xFFFF),
            min(part.frames, 0xFFFF),
            _KEY * part.is_key | _AUDIO * part.has_audio,
        )
        for part in parts
    )


def unpack_parts(packed: bytes) -> list[PartFact]:
    """The reverse of `pack_parts`; bytes after the last whole entry are ignored."""
    whole = len(packed) - len(packed) % _PACKED.size
    return [
        PartFact(size, offset, duration, frames, bool(flags & _KEY), bool(flags & _AUDIO))
        for size, offset, duration, frames, flags in _PACKED.iter_unpack(memoryview(packed)[:whole])
    ]


@dataclass(frozen=True, slots=True)
class SegmentFact:
    """A file of footage as it is passed to hooks. Times in milliseconds since 1970, UTC; `key` is its storage key."""

    id: int
    device_id: str
    start_ms: int
    duration_ms: int
    size: int
    key: str


def segment_key(tenant_id: str, device_id: str, start_ms: int, run: int, sequence: int) -> str:
    """The storage key of a segment: its UTC time, run and first sequence number make it unique."""
    at = datetime.fromtimestamp(start_ms // 1000, UTC)
    name = f"{at:%M-%S}-{start_ms % 1000:03d}_{run}-{sequence}.mp4"
    return f"{tenant_id}/{device_id}/{at:%Y-%m-%d}/{at:%H}/{name}"


_SEGMENT_KEY = re.compile(
    r"([0-9a-f-]{36})/([0-9a-f-]{36})/(\d{4}-\d\d-\d\d)/(\d\d)/(\d\d)-(\d\d)-(\d{3})_(\d{1,18})-(\d{1,18})\.mp4",
    re.ASCII,
)


def parse_segment_key(key: str) -> tuple[int, int, int] | None:
    """`start_ms`, run and first sequence number from a key of `segment_key`; None for any other text."""
    match = _SEGMENT_KEY.fullmatch(key)
    if match is None:
        return None
    tenant_id, device_id, day, hour, minute, second, thousandth, run, sequence = match.groups()
    try:
        at = datetime.fromisoformat(f"{day}T{hour}:{minute}:{second}+00:00")
    except ValueError:
        return None
    found = int(at.timestamp()) * 1000 + int(thousandth), int(run), int(sequence)
    return found if segment_key(tenant_id, device_id, *found) == key else None


@dataclass(frozen=True, slots=True)
class SnapshotFact:
    """A stored snapshot: its id, kind (`live historical scheduled`), time (ms since 1970, UTC) and size."""

    id: str
    kind: str
    at_ms: int
    width: int
    height: int
    size: int
    tags: tuple[str, ...] = ()
    path: str = ""
    by_name: str = ""


@dataclass(frozen=True, slots=True)
class BookmarkFact:
    """A bookmark that was `created`, `changed`, `deleted` or `restored` (`change`)."""

    id: str
    change: str
    at_ms: int
    title: str
    tags: tuple[str, ...] = ()
    by_name: str = ""


@dataclass(frozen=True, slots=True)
class ClipFact:
    """The clip of a bookmark: ready on disk (`path`), or failed for a `reason` (then without a file)."""

    bookmark_id: str
    start_ms: int | None = None
    end_ms: int | None = None
    seconds: float = 0.0
    size: int = 0
    path: str = ""
    reason: str | None = None
    by_name: str = ""


@dataclass(frozen=True, slots=True)
class EventFact:
    """An event that was recorded or changed; `change` says which: `recorded`, `began`, `changed` or `ended`.

    `device_id` is None for what concerns no device. Times in ms since 1970, UTC; `end_ms` is None while it goes on.
    `cursor` is its present place in the feed, `reference` the id of the object that it is about.
    """

    id: int
    cursor: int
    change: str
    tenant_id: str
    device_id: str | None
    kind: str
    start_ms: int
    end_ms: int | None = None
    plugin: str | None = None
    label: str | None = None
    zone: str | None = None
    score: float | None = None
    from_state: str | None = None
    to_state: str | None = None
    reason_code: str | None = None
    reason_message: str | None = None
    reference: str | None = None
    snapshot_id: str | None = None
    text: str = ""
    by_name: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
