"""Reads RTP as a player does: packets from a socket, and the NAL units in them."""

import socket
import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from plugins.mediasoup_webrtc.rtp import TrackPorts


class Packet(NamedTuple):
    sequence: int
    timestamp: int
    is_marked: bool
    payload: bytes
    size: int
    payload_type: int
    ssrc: int
    source: int


def free_udp_port() -> int:
    """A UDP port that is free now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("0.0.0.0", 0))
        return probe.getsockname()[1]


class Receiver:
    """A UDP port in place of the SFU's."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(5)

    @property
    def port(self) -> int:
        return self.socket.getsockname()[1]

    def ports(self, *, ssrc: int = 77, payload_type: int = 101, sequence: int | None = 10) -> TrackPorts:
        source = free_udp_port()
        return TrackPorts("127.0.0.1", self.port, self.port + 1, source, source + 1, ssrc, payload_type, sequence)

    def read(self, count: int) -> list[Packet]:
        """So many packets; fails if fewer arrive."""
        return [self._read() for _ in range(count)]

    def read_all(self) -> list[Packet]:
        """Those that have arrived: on the loopback, all that were sent."""
        self.socket.setblocking(False)
        try:
            return list(self._drain())
        finally:
            self.socket.settimeout(5)

    def _drain(self) -> Iterator[Packet]:
        while True:
            try:
                yield self._read()
            except BlockingIOError:
                return

    def _read(self) -> Packet:
        data, address = self.socket.recvfrom(65_536)
        first, second, sequence, timestamp, ssrc = struct.unpack_from(">BBHII", data)
        assert first == 0x80
        return Packet(sequence, timestamp, second > 127, data[12:], len(data), second & 127, ssrc, address[1])

    def close(self) -> None:
        self.socket.close()


def nal_units(payloads: Iterable[bytes]) -> list[bytes]:
    """Reassemble the NAL units (RFC 6184), strictly: fragments must have one start and one end."""
    units: list[bytes] = []
    fragments: list[bytes] | None = None
    for payload in payloads:
        kind = payload[0] & 31
        assert fragments is None or kind == 28
        if kind == 24:
            at = 1
            while at < len(payload):
                size = int.from_bytes(payload[at : at + 2], "big")
                units.append(payload[at + 2 : at + 2 + size])
                at += 2 + size
            assert at == len(payload)
        elif kind == 28:
            if payload[1] & 0x80:
                assert fragments is None
                assert not payload[1] & 0x40
                fragments = [bytes((payload[0] & 0xE0 | payload[1] & 31,))]
            assert fragments is not None
            fragments.append(payload[2:])
            if payload[1] & 0x40:
                units.append(b"".join(fragments))
                fragments = None
        else:
            assert 0 < kind < 24
            units.append(payload)
    return units
