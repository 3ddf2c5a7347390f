"""Kills processes that a dead owner left on this machine, found by a variable in their environment."""

import os
import signal
from collections.abc import Collection
from pathlib import Path

_PROC = Path("/proc")


def kill_marked(variable: str, value: str, *, spare: Collection[int] = ()) -> list[int]:
    """Kill every process on this machine whose environment has the variable with this value; returns their ids.

    Only Linux exposes the environment of a process; elsewhere nothing is found or killed.
    """
    mark = f"{variable}={value}".encode()
    ended = []
    for entry in _PROC.glob("[0-9]*") if _PROC.is_dir() else ():
        pid = int(entry.name)
        if pid == os.getpid() or pid in spare:
            continue
        try:
            if mark not in (entry / "environ").read_bytes().split(b"\0"):
                continue
            os.kill(pid, signal.SIGKILL)
        except OSError:
            # The process has ended, or belongs to another user: not ours to kill.
            continue
        ended.append(pid)
    return ended
