"""Runs and restarts a set of processes on one machine: for `make run` what a platform is for a cluster."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from console import Console
from stop_request import StopRequest

PR_SET_CHILD_SUBREAPER = 36
# EX_CONFIG of sysexits.h: a setting is wrong, so a restart would not help.
EX_CONFIG = 78
HEALTHY_SECONDS = 60
MAX_RESTART_DELAY_SECONDS = 10
# After SIGKILL only a process in an uninterruptible system call (a dead disk or network mount) stays.
KILL_SECONDS = 5
OUTPUT_SECONDS = 1
COLOURS = (36, 33, 32, 35, 34, 31, 96, 93, 92)

libc = ctypes.CDLL(None, use_errno=True)


class Misconfigured(Exception):
    """A process ended because a setting is wrong; its output names the setting."""


@dataclass
class Child:
    """A supervised process: a command line for the shell, restarted when it ends by itself."""

    name: str
    command: str
    env: Mapping[str, str]
    colour: int
    process: subprocess.Popen | None = None
    started: float = 0.0
    failures: int = 0
    restart_at: float | None = None
    reader: threading.Thread | None = None

    @property
    def line(self) -> str:
        """The name without its number: that of the Procfile's line."""
        return self.name.partition(".")[0]

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None


@dataclass
class Supervisor:
    """Starts processes, prints their output with their names, restarts them, and stops them with all descendants."""

    folder: Path
    stop_request: StopRequest
    console: Console
    children: list[Child] = field(default_factory=list)

    def __post_init__(self) -> None:
        # Orphaned descendants are re-parented to this process, so that they can be found and killed.
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def start(self, name: str, command: str, env: Mapping[str, str]) -> Child:
        """Start a process. Raises Stopped instead if a stop was requested."""
        self.stop_request.check()
        child = Child(name, command, env, COLOURS[len(self.children) % len(COLOURS)])
        self.children.append(child)
        self._spawn(child)
        return child

    def run(self, command: str, env: Mapping[str, str]) -> int:
        """Run a command to its end and return its exit status. Raises Stopped, and stops it, if a stop is requested."""
        self.stop_request.check()
        child = Child("", command, env, 0)
        self._spawn(child)
        try:
            while child.is_running:
                self.stop_request.check()
                time.sleep(0.05)
        finally:
            self._stop_some([child], 1)
            # The last lines are printed also when a stop was requested: they tell how the command took it.
            child.reader.join(OUTPUT_SECONDS)
        return child.process.returncode

    def check(self) -> None:
        """Restart ended processes; to be called a few times each second. Raises Stopped and Misconfigured."""
        self.stop_request.check()
        now = time.monotonic()
        for child in self.children:
            if child.restart_at is not None:
                if now >= child.restart_at:
                    self._spawn(child)
            elif not child.is_running:
                self._handle_end(child, now)
        self._reap_orphans()

    def stop(self, *stages: tuple[set[str], float]) -> None:
        """Stop the processes of the named lines stage by stage, each with its limit in seconds; then kill all others.

        Signals do not interrupt it, and each of its waits has a limit.
        """
        for names, seconds in stages:
            self._stop_some([child for child in self.children if child.line in names], seconds)
        self._stop_some(self.children, 1)
        self._kill_descendants()
        for child in self.children:
            if child.reader:
                child.reader.join(OUTPUT_SECONDS)

    def report(self, text: str) -> None:
        self.console.print(f"       vas | {text}")

    def _spawn(self, child: Child) -> None:
        child.restart_at = None
        child.started = time.monotonic()
        # If this process is killed, the kernel sends the child SIGTERM.
        command = ["setpriv", "--pdeathsig", "TERM", "sh", "-c", f"exec {child.command}"]
        child.process = subprocess.Popen(
            command, cwd=self.folder, env=dict(child.env), start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        reader = threading.Thread(target=self._print_output, args=(child, child.process.stdout), daemon=True)
        reader.start()
        child.reader = reader

    def _print_output(self, child: Child, output) -> None:
        label = f"{child.name:>10} | " if child.name else ""
        if label and self.console.is_terminal:
            label = f"\033[{child.colour}m{label}\033[0m"
        with output:
            for line in output:
                self.console.print(label + line.decode(errors="replace").rstrip("\n"))

    def _handle_end(self, child: Child, now: float) -> None:
        status = child.process.returncode
        # Its descendants have lost their parent; the end of a container would kill them as well.
        signal_group(child, signal.SIGKILL)
        if status == EX_CONFIG:
            raise Misconfigured(f"{child.name} cannot start with these settings")
        child.failures = 0 if now - child.started > HEALTHY_SECONDS else child.failures + 1
        pause = min(2 ** (child.failures - 1), MAX_RESTART_DELAY_SECONDS) if child.failures else 0
        child.restart_at = now + pause
        ended = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        self.report(f"{child.name} {ended}; starting it again in {pause} s")

    def _stop_some(self, children: list[Child], seconds: float) -> None:
        running = [child for child in children if child.is_running]
        for child in running:
            # The group leader only: it signals its own workers, and gunicorn's fail on a second signal.
            with contextlib.suppress(ProcessLookupError):
                child.process.terminate()
        deadline = time.monotonic() + seconds
        while any(child.is_running for child in running) and time.monotonic() < deadline:
            time.sleep(0.05)
        for child in running:
            if child.is_running:
                self.report(f"{child.name or child.command} did not stop within {seconds:g} s and is killed")
            signal_group(child, signal.SIGKILL)
        deadline = time.monotonic() + KILL_SECONDS
        while any(child.is_running for child in running) and time.monotonic() < deadline:
            time.sleep(0.01)

    def _kill_descendants(self) -> None:
        """Kill all children until none is left: the children of a killed one become children of this process."""
        deadline = time.monotonic() + KILL_SECONDS
        while pids := child_pids():
            if time.monotonic() >= deadline:
                self.report(f"these processes do not end although they were killed: {', '.join(map(str, pids))}")
                return
            for pid in pids:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
            time.sleep(0.01)

    def _reap_orphans(self) -> None:
        """Collect the exit status of adopted processes; Popen collects that of started ones."""
        own = {child.process.pid for child in self.children if child.process}
        for pid in child_pids():
            if pid not in own:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)


def signal_group(child: Child, number: int) -> None:
    """Signal all processes of the group that the child leads or led."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.process.pid, number)


def child_pids() -> list[int]:
    """Return the process ids of all children of this process, including adopted ones."""
    found = []
    for thread in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            found += [int(pid) for pid in (thread / "children").read_text().split()]
    return found
