"""The tracks of a session that were set up: their channels or ports, and the way of their packets to the callbacks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from workers.rtp.units import TrackDescription
from workers.rtsp.connection import Connection
from workers.rtsp.flow import Announcement, PacketCallback, TrackFlow
from workers.rtsp.target import TCP
from workers.rtsp.transports import TransportReply, build_tcp, build_udp
from workers.rtsp.udp import UdpTrack


@dataclass(slots=True)
class SetTrack:
    """A track that the camera has set up. `channels` over TCP, `udp` otherwise."""

    track: TrackDescription
    flow: TrackFlow
    url: str = ""
    channels: tuple[int, int] = (0, 1)
    udp: UdpTrack | None = None
    announced_ssrc: bytes | None = field(default=None, repr=False)


class SetTracks:
    """All tracks of one session. `close` may be called twice."""

    def __init__(
        self,
        connection: Connection,
        on_packet: PacketCallback,
        on_rtcp: PacketCallback,
        on_batch: Callable[[], None],
        on_failure: Callable[[Exception], None],
        *,
        suspects: frozenset[bytes],
        takeover_seconds: float,
    ) -> None:
        self._connection = connection
        self._on_packet = on_packet
        self._on_rtcp = on_rtcp
        self._on_batch = on_batch
        self._on_failure = on_failure
        self._suspects = suspects
        self._takeover_seconds = takeover_seconds
        self.tracks: list[SetTrack] = []

    @property
    def packets(self) -> int:
        return sum(item.flow.passed for item in self.tracks)

    @property
    def ssrcs(self) -> frozenset[bytes]:
        """Those in use."""
        return frozenset(item.flow.ssrc for item in self.tracks if item.flow.ssrc)

    @property
    def udp_bytes(self) -> int:
        return sum(item.udp.bytes for item in self.tracks if item.udp)

    @property
    def heard_at(self) -> float:
        """When a packet came by UDP last; 0 without any."""
        return max((item.udp.heard_at for item in self.tracks if item.udp), default=0.0)

    def prepare(self, track: TrackDescription, transport: str) -> tuple[SetTrack, str]:
        """Get ready for a track; returns it with the Transport header for its SETUP. Raises SourceError."""
        flow = TrackFlow(
            track.index,
            self._on_packet,
            self._on_rtcp,
            is_unordered=transport != TCP,
            suspects=self._suspects,
            takeover_seconds=self._takeover_seconds,
        )
        if transport == TCP:
            channel = self._free_channel()
            return SetTrack(track, flow, channels=(channel, channel + 1)), build_tcp(channel)
        udp = UdpTrack(flow, self._connection.address, self._on_batch, self._on_failure)
        udp.open(self._connection.local)
        return SetTrack(track, flow, udp=udp), build_udp(udp.port)

    def add(self, item: SetTrack, url: str, reply: TransportReply) -> str | None:
        """The camera has set up a track; returns what is unusual about its answer."""
        item.url = url
        item.announced_ssrc = reply.ssrc
        self.tracks.append(item)
        if item.udp is not None:
            item.udp.connect(reply.server_ports)
            return None
        channels = self._connection.reader.channels
        quirk = None
        if reply.channels and reply.channels != item.channels:
            if channels[reply.channels[0]] is None:
                item.channels = reply.channels
            else:
                quirk = "answers the same channels for two tracks"
        channels[item.channels[0]] = item.flow.observe
        if channels[item.channels[1]] is None:
            channels[item.channels[1]] = item.flow.take_rtcp
        return quirk

    def hold(self) -> None:
        """PLAY is asked: keep packets until the answer."""
        reader = self._connection.reader
        strays, reader.strays = reader.strays or (), None
        for item in self.tracks:
            item.flow.suspect(strays)
        self._handle(lambda flow: flow.hold)

    def begin(self, rtp_info: list[tuple[str, int | None]]) -> None:
        """PLAY is answered: pass packets on."""
        now = monotonic()
        self._connection.reader.on_batch = self._on_batch
        # The handler first: a callback that ends the session must find it ended.
        self._handle(lambda flow: flow.take)
        for place, item in enumerate(self.tracks):
            sequence = _sequence_of(item, place, rtp_info, len(self.tracks))
            item.flow.begin(Announcement(item.announced_ssrc, sequence), now)
        self._on_batch()

    def send_reports(self) -> None:
        """Send a receiver report for each track that has packets."""
        now = monotonic()
        for item in self.tracks:
            report = item.flow.build_report(now)
            if report is not None and item.udp is not None:
                item.udp.send_report(report)
            elif report is not None:
                self._connection.write_report(item.channels[1], report)

    def close(self) -> None:
        """Pass nothing on any more and close the ports."""
        self._connection.reader.channels[:] = [None] * 256
        for item in self.tracks:
            if item.udp is not None:
                item.udp.close()

    def _handle(self, choose: Callable[[TrackFlow], Callable[[bytes, float], None]]) -> None:
        if self._connection.ended.done():
            return
        for item in self.tracks:
            handler = choose(item.flow)
            if item.udp is not None:
                item.udp.handler = handler
            else:
                self._connection.reader.channels[item.channels[0]] = handler

    def _free_channel(self) -> int:
        channels = self._connection.reader.channels
        free = (number for number in range(0, 254, 2) if channels[number] is None and channels[number + 1] is None)
        return next(free, 254)


def _sequence_of(item: SetTrack, place: int, rtp_info: list[tuple[str, int | None]], count: int) -> int | None:
    """The first sequence number that RTP-Info announces for a track."""
    control = item.url.rstrip("/").rpartition("/")[2]
    for url, sequence in rtp_info:
        if url == item.url or (control and url.rstrip("/").rpartition("/")[2] == control):
            return sequence
    return rtp_info[place][1] if len(rtp_info) == count else None
