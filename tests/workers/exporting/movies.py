"""Looks at a film with FFmpeg, strictly: any warning is a failure."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.cameras.footage import read_counters


def numbers_in(film: Path) -> list[int]:
    """The number drawn into each frame, after the whole film was decoded without a warning."""
    decode_strictly(film)
    return read_counters(film)


def decode_strictly(film: Path) -> None:
    """Decode all tracks; fails on the first word that FFmpeg says."""
    done = subprocess.run(
        ["ffmpeg", "-v", "warning", "-xerror", "-nostdin", "-i", str(film), "-f", "null", "-"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert not done.stderr.strip(), done.stderr
    assert done.returncode == 0


def probe(film: Path) -> dict[str, Any]:
    """`format` and `streams` as ffprobe tells them."""
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
            str(film),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return json.loads(done.stdout)


def track(film: Path, kind: str = "video") -> dict[str, Any]:
    """One stream of it as ffprobe tells it."""
    return next(one for one in probe(film)["streams"] if one["codec_type"] == kind)


def frame_times(film: Path) -> list[float]:
    """When each frame is shown, in seconds."""
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
            str(film),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return [float(line.split(",")[0]) for line in done.stdout.split()]


def box_names(film: Path) -> list[str]:
    """The boxes of the file in order."""
    data, at, names = film.read_bytes(), 0, []
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        names.append(data[at + 4 : at + 8].decode())
        at += size
    assert at == len(data)
    return names
