"""Reads /proc: existing processes, their children and their environment."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")


def all_pids() -> Iterator[int]:
    """Ids of all processes."""
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            yield int(entry.name)


def is_alive(pid: int) -> bool:
    """Whether the process exists and is not a zombie."""
    with contextlib.suppress(OSError, IndexError):
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


def command(pid: int) -> list[str]:
    """The arguments of the command line; empty for a process that has ended."""
    with contextlib.suppress(OSError):
        return [
            word.decode("utf-8", "replace") for word in (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0")[:-1]
        ]
    return []


def find_by_environment(name: str, value: str) -> list[int]:
    """Living processes that were started with this variable, lowest id first."""
    mark = f"{name}={value}".encode()
    found = []
    for pid in all_pids():
        with contextlib.suppress(OSError):
            if mark in (_PROC / str(pid) / "environ").read_bytes().split(b"\0") and is_alive(pid):
                found.append(pid)
    return sorted(found)


def children(pid: int) -> list[int]:
    """Direct children."""
    found = []
    with contextlib.suppress(OSError):
        for task in (_PROC / str(pid) / "task").iterdir():
            found += [int(word) for word in (task / "children").read_text().split()]
    return sorted(found)


def descendants(pid: int) -> list[int]:
    """Children, grandchildren and so on, without the process itself."""
    found = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found


def peak_memory(pid: int) -> int:
    """The most bytes of memory that a process has had resident."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1]) * 1024
