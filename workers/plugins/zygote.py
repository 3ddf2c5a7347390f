"""The zygote, seen by the plugins worker: children that are forks share most of their memory, and start at once.

Without it, on other systems than Linux and while it does not answer, children are started by a command
(`workers/plugins/child.py`): nothing depends on it.
"""

import contextlib
import ctypes
import json
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable

from workers.plugins.marks import with_room
from workers.plugins.zygote_side import import_modules, serve

log = logging.getLogger(__name__)

_PR_SET_CHILD_SUBREAPER = 36
#: A zygote that does not answer for this long is killed.
_ANSWER_SECONDS = 5.0
#: A zygote that has died is started again after this pause.
_RESTART_SECONDS = 30.0
_END_SECONDS = 2.0


class Zygote:
    """To be used by the main thread alone, as the children. `mark`: of all processes of this worker."""

    def __init__(self) -> None:
        self.mark = f"{os.getpid()}-{secrets.token_hex(8)}"
        self._channel: socket.socket | None = None
        self._pid: int | None = None
        self._is_ready = False
        # Not before `start`.
        self._restart_at = float("inf")

    def start(self) -> None:
        """Fork it from this process, which has imported what both need and must have no thread yet.

        Does nothing on other systems than Linux.
        """
        if not sys.platform.startswith("linux") or not _adopt_orphans():
            return
        self._restart_at = 0.0
        if threading.active_count() > 1:
            self._start_command()
            return
        import_modules()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        worker = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        self._pid = os.fork()
        if self._pid == 0:
            ours.close()
            serve(theirs.detach(), worker, self.mark)
        theirs.close()
        self._channel, self._is_ready = ours, False

    @property
    def pid(self) -> int | None:
        """The process, None while there is none."""
        return self._pid

    def fork(self, module: str, arguments: Iterable[str], mark: str, pipe: int) -> int | None:
        """Start a child of this process that runs `module`; returns its number, None if it cannot now."""
        if self._channel is None and time.monotonic() >= self._restart_at:
            self._start_command()
        if self._channel is None or not self._hears():
            return None
        request = {"module": module, "arguments": list(arguments), "mark": mark}
        try:
            socket.send_fds(self._channel, [json.dumps(request).encode()], [pipe])
            answer = json.loads(self._channel.recv(1 << 16))
        except (OSError, ValueError) as error:
            self._give_up(str(error) or "it has ended")
            return None
        if "pid" not in answer:
            log.warning("a process is not forked but started: %s", answer.get("error"))
        return answer.get("pid")

    def close(self) -> None:
        """End it. May be called twice."""
        self._restart_at = float("inf")
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self._pid is not None:
            until = time.monotonic() + _END_SECONDS
            while os.waitpid(self._pid, os.WNOHANG)[0] == 0:
                if time.monotonic() > until:
                    os.kill(self._pid, signal.SIGKILL)
                    os.waitpid(self._pid, 0)
                    break
                time.sleep(0.01)
            self._pid = None

    def _hears(self) -> bool:
        """Whether it is ready. One that was started by a command needs a moment, in which nobody waits for it."""
        if self._is_ready:
            return True
        self._channel.setblocking(False)
        try:
            self._is_ready = bool(self._channel.recv(256))
        except BlockingIOError:
            return False
        except OSError as error:
            self._give_up(str(error))
            return False
        if not self._is_ready:
            self._give_up("it has ended")
            return False
        self._channel.settimeout(_ANSWER_SECONDS)
        return True

    def _give_up(self, reason: str) -> None:
        log.warning("the zygote is started again: %s", reason)
        if self._channel is not None:
            self._channel.close()
        if self._pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self._pid, 0)
        self._channel, self._pid, self._is_ready = None, None, False
        self._restart_at = time.monotonic() + _RESTART_SECONDS

    def _start_command(self) -> None:
        self._restart_at = time.monotonic() + _RESTART_SECONDS
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            process = subprocess.Popen(
                [
                    sys.executable, "-m", "workers.plugins.zygote_side",
                    str(theirs.fileno()), str(os.getpid()), self.mark,
                ],
                stdin=subprocess.DEVNULL,
                env=with_room(os.environ),
                pass_fds=(theirs.fileno(),),
            )  # fmt: skip
        except OSError as error:
            log.warning("the zygote cannot be started: %s", error)
            ours.close()
            return
        finally:
            theirs.close()
        self._channel, self._pid, self._is_ready = ours, process.pid, False
        # It is reaped here, not by the object.
        process.returncode = 0


def _adopt_orphans() -> bool:
    """Make this process the parent of those below it whose parent ends (prctl(2))."""
    return ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


def reap_orphans(known: Iterable[int]) -> None:
    """Remove the adopted processes that have ended: what a dead child had started becomes a child of this process."""
    kept = set(known)
    # One that is known is left to its keeper, and hides the others for that time.
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and ended.si_pid not in kept:
            os.waitpid(ended.si_pid, 0)
