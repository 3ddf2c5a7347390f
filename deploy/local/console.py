"""Prints lines to a file descriptor without ever failing or blocking the caller, whatever is at its other end."""

from __future__ import annotations

import contextlib
import locale
import os
import queue
import select
import threading

# About 1 MB: enough for the start of all processes, small beside them.
MAX_QUEUED_LINES = 10_000
LINES_MISSING = "[some lines above are missing: the output was not read fast enough]"


class Console:
    """Prints lines from several threads, each in one piece, through a thread of its own.

    A line that cannot be written is dropped: the reader has gone (a closed terminal, a `tee` that ended), the disk is
    full, the descriptor is closed. Lines are also dropped while a reader is there that does not read (Ctrl-S, a pager)
    and the queue is full: the processes must keep running, and a stop must not wait for a terminal.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.is_terminal = os.isatty(descriptor)
        self._encoding = locale.getpreferredencoding(False)
        self._queue: queue.Queue[str | threading.Event] = queue.Queue(MAX_QUEUED_LINES)
        self._has_dropped = False
        # A daemon, and without Python's buffered file object: the interpreter aborts at exit if a thread holds that
        # object's lock, as a thread does that is blocked in a write.
        threading.Thread(target=self._write_queued_lines, name="console", daemon=True).start()

    def print(self, text: str) -> None:
        try:
            self._queue.put_nowait(text)
        except queue.Full:
            self._has_dropped = True

    def flush(self, seconds: float) -> None:
        """Wait until the lines so far are written, for about this time at most."""
        is_written = threading.Event()
        with contextlib.suppress(queue.Full):
            self._queue.put(is_written, timeout=seconds)
            is_written.wait(seconds)

    def _write_queued_lines(self) -> None:
        while True:
            item = self._queue.get()
            if isinstance(item, str):
                self._write(item)
            if self._has_dropped and self._queue.empty():
                self._has_dropped = False
                self._write(LINES_MISSING)
            if isinstance(item, threading.Event):
                item.set()

    def _write(self, text: str) -> None:
        # "replace", because not every locale has the frame and the ellipsis that are printed.
        data = f"{text}\n".encode(self._encoding, "replace")
        with contextlib.suppress(OSError):
            while data:
                try:
                    data = data[os.write(self._descriptor, data) :]
                except BlockingIOError:
                    # Another program has made the open file non-blocking.
                    select.select([], [self._descriptor], [])


def open_standard_descriptors() -> None:
    """Open /dev/null in place of closed standard descriptors.

    The next file opened would get the number of the closed one, and output would be written into that file.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
