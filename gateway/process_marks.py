"""Marks of processes, by which other processes on the same machine can detect that one of them is dead.

Host name and process id are not enough: containers may share a host name, and each may number its processes from 1.
A mark therefore also contains the kernel's boot id and the namespace of process ids.
"""

import os
from functools import cache
from pathlib import Path

_PROC = Path("/proc")


@cache
def read_home() -> str | None:
    """An id of the scope in which process ids are unique; None where the system does not provide it."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        namespace = os.stat(_PROC / "self/ns/pid").st_ino
    except OSError:
        return None
    return f"{boot}.{namespace}"


def mark_process() -> str:
    """The mark of this process; to be created after a fork, not before."""
    return f"{read_home() or 'nowhere'}:{os.getpid()}"


def is_dead(mark: str) -> bool:
    """Whether the process with this mark is certainly dead; False for one of another machine and for an unknown one."""
    home, _, pid = mark.rpartition(":")
    if home != read_home() or not pid.isdigit():
        return False
    try:
        status = (_PROC / pid / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    except OSError:
        return False
    # A zombie does not run; the name before its state may contain any character.
    return status.rpartition(")")[2].split()[:1] == ["Z"]
