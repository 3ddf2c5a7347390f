"""The checks of `vas doctor` in addition to the components: the programs that a worker starts."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable

from gateway import sandbox
from gateway.config import Config
from gateway.hookspecs import ComponentHealth, HealthCheck

_OLDEST_FFMPEG = (5, 1)


def program_checks(config: Config, environ: dict[str, str] | None = None) -> list[HealthCheck]:
    """The checks of programs on this machine."""
    environ = dict(os.environ) if environ is None else environ
    return [
        HealthCheck("ffmpeg", lambda: check_ffmpeg(config.ffmpeg_bin)),
        HealthCheck("ffprobe", lambda: check_program(config.ffprobe_bin, "install ffmpeg, which includes ffprobe")),
        HealthCheck("sandbox", lambda: check_sandbox(config.ffmpeg_sandbox)),
        HealthCheck("mediasoup_worker", lambda: check_worker_program(environ.get("MEDIASOUP_WORKER_BIN", ""))),
    ]


def check_program(name: str, remedy: str, version_of: Callable[[str], str | None] | None = None) -> ComponentHealth:
    """Check whether a program exists and can be run."""
    path = shutil.which(name)
    if path is None:
        return ComponentHealth("down", f"'{name}' is not installed or not on the PATH", remedy)
    detail = {"path": path}
    if version_of is not None:
        detail["version"] = version_of(path) or "unknown"
    return ComponentHealth("ok", detail=detail)


def check_ffmpeg(name: str) -> ComponentHealth:
    """Check whether FFmpeg exists and is new enough."""
    health = check_program(name, "install ffmpeg 5.1 or later", ffmpeg_version)
    found = re.match(r"n?(\d+)\.(\d+)", health.detail.get("version", ""))
    if found and (int(found[1]), int(found[2])) < _OLDEST_FFMPEG:
        return ComponentHealth(
            "degraded", f"FFmpeg {health.detail['version']} is too old", "install ffmpeg 5.1 or later", health.detail
        )
    return health


def check_sandbox(mode: str) -> ComponentHealth:
    """Check whether FFmpeg is confined as FFMPEG_SANDBOX says."""
    detail = {"mode": mode, "landlock": sandbox.version()}
    if mode == "off":
        return ComponentHealth("degraded", "FFmpeg is not confined", "remove FFMPEG_SANDBOX=off", detail)
    if detail["landlock"]:
        return ComponentHealth("ok", detail=detail)
    return ComponentHealth(
        "down" if mode == "required" else "degraded",
        "FFmpeg is not confined: the system offers no Landlock",
        "use Linux 5.13 or later with 'landlock' among its security modules (boot option lsm=)",
        detail,
    )


def ffmpeg_version(path: str) -> str | None:
    """The version that FFmpeg reports; None if it cannot be run."""
    try:
        answer = subprocess.run([path, "-version"], capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.match(r"ffmpeg version (\S+)", answer.stdout)
    return found[1] if found else None


def check_worker_program(path: str) -> ComponentHealth:
    """Check whether mediasoup's worker program is at the configured path; without a setting the SFU finds it itself."""
    if not path:
        return ComponentHealth("ok", detail={"path": "chosen by the SFU"})
    if not os.access(path, os.X_OK):
        return ComponentHealth(
            "down",
            f"'{path}' (MEDIASOUP_WORKER_BIN) is missing or cannot be run",
            "run 'make run', which builds it",
        )
    return ComponentHealth("ok", detail={"path": path})
