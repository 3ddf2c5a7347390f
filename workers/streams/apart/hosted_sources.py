"""The sources of a plugin in its process: sessions that the stream worker asks for, whose media are sent to it."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

from gateway.sources.source import AddressSource, SessionSource, Source, SourceTarget
from gateway.sources.tracks import CodecData, Description, SourceError, TrackDescription
from workers.streams.apart.channel import Channel, Handler
from workers.streams.plugin_session import PluginSession
from workers.streams.plugin_steps import PluginSteps
from workers.streams.source_threads import SourceThread

#: The stream worker has a shorter limit for each step.
_LONGEST_STEP_SECONDS = 1000.0


class HostedSources:
    """All methods are called on the loop of the connection."""

    def __init__(self, plugin: str, thread: SourceThread, sources: list[Source]) -> None:
        self.channel: Channel | None = None
        self.sources = sources
        self._steps = PluginSteps(plugin, thread)
        self._sessions: dict[int, PluginSession] = {}
        self._answered: dict[int, float] = {}

    def handlers(self) -> dict[str, Handler]:
        """The calls of the stream worker."""
        return {
            "resolve": self._resolve,
            "describe": self._describe,
            "play": self._play,
            "wait_ended": self._wait_ended,
            "close_session": self._close,
        }

    def look(self) -> None:
        """Report when cameras have answered; to be called each second."""
        for key, session in self._sessions.items():
            at = session.answered_at
            if at is not None and self._answered.get(key) != at:
                self._answered[key] = at
                self.channel.post("answered", key, at)

    async def _resolve(self, number: int, target: SourceTarget) -> Any:
        source = self.sources[number]
        if not isinstance(source, AddressSource):
            raise TypeError("the source gives no addresses")
        answer = await self._steps.run(lambda: source.resolve(target), _LONGEST_STEP_SECONDS)
        if not isinstance(answer, str):
            raise self._steps.failure(f"it gave an address of the type {type(answer).__name__}")
        return answer

    async def _describe(self, key: int, number: int, target: SourceTarget) -> Description:
        source = self.sources[number]
        if not isinstance(source, SessionSource):
            raise TypeError("the source gives no sessions")
        loop = asyncio.get_running_loop()

        async def follow(url: str) -> SourceTarget:
            # In the plugin's thread.
            asked = asyncio.run_coroutine_threadsafe(self.channel.call("follow", key, str(url)), loop)
            return await asyncio.wrap_future(asked)

        session = PluginSession(source, target, follow, self._steps, seconds=_LONGEST_STEP_SECONDS)
        self._sessions[key] = session
        return await session.describe()

    async def _play(self, key: int, tracks: Sequence[TrackDescription]) -> None:
        await self._find(key).play(tracks, _Sender(self.channel, key))

    async def _wait_ended(self, key: int) -> None:
        await self._find(key).wait_ended()

    async def _close(self, key: int) -> None:
        self._answered.pop(key, None)
        if (session := self._sessions.pop(key, None)) is not None:
            await session.close()

    def _find(self, key: int) -> PluginSession:
        # After a restart of this process the sessions of before are gone.
        if key not in self._sessions:
            raise SourceError("source_failed", "the process of the plugin was started again")
        return self._sessions[key]


class _Sender:
    """Sends what a session plays. A SourceReceiver; what the stream worker does not take in time is dropped."""

    def __init__(self, channel: Channel, key: int) -> None:
        self._key = key
        self._post = partial(channel.post, may_drop=True)

    def packet(self, index: int, packet: bytes, arrived: float) -> None:
        self._post("packet", self._key, index, arrived, body=packet)

    def rtcp(self, index: int, packet: bytes, arrived: float) -> None:
        self._post("rtcp", self._key, index, arrived, body=packet)

    def flush(self) -> None:
        self._post("flush_session", self._key)

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
        self._post("unit", self._key, kind, timestamp, (is_key, arrived, codec_data), body=data)
