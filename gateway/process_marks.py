"""Marks of processes, by which others on the same machine can tell that one of them is dead.

Host names and process ids are not enough: containers may share the first and each begin to count the second anew. A
mark names the boot of the kernel and the namespace of process ids as well.
"""

import os
from functools import cache
from pathlib import Path

_PROC = Path("/proc")


@cache
def read_home() -> str | None:
    """Where process ids mean the same as here; None where the system does not tell."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        namespace = os.stat(_PROC / "self/ns/pid").st_ino
    except OSError:
        return None
    return f"{boot}.{namespace}"


def mark_process() -> str:
    """The mark of this process; to be made after a fork, not before."""
    return f"{read_home() or 'nowhere'}:{os.getpid()}"


def is_dead(mark: str) -> bool:
    """Whether the process with this mark is certainly dead. One of another machine, or an unknown one, is not."""
    home, _, pid = mark.rpartition(":")
    if home != read_home() or not pid.isdigit():
        return False
    try:
        status = (_PROC / pid / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    except OSError:
        return False
    # A zombie runs no more; the name before its state may hold anything.
    return status.rpartition(")")[2].split()[:1] == ["Z"]
