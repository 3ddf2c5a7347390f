"""Replies from archived footage: they wait for an archive without a thread, or send the client to it."""

from collections.abc import Callable
from concurrent.futures import Future

from flask import Response, redirect, request

from gateway.api.base import services
from gateway.api.deferred import DeferredReply
from gateway.archive.reader import READ_SECONDS, Ranges
from gateway.errors import Unavailable

#: How long a URL of the archive is valid.
_REDIRECT_SECONDS = 600


def when_fetched(key: str, ranges: Ranges, build: Callable[[], Response]) -> Response:
    """The reply of `build`, once the first bytes of ranges `(offset, length)` of a file can be read without waiting.

    At once for a local file. Otherwise 503 if the archive does not answer in time, or too many requests wait for it.
    """
    store = services().footage
    copy = store.find_archived(key)
    if copy is None:
        return build()

    def finish() -> Response:
        if not fetched.done():
            raise store.too_slow(copy)
        fetched.result()
        return build()

    fetched = store.prefetch(copy, ranges)
    return finish() if fetched.done() else _wait(fetched, finish)


def redirect_to_archive(key: str, build: Callable[[], Response]) -> Response:
    """A redirect to the archive for a download of a whole file, if the settings and the archive allow it.

    Otherwise the reply of `build`.
    """
    copy = services().footage.find_archived(key) if services().config.archive_redirects else None
    if copy is None or request.method != "GET" or "Range" in request.headers:
        return build()
    asked = services().footage.presign(copy, _REDIRECT_SECONDS)

    def finish() -> Response:
        url = asked.result() if asked.done() else None
        if url is None:
            return build()
        response = redirect(url, 307)
        response.headers["Cache-Control"] = "no-store"
        return response

    return finish() if asked.done() else _wait(asked, finish)


def _wait(future: Future, finish: Callable[[], Response]) -> Response:
    give_back = services().waits.take()
    if give_back is None:
        raise Unavailable("too many requests wait for the archive: try again in a moment", reason="archive_unavailable")
    return DeferredReply(future, READ_SECONDS, finish, close=give_back)
