"""Keeps processes running as a platform does: each in its own process group, logged, restarted after it died."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gateway.testing import procfs

#: Time before a dead process is restarted.
RESTART_SECONDS = 1.0
_LOOK_SECONDS = 0.05


@dataclass
class ManagedProcess:
    """One line of a Procfile. `deaths` counts its unrequested ends."""

    name: str
    command: str
    env: Mapping[str, str]
    log_path: Path
    is_wanted: bool = True
    deaths: int = 0
    popen: subprocess.Popen | None = None
    start_at: float = 0.0
    groups: list[int] = field(default_factory=list)

    @property
    def pid(self) -> int | None:
        """The process id of the group's leader, None while it is down."""
        return self.popen.pid if self.popen is not None and self.popen.poll() is None else None


class ProcessKeeper:
    """Starts, restarts and stops processes from its own thread, which lives at least as long as they do.

    Only the leader of a group is signalled and restarted: the product must clear away its remaining processes itself,
    as on platforms that do not end a group with its leader.
    """

    def __init__(self, folder: Path, *, restart_seconds: float = RESTART_SECONDS) -> None:
        self._folder = folder
        self._restart_seconds = restart_seconds
        self._processes: dict[str, ManagedProcess] = {}
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="process keeper", daemon=True)
        self._thread.start()

    def start(self, name: str, command: str, env: Mapping[str, str], log_path: Path) -> ManagedProcess:
        """Start a process now and whenever it dies; returns when it has an id."""
        process = ManagedProcess(name, command, env, log_path)
        with self._lock:
            self._processes[name] = process
        self._await(lambda: process.popen is not None, 10, f"{name} starts")
        return process

    def find(self, name: str) -> ManagedProcess:
        """Find a process by name; raises KeyError for one that was never started."""
        return self._processes[name]

    @property
    def names(self) -> list[str]:
        return list(self._processes)

    def resume(self, name: str) -> None:
        """Start a process that `stop` stopped."""
        process = self._processes[name]
        process.start_at, process.is_wanted = 0.0, True
        self._await(lambda: process.pid is not None, 10, f"{name} starts")

    def stop(self, name: str, number: signal.Signals = signal.SIGTERM, *, seconds: float = 30) -> float:
        """End a process for good (or until `resume`); returns the seconds it took. SIGKILL after `seconds`."""
        process = self._processes[name]
        process.is_wanted = False
        started = time.monotonic()
        if process.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, number)
            try:
                process.popen.wait(seconds)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.popen.pid, signal.SIGKILL)
                process.popen.wait(5)
        return time.monotonic() - started

    def close(self, stages: list[list[str]]) -> list[tuple[int, str]]:
        """Stop all processes stage by stage; returns id and command of those that had to be killed in the end."""
        for names in stages:
            asked = [self._processes[name] for name in names if name in self._processes]
            for process in asked:
                process.is_wanted = False
                if process.pid is not None:
                    os.kill(process.pid, signal.SIGCONT)
                    os.kill(process.pid, signal.SIGTERM)
            deadline = time.monotonic() + 25
            for process in asked:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    if process.popen is not None:
                        process.popen.wait(max(0.1, deadline - time.monotonic()))
        self._end.set()
        self._thread.join(5)
        groups = {group for process in self._processes.values() for group in process.groups}
        # A command line can be read only while the process is alive.
        left = [(pid, " ".join(procfs.command(pid))) for pid in self._left_in(groups)]
        for pid, _ in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return left

    @staticmethod
    def _left_in(groups: set[int]) -> list[int]:
        """Members of the groups that are still alive shortly after their leaders ended."""
        deadline = time.monotonic() + 3
        while True:
            left = []
            for pid in procfs.all_pids():
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    if os.getpgid(pid) in groups and procfs.is_alive(pid):
                        left.append(pid)
            if not left or time.monotonic() > deadline:
                return left
            time.sleep(0.05)

    def _keep(self) -> None:
        while not self._end.wait(_LOOK_SECONDS):
            now = time.monotonic()
            with self._lock:
                processes = list(self._processes.values())
            for process in processes:
                if process.popen is not None and process.popen.poll() is not None and process.start_at == 0.0:
                    if process.is_wanted:
                        process.deaths += 1
                    process.start_at = now + self._restart_seconds
                if process.is_wanted and process.pid is None and now >= process.start_at:
                    self._spawn(process)

    def _spawn(self, process: ManagedProcess) -> None:
        # pdeathsig refers to the thread that started the process: this one, which ends last.
        command = ["setpriv", "--pdeathsig", "TERM", "sh", "-c", f"exec {process.command}"]
        with process.log_path.open("ab") as log:
            popen = subprocess.Popen(
                command,
                cwd=self._folder,
                env=dict(process.env),
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        process.groups.append(popen.pid)
        process.start_at = 0.0
        process.popen = popen

    @staticmethod
    def _await(condition: Callable[[], bool], seconds: float, what: str) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {seconds:g} s: {what}")
            time.sleep(0.02)
