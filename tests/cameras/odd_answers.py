"""Counting cameras that answer requests in the ways of real ones: logins, statuses, and the URLs that they want."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from .counter import CounterCamera
from .rtsp import Connection, Reply, Request


class Guard(Protocol):
    """Checks logins."""

    def accepts(self, request: Any) -> bool:
        """Whether a request bears a right login."""

    def challenge(self) -> Any:
        """The answer to others: its headers count."""


class GuardedCamera(CounterCamera):
    """Asks for a login at these methods."""

    def __init__(self, guard: Guard, methods: tuple[str, ...] = ("DESCRIBE", "SETUP", "PLAY"), *, port: int = 0):
        super().__init__(port=port)
        self.guard, self.methods = guard, methods
        self.refused = 0

    async def answer(self, connection: Connection, request: Request) -> Reply:
        """See RtspServer."""
        if request.method in self.methods and not self.guard.accepts(request):
            self.refused += "authorization" in request.headers
            return Reply(401, dict(self.guard.challenge().headers))
        return await super().answer(connection, request)


class RefusingCamera(CounterCamera):
    """Answers the methods of `replies` with those replies."""

    def __init__(self, replies: dict[str, Reply], *, port: int = 0) -> None:
        super().__init__(port=port)
        self.replies = replies

    async def answer(self, connection: Connection, request: Request) -> Reply:
        """See RtspServer."""
        return self.replies.get(request.method) or await super().answer(connection, request)


class OneUrlCamera(CounterCamera):
    """Writes these URLs, and answers SETUP of `wanted` only, 404 to others; `{at}` in them is its address."""

    def __init__(
        self, content_base: str | None, session_control: str | None, control: str, wanted: str, *, port: int = 0
    ) -> None:
        super().__init__(port=port)
        self.content_base, self.session_control, self.control = content_base, session_control, control
        self._wanted = wanted
        self.urls: list[str] = []

    @property
    def url(self) -> str:
        """See CounterCamera."""
        return f"rtsp://admin:secret@127.0.0.1:{self.port}/live"

    async def describe(self, request: Request) -> Reply:
        """The SDP with its controls."""
        reply = await super().describe(request)
        fill: Callable[[str], str] = lambda text: text.replace("{at}", f"127.0.0.1:{self.port}")  # noqa: E731
        session = f"a=control:{fill(self.session_control)}\r\n" if self.session_control else ""
        track = f"a=control:{fill(self.control)}" if self.control else ""
        reply.body = reply.body.replace("a=control:*\r\n", session).replace("a=control:track=video", track)
        del reply.headers["Content-Base"]
        if self.content_base is not None:
            reply.headers["Content-Base"] = fill(self.content_base)
        return reply

    async def answer(self, connection: Connection, request: Request) -> Reply:
        """See RtspServer."""
        self.urls.append(request.url)
        if request.method != "SETUP":
            return await super().answer(connection, request)
        if request.url != self._wanted.replace("{at}", f"127.0.0.1:{self.port}"):
            return Reply(404)
        return self._set_up(connection, Request("SETUP", "rtsp://camera/track=video", request.headers))
