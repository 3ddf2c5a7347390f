"""The marks of a process in its environment, by which it and all that it starts are found after its end.

A process that is started by a command gets them with its environment. A fork writes them into the block of memory that
Linux shows as its environment (proc_pid_environ(5)), where its parent has kept room at the front.
"""

import ctypes
import os
import sys
from collections.abc import Mapping
from pathlib import Path

#: Environment variables: the child by its name in this installation, and the plugins worker that has started it.
CHILD_MARK, WORKER_MARK = "VAS_PLUGIN_PROCESS", "VAS_PLUGINS_WORKER"
_ROOM_BYTES = 1024
_PLACEHOLDER = "-" * _ROOM_BYTES
#: Longest part of a command line in the list of processes.
_MAX_TITLE = 200
# Numbers of fields in proc_pid_stat(5), less the three up to the state.
_ARG_START, _ENV_START, _ENV_END = 48 - 3, 50 - 3, 51 - 3


def make_room() -> None:
    """Start the program of this process again with room for marks in its environment, unless it has that room."""
    if sys.platform.startswith("linux") and os.environ.get(CHILD_MARK) != _PLACEHOLDER:
        os.execve(sys.executable, sys.orig_argv, with_room(os.environ))  # noqa: S606 (the same command)
    os.environ.pop(CHILD_MARK, None)


def with_room(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a program whose forks write marks. The room comes first: a longer title may overlap it."""
    return {CHILD_MARK: _PLACEHOLDER} | {name: value for name, value in environment.items() if name != CHILD_MARK}


def write_marks(marks: Mapping[str, str], title: str) -> None:
    """Mark this process, and show `title` as its command line. Raises ValueError if it has no room for them."""
    address, block = build_block(marks, title)
    # Copies of the values that programs started from here inherit: they must not point to what is overwritten.
    os.environ.update(marks)
    ctypes.memmove(address, block, len(block))


def build_block(marks: Mapping[str, str], title: str) -> tuple[int, bytes]:
    """The title and the marks as this process has them in memory, and their address. Raises ValueError."""
    arg_start, env_start, env_end = _find_block()
    room = f"{CHILD_MARK}={_PLACEHOLDER}".encode()
    if ctypes.string_at(env_start, min(len(room), env_end - env_start)) != room:
        raise ValueError("the environment of this process has no room for marks")
    length = env_start - arg_start
    name = title.encode("utf-8", "replace").replace(b"\0", b" ")[: length + _MAX_TITLE].ljust(length, b"\0")
    # A byte other than 0 at the end of the arguments shows that the title goes on behind them (proc_pid_cmdline(5)).
    if not name.endswith(b"\0"):
        name += b"\0"
    block = name + b"".join(f"{mark}={value}\0".encode() for mark, value in marks.items())
    if len(block) > length + len(room):
        raise ValueError(f"marks and a title of {len(block)} bytes have no room")
    return arg_start, block.ljust(length + len(room), b"\0")


def _find_block() -> tuple[int, int, int]:
    """Addresses of this process: the start of its arguments, the start and the end of its environment."""
    fields = Path("/proc/self/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return int(fields[_ARG_START]), int(fields[_ENV_START]), int(fields[_ENV_END])
