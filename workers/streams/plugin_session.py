"""A session of a plugin's source: whatever the plugin does, its device alone has a reason for it."""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

from gateway.sources.source import Follow, SessionSource, SourceReceiver, SourceSession, SourceTarget
from gateway.sources.tracks import AUDIO, VIDEO, CodecData, Description, SourceError, TrackDescription
from workers.streams.plugin_steps import PluginSteps

log = logging.getLogger(__name__)

_CLOSE_SECONDS = 2.0
#: Media that wait for a slow worker; further ones are dropped.
_MAX_WAITING_BYTES = 32 << 20
_MAX_TRACKS = 64
_MAX_CLOCK_RATE = 1_000_000_000


class PluginSession(SourceSession):
    """Runs the session in the plugin's thread, with time limits; passes on what it plays to this loop.

    An exception that is no SourceError, a wrong return value, and a step that takes longer than `seconds` end the
    session with a reason.
    """

    def __init__(
        self, source: SessionSource, target: SourceTarget, follow: Follow, steps: PluginSteps, *, seconds: float
    ) -> None:
        self._source, self._target, self._follow = source, target, follow
        self._steps = steps
        self._seconds = seconds
        self._session: SourceSession | None = None
        self._relay: _Relay | None = None
        self._is_closed = False

    @property
    def answered_at(self) -> float | None:
        """See SourceSession; None if the plugin gives no time."""
        try:
            value = self._session.answered_at if self._session is not None else None
        except Exception:
            return None
        return value if isinstance(value, float) else None

    async def describe(self) -> Description:
        found = await self._steps.run(self._describe, self._seconds)
        wrong = _check_description(found)
        if wrong is not None:
            raise self._steps.failure(wrong)
        return found

    async def _describe(self) -> Description:
        self._session = self._source.open(self._target, self._follow)
        return await self._session.describe()

    async def play(self, tracks: Sequence[TrackDescription], receiver: SourceReceiver) -> None:
        self._relay = relay = _Relay(asyncio.get_running_loop(), receiver)
        await self._steps.run(lambda: self._session.play(tracks, relay), self._seconds)

    async def wait_ended(self) -> None:
        await self._steps.run(self._session.wait_ended, None)
        raise SourceError("closed_by_camera")

    async def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        if self._relay is not None:
            self._relay.is_open = False
        if self._session is not None:
            try:
                await self._steps.run(self._session.close, _CLOSE_SECONDS)
            except SourceError as error:
                log.warning("a session did not close in order: %s", error.message)


class _Relay:
    """Takes what a session plays, in any thread, and passes it to the receiver on its loop. A SourceReceiver.

    What a slow worker cannot take in time is dropped. Raises TypeError or ValueError for what is no packet or unit.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, receiver: SourceReceiver) -> None:
        self._loop = loop
        self._receiver = receiver
        self._waiting = 0
        self._lock = threading.Lock()
        self.is_open = True

    def packet(self, index: int, packet: bytes, arrived: float) -> None:
        self._pass(packet, self._receiver.packet, index, bytes(packet), float(arrived))

    def rtcp(self, index: int, packet: bytes, arrived: float) -> None:
        self._pass(packet, self._receiver.rtcp, index, bytes(packet), float(arrived))

    def flush(self) -> None:
        self._pass(b"", self._receiver.flush)

    def unit(
        self,
        kind: str,
        timestamp: int,
        data: bytes,
        is_key: bool = True,
        *,
        arrived: float | None = None,
        codec_data: CodecData | None = None,
    ) -> None:
        if kind not in (VIDEO, AUDIO):
            raise ValueError(f"a unit's kind must be 'video' or 'audio', not {kind!r:.20}")
        if type(timestamp) is not int or not (codec_data is None or isinstance(codec_data, CodecData)):
            raise TypeError("a unit needs a whole number as its timestamp, and CodecData if any")
        # An arrival in the future would put every picture there.
        moment = min(monotonic(), float(arrived)) if arrived is not None else monotonic()
        values = {"arrived": moment, "codec_data": codec_data}
        self._pass(data, self._receiver.unit, kind, timestamp, bytes(data), bool(is_key), **values)

    def _pass(self, data: bytes, deliver: Callable[..., None], *arguments: Any, **values: Any) -> None:
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"media must be bytes, not {type(data).__name__}")
        size = len(data) + 1000
        with self._lock:
            if not self.is_open or self._waiting + size > _MAX_WAITING_BYTES:
                return
            self._waiting += size
        try:
            self._loop.call_soon_threadsafe(self._deliver, size, deliver, arguments, values)
        except RuntimeError:
            # The worker's loop has ended.
            self.is_open = False

    def _deliver(self, size: int, deliver: Callable[..., None], arguments: tuple, values: dict[str, Any]) -> None:
        with self._lock:
            self._waiting -= size
        if self.is_open:
            deliver(*arguments, **values)


def _check_description(found: Any) -> str | None:
    """What is wrong with a plugin's description, as a sentence; None if nothing is."""
    if not isinstance(found, Description):
        return f"its description is of the type {type(found).__name__}"
    if not isinstance(found.tracks, tuple) or len(found.tracks) > _MAX_TRACKS:
        return f"its tracks are no tuple of at most {_MAX_TRACKS}"
    for track in found.tracks:
        if not isinstance(track, TrackDescription) or type(track.index) is not int:
            return "its tracks are no TrackDescription objects"
        if not isinstance(track.kind, str) or not isinstance(track.codec, str):
            return "a track has no kind or codec"
        if type(track.clock_rate) is not int or not 1 <= track.clock_rate <= _MAX_CLOCK_RATE:
            return f"a track's clock rate must be between 1 and {_MAX_CLOCK_RATE}"
    return None
