"""A child process of the plugins worker, seen from outside: started, heard, stopped in steps, measured."""

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from workers.orphans import kill_marked

log = logging.getLogger(__name__)

#: Environment variable by which the processes that a child has left are found.
CHILD_MARK = "VAS_PLUGIN_PROCESS"
_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_READ_BYTES = 1 << 16
#: A message is far shorter; what a plugin writes to the pipe by mistake is not kept.
_MAX_LINE = 1 << 12


class Child(Protocol):
    """What a keeper needs of its process."""

    pid: int

    def read_messages(self) -> list[dict[str, Any]]:
        """The messages that have arrived."""

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while the process runs."""

    def terminate(self) -> None:
        """Ask the process to end."""

    def kill(self) -> None:
        """Kill the process and all that it has started; may be called twice, also after its end."""


class ChildProcess:
    """Runs `python -m MODULE ARGUMENTS PIPE PARENT` in a session of its own. To be used by the main thread alone: the
    kernel kills the process when the thread that started it ends."""

    def __init__(self, module: str, arguments: Iterable[str], mark: str) -> None:
        self._mark = mark
        self._rest = b""
        self._is_killed = False
        # Nobody else may be alive: this process holds the lease.
        if left := kill_marked(CHILD_MARK, mark):
            log.warning("killed processes %s that an earlier worker left", left)
        self._reader, writer = os.pipe()
        os.set_blocking(self._reader, False)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments, str(writer), str(os.getpid())],
                stdin=subprocess.DEVNULL,
                env={**os.environ, CHILD_MARK: mark},
                pass_fds=(writer,),
                start_new_session=True,
            )
        except OSError:
            os.close(self._reader)
            raise
        finally:
            os.close(writer)
        self.pid = self._process.pid

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
        # Not reaped: until `kill`, no other process group can get the number of this one.
        ended = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None:
            return None
        return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status

    def terminate(self) -> None:
        """Ask the process to end."""
        with contextlib.suppress(ProcessLookupError):
            # A stopped process handles SIGTERM only when it continues.
            self._process.send_signal(signal.SIGTERM)
            self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill the process and all that it has started; may be called twice, also after its end."""
        if self._is_killed:
            return
        self._is_killed = True
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        # Those that have left the group.
        kill_marked(CHILD_MARK, self._mark)
        self._process.wait()
        os.close(self._reader)


def measure_groups(groups: Iterable[int]) -> dict[int, tuple[float, int]]:
    """CPU seconds and bytes of memory of all living processes of each process group; empty where there is no /proc."""
    wanted = set(groups)
    found: dict[int, tuple[float, int]] = {}
    for entry in _PROC.glob("[0-9]*") if wanted and _PROC.is_dir() else ():
        try:
            # The name before the other fields may contain any character (proc_pid_stat(5)).
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        group = int(fields[2])
        if group in wanted:
            seconds, size = found.get(group, (0.0, 0))
            ticks = int(fields[11]) + int(fields[12])
            found[group] = (seconds + ticks / _TICKS, size + int(fields[21]) * _PAGE_BYTES)
    return found
