"""Replies that go on, such as a stream of events: the front sends them, and no thread waits.

Where no front can send them (Flask's test client, another server), the thread of the request waits for the pieces.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from flask import Response

from gateway.web.calls import call_of
from gateway.web.push import PushSource


class PushedReply(Response):
    """A reply with the pieces of a source."""

    automatically_set_content_length = False

    def __init__(self, source: PushSource, **options: Any) -> None:
        super().__init__(iter(()), **options)
        self._source = source

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        call = call_of(environ)
        if environ["REQUEST_METHOD"] == "HEAD":
            self._source.close()
        elif call is None:
            self.response = _wait_for_pieces(self._source)
            self.call_on_close(self._source.close)
        else:
            call.push(self._source)
        return super().__call__(environ, start_response)


def _wait_for_pieces(source: PushSource) -> Iterator[bytes]:
    woken = threading.Event()
    source.listen(woken.set)
    while True:
        woken.clear()
        if source.must_pull:
            source.pull()
        piece = source.take()
        if piece is None:
            return
        if piece:
            yield piece
        elif not source.must_pull and not woken.wait(source.heartbeat_seconds):
            yield source.heartbeat()
