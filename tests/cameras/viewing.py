"""Reads a camera with the real ffmpeg and ffprobe; raises CameraUnreadableError with their messages."""

from __future__ import annotations

import json
import subprocess

from .clock import ClockReading, read_clock

TIMEOUT_SECONDS = 20
_INPUT = ["-v", "error", "-rtsp_transport", "tcp", "-timeout", "5000000", "-analyzeduration", "4000000"]


class CameraUnreadableError(RuntimeError):
    """FFmpeg could not read the camera; the message is FFmpeg's."""


def probe_streams(url: str) -> dict[str, dict]:
    """The streams reported by ffprobe, by their codec_type."""
    entries = "stream=codec_type,codec_name,profile,width,height,has_b_frames,r_frame_rate,sample_rate,channels"
    output = _run(["ffprobe", *_INPUT, "-show_entries", entries, "-of", "json", url])
    return {stream["codec_type"]: stream for stream in json.loads(output)["streams"]}


def read_packets(url: str, count: int) -> list[tuple[bool, int]]:
    """`(is key frame, size in bytes)` of the first `count` video packets."""
    command = [
        "ffprobe",
        *_INPUT,
        "-select_streams",
        "v",
        "-show_entries",
        "packet=flags,size",
        "-of",
        "csv=p=0",
    ]
    output = _run([*command, "-read_intervals", f"%+#{count}", url]).decode()
    rows = [row.split(",") for row in output.split()]
    return [("K" in flags, int(size)) for size, flags, *_ in rows]


def read_clocks(url: str, width: int, height: int, frames: int = 3) -> list[ClockReading | None]:
    """The clocks of the first decoded frames."""
    # Without passthrough FFmpeg fills a gap in the frames, as a busy machine leaves it, with copies of the one before.
    decoded = ["-frames:v", str(frames), "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    output = _run(["ffmpeg", *_INPUT, "-i", url, *decoded])
    size = width * height
    pictures = [output[at : at + size] for at in range(0, len(output), size)]
    return [read_clock(picture, width, height) for picture in pictures]


def _run(command: list[str]) -> bytes:
    done = subprocess.run(command, capture_output=True, check=False, timeout=TIMEOUT_SECONDS, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise CameraUnreadableError(done.stderr.decode().strip())
    return done.stdout
