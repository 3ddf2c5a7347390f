"""Inspects a movie with FFmpeg, strictly: any warning is a failure."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.cameras.footage import read_counters


def numbers_in(movie: Path) -> list[int]:
    """The number drawn into each frame, after the whole movie was decoded without a warning."""
    decode_strictly(movie)
    return read_counters(movie)


def decode_strictly(movie: Path) -> None:
    """Decode all tracks; fails on any message of FFmpeg."""
    done = subprocess.run(
        ["ffmpeg", "-v", "warning", "-xerror", "-nostdin", "-i", str(movie), "-f", "null", "-"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert not done.stderr.strip(), done.stderr
    assert done.returncode == 0


def probe(movie: Path) -> dict[str, Any]:
    """`format` and `streams` as reported by ffprobe."""
    done = subprocess.run(
        [
            "ffprobe",
            "-v",
            "error",
            "-print_format",
            "json",
            "-show_format",
            "-show_streams",
            "-count_frames",
            str(movie),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return json.loads(done.stdout)


def track(movie: Path, kind: str = "video") -> dict[str, Any]:
    """One stream as reported by ffprobe."""
    return next(one for one in probe(movie)["streams"] if one["codec_type"] == kind)


def frame_times(movie: Path) -> list[float]:
    """Presentation time of each frame in seconds."""
    done = subprocess.run(
        [
            "ffprobe",
            "-v",
            "error",
            "-select_streams",
            "v",
            "-show_entries",
            "frame=pts_time",
            "-of",
            "csv=p=0",
            str(movie),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return [float(line.split(",")[0]) for line in done.stdout.split()]


def box_names(movie: Path) -> list[str]:
    """The boxes of the file in order."""
    data, at, names = movie.read_bytes(), 0, []
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        names.append(data[at + 4 : at + 8].decode())
        at += size
    assert at == len(data)
    return names
