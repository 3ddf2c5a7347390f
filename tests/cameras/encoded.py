"""H.264 that is encoded once and played in a loop: stored in a cache folder, held in memory as access units."""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

NAL_SPS, NAL_PPS, NAL_AUD, NAL_IDR = 7, 8, 9, 5
RECIPE = 1  # raise it when the FFmpeg command below changes: cached files of the old one are then ignored


@dataclass(frozen=True)
class LoopSettings:
    """The encoding settings. The loop is about ten seconds long, a whole number of GOPs."""

    width: int = 1920
    height: int = 1080
    fps: int = 25
    bitrate_kbps: int = 4000
    gop_seconds: float = 2.0

    @property
    def gop_frames(self) -> int:
        """Number of frames from one key frame to the next."""
        return max(1, round(self.fps * self.gop_seconds))

    @property
    def frames(self) -> int:
        """Number of frames of the whole loop."""
        return self.gop_frames * max(1, round(10 * self.fps / self.gop_frames))


@dataclass(frozen=True)
class AccessUnit:
    """One picture. `nals` are without start codes, and without parameter sets and delimiters."""

    nals: tuple[bytes, ...]
    is_key: bool


@dataclass(frozen=True)
class EncodedLoop:
    """The loop and its parameter sets. The first access unit is a key frame."""

    settings: LoopSettings
    sps: bytes
    pps: bytes
    access_units: tuple[AccessUnit, ...]


def load_loop(settings: LoopSettings, cache: Path | None = None) -> EncodedLoop:
    """Load the loop from the cache, or encode it if it is missing. Raises RuntimeError when FFmpeg fails."""
    folder = cache or find_cache_folder()
    name = "_".join(str(value) for value in vars(settings).values())
    file = folder / f"loop{RECIPE}_{name}.h264"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _encode(settings, file)
    return parse_loop(file.read_bytes(), settings)


def find_cache_folder() -> Path:
    """`vas/cameras` in the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vas" / "cameras"


def parse_loop(stream: bytes, settings: LoopSettings) -> EncodedLoop:
    """Splits Annex B with delimiters into access units. Raises ValueError when parameter sets are missing."""
    sps = pps = b""
    units: list[list[bytes]] = []
    for nal in _split_nals(stream):
        kind = nal[0] & 0x1F
        if kind == NAL_AUD:
            units.append([])
        elif kind == NAL_SPS:
            sps = nal
        elif kind == NAL_PPS:
            pps = nal
        elif units:
            units[-1].append(nal)
    if not sps or not pps or not units:
        raise ValueError("no H.264 with parameter sets and access unit delimiters")
    access_units = tuple(AccessUnit(tuple(unit), any(nal[0] & 0x1F == NAL_IDR for nal in unit)) for unit in units)
    return EncodedLoop(settings, sps, pps, access_units)


def _split_nals(stream: bytes) -> list[bytes]:
    # A zero byte before a start code belongs to the start code, and a NAL never ends with one.
    return [nal.rstrip(b"\0") for nal in stream.split(b"\0\0\1") if nal.rstrip(b"\0")]


def _encode(settings: LoopSettings, file: Path) -> None:
    rate = f"{settings.bitrate_kbps}k"
    source = f"testsrc2=size={settings.width}x{settings.height}:rate={settings.fps},noise=alls=6:allf=t"
    parameters = f"aud=1:scenecut=0:keyint={settings.gop_frames}:min-keyint={settings.gop_frames}"
    with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".part", delete=False) as part:
        command = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", source]
        command += [
            "-frames:v",
            str(settings.frames),
            "-pix_fmt",
            "yuv420p",
            "-c:v",
            "libx264",
            "-preset",
            "superfast",
        ]
        command += ["-bf", "0", "-b:v", rate, "-maxrate", rate, "-bufsize", rate, "-x264-params", parameters]
        command += ["-f", "h264", part.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        if done.returncode:
            Path(part.name).unlink()
            raise RuntimeError(f"ffmpeg could not encode the cameras' loop: {done.stderr.strip()}")
        Path(part.name).replace(file)
