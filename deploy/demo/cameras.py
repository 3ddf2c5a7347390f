"""Settings of the server's cameras: their limits, and parsing from JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

CODECS = ("h264", "h265", "mjpeg")
AUDIO_CODECS = ("aac", "pcm_alaw", "opus")
PROFILES = ("baseline", "main", "high")
PARAMETER_SETS = ("in_band", "sdp")
SCENES = ("harbour", "lighthouse", "valley", "city", "square")


class CameraError(ValueError):
    """A camera's setting is invalid; the message names it and the values it accepts."""


@dataclass(frozen=True)
class Camera:
    """One mount point. Sizes in pixels, `bitrate_kbps` of the video, `key_frame_seconds` between key frames.

    `bitrate_kbps` is an upper limit: a still picture needs less, once it has the quality that `qmin` (quantizer, 0 is
    lossless) allows. `profile` and `b_frames` apply to h264 only. With `parameter_sets` "sdp" the parameter sets
    are only in the SDP, never in band.
    With `outage_every_seconds` above 0 the camera is unavailable for `outage_seconds` at the end of each such period.
    """

    path: str
    name: str = ""
    codec: str = "h264"
    width: int = 960
    height: int = 540
    fps: int = 15
    bitrate_kbps: int = 1200
    qmin: int = 22
    key_frame_seconds: float = 1.0
    profile: str = "high"
    b_frames: int = 0
    parameter_sets: str = "in_band"
    audio: str | None = None
    user: str | None = None
    password: str | None = None
    scene: str = "harbour"
    outage_every_seconds: int = 0
    outage_seconds: int = 10

    def __post_init__(self) -> None:
        """Validate the settings. Raises CameraError for the first invalid one."""
        if not self.path.startswith("/") or len(self.path) < 2:
            raise CameraError(f"'path' must start with / and name a mount point, not {self.path!r}")
        _require_one_of("codec", self.codec, CODECS)
        _require_one_of("profile", self.profile, PROFILES)
        _require_one_of("audio", self.audio, (None, *AUDIO_CODECS))
        _require_one_of("parameter_sets", self.parameter_sets, PARAMETER_SETS)
        _require_one_of("scene", self.scene, SCENES)
        _require_between("width", self.width, 64, 3840)
        _require_between("height", self.height, 64, 2160)
        _require_between("fps", self.fps, 1, 60)
        _require_between("bitrate_kbps", self.bitrate_kbps, 50, 50_000)
        _require_between("qmin", self.qmin, 0, 50)
        _require_between("key_frame_seconds", self.key_frame_seconds, 0.1, 60)
        _require_between("b_frames", self.b_frames, 0, 3)
        step = 8 if self.codec == "mjpeg" else 2
        if self.width % step or self.height % step:
            raise CameraError(f"'width' and 'height' must be multiples of {step} for {self.codec}")
        if self.b_frames and self.codec != "h264":
            raise CameraError(f"'b_frames' works with h264 only, not with {self.codec}")
        if self.b_frames and self.profile == "baseline":
            raise CameraError("'profile' must be main or high when there are 'b_frames'")
        if (self.user is None) != (self.password is None):
            raise CameraError("'user' and 'password' must be set together")

    @property
    def key_frame_interval(self) -> int:
        """Number of frames from one key frame to the next."""
        return max(1, round(self.fps * self.key_frame_seconds))


def parse_camera(values: dict) -> Camera:
    """Parse a camera from its JSON object. Raises CameraError."""
    known = {field.name for field in fields(Camera)}
    for name in values:
        if name not in known:
            raise CameraError(f"{name!r} is not a setting of a camera; the settings are {', '.join(sorted(known))}")
    if "path" not in values:
        raise CameraError("'path' is missing")
    try:
        return Camera(**values)
    except TypeError as error:
        raise CameraError(f"camera {values['path']!r}: {error}") from error


def change_camera(camera: Camera, values: dict) -> Camera:
    """Return the camera with some settings changed. Raises CameraError."""
    return parse_camera({**asdict(camera), **values})


def load_cameras(file: Path) -> list[Camera]:
    """Read the cameras of a JSON file, a list of objects. Raises CameraError, OSError."""
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CameraError(f"{file} is not JSON: {error}") from error
    if not isinstance(values, list):
        raise CameraError(f"{file} must contain a list of cameras")
    return [parse_camera(value) for value in values]


def _require_one_of(name: str, value: object, allowed: tuple) -> None:
    if value not in allowed:
        choices = ", ".join("none" if choice is None else choice for choice in allowed)
        raise CameraError(f"{name!r} must be one of {choices}, not {value!r}")


def _require_between(name: str, value: object, low: float, high: float) -> None:
    if not isinstance(value, (int, float)) or not low <= value <= high:
        raise CameraError(f"{name!r} must be between {low} and {high}, not {value!r}")
