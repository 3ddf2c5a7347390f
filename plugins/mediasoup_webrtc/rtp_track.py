"""A track of a device at the SFU: RTP headers of our own, and the UDP socket from which the SFU accepts them."""

import contextlib
import errno
import socket
import struct

from plugins.mediasoup_webrtc.rtp import TrackPorts

HEADER_BYTES = 12
#: A gap in sequence numbers is shown to players up to this size: mediasoup takes one of 3,000 for another stream.
_MAX_LOST = 1000

_UDP_SEGMENT = 103  # linux/udp.h; not in Python's socket module
#: Limits of the kernel for one call: UDP_MAX_SEGMENTS, and the bytes of a datagram before it is cut.
_MAX_SEGMENTS = 64
_MAX_BURST_BYTES = 65_000
_SEND_BUFFER_BYTES = 1 << 20
#: Packets that wait for `flush` at most.
_MAX_PENDING = 256

_HEADER = struct.Struct(">BBHII")


class PacketSocket:
    """A UDP socket that never blocks and never raises: a packet that cannot be sent is dropped and counted."""

    #: Whether the kernel cuts bursts into packets (UDP_SEGMENT); found out once per process.
    can_segment = True

    def __init__(self, ports: TrackPorts) -> None:
        """Raises OSError if the source port is taken."""
        self.sent = 0
        self.dropped = 0
        family = socket.AF_INET6 if ":" in ports.ip else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
                # Nothing is read: the SFU's reports have a port of their own.
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 0)
            self._socket.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", ports.source_rtp_port))  # noqa: S104
            self._socket.connect((ports.ip, ports.rtp_port))
        except BaseException:
            self._socket.close()
            raise

    def connect(self, ports: TrackPorts) -> None:
        """Send to another port of the SFU, from the same source port."""
        self._socket.connect((ports.ip, ports.rtp_port))

    def close(self) -> None:
        """May be called twice."""
        self._socket.close()

    def send(self, packets: list[bytes]) -> None:
        """Send packets in order, in as few system calls as possible."""
        at, count = 0, len(packets)
        while at < count:
            end = self._end_of_burst(packets, at) if self.can_segment else at + 1
            if end - at == 1 or not self._send_burst(packets[at:end]):
                for packet in packets[at:end]:
                    self._send_one(packet)
            at = end

    @staticmethod
    def _end_of_burst(packets: list[bytes], at: int) -> int:
        """The end of those packets that are of one size, and of the smaller one after them."""
        size, total, end = len(packets[at]), 0, at
        for packet in packets[at : at + _MAX_SEGMENTS]:
            total += len(packet)
            if len(packet) > size or total > _MAX_BURST_BYTES:
                break
            end += 1
            if len(packet) < size:
                break
        return end

    def _send_burst(self, packets: list[bytes]) -> bool:
        """Returns False if the packets must be sent one by one."""
        size = struct.pack("H", len(packets[0]))
        try:
            self._socket.sendmsg(packets, [(socket.IPPROTO_UDP, _UDP_SEGMENT, size)])
        except OSError as error:
            if error.errno in (errno.EIO, errno.EINVAL, errno.ENOPROTOOPT, errno.EOPNOTSUPP):
                PacketSocket.can_segment = False
                return False
            if error.errno == errno.EMSGSIZE:
                return False
            self.dropped += len(packets)
            return True
        self.sent += len(packets)
        return True

    def _send_one(self, packet: bytes) -> None:
        try:
            self._socket.send(packet)
        except OSError:
            self.dropped += 1
        else:
            self.sent += 1


class RtpTrack:
    """Numbers the packets of one track, and sends those that came together at once."""

    def __init__(self, ports: TrackPorts, sequence: int) -> None:
        self.ports = ports
        self._socket = PacketSocket(ports)
        self._sequence = sequence & 0xFFFF
        self._skipped = 0
        self._pending: list[bytes] = []
        self._sent_before = 0

    @property
    def sent(self) -> int:
        """Packets that the kernel has taken."""
        return self._sent_before + self._socket.sent

    @property
    def dropped(self) -> int:
        """Packets that the kernel refused, since the socket was opened."""
        return self._socket.dropped

    def move(self, ports: TrackPorts) -> None:
        """Send from and to these ports; the sequence goes on. Raises OSError if the source port is taken."""
        if ports == self.ports:
            return
        if ports.source_rtp_port == self.ports.source_rtp_port and (":" in ports.ip) == (":" in self.ports.ip):
            self._socket.connect(ports)
        else:
            opened = PacketSocket(ports)
            self._sent_before += self._socket.sent
            self._socket.close()
            self._socket = opened
        self.ports = ports

    def add(self, payload: bytes, timestamp: int, *, is_marked: bool) -> None:
        """Send this payload with the next `flush`."""
        ports = self.ports
        kind = ports.payload_type | 0x80 if is_marked else ports.payload_type
        self._pending.append(_HEADER.pack(0x80, kind, self._sequence, timestamp, ports.ssrc) + payload)
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._skipped = 0
        if len(self._pending) >= _MAX_PENDING:
            self.flush()

    def skip(self, packets: int) -> None:
        """Leave a gap in the sequence for packets that were lost."""
        packets = max(0, min(packets, _MAX_LOST - self._skipped))
        self._skipped += packets
        self._sequence = (self._sequence + packets) & 0xFFFF

    def flush(self) -> None:
        pending = self._pending
        if pending:
            self._pending = []
            self._socket.send(pending)

    def close(self) -> None:
        """May be called twice."""
        self._pending = []
        self._socket.close()
