"""One session with one camera, from connecting to TEARDOWN (RFC 2326): packets in, reasons out."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from time import monotonic
from urllib.parse import urljoin

from gateway.devices.sources import credentials_of
from gateway.errors import VasError
from gateway.sources.camera_text import clean_camera_text
from gateway.sources.login import Login
from gateway.sources.source import SourceReceiver
from gateway.sources.tracks import Description
from gateway.states import REASONS
from workers.rtp.units import SourceError, TrackDescription
from workers.rtsp.answers import refusal
from workers.rtsp.connection import Connection, open_connection
from workers.rtsp.dialogue import Dialogue
from workers.rtsp.ghosts import RecentSources
from workers.rtsp.messages import Reply, Request
from workers.rtsp.sdp import SessionDescription, parse_sdp
from workers.rtsp.setup import Setup
from workers.rtsp.target import TCP, RtspTarget
from workers.rtsp.tracks import SetTracks
from workers.rtsp.transports import parse_rtp_info
from workers.rtsp.upkeep import Pace, Upkeep
from workers.rtsp.urls import base_urls, clean_url, request_url, track_urls

__all__ = ["Pace", "RtspSession", "RtspTarget"]

log = logging.getLogger(__name__)

_MAX_REDIRECTS = 3

#: Of all sessions of the process.
_recent = RecentSources()

ResolveRedirect = Callable[[str], Awaitable[RtspTarget]]


class RtspSession:
    """A session; use it on one loop, and once: `describe`, then `play`, then `wait_ended`, at last `close`.

    All failures are SourceError. `resolve_redirect` gives the checked target of a redirect or raises SourceError;
    without it redirects are refused. User and password are sent only to the host for which they were entered.
    """

    def __init__(
        self,
        target: RtspTarget,
        *,
        resolve_redirect: ResolveRedirect | None = None,
        connect_seconds: float = 10.0,
        answer_seconds: float = 10.0,
        user_agent: str = "VAS",
        pace: Pace | None = None,
    ) -> None:
        self.transport = _transport_of(target)
        self.server: str | None = None
        self.address = ""
        #: By index: why a track was left out although it was to be played.
        self.left_out: dict[int, SourceError] = {}
        self._asked = target
        self._target = target
        self._resolve_redirect = resolve_redirect
        self._connect_seconds = connect_seconds
        self._answer_seconds = answer_seconds
        self._user_agent = user_agent
        self._pace = pace or Pace()
        self._dialogue = Dialogue(Login(credentials_of(target.source)))
        self._opening: asyncio.Task[Connection] | None = None
        self._tracks: SetTracks | None = None
        self._upkeep: Upkeep | None = None
        self._upkeep_task: asyncio.Task[None] | None = None
        self._public: frozenset[str] = frozenset()
        self._url = ""
        self._bases: list[str] = []
        self._controls: dict[int, str] = {}
        self._is_closing = False
        self._has_asked_teardown = self._was_torn_down = False
        self._error: SourceError | None = None
        self._ended = asyncio.Event()

    # Facts, readable at any time.

    @property
    def _connection(self) -> Connection | None:
        return self._dialogue.connection

    @property
    def _camera(self) -> str:
        """What the sessions of one camera have in common, whatever stream they read."""
        return f"{self.address}:{self._target.source.port}"

    @property
    def login(self) -> str:
        """The kind of login: "none", "basic", "digest MD5" and so on."""
        return self._dialogue.login.kind

    @property
    def session_timeout(self) -> float:
        """The camera's own time limit for a session without requests, in seconds."""
        return self._dialogue.session_timeout

    @property
    def quirks(self) -> tuple[str, ...]:
        """What is unusual about the camera, as short sentences."""
        return tuple(self._dialogue.quirks)

    @property
    def heard_at(self) -> float | None:
        """When anything of the camera came last, on the monotonic clock; None without a connection."""
        if self._connection is None:
            return None
        return max(self._connection.reader.heard_at, self._tracks.heard_at if self._tracks else 0.0)

    @property
    def answered_at(self) -> float | None:
        """When the camera answered a request last; None if it never did."""
        return self._connection.answered_at if self._connection else None

    @property
    def packets(self) -> int:
        """RTP packets that were passed on."""
        return self._tracks.packets if self._tracks else 0

    @property
    def bytes(self) -> int:
        """Bytes received, of all kinds."""
        received = self._connection.reader.bytes if self._connection else 0
        return received + (self._tracks.udp_bytes if self._tracks else 0)

    # The life of a session.

    async def describe(self) -> Description:
        """Connect, log in where asked, and read the description. Raises SourceError."""
        try:
            return await self._describe()
        except SourceError as error:
            self._finish(error)
            raise

    async def play(self, tracks: Sequence[TrackDescription], receiver: SourceReceiver) -> None:
        """Set up these tracks and play them; `receiver` gets their packets.

        Tracks with a problem are not set up. A track without pictures that the camera refuses is left out (see
        `left_out`). Raises SourceError.
        """
        try:
            await self._play(tracks, receiver)
        except SourceError as error:
            await self._tear_down()
            self._finish(error)
            raise

    def hasten(self, is_hurried: bool) -> None:
        """Pass packets on as they come, or some times a second together. Packets by UDP are passed on as they come."""
        connection = self._connection
        if connection is not None and not connection.ended.done():
            connection.reader.hasten(is_hurried)

    async def wait_ended(self) -> None:
        """Wait until the session ends; raises SourceError with the reason, always."""
        await self._ended.wait()
        raise self._error or SourceError("closed_by_camera")

    async def close(self) -> None:
        """End the session with TEARDOWN, within about a second. May be called twice, and at any moment."""
        if self._is_closing:
            return
        self._is_closing = True
        if self._opening is not None:
            self._opening.cancel()
        if self._tracks is not None:
            self._tracks.close()
        try:
            await self._tear_down()
        finally:
            self._finish(SourceError("requested", "the session was closed"))
        if self._upkeep_task is not None:
            await asyncio.wait([self._upkeep_task], timeout=1)

    def _finish(self, error: SourceError) -> None:
        """The one end of a session: the first reason counts."""
        if self._error is None:
            refused = self._upkeep.refused_login if self._upkeep else None
            self._error = refused if refused and error.reason == "closed_by_camera" else error
            if self._was_torn_down:
                _recent.forget(self._camera)
            elif self._tracks is not None:
                _recent.remember(self._camera, self._tracks.ssrcs, monotonic())
        if self._tracks is not None:
            self._tracks.close()
        if self._upkeep_task is not None:
            self._upkeep_task.cancel()
        if self._connection is not None:
            self._connection.end(error)
        self._ended.set()

    async def _tear_down(self) -> None:
        connection, session = self._connection, self._dialogue.session_id
        is_set_up = session is not None or (self._tracks is not None and bool(self._tracks.tracks))
        if connection is None or not is_set_up or self._has_asked_teardown or connection.ended.done():
            return
        self._has_asked_teardown = True
        url = self._bases[0] if self._bases else self._url
        with contextlib.suppress(SourceError, TimeoutError):
            async with asyncio.timeout(self._pace.teardown):
                reply = await self._dialogue.ask("TEARDOWN", url)
                self._was_torn_down = reply.is_ok

    # Describing.

    async def _describe(self) -> Description:
        for _ in range(_MAX_REDIRECTS + 1):
            await self._open()
            self._url = request_url(self._target.source)
            reply = await self._ask_options()
            if reply.status // 100 != 3:
                reply = await self._dialogue.ask("DESCRIBE", self._url, {"Accept": "application/sdp"})
            if reply.status // 100 != 3:
                break
            self._target = await self._follow(reply)
        else:
            raise SourceError("redirected", f"the camera redirects more than {_MAX_REDIRECTS} times in a row")
        self._server_of(reply)
        if not reply.is_ok:
            raise refusal("DESCRIBE", reply)
        description = parse_sdp(reply.body)
        if description is None:
            raise SourceError("invalid_data", "the camera's description cannot be read")
        if not description.tracks:
            raise SourceError("no_video", "the camera's description names no tracks")
        return self._build_description(description, reply)

    def _build_description(self, description: SessionDescription, reply: Reply) -> Description:
        self._bases, quirks = base_urls(self._url, description.control, reply)
        for quirk in (*description.quirks, *quirks):
            self._dialogue.note(quirk)
        tracks = []
        for track in description.tracks:
            self._controls[track.index] = track.control
            tracks.append(replace(track, control=track_urls(self._bases, track.control)[0]))
        return Description(tuple(tracks), self.server, self.login, self.quirks, self.transport)

    async def _open(self) -> None:
        old, self._dialogue.connection = self._connection, None
        if old is not None:
            old.end(SourceError("redirected"))
        self._raise_if_closed()
        self._opening = asyncio.create_task(
            open_connection(
                self._target,
                connect_seconds=self._connect_seconds,
                answer_seconds=self._answer_seconds,
                user_agent=self._user_agent,
            )
        )
        try:
            connection = await self._opening
        except asyncio.CancelledError:
            if self._is_closing and not asyncio.current_task().cancelling():
                raise SourceError("requested", "the session was closed") from None
            self._opening.cancel()
            raise
        finally:
            self._opening = None
        if self._is_closing:
            connection.end(SourceError("requested"))
        self._raise_if_closed()
        self._dialogue.connection = connection
        self.address = connection.address
        connection.on_request = self._answer
        connection.ended.add_done_callback(lambda future: self._connection_ended(connection, future.result()))

    def _connection_ended(self, connection: Connection, error: SourceError) -> None:
        if connection is self._connection:
            self._finish(error)

    async def _ask_options(self) -> Reply:
        """Ask for the methods. Cameras without this request are forgiven; one that redirects is followed."""
        reply = await self._dialogue.ask("OPTIONS", self._url, {})
        self._server_of(reply)
        if reply.is_ok:
            methods = ",".join(reply.headers.get("public", []))
            self._public = frozenset(word.strip().upper() for word in methods.split(",") if word.strip())
        elif reply.status // 100 != 3:
            self._dialogue.note(f"answers {reply.status} to OPTIONS")
        return reply

    async def _follow(self, reply: Reply) -> RtspTarget:
        location = clean_url(reply.get("location") or "")
        if not location:
            raise SourceError("redirected", "the camera redirects without saying where to")
        if self._resolve_redirect is None:
            raise SourceError("redirected")
        scheme, _, rest = self._url.partition("://")
        if "://" not in location:
            with contextlib.suppress(ValueError):
                location = f"{scheme}://" + urljoin(f"http://{rest}", location).partition("://")[2]
        try:
            target = await self._resolve_redirect(location)
        except VasError as error:
            raise SourceError(error.reason if error.reason in REASONS else "redirected", error.message) from None
        asked = self._asked.source
        is_same = target.source.host == asked.host and (target.source.scheme == "rtsps" or asked.scheme == "rtsp")
        self._dialogue.login = Login(credentials_of(asked) if is_same else None)
        self.transport = _transport_of(target)
        return target

    def _server_of(self, reply: Reply) -> None:
        self.server = self.server or clean_camera_text(reply.get("server") or "") or None

    # Playing.

    async def _play(self, wanted: Sequence[TrackDescription], receiver: SourceReceiver) -> None:
        connection = self._require_connection()
        self._tracks = tracks = SetTracks(
            connection,
            receiver.packet,
            receiver.rtcp,
            receiver.flush,
            self._fail,
            suspects=_recent.recall(self._camera, monotonic()),
            takeover_seconds=self._pace.takeover,
        )
        setup = Setup(
            self._dialogue,
            tracks,
            self._bases,
            self._controls,
            self.transport,
            may_switch=self._target.source.scheme != "rtsps",
        )
        try:
            await setup.set_up(wanted)
        finally:
            self.transport, self.left_out = setup.transport, setup.left_out
        tracks.hold()
        reply = await setup.play()
        self._raise_if_closed()
        tracks.begin(parse_rtp_info(reply.get("rtp-info")))
        self._upkeep = Upkeep(
            connection,
            tracks,
            lambda method: self._dialogue.ask(method, self._bases[0]),
            self._dialogue.note,
            public=self._public,
            timeout_seconds=self.session_timeout,
            transport=self.transport,
            pace=self._pace,
        )
        if not self._ended.is_set():
            self._upkeep_task = asyncio.create_task(self._keep_up(self._upkeep))

    async def _keep_up(self, upkeep: Upkeep) -> None:
        try:
            await upkeep.run()
        except SourceError as error:
            self._upkeep_task = None
            await self._tear_down()
            self._finish(error)
        except Exception as error:
            self._fail(error)

    def _answer(self, request: Request) -> tuple[int, str, dict[str, str]]:
        """Answer a request of the camera: status, phrase and headers."""
        if request.method == "OPTIONS":
            return 200, "OK", {"Public": "OPTIONS, ANNOUNCE, GET_PARAMETER, SET_PARAMETER, REDIRECT, TEARDOWN"}
        if request.method in ("GET_PARAMETER", "SET_PARAMETER", "ANNOUNCE"):
            self._dialogue.note(f"sends {request.method}")
            return 200, "OK", {}
        if request.method in ("REDIRECT", "TEARDOWN"):
            error = (
                SourceError("redirected", "the camera asks to go on at another address")
                if request.method == "REDIRECT"
                else SourceError("closed_by_camera", "the camera ended the session")
            )
            asyncio.get_running_loop().call_soon(self._finish, error)
            return 200, "OK", {}
        return 501, "Not Implemented", {}

    def _require_connection(self) -> Connection:
        self._raise_if_closed()
        if self._connection is None:
            raise self._error or SourceError("requested", "the session is not connected")
        return self._connection

    def _raise_if_closed(self) -> None:
        if self._error is not None:
            raise self._error
        if self._is_closing and self._connection is None:
            raise SourceError("requested", "the session was closed")

    def _fail(self, error: Exception) -> None:
        """Taking a packet failed: a fault of this program, not of the camera."""
        log.error("taking packets of a camera failed", exc_info=error)
        self._finish(SourceError("unknown", "taking the camera's packets failed: see the log of the stream worker"))


def _transport_of(target: RtspTarget) -> str:
    """UDP would carry the pictures of an encrypted session in clear."""
    return TCP if target.source.scheme == "rtsps" else target.transport
