"""Stand-ins for the sources of a plugin whose process is apart."""

import itertools
from collections.abc import Sequence

from gateway.sources.source import (
    AddressSource,
    Follow,
    SessionSource,
    Source,
    SourceReceiver,
    SourceSession,
    SourceTarget,
)
from gateway.sources.tracks import Description, TrackDescription
from workers.streams.apart.process import ApartProcess, Offer


class ApartAddressSource(AddressSource):
    """Asks the process of the plugin where a camera is."""

    def __init__(self, process: ApartProcess, number: int, schemes: tuple[str, ...], ports: dict[str, int]) -> None:
        self.schemes, self.default_ports = schemes, ports
        self._process, self._number = process, number

    async def resolve(self, target: SourceTarget) -> str:
        """See AddressSource."""
        return await self._process.call("resolve", self._number, target)


class ApartSessionSource(SessionSource):
    """Reads cameras in the process of the plugin."""

    def __init__(
        self,
        process: ApartProcess,
        number: int,
        schemes: tuple[str, ...],
        ports: dict[str, int],
        sessions: "ApartSessions",
    ) -> None:
        self.schemes, self.default_ports = schemes, ports
        self._process, self._number, self._sessions = process, number, sessions

    def open(self, target: SourceTarget, follow: Follow) -> SourceSession:
        """See SessionSource."""
        return ApartSession(self._process, self._number, target, follow, self._sessions)


class ApartSession(SourceSession):
    """One session; all its coroutines run on the loop of the process."""

    def __init__(
        self, process: ApartProcess, source: int, target: SourceTarget, follow: Follow, sessions: "ApartSessions"
    ) -> None:
        self._process, self._source, self._target = process, source, target
        self.follow = follow
        self.receiver: SourceReceiver | None = None
        self.answered: float | None = None
        self._sessions = sessions
        self._key = sessions.add(self)

    @property
    def answered_at(self) -> float | None:
        """See SourceSession."""
        return self.answered

    async def describe(self) -> Description:
        """See SourceSession."""
        return await self._process.call("describe", self._key, self._source, self._target)

    async def play(self, tracks: Sequence[TrackDescription], receiver: SourceReceiver) -> None:
        """See SourceSession."""
        self.receiver = receiver
        await self._process.call("play", self._key, list(tracks))

    async def wait_ended(self) -> None:
        """See SourceSession."""
        await self._process.call("wait_ended", self._key)

    async def close(self) -> None:
        """See SourceSession."""
        self.receiver = None
        self._sessions.remove(self._key)
        await self._process.call("close_session", self._key)


class ApartSessions:
    """The sessions of a process by their numbers, and what it tells of them."""

    def __init__(self, process: ApartProcess) -> None:
        self._sessions: dict[int, ApartSession] = {}
        self._numbers = itertools.count(1)
        process.handlers |= {
            "packet": self._packet,
            "rtcp": self._rtcp,
            "flush_session": self._flush,
            "unit": self._unit,
            "answered": self._answered,
            "follow": self._follow,
        }

    def add(self, session: ApartSession) -> int:
        """Number a session."""
        number = next(self._numbers)
        self._sessions[number] = session
        return number

    def remove(self, key: int) -> None:
        """A session has ended."""
        self._sessions.pop(key, None)

    def _receiver(self, key: int) -> SourceReceiver | None:
        session = self._sessions.get(key)
        return session.receiver if session is not None else None

    def _packet(self, key: int, index: int, arrived: float, body: bytes = b"") -> None:
        if (receiver := self._receiver(key)) is not None:
            receiver.packet(index, body, arrived)

    def _rtcp(self, key: int, index: int, arrived: float, body: bytes = b"") -> None:
        if (receiver := self._receiver(key)) is not None:
            receiver.rtcp(index, body, arrived)

    def _flush(self, key: int) -> None:
        if (receiver := self._receiver(key)) is not None:
            receiver.flush()

    def _unit(self, key: int, kind: str, timestamp: int, rest: tuple, body: bytes = b"") -> None:
        is_key, arrived, codec_data = rest
        if (receiver := self._receiver(key)) is not None:
            receiver.unit(kind, timestamp, body, is_key, arrived=arrived, codec_data=codec_data)

    def _answered(self, key: int, at: float) -> None:
        if (session := self._sessions.get(key)) is not None:
            session.answered = at

    async def _follow(self, key: int, url: str) -> SourceTarget:
        return await self._sessions[key].follow(url)


def sources_of(process: ApartProcess, offer: Offer) -> list[Source]:
    """The stand-ins for what the process offers."""
    sessions = ApartSessions(process)
    found: list[Source] = []
    for number, (kind, schemes, ports) in enumerate(offer.sources):
        if kind == "address":
            found.append(ApartAddressSource(process, number, schemes, ports))
        else:
            found.append(ApartSessionSource(process, number, schemes, ports, sessions))
    return found
