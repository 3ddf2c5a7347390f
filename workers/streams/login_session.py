"""A session with a camera within the budget of its login, so that retries lock no camera."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from gateway.devices.login_budget import LoginBudget
from gateway.devices.sources import SourceUrl
from gateway.sources.source import SourceReceiver, SourceSession
from workers.rtp.units import SourceError, TrackDescription

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Reasons of a session whose login the camera refused.
_REFUSED_REASONS = frozenset({"unauthorized", "login_revoked"})
_LOOK_SECONDS = 0.1
#: Longest wait for others that try the same login; their tries are forgotten before.
_MAX_WAIT_SECONDS = 40.0


class LoginSession:
    """Passes everything on to `session`; asks `logins` before the login is sent, and tells it what became of it."""

    def __init__(self, session: SourceSession, source: SourceUrl, logins: LoginBudget) -> None:
        self._session = session
        self._source = source
        self._logins = logins
        self._is_trying = False
        self._has_worked = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    async def describe(self) -> Any:
        """As the session's; raises SourceError `login_paused` while the login is not to be sent."""
        await self._take()
        description = await self._try(self._session.describe())
        # Some cameras ask for the login only at SETUP.
        if description.login != "none":
            await self._note_worked()
        return description

    async def play(self, tracks: Sequence[TrackDescription], receiver: SourceReceiver) -> None:
        await self._try(self._session.play(tracks, receiver))
        if not self._has_worked:
            await self._note_worked()

    async def wait_ended(self) -> None:
        await self._try(self._session.wait_ended())

    async def close(self) -> None:
        await self._session.close()
        if self._has_worked:
            # So that people read until when the login worked.
            self._has_worked = False
            await _in_thread(self._logins.ended, self._source)
        self._end_try()

    async def _take(self) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + _MAX_WAIT_SECONDS
        while not await _in_thread(self._logins.take, self._source):
            until = await _in_thread(self._logins.check, self._source)
            if until is not None:
                raise paused(until)
            if loop.time() > end:
                raise SourceError("timed_out", "the camera did not answer other logins of the same user in time")
            await asyncio.sleep(_LOOK_SECONDS)
        self._is_trying = True

    async def _try(self, step: Awaitable[T]) -> T:
        try:
            return await step
        except SourceError as error:
            if error.reason not in _REFUSED_REASONS or self._source.credentials is None:
                self._end_try()
                raise
            raise await self._judge(error) from error
        except BaseException:
            self._end_try()
            raise

    async def _judge(self, error: SourceError) -> SourceError:
        """Count a refusal, and say what it means after those before."""
        self._is_trying = self._has_worked = False
        worked = await _in_thread(self._logins.refused, self._source)
        until = await _in_thread(self._logins.check, self._source)
        if until is not None:
            return paused(until)
        if worked is not None:
            return SourceError("login_revoked", f"the camera refuses the login that worked until {_format(worked)}")
        return error

    async def _note_worked(self) -> None:
        self._is_trying, self._has_worked = False, True
        await _in_thread(self._logins.worked, self._source)

    def _end_try(self) -> None:
        if self._is_trying:
            self._is_trying = False
            asyncio.get_running_loop().run_in_executor(None, self._logins.give_up, self._source)


def paused(until: datetime) -> SourceError:
    """The error of a login that is not sent before `until`."""
    message = f"the camera refused the user name or password three times: the next try is at {_format(until)}"
    return SourceError("login_paused", message)


def _format(at: datetime) -> str:
    """A time in the form in which the UI finds it and shows it on the chosen clock."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


async def _in_thread(call: Callable[..., T], *arguments: Any) -> T:
    return await asyncio.get_running_loop().run_in_executor(None, call, *arguments)
