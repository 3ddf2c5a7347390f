"""A child process of the plugins worker, seen from outside: started, heard, stopped in steps, measured."""

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from workers.orphans import kill_marked
from workers.plugins.marks import CHILD_MARK, WORKER_MARK
from workers.plugins.zygote import Zygote

log = logging.getLogger(__name__)

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_READ_BYTES = 1 << 16
#: A message is far shorter; what a plugin writes to the pipe by mistake is not kept.
_MAX_LINE = 1 << 12


class Child(Protocol):
    """What a keeper needs of its process."""

    pid: int

    @property
    def descriptor(self) -> int | None:
        """Can be read when messages have arrived, or the process has ended; None once there will be no more."""

    def read_messages(self) -> list[dict[str, Any]]:
        """The messages that have arrived."""

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while the process runs."""

    def terminate(self) -> None:
        """Ask the process to end."""

    def kill(self) -> None:
        """Kill the process and all that it has started; may be called twice, also after its end."""


class ChildProcess:
    """Runs `python -m MODULE ARGUMENTS PIPE PARENT` in a session of its own, as a fork of the zygote if there is one.

    To be used by the main thread alone: the kernel kills the process when that thread ends.
    """

    def __init__(self, zygote: Zygote, module: str, arguments: Iterable[str], mark: str) -> None:
        self._mark = mark
        self._rest = b""
        self._is_silent = False
        self._is_killed = False
        self._code: int | None = None
        # Nobody else may be alive: this process holds the lease.
        if left := kill_marked(CHILD_MARK, mark):
            log.warning("killed processes %s that an earlier worker left", left)
        found = self._start(partial(zygote.fork, module, arguments, mark))
        if found is None:
            # Should a fork begin nevertheless, it finds its pipe closed, or has the mark.
            kill_marked(CHILD_MARK, mark)
            marks = {CHILD_MARK: mark, WORKER_MARK: zygote.mark}
            found = self._start(partial(_start_command, module, arguments, marks))
        self.pid, self._reader = found

    @staticmethod
    def _start(start: Callable[[int], int | None]) -> tuple[int, int] | None:
        """Start the process with a pipe; returns its number and the end to read from, None if `start` returns None."""
        reader, writer = os.pipe()
        try:
            pid = start(writer)
        except BaseException:
            os.close(reader)
            raise
        finally:
            os.close(writer)
        if pid is None:
            os.close(reader)
            return None
        os.set_blocking(reader, False)
        return pid, reader

    @property
    def descriptor(self) -> int | None:
        """Can be read when messages have arrived, or the process has ended; None once there will be no more."""
        return None if self._is_silent else self._reader

    def read_messages(self) -> list[dict[str, Any]]:
        """The messages that have arrived."""
        data = self._rest
        # Bounded: a plugin may write to the pipe without end.
        for _ in range(16):
            try:
                found = os.read(self._reader, _READ_BYTES)
            except OSError:
                break
            if not found:
                self._is_silent = True
                break
            data += found
        *lines, rest = data.split(b"\n")
        self._rest = rest[-_MAX_LINE:]
        messages = []
        for line in lines:
            with contextlib.suppress(ValueError, RecursionError):
                message = json.loads(line[:_MAX_LINE])
                if isinstance(message, dict):
                    messages.append(message)
        return messages

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while the process runs."""
        if self._is_killed:
            return self._code
        # Not reaped: until `kill`, no other process group can get the number of this one.
        ended = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None:
            return None
        return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status

    def terminate(self) -> None:
        """Ask the process to end."""
        if self._is_killed:
            return
        # Not Popen.send_signal, which reaps a process that has ended: `poll` would find none. A stopped process handles
        # SIGTERM only when it continues.
        for number in (signal.SIGTERM, signal.SIGCONT):
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill the process and all that it has started; may be called twice, also after its end."""
        if self._is_killed:
            return
        self._is_killed = True
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        # Those that have left the group.
        kill_marked(CHILD_MARK, self._mark)
        with contextlib.suppress(ProcessLookupError):
            # It may be so new that it has no group yet.
            os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            self._code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self._reader)


def _start_command(module: str, arguments: Iterable[str], marks: dict[str, str], pipe: int) -> int:
    """Start the process by a command; returns its number. Raises OSError."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments, str(pipe), str(os.getpid())],
        stdin=subprocess.DEVNULL,
        env={**os.environ, **marks},
        pass_fds=(pipe,),
        start_new_session=True,
    )
    # It is reaped by `kill`, not by the object.
    process.returncode = 0
    return process.pid


def measure_groups(groups: Iterable[int]) -> dict[int, tuple[float, int]]:
    """CPU seconds and bytes of memory of all living processes of each process group below this process; empty where
    there is no /proc. Memory that forks share is divided among them."""
    wanted = set(groups)
    found: dict[int, tuple[float, int]] = {}
    for entry in _list_processes() if wanted and _PROC.is_dir() else ():
        try:
            # The name before the other fields may contain any character (proc_pid_stat(5)).
            fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
            group = int(fields[2])
            if group not in wanted:
                continue
            size = _read_shares(entry) or int(fields[21]) * _PAGE_BYTES
        except OSError:
            continue
        seconds, bytes_ = found.get(group, (0.0, 0))
        ticks = int(fields[11]) + int(fields[12])
        found[group] = (seconds + ticks / _TICKS, bytes_ + size)
    return found


def _list_processes() -> Iterable[Path]:
    """The processes below this one, to which those whose parent has ended belong as well (`zygote.py`); all of the
    machine if the kernel does not list them (proc_pid_task(5))."""
    if not (_PROC / f"self/task/{os.getpid()}/children").exists():
        yield from _PROC.glob("[0-9]*")
        return
    waiting = [str(os.getpid())]
    while waiting:
        entry = _PROC / waiting.pop()
        for children in entry.glob("task/*/children"):
            with contextlib.suppress(OSError):
                waiting += children.read_text().split()
        yield entry


def _read_shares(entry: Path) -> int | None:
    """The memory of a process in bytes, with its share of what it shares with others; None if that is not known."""
    with contextlib.suppress(OSError):
        for line in (entry / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return None
