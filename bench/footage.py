"""Footage for benchmarks: the ingest FFmpeg's output for a camera with 1080p25, 4 Mbps and a 2 s key-frame interval."""

import subprocess

from gateway import database
from gateway.config import Config
from gateway.tenancy.scopes import TenantScope
from gateway.tenancy.tenants import DEFAULT_TENANT_ID
from tests.cameras.encoded import LoopSettings, load_loop
from tests.playback import Clip, FootageFactory
from tests.stack import Stack
from workers.ffmpeg.fmp4 import Fmp4Reader

LOOP_SECONDS = 10


def make_camera_clip(loops: int) -> Clip:
    """Build one run of `loops` times `LOOP_SECONDS`."""
    loop = load_loop(LoopSettings())
    head = b"".join(b"\0\0\0\1" + unit for unit in (loop.sps, loop.pps))
    once = b"".join(
        (head if unit.is_key else b"") + b"".join(b"\0\0\0\1" + nal for nal in unit.nals) for unit in loop.access_units
    )
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-nostdin",
        "-f",
        "h264",
        "-framerate",
        "25",
        "-i",
        "pipe:0",
        "-c",
        "copy",
        "-f",
        "mp4",
        "-movflags",
        "+frag_keyframe+empty_moov+default_base_moof+skip_trailer",
        "-frag_duration",
        "500000",
        "pipe:1",
    ]
    done = subprocess.run(command, input=once * loops, capture_output=True, check=True, timeout=300)
    init, *parts = Fmp4Reader().feed(done.stdout)
    return Clip(init.data, tuple(parts), 25, 0)


def record_footage(stack: Stack, device: str, starts_ms: list[int], loops: int) -> None:
    """Record runs of `loops` loops that begin at the given times, in the storage of a running stack."""
    clip, config = make_camera_clip(loops), Config.from_environment(stack.env)
    database.connect(config)
    try:
        footage = FootageFactory(config, TenantScope(DEFAULT_TENANT_ID), device)
        for start_ms in starts_ms:
            footage.record(clip, start_ms)
    finally:
        database.close()
