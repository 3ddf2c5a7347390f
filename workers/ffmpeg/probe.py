"""Probes a source with PyAV in a separate process: tracks, codecs, B-frames, key frames, time to first frame.

The process gets the URL on standard input, so that the camera's password is in no process list, and may be killed at
any time. Workers call `probe_source`; `main` is the process.
"""

import base64
import io
import itertools
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from gateway import sandbox
from gateway.config import Config
from gateway.devices.sources import DEFAULT_PORTS
from gateway.media import AudioInfo, SourceInfo, TrackInfo, VideoInfo
from gateway.redaction import redact_text
from gateway.states import Reason, reason_for
from workers.ffmpeg.command import input_options
from workers.ffmpeg.diagnosis import diagnose
from workers.ffmpeg.launch import Launcher

#: Packets are analysed until the second key frame, but no longer than this.
WATCH_SECONDS = 6.0

#: Time to start Python on a busy machine, and for a camera that responds late.
_GRACE_SECONDS = 15.0

#: Short waits, because Dramatiq's Shutdown reaches a thread only when it runs Python.
_WAIT_SECONDS = 0.25

_LOG_LINES = 40

#: Longer side of the picture, and the packets from a key frame on that may be needed until a frame comes out.
_PICTURE_PIXELS = 640
_PICTURE_PACKETS = 32

#: Maximum number of concurrent probes in a worker process. If a hundred cameras that start together were all probed at
#: once, no probe would end in time.
_MAX_PROBES = 8
_slots = threading.BoundedSemaphore(_MAX_PROBES)


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The `source` that was found, or the `reason` why nothing or no video was found.

    `picture`: a small JPEG of the first key frame, as base64; None if it was not asked for or cannot be decoded.
    """

    source: SourceInfo | None
    reason: Reason | None
    elapsed_ms: int
    picture: str | None = field(repr=False, default=None)


def probe_source(
    config: Config,
    url: str,
    transport: str,
    *,
    watch_seconds: float = 0,
    on_wait: Callable[[], None] = lambda: None,
) -> ProbeResult:
    """Probe the camera; blocks at most for the connection's time limit and a few seconds.

    With `watch_seconds` the video is analysed for that time, or until its second key frame, to measure the key-frame
    interval, the bit rate and the order of frames, and a picture is decoded; otherwise the result comes from the
    stream's headers. `on_wait` is called a few times a second; an exception that it raises ends the probe and is passed
    to the caller.
    """
    started = time.monotonic()
    lines: list[str] = []
    request = {
        "url": url,
        "options": input_options(transport, config.connect_timeout_seconds),
        "timeout_seconds": config.connect_timeout_seconds,
        "watch_seconds": watch_seconds,
        "sandbox": config.ffmpeg_sandbox,
    }
    try:
        limit = config.connect_timeout_seconds + watch_seconds + _GRACE_SECONDS
        launcher = Launcher.from_config(config)
        text, lines = _run_in_slot(launcher, json.dumps(request), limit, on_wait)
        answer = json.loads(text or "{}")
    except subprocess.TimeoutExpired:
        answer = {"errors": ["Connection timed out"]}
    except ValueError:
        answer = {}
    elapsed_ms = int((time.monotonic() - started) * 1000)
    if answer.get("is_closed"):
        return ProbeResult(None, reason_for("closed_by_camera"), elapsed_ms)
    if answer.get("source") is None:
        errors = answer.get("errors") or ["[error] the probe ended without an answer"]
        shown = [redact_text(line) for line in (*lines, *errors)]
        return ProbeResult(None, diagnose(shown, 1, had_video=False, is_late=answer.get("is_late", False)), elapsed_ms)
    source = SourceInfo.from_dict(answer["source"])
    reason = None if source.video else reason_for("no_video")
    return ProbeResult(source, reason, elapsed_ms, answer.get("picture"))


def _run_in_slot(
    launcher: Launcher, request: str, limit_seconds: float, on_wait: Callable[[], None]
) -> tuple[str, list[str]]:
    """The output of the process and FFmpeg's last lines; raises subprocess.TimeoutExpired.

    The process has ended afterwards in any case.
    """
    while not _slots.acquire(timeout=_WAIT_SECONDS):
        on_wait()
    try:
        return _run_process(launcher, request, limit_seconds, on_wait)
    finally:
        _slots.release()


def _run_process(
    launcher: Launcher, request: str, limit_seconds: float, on_wait: Callable[[], None]
) -> tuple[str, list[str]]:
    deadline = time.monotonic() + limit_seconds
    request_text: str | None = request
    with subprocess.Popen(
        [sys.executable, "-m", "workers.ffmpeg.probe"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=launcher.environment(further=("PYTHON*", "VIRTUAL_ENV")),
    ) as process:
        try:
            while True:
                try:
                    answer, log = process.communicate(request_text, timeout=_WAIT_SECONDS)
                    return answer, log.splitlines()[-_LOG_LINES:]
                except subprocess.TimeoutExpired:
                    if time.monotonic() > deadline:
                        raise
                request_text = None
                on_wait()
        finally:
            process.kill()


def main() -> None:
    """Run as the probe process: a request as JSON on standard input, the result as JSON on standard output."""
    import av
    import av.logging

    # FFmpeg logs directly to standard error: only its log distinguishes a wrong name from a wrong response.
    av.logging.restore_default_callback()
    av.logging.set_libav_level(av.logging.ERROR)
    request = json.load(sys.stdin)
    sandbox.forbid_core_dumps()
    if request["sandbox"] != "off":
        # All modules are imported; those that Python imports on demand come from its own library.
        try:
            sandbox.enter(programs=(os.path.dirname(os.__file__), f"{sys.prefix}/lib", f"{sys.prefix}/lib64"))
        except sandbox.SandboxUnavailable as error:
            if request["sandbox"] == "required":
                print(json.dumps({"errors": [f"[error] FFMPEG_SANDBOX is 'required', but {error}"]}))
                return
    limit = request["timeout_seconds"]
    started = time.monotonic()
    try:
        with av.open(request["url"], options=request["options"], timeout=(limit, limit)) as container:
            source, picture = _analyse(container, request["watch_seconds"], started)
            print(json.dumps({"source": source.to_dict(), "picture": picture}))
    except (av.FFmpegError, OSError, ValueError) as error:
        message = error.strerror if isinstance(error, OSError) else error
        if isinstance(error, av.InvalidDataError) and _closes_without_reply(request["url"], limit):
            print(json.dumps({"errors": ["[error] End of file"], "is_closed": True}))
            return
        print(json.dumps({"errors": [f"[error] {message}"], "is_late": time.monotonic() - started >= 0.95 * limit}))


def _closes_without_reply(url: str, timeout_seconds: float) -> bool:
    """Whether the camera accepts a connection and closes it; FFmpeg reports that as invalid data, like garbage."""
    parts = urlsplit(url)
    try:
        address = (parts.hostname, parts.port or DEFAULT_PORTS[parts.scheme])
        with socket.create_connection(address, timeout_seconds) as connection:
            connection.settimeout(min(1.0, timeout_seconds))
            return connection.recv(1) == b""
    except ConnectionError:
        return True
    except (OSError, ValueError, KeyError):
        return False


def _analyse(container: Any, watch_seconds: float, started: float) -> tuple[SourceInfo, str | None]:
    tracks = tuple(TrackInfo(stream.index, stream.type or "data", _codec(stream)) for stream in container.streams)
    video = next((s for s in container.streams.video if s.codec_context and s.codec_context.width), None)
    audio = next((s for s in container.streams.audio if s.codec_context), None)
    packets: list[tuple[float | None, float | None, int, bool]] = []
    first_ms = None
    group: list[Any] = []
    if video is not None:
        end = time.monotonic() + watch_seconds
        for packet in container.demux(video):
            if packet.size == 0:
                break
            first_ms = first_ms or int((time.monotonic() - started) * 1000)
            base = float(packet.time_base or 0)
            packets.append(
                (
                    packet.pts * base if packet.pts is not None else None,
                    packet.dts * base if packet.dts is not None else None,
                    packet.size,
                    packet.is_keyframe,
                )
            )
            if (packet.is_keyframe or group) and len(group) < _PICTURE_PACKETS:
                group.append(packet)
            if sum(p[3] for p in packets) > 2 or time.monotonic() >= end:
                break
    source = SourceInfo(
        video=_describe_video(video, packets) if video is not None else None,
        audio=AudioInfo(_codec(audio), audio.codec_context.sample_rate or None, audio.codec_context.channels or None)
        if audio is not None
        else None,
        tracks=tracks,
        time_to_first_frame_ms=first_ms,
    )
    return source, _take_picture(video, group) if watch_seconds else None


def _take_picture(stream: Any, group: list[Any]) -> str | None:
    """The first frame that decodes of the packets from a key frame on, as a small JPEG in base64."""
    import av

    try:
        for packet in [*group, None]:
            for frame in stream.codec_context.decode(packet):
                image = frame.to_image()
                image.thumbnail((_PICTURE_PIXELS, _PICTURE_PIXELS))
                data = io.BytesIO()
                image.save(data, "JPEG", quality=80)
                return base64.b64encode(data.getvalue()).decode()
    except (av.FFmpegError, OSError, ValueError):
        return None
    return None


def _describe_video(stream: Any, packets: list[tuple[float | None, float | None, int, bool]]) -> VideoInfo:
    context = stream.codec_context
    pts_list = [pts for pts, _, _, _ in packets if pts is not None]
    keys = [pts for pts, _, _, is_key in packets if is_key and pts is not None]
    span = pts_list[-1] - pts_list[0] if len(pts_list) > 1 else 0
    is_reordered = any(later < earlier for earlier, later in itertools.pairwise(pts_list))
    rate = stream.average_rate or stream.base_rate or stream.guessed_rate
    # FFmpeg returns 90 kHz when the stream has no frame rate.
    fps = round(float(rate), 3) if rate and 0 < rate <= 240 else None
    return VideoInfo(
        codec=_codec(stream),
        profile=context.profile or None,
        width=context.width,
        height=context.height,
        fps=fps or (round((len(pts_list) - 1) / span, 2) if span > 0 else None),
        pixel_format=context.pix_fmt,
        has_b_frames=is_reordered or context.has_b_frames,
        key_frame_interval_seconds=round(keys[-1] - keys[-2], 3) if len(keys) > 1 else None,
        bitrate_kbps=round(sum(size for _, _, size, _ in packets) * 8 / span / 1000, 1) if span > 0.5 else None,
    )


def _codec(stream: Any) -> str:
    return stream.codec_context.name if stream.codec_context else "unknown"


if __name__ == "__main__":
    main()
