"""Replies of views that wait: for a part, a picture, a probe. No thread waits with them.

A view returns `DeferredReply(future, seconds, finish)` and ends. When the future is done, when `seconds` are over, or
when the process stops, `finish` is called in the same request context and returns what the view would have returned.
Where no front can wait (Flask's test client, another server), the thread waits in place.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from threading import Lock
from typing import Any

from flask import Flask, Response, g
from flask.globals import request_ctx

from gateway.web.calls import call_of


class Waits:
    """The places for requests that wait. Thread-safe."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0
        self._lock = Lock()

    def take(self) -> Callable[[], None] | None:
        """Take a place; returns what gives it back, which may be called twice, or None if all are taken."""
        with self._lock:
            if self._taken >= self._most:
                return None
            self._taken += 1
        return _Once(self._give_back)

    @property
    def taken(self) -> int:
        return self._taken

    def _give_back(self) -> None:
        with self._lock:
            self._taken -= 1


class _Once:
    """Calls a function the first time."""

    def __init__(self, function: Callable[[], None]) -> None:
        self._function: Callable[[], None] | None = function
        self._lock = Lock()

    def __call__(self) -> None:
        with self._lock:
            function, self._function = self._function, None
        if function is not None:
            function()


class DeferredReply(Response):
    """Stands for a reply until `finish` can build it.

    `close` is called at the end in any case, also when the client goes away; then `finish` is not. `finish` may return
    another DeferredReply. A view must hold nothing while it waits: no session, no lock, no slot but its place.
    """

    def __init__(
        self, future: Future, seconds: float, finish: Callable[[], Any], *, close: Callable[[], None] | None = None
    ) -> None:
        super().__init__(status=500)
        self.future = future
        self.seconds = max(0.0, seconds)
        self.finish = finish
        self._close = _Once(close or (lambda: None))
        self._context: Any = None
        self._globals: dict[str, Any] = {}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        call = call_of(environ)
        if call is None:
            try:
                wait([self.future], self.seconds)
                return self._finish()(environ, start_response)
            finally:
                self.close()
        self._context, self._globals = request_ctx.copy(), dict(vars(g))
        call.defer(self)
        return ()

    def resume(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Build the reply in the context of the request."""
        with self._context:
            vars(g).update(self._globals)
            return self._finish()(environ, start_response)

    def close(self) -> None:
        self._close()

    def _finish(self) -> Response:
        app: WaitingFlask = request_ctx.app
        try:
            reply = self.finish()
        except Exception as error:
            reply = app.handle_user_exception(error)
        return app.finalize_request(reply)


class WaitingFlask(Flask):
    """Flask, but hooks after a request see its reply only, and not the DeferredReply in its place."""

    def process_response(self, response: Response) -> Response:
        if isinstance(response, DeferredReply):
            return response
        return super().process_response(response)
