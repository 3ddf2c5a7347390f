"""Progress of the set-up on the terminal, and its error class."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
LOGS = REPOSITORY / "var" / "setup"
# Interval of progress reports where the line cannot be rewritten.
REMINDER_SECONDS = 15


def read_setting(name: str, default: str = "") -> str:
    """Return a setting from the environment or from .env, with the precedence of the service itself."""
    if name in os.environ:
        return os.environ[name]
    file = REPOSITORY / ".env"
    lines = file.read_text().splitlines() if file.exists() else []
    found = [match[1].strip("'\"") for line in lines if (match := re.match(rf"\s*{name}\s*=\s*(\S*)", line))]
    return found[-1] if found else default


class SetupError(Exception):
    """A step of the set-up failed; has a message and a remedy."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class Step:
    """One line of progress: counts the seconds while it runs and shows them when it is done.

    Used as a context manager. On a terminal the line is rewritten every second, elsewhere a new line is printed every
    REMINDER_SECONDS.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self.note = ""
        self._ended = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Step:
        self._started = time.monotonic()
        if sys.stdout.isatty():
            self._write("…", "")
        self._ticker.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._ended.set()
        self._ticker.join()
        mark = "failed" if kind else self.note or "done"
        self._write(f"{mark} ({time.monotonic() - self._started:.1f} s)", "\n")

    def _tick(self) -> None:
        is_terminal = sys.stdout.isatty()
        while not self._ended.wait(1 if is_terminal else REMINDER_SECONDS):
            self._write(f"… {time.monotonic() - self._started:.0f} s", "" if is_terminal else "\n")

    def _write(self, text: str, end: str) -> None:
        start = "\r\033[K" if sys.stdout.isatty() else ""
        print(f"{start}  {self.title}: {text}", end=end, flush=True)


def report(title: str, note: str) -> None:
    """Print the line of a step that had nothing to do."""
    print(f"  {title}: {note}", flush=True)


def run_logged(command: list[str], name: str, remedy: str, **options: object) -> None:
    """Run a command with its output in var/setup/NAME.log.

    Raises SetupError with the end of that log when the command fails.
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{name}.log"
    with log.open("w") as output:
        try:
            status = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
                **options,
            ).returncode
        except OSError as error:
            raise SetupError(f"{command[0]!r} cannot be run: {error.strerror}", remedy) from error
    if status != 0:
        end = "\n".join(f"    {line}" for line in log.read_text(errors="replace").splitlines()[-12:])
        raise SetupError(
            f"`{' '.join(command[:4])} …` failed. Its output is in {log.relative_to(REPOSITORY)}; it ends with\n{end}",
            remedy,
        )
