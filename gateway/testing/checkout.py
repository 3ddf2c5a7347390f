"""The checkout of VAS that is tested with: its Procfile, SFU and camera server are no part of the Python package."""

import os
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def missing_programs() -> list[str]:
    """What a whole product needs and this machine does not have, each with the way to get it."""
    missing = []
    if not (ROOT / "Procfile").is_file():
        missing.append(f"VAS is not installed from a checkout ('{ROOT}' has no Procfile): pip install -e CHECKOUT")
    for program, package in (("redis-server", "redis-server"), ("ffmpeg", "ffmpeg"), ("node", "nodejs")):
        if shutil.which(program) is None:
            missing.append(f"'{program}' is missing: apt-get install {package}")
    if not (ROOT / "sfu/node_modules").is_dir() or find_worker_bin() is None:
        missing.append(f"the SFU is not set up: run 'make setup' in '{ROOT}'")
    return missing


def missing_of_cameras() -> list[str]:
    """What the demo cameras need and this machine does not have."""
    if not (ROOT / "deploy/demo/camera_server.py").is_file():
        return [f"VAS is not installed from a checkout ('{ROOT}' has no demo cameras)"]
    if not any(Path(folder).is_dir() for folder in ("/usr/lib/python3/dist-packages/gi", "/usr/lib64/python3/gi")):
        return [f"the demo cameras need GStreamer: run 'make setup' in '{ROOT}'"]
    return []


def find_worker_bin() -> str | None:
    """The SFU's worker program: MEDIASOUP_WORKER_BIN, or the newest that the set-up has put into the cache."""
    if named := os.environ.get("MEDIASOUP_WORKER_BIN"):
        return named
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    found = sorted((cache / "vas/mediasoup-worker").glob("*/mediasoup-worker"), key=lambda path: path.stat().st_mtime)
    return str(found[-1]) if found else None
