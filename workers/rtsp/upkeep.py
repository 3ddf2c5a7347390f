"""Keeps a playing session alive: keep-alive requests as the camera answers them, receiver reports, and silence."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic

from workers.rtp.units import SourceError
from workers.rtsp.connection import Connection
from workers.rtsp.messages import Reply
from workers.rtsp.target import UDP
from workers.rtsp.tracks import SetTracks

GET_PARAMETER = "GET_PARAMETER"
OPTIONS = "OPTIONS"


@dataclass(frozen=True, slots=True)
class Pace:
    """The times of a session, in seconds.

    Keep-alives follow each other after `keep_alive_share` of the camera's timeout, `keep_alive_longest` at most, and
    after `quiet` where nothing is heard: a camera of few pictures then shows that it lives.
    """

    keep_alive_share: float = 0.4
    keep_alive_longest: float = 25.0
    quiet: float = 4.0
    report: float = 5.0
    takeover: float = 2.0
    after_bye: float = 2.0
    udp_silence: float = 8.0
    teardown: float = 1.0


class Upkeep:
    """What a session does while it plays. `run` ends with the connection, or raises SourceError.

    `ask(method)` sends a request for the session, with its login. `note` takes what is unusual about the camera.
    """

    def __init__(
        self,
        connection: Connection,
        tracks: SetTracks,
        ask: Callable[[str], Awaitable[Reply]],
        note: Callable[[str], None],
        *,
        public: frozenset[str],
        timeout_seconds: float,
        transport: str,
        pace: Pace,
    ) -> None:
        self._connection = connection
        self._tracks = tracks
        self._ask = ask
        self._note = note
        # Without a list of methods the camera is asked, and changes its mind about us if it does not know it.
        self.method = GET_PARAMETER if not public or GET_PARAMETER in public else OPTIONS
        self._refused: set[str] = set()
        self._never_answers = False
        self._interval = min(max(timeout_seconds, 0.1) * pace.keep_alive_share, pace.keep_alive_longest)
        self._transport = transport
        self._pace = pace
        self._began_at = monotonic()
        #: The login that the camera refused at a keep-alive: the reason of the end that follows.
        self.refused_login: SourceError | None = None

    @property
    def heard_at(self) -> float:
        return max(self._connection.reader.heard_at, self._tracks.heard_at)

    async def run(self) -> None:
        """Keep the session alive until its connection ends. Raises SourceError if the camera is silent."""
        tasks = [asyncio.create_task(part()) for part in (self._keep_alive, self._report, self._watch)]
        try:
            done, _ = await asyncio.wait([*tasks, self._connection.ended], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if task in tasks:
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, SourceError):
                    await task

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(self._pace.report)
            self._tracks.send_reports()

    async def _watch(self) -> None:
        """End a session of which the camera itself says, or the network shows, that nothing will come."""
        pace = self._pace
        while True:
            await asyncio.sleep(min(pace.after_bye, pace.udp_silence) / 2)
            now = monotonic()
            flows = [item.flow for item in self._tracks.tracks]
            if flows and all(flow.has_ended and now - flow.heard_at >= pace.after_bye for flow in flows):
                raise SourceError("closed_by_camera", "the camera ended the stream (RTCP BYE)")
            is_mute = self._transport == UDP and not self._tracks.heard_at
            if is_mute and now - self._began_at >= pace.udp_silence:
                raise SourceError("udp_blocked")

    async def _keep_alive(self) -> None:
        asked_at = self._began_at
        while self.refused_login is None:
            await asyncio.sleep(self._wait_seconds(asked_at))
            if self._wait_seconds(asked_at) > 0:
                continue
            asked_at = monotonic()
            try:
                reply = await self._ask(self.method)
            except SourceError as error:
                self._judge_failure(error, asked_at)
            else:
                self._judge(reply, asked_at)
        await self._connection.ended

    def _wait_seconds(self, asked_at: float) -> float:
        """Seconds until the next keep-alive: sooner while nothing is heard."""
        quiet = self._pace.quiet
        due = min(asked_at + self._interval, max(self.heard_at, asked_at) + quiet)
        return max(0.0, due - monotonic())

    def _judge(self, reply: Reply, asked_at: float) -> None:
        self._never_answers = False
        if reply.is_ok:
            return
        if self.method not in self._refused:
            self._note(f"answers {reply.status} to {self.method}")
        self._refused.add(self.method)
        other = OPTIONS if self.method == GET_PARAMETER else GET_PARAMETER
        if other not in self._refused:
            self.method = other
            return
        packets_at = max((item.flow.heard_at for item in self._tracks.tracks), default=0.0)
        if reply.status == 454 and packets_at < asked_at - self._interval:
            raise SourceError("session_lost")

    def _judge_failure(self, error: SourceError, asked_at: float) -> None:
        if self._connection.ended.done():
            raise error
        if error.reason != "timed_out":
            # A login that was refused is not sent again; the camera's packets flow on until it ends the session.
            self.refused_login = error
            self._note("refuses the login at a keep-alive")
            return
        if self.heard_at > asked_at:
            self._never_answers = True
            self._note(f"does not answer {self.method}")
            self._refused.add(self.method)
            other = OPTIONS if self.method == GET_PARAMETER else GET_PARAMETER
            self.method = self.method if other in self._refused else other
        elif not self._never_answers:
            raise SourceError("timed_out", "the camera fell silent: neither packets nor answers come")
