"""Kills FFmpeg processes that a dead owner of a device left on this machine, before a new one is started."""

import logging
import os
import signal
from pathlib import Path

from workers.ffmpeg.process import DEVICE_MARK

log = logging.getLogger(__name__)

_PROC = Path("/proc")


def end_orphaned_processes(device_id: str) -> list[int]:
    """Kill every process on this machine that carries the device's mark; returns their ids.

    Only Linux exposes the environment of a process; elsewhere nothing is found or killed.
    """
    mark = f"{DEVICE_MARK}={device_id}".encode()
    ended = []
    for entry in _PROC.glob("[0-9]*") if _PROC.is_dir() else ():
        pid = int(entry.name)
        if pid == os.getpid():
            continue
        try:
            if mark not in (entry / "environ").read_bytes().split(b"\0"):
                continue
            os.kill(pid, signal.SIGKILL)
        except OSError:
            # The process has ended, or belongs to another user: not ours to kill.
            continue
        ended.append(pid)
    if ended:
        log.warning("device %s: killed processes %s that an earlier owner left", device_id, ended)
    return ended
