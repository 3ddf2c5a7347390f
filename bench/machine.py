"""Environment of a measurement: the machine, and the versions of all programs involved."""

import json
import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def describe_run(peers: dict[str, str]) -> dict[str, object]:
    """Return date, machine and versions; `peers` are the peers' versions by name."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "cores": os.cpu_count(),
            "model": _find_line("/proc/cpuinfo", "model name"),
            "memory_gb": round(int(_find_line("/proc/meminfo", "MemTotal").split()[0]) / 1024**2, 1),
            "kernel": platform.release().partition("-")[0],
            "system": _find_line("/etc/os-release", "PRETTY_NAME", "=").strip('"'),
            "load_before": os.getloadavg()[0],
        },
        "versions": {
            "VAS": _find_revision(),
            "FFmpeg": _find_version(["ffmpeg", "-version"]),
            "mediasoup": _read_mediasoup_version(),
            "Chromium": _find_version(["chromium", "--version"]),
            "Python": platform.python_version(),
            "Node.js": _find_version(["node", "--version"]),
            "Redis": _find_version(["redis-server", "--version"]),
            **peers,
        },
    }


def format_run(run: dict[str, object]) -> list[str]:
    """Format the same in two lines of text."""
    machine = run["machine"]
    return [
        f"{run['date']}, {machine['cores']} cores ({machine['model']}), {machine['memory_gb']} GB, "
        f"{machine['system']}, kernel {machine['kernel']}, load before {machine['load_before']:.1f}",
        ", ".join(f"{name} {version}" for name, version in run["versions"].items()),
    ]


def _find_line(path: str, name: str, separator: str = ":") -> str:
    for line in Path(path).read_text().splitlines():
        key, _, value = line.partition(separator)
        if key.strip() == name:
            return value.strip()
    return "unknown"


def _read_output(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def _find_revision() -> str:
    """Return the commit, with a mark if anything except the page of results is changed."""
    git = ["git", "-C", str(ROOT)]
    changed = _read_output([*git, "status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs/benchmarks.md"])
    return _read_output([*git, "rev-parse", "--short", "HEAD"]) + (" with changes" if changed else "")


def _find_version(command: list[str]) -> str:
    found = re.search(r"\d+(\.\d+)+", _read_output(command))
    return found[0] if found else "unknown"


def _read_mediasoup_version() -> str:
    try:
        return json.loads((ROOT / "sfu/node_modules/mediasoup/package.json").read_text())["version"]
    except (OSError, ValueError):
        return "unknown"
