"""Clips: the output of one run of the ingest FFmpeg, an init segment and its parts, with numbered pictures."""

from __future__ import annotations

import functools
import subprocess
from dataclasses import dataclass, field

import numpy

from tests.cameras.counter import draw_counter
from workers.ffmpeg.fmp4 import Fmp4Reader, Fragment

#: The flags of workers/ffmpeg/command.py; the durations of parts are those of the test.
_FRAGMENTED = "+frag_keyframe+empty_moov+default_base_moof+skip_trailer"
_ENCODERS = {
    "h264": ["-c:v", "libx264", "-preset", "ultrafast", "-x264-params", "scenecut=0"],
    "h265": ["-c:v", "libx265", "-preset", "ultrafast", "-tag:v", "hvc1"],
}


@dataclass(frozen=True)
class Clip:
    """One run. `parts` without video are left out; frame `n` shows the counter `first_frame + n`."""

    init: bytes = field(repr=False)
    parts: tuple[Fragment, ...] = field(repr=False)
    fps: int
    first_frame: int

    @property
    def frames(self) -> int:
        return sum(part.frames for part in self.parts)

    @property
    def duration_ms(self) -> int:
        return round(sum(part.duration for part in self.parts) * 1000)

    @property
    def counters(self) -> range:
        """The numbers in its pictures."""
        return range(self.first_frame, self.first_frame + self.frames)


@functools.lru_cache(maxsize=64)
def make_clip(
    *,
    seconds: float = 4.0,
    first_frame: int = 0,
    codec: str = "h264",
    size: tuple[int, int] = (384, 216),
    fps: int = 25,
    key_seconds: float = 1.0,
    part_seconds: float = 0.5,
    b_frames: int = 0,
    audio: bool = False,
    audio_from: float = 0.0,
    audio_until: float | None = None,
    channels: int = 1,
) -> Clip:
    """Encode a clip; clips are cached.

    `audio` gives the run an AAC track, which has samples only from `audio_from` until `audio_until` seconds: parts
    before and after have none, like those of a camera whose microphone starts late or stops.
    """
    width, height = size
    gop = max(1, round(fps * key_seconds))
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-nostdin",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "gray",
        "-s",
        f"{width}x{height}",
        "-r",
        str(fps),
        "-i",
        "pipe:0",
    ]
    if audio:
        length = (seconds if audio_until is None else audio_until) - audio_from
        tone = f"sine=frequency=440:sample_rate=48000:duration={length}"
        command += ["-itsoffset", str(audio_from), "-f", "lavfi", "-i", tone, "-map", "0:v", "-map", "1:a"]
        command += ["-c:a", "aac", "-b:a", "64k", "-ac", str(channels)]
    command += [*_ENCODERS[codec], "-pix_fmt", "yuv420p", "-threads", "1"]
    if codec == "h265":
        command += [
            "-x265-params",
            f"log-level=none:keyint={gop}:min-keyint={gop}:scenecut=0:bframes={b_frames}:pools=1",
        ]
    else:
        command += ["-g", str(gop), "-keyint_min", str(gop), "-bf", str(b_frames)]
    command += [
        "-f",
        "mp4",
        "-movflags",
        _FRAGMENTED,
        "-frag_duration",
        str(int(part_seconds * 1_000_000)),
        "pipe:1",
    ]
    pictures = b"".join(
        numpy.ascontiguousarray(draw_counter(width, height, first_frame + number)).tobytes()
        for number in range(round(seconds * fps))
    )
    done = subprocess.run(command, input=pictures, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    init, *parts = Fmp4Reader().feed(done.stdout)
    return Clip(init.data, tuple(part for part in parts if part.frames), fps, first_frame)
