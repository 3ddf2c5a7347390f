"""A session with one HTTP camera: a stream of pictures, or a picture that is asked for each second."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from urllib.parse import urljoin

from gateway.plugin_api import (
    VIDEO,
    Description,
    Follow,
    Login,
    SourceError,
    SourceReceiver,
    SourceSession,
    SourceTarget,
    TrackDescription,
    clean_camera_text,
    open_streams,
)
from plugins.http_pictures.pictures import PictureFinder
from plugins.http_pictures.replies import ReplyHead, read_body, read_head, refusal

CLOCK_RATE = 90_000
POLL_SECONDS = 1.0

#: A picture of unknown length is all if nothing follows for so long.
_QUIET_SECONDS = 0.6
_MAX_REDIRECTS = 3
#: Requests for one picture: redirects, each with its challenges.
_MAX_REQUESTS = 12
_MAX_LOCATION = 2000
#: So many requests in a row may fail before the session ends.
_POLL_TRIES = 3
#: Failures of single requests that may be over with the next.
_PASSING = frozenset({"timed_out", "refused", "closed_by_camera", "camera_error", "too_many_connections"})
#: Bytes without a picture after which there is none.
_MAX_SKIPPED = 2 << 20
#: Bytes of a part that says it is no JPEG after which this is believed.
_MAX_FOREIGN = 64 * 1024
_JPEG_TYPES = ("multipart/", "image/jp", "image/pjp", "video/x-motion-jpeg", "video/mjpeg", "application/octet-stream")
_PORTS = {"http": 80, "https": 443}


@dataclass(slots=True)
class _Exchange:
    """A reply whose body has not been read."""

    head: ReplyHead
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def close(self) -> None:
        self.writer.close()


class HttpSession(SourceSession):
    """See SourceSession. `seconds`: for connecting, and for each answer."""

    def __init__(self, target: SourceTarget, follow: Follow, *, seconds: float) -> None:
        self._target = target
        self._follow = follow
        self._seconds = seconds
        self._login = Login(target.credentials)
        self._exchange: _Exchange | None = None
        self._task: asyncio.Task[None] | None = None
        self._answered_at: float | None = None
        self._stamp = 0
        self._pictures = 0
        self._is_stream = False

    @property
    def answered_at(self) -> float | None:
        return self._answered_at

    async def describe(self) -> Description:
        self._exchange = await self._get()
        head = self._exchange.head
        kind = head.content_type
        if kind and not kind.startswith(_JPEG_TYPES):
            raise _wrong_type(kind)
        is_stream = kind.startswith("multipart/")
        return Description(
            tracks=(TrackDescription(0, VIDEO, "mjpeg", 26, CLOCK_RATE),),
            server=clean_camera_text(head.get("server") or "") or None,
            login=self._login.kind,
            quirks=() if is_stream else (f"sends single pictures: one is asked for each {POLL_SECONDS:g} s",),
            gives_units=True,
        )

    async def play(self, tracks: Sequence[TrackDescription], receiver: SourceReceiver) -> None:
        self._task = asyncio.create_task(self._play(receiver))

    async def wait_ended(self) -> None:
        await asyncio.shield(self._task)

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task], timeout=1)
        self._drop_exchange()

    # ---- pictures ----------------------------------------------------------------------------------------------

    async def _play(self, receiver: SourceReceiver) -> None:
        try:
            due, failures = monotonic(), 0
            while True:
                try:
                    await self._take_reply(receiver)
                    failures = 0
                except SourceError as error:
                    failures += 1
                    is_passing = error.reason in _PASSING and self._pictures > 0 and not self._is_stream
                    if failures >= _POLL_TRIES or not is_passing:
                        raise
                due = max(due + POLL_SECONDS, monotonic())
                await asyncio.sleep(due - monotonic())
        finally:
            self._drop_exchange()

    async def _take_reply(self, receiver: SourceReceiver) -> None:
        """Take the pictures of one reply, which may be a stream without an end."""
        if self._exchange is None:
            self._exchange = await self._get()
        exchange, before = self._exchange, self._pictures
        self._is_stream = exchange.head.content_type.startswith("multipart/")
        try:
            if self._is_stream:
                await self._read_pictures(exchange, receiver)
            else:
                await self._read_one(exchange, receiver)
        finally:
            self._drop_exchange()
        if self._pictures == before:
            raise SourceError("no_video", "the camera's reply contains no JPEG picture")
        if self._is_stream:
            raise SourceError("closed_by_camera")

    async def _read_one(self, exchange: _Exchange, receiver: SourceReceiver) -> None:
        """Read a single picture: until the reply ends, or nothing follows the picture, or a second one does."""
        reading = asyncio.ensure_future(self._read_pictures(exchange, receiver))
        before, end = self._pictures, monotonic() + self._seconds
        try:
            while not reading.done():
                await asyncio.wait([reading], timeout=_QUIET_SECONDS / 2)
                count = self._pictures - before
                if count > 1:
                    # A stream that is not called one.
                    self._is_stream = True
                    break
                if count and monotonic() - self._answered_at > _QUIET_SECONDS:
                    return
                if not count and monotonic() > end:
                    raise SourceError("timed_out", f"the camera did not send its picture within {self._seconds:g} s")
            await reading
        finally:
            reading.cancel()

    async def _read_pictures(self, exchange: _Exchange, receiver: SourceReceiver) -> None:
        finder = PictureFinder()
        async for piece in read_body(exchange.reader, exchange.head):
            self._answered_at = now = monotonic()
            for picture in finder.feed(piece):
                self._pictures += 1
                self._stamp = max(self._stamp + 1, int(now * CLOCK_RATE))
                receiver.unit(VIDEO, self._stamp, picture, True, arrived=now)
            part = finder.part_type
            if part is not None and not part.startswith(_JPEG_TYPES) and finder.skipped > _MAX_FOREIGN:
                raise _wrong_type(part)
            if finder.skipped > _MAX_SKIPPED:
                raise SourceError("invalid_data", "the camera sends data without JPEG pictures")

    # ---- requests ----------------------------------------------------------------------------------------------

    async def _get(self) -> _Exchange:
        """Ask for the pictures, log in where asked, and follow redirects; raises SourceError."""
        attempt, redirects = self._login.begin(), 0
        for _ in range(_MAX_REQUESTS):
            exchange = await self._ask(attempt.authorize("GET", self._path))
            head = exchange.head
            self._answered_at = monotonic()
            try:
                if head.status == 401:
                    attempt.answer(head.headers.get("www-authenticate", []))
                elif head.status in (301, 302, 303, 307, 308):
                    redirects += 1
                    await self._redirect(head, redirects)
                    attempt = self._login.begin()
                elif head.status // 100 != 2 or head.status == 204:
                    raise refusal(head)
                else:
                    attempt.accept()
                    found, exchange = exchange, None
                    return found
            finally:
                if exchange is not None:
                    exchange.close()
        raise SourceError("request_refused", "the camera answers each request with another demand")

    async def _ask(self, authorization: str | None) -> _Exchange:
        target = self._target
        reader, writer = await open_streams(target, is_encrypted=target.scheme == "https", seconds=self._seconds)
        try:
            writer.write(self._build_request(authorization))
            async with asyncio.timeout(self._seconds):
                return _Exchange(await read_head(reader), reader, writer)
        except TimeoutError:
            writer.close()
            raise SourceError("timed_out") from None
        except BaseException:
            writer.close()
            raise

    def _build_request(self, authorization: str | None) -> bytes:
        target = self._target
        host = f"[{target.host}]" if ":" in target.host else target.host
        port = "" if target.port == _PORTS[target.scheme] else f":{target.port}"
        lines = [
            f"GET {self._path} HTTP/1.1",
            f"Host: {host}{port}",
            "User-Agent: VAS",
            "Accept: multipart/x-mixed-replace, image/jpeg, */*;q=0.1",
            "Connection: close",
        ]
        if authorization is not None:
            lines.append(f"Authorization: {authorization}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")

    @property
    def _path(self) -> str:
        path = self._target.path
        return path if path.startswith("/") else f"/{path}"

    async def _redirect(self, head: ReplyHead, count: int) -> None:
        location = (head.get("location") or "").partition("#")[0].strip()
        if not location:
            raise SourceError("redirected", "the camera redirects without saying where to")
        if count > _MAX_REDIRECTS:
            raise SourceError("redirected", f"the camera redirects more than {_MAX_REDIRECTS} times in a row")
        host = f"[{self._target.host}]" if ":" in self._target.host else self._target.host
        try:
            url = urljoin(f"{self._target.scheme}://{host}:{self._target.port}{self._path}", location[:_MAX_LOCATION])
        except ValueError:
            raise SourceError("redirected", "the camera redirects to an address that cannot be read") from None
        before = self._target
        self._target = await self._follow(url)
        if (self._target.host, self._target.credentials) != (before.host, before.credentials):
            self._login = Login(self._target.credentials)

    def _drop_exchange(self) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            with contextlib.suppress(OSError):
                exchange.close()


def _wrong_type(kind: str) -> SourceError:
    if kind.startswith(("image/", "video/")):
        return SourceError("unsupported_codec", f"the camera sends '{kind}': only JPEG pictures can be read")
    return SourceError("no_video", f"this address answers with '{kind}', which is no picture")
