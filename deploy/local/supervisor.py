"""Keeps a set of processes running on one machine, as a platform would: `make run` in the place of a cluster."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
# A setting is wrong: starting again would not help (sysexits.h, EX_CONFIG).
EX_CONFIG = 78
HEALTHY_SECONDS = 60
MAX_PAUSE_SECONDS = 10
COLOURS = (36, 33, 32, 35, 34, 31, 96, 93, 92)

libc = ctypes.CDLL(None, use_errno=True)


class Misconfigured(Exception):
    """A process ended because a setting is wrong; its own output has said which."""


@dataclass
class Child:
    """One process to keep running: a command line for the shell, restarted when it ends by itself."""

    name: str
    command: str
    env: Mapping[str, str]
    colour: int
    process: subprocess.Popen | None = None
    started: float = 0.0
    failures: int = 0
    start_again_at: float | None = None
    reader: threading.Thread | None = None

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None


@dataclass
class Supervisor:
    """Starts children, prints their output with their names, restarts them, and stops all, leaving nothing behind."""

    folder: Path
    children: list[Child] = field(default_factory=list)

    def __post_init__(self) -> None:
        # What a killed child leaves behind becomes ours, so that it can be found and ended.
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def start(self, name: str, command: str, env: Mapping[str, str]) -> Child:
        child = Child(name, command, env, COLOURS[len(self.children) % len(COLOURS)])
        self.children.append(child)
        self._spawn(child)
        return child

    def check(self) -> None:
        """Restart what has ended; to be called a few times each second. Raises Misconfigured."""
        now = time.monotonic()
        for child in self.children:
            if child.start_again_at is not None:
                if now >= child.start_again_at:
                    self._spawn(child)
            elif not child.is_running:
                self._handle_end(child, now)
        self._reap_orphans()

    def stop(self, *stages: tuple[set[str], float]) -> None:
        """Stop the named children, one stage after the other, each with its limit in seconds; then everything left."""
        for names, seconds in stages:
            self._stop_some([child for child in self.children if child.name in names], seconds)
        self._stop_some(self.children, 1)
        # Again and again: the children of each that is killed become ours.
        while pids := child_pids():
            for pid in pids:
                with contextlib.suppress(ProcessLookupError, ChildProcessError):
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
        for child in self.children:
            if child.reader:
                child.reader.join(1)

    def say(self, text: str) -> None:
        tell(f"       vas | {text}")

    def _spawn(self, child: Child) -> None:
        child.start_again_at = None
        child.started = time.monotonic()
        # Should we be killed, nobody would stop it: then the kernel sends it SIGTERM.
        command = ["setpriv", "--pdeathsig", "TERM", "sh", "-c", f"exec {child.command}"]
        child.process = subprocess.Popen(
            command, cwd=self.folder, env=dict(child.env), start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        child.reader = threading.Thread(target=self._print_output, args=(child, child.process.stdout), daemon=True)
        child.reader.start()

    def _print_output(self, child: Child, output) -> None:
        label = f"{child.name:>10} | "
        if sys.stdout.isatty():
            label = f"\033[{child.colour}m{label}\033[0m"
        with output:
            for line in output:
                tell(label + line.decode(errors="replace").rstrip("\n"))

    def _handle_end(self, child: Child, now: float) -> None:
        status = child.process.returncode
        # Its own children have lost their master; a container's end would take them too.
        signal_group(child, signal.SIGKILL)
        if status == EX_CONFIG:
            raise Misconfigured(f"{child.name} cannot start with these settings")
        child.failures = 0 if now - child.started > HEALTHY_SECONDS else child.failures + 1
        pause = min(2 ** (child.failures - 1), MAX_PAUSE_SECONDS) if child.failures else 0
        child.start_again_at = now + pause
        ended = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        self.say(f"{child.name} {ended}; starting it again in {pause} s")

    def _stop_some(self, children: list[Child], seconds: float) -> None:
        running = [child for child in children if child.is_running]
        for child in running:
            # The group's head alone: it tells its own workers, and gunicorn's die badly when told twice.
            with contextlib.suppress(ProcessLookupError):
                child.process.terminate()
        deadline = time.monotonic() + seconds
        while any(child.is_running for child in running) and time.monotonic() < deadline:
            time.sleep(0.05)
        for child in running:
            if child.is_running:
                self.say(f"{child.name} did not stop within {seconds:g} s and is killed")
            signal_group(child, signal.SIGKILL)
            child.process.wait()

    def _reap_orphans(self) -> None:
        """Collect adopted processes that have ended; our own children are collected by Popen."""
        own = {child.process.pid for child in self.children if child.process}
        for pid in child_pids():
            if pid not in own:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)


def tell(text: str) -> None:
    """Print a line. Once nobody reads any more (a closed terminal, a `tee` that ended), what runs goes on unheard."""
    try:
        # In one piece: several threads tell.
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def signal_group(child: Child, number: int) -> None:
    """Signal all processes of the child's group, of which it is or was the head."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.process.pid, number)


def child_pids() -> list[int]:
    """The process ids of all children of this process, adopted ones among them."""
    found = []
    for thread in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            found += [int(pid) for pid in (thread / "children").read_text().split()]
    return found
