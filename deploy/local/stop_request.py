"""Turns SIGINT, SIGTERM and SIGHUP into a request to stop, which the main loop checks between two steps."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """A signal requested the end of the run."""


class StopRequest:
    """Records that a signal requested a stop.

    The signal handler only sets a flag. An exception raised by a handler can surface after any instruction: inside
    `subprocess.Popen.poll()`, between taking its lock and the `try` that releases it, it leaves the lock locked, and
    `Popen.wait()` then blocks for ever; while a process is being started it loses the process's id.
    """

    def __init__(self) -> None:
        self.is_set = False
        self._is_interruptible = False

    def install(self) -> None:
        """Handle the signals from now on. Further signals change nothing, so a stop in progress is never cut short."""
        for number in STOP_SIGNALS:
            signal.signal(number, self._handle_signal)

    def check(self) -> None:
        """Raise Stopped if a stop was requested."""
        if self.is_set:
            raise Stopped

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[None]:
        """Let a signal raise Stopped at once inside this block, for calls that may wait for seconds.

        Only for blocks that can be abandoned at any instruction: they start no process and print nothing.
        """
        self._is_interruptible = True
        try:
            # A signal that arrived before the line above has only set the flag.
            self.check()
            yield
        finally:
            self._is_interruptible = False

    def _handle_signal(self, *_: object) -> None:
        self.is_set = True
        if self._is_interruptible:
            self._is_interruptible = False
            raise Stopped
