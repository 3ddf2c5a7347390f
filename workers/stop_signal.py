"""The request to stop a worker process: SIGTERM, SIGINT or SIGHUP, however often and at whatever moment."""

import select
import signal
import socket
from collections.abc import Iterable

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class StopSignal:
    """Records the signals from its creation on, in the main thread; `wait` returns after the first one.

    Not a threading.Event that the handler sets: the handler may run while the main thread holds the event's lock, and
    a signal that arrives just before the main thread blocks, or in another thread, does not wake it (signal(7): any
    thread may receive it). The wakeup descriptor of Python is written to by whatever thread that is.
    """

    def __init__(self) -> None:
        self._receiver, self._sender = socket.socketpair()
        self._sender.setblocking(False)
        signal.set_wakeup_fd(self._sender.fileno(), warn_on_full_buffer=False)
        for number in _SIGNALS:
            # What counts is the byte: the handler only keeps the signal from ending the process.
            signal.signal(number, lambda *_: None)

    def is_set(self) -> bool:
        """Whether one of the signals has arrived."""
        return self.wait(0)

    def wait(self, seconds: float | None = None, *, also: Iterable[int] = ()) -> bool:
        """Wait for one of the signals; returns whether one has arrived. Later calls return at once after that.

        It returns False early when one of the descriptors `also` can be read.
        """
        waiting = [self._receiver, *also]
        while self._receiver in select.select(waiting, [], [], seconds)[0]:
            if any(number in _SIGNALS for number in self._receiver.recv(64, socket.MSG_PEEK)):
                return True
            # Another signal that the process handles: not a request to stop.
            self._receiver.recv(64)
        return False
