"""One request in the WSGI application: its threads' side."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock
from typing import Any, Protocol

from gateway.web.bodies import ReplyBody
from gateway.web.push import PushSource

#: The variable of the WSGI environment with the Call, for a view that waits: see `Call.defer`.
CALL = "vas.call"


class Deferral(Protocol):
    """What a view waits for, and how it goes on."""

    #: The wait ends when this is done, or after `seconds`.
    future: Future
    seconds: float

    def resume(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Go on, as a WSGI application, in any thread."""

    def close(self) -> None:
        """Wait no longer. May be called twice."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply that can be sent."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: ReplyBody
    #: Sent after the body, as it comes.
    push: PushSource | None = None


class Call:
    """Calls the application. `begin` and `resume` run in a thread, and return None when the view waits."""

    def __init__(self, app: Callable[..., Iterable[bytes]], environ: dict[str, Any]) -> None:
        self._app = app
        self._environ = environ
        self._lock = Lock()
        self._is_closed = False
        self._body: ReplyBody | None = None
        self.deferral: Deferral | None = None
        self._push: PushSource | None = None
        environ[CALL] = self

    def defer(self, deferral: Deferral) -> None:
        """To be called by the application, which then returns without starting a reply."""
        with self._lock:
            self.deferral = deferral

    def push(self, source: PushSource) -> None:
        """To be called by the application, which then starts a reply without a length."""
        with self._lock:
            self._push = source

    def begin(self) -> Reply | None:
        return self._run(self._app)

    def resume(self) -> Reply | None:
        with self._lock:
            waited, self.deferral = self.deferral, None
        try:
            return self._run(waited.resume)
        finally:
            waited.close()

    @property
    def is_open(self) -> bool:
        """Whether `close` has something to do."""
        is_sent = self._body is not None and self._body.is_exhausted and self._push is None
        return not self._is_closed and not is_sent

    def close(self) -> None:
        """Give everything back; also what a thread that still runs will bring. May be called twice."""
        with self._lock:
            self._is_closed = True
            held = self._body, self.deferral, self._push
        for each in held:
            if each is not None:
                each.close()

    def _run(self, app: Callable[..., Iterable[bytes]]) -> Reply | None:
        started: list[tuple[int, list[tuple[bytes, bytes]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            if exc_info is None and started:
                raise RuntimeError("the reply has been started already")
            fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
            started[:] = [(int(status.split(" ", 1)[0]), fields)]

        source = app(self._environ, start_response)
        with self._lock:
            is_deferred = self.deferral is not None
        if is_deferred:
            reply = None
        else:
            body = ReplyBody(source)
            # The first piece in the same turn: most replies have no other.
            body.pull()
            reply = Reply(*started[0], body, self._push)
            with self._lock:
                self._body = body
        if self._is_closed:
            self.close()
        return reply


def call_of(environ: dict[str, Any]) -> Call | None:
    """The Call of a request, for a view that waits; None where no front can wait for it."""
    return environ.get(CALL)
