"""RTP and RTCP of one track by UDP: a pair of ports that takes packets of the camera's address alone."""

import asyncio
import contextlib
import ipaddress
import socket
import time
from collections.abc import Callable

from workers.rtp.units import SourceError
from workers.rtsp.flow import TrackFlow

_ATTEMPTS = 32
_RECEIVE_BUFFER = 2 * 1024 * 1024
#: Datagrams that are taken at once, before other cameras have their turn.
_BATCH = 64
#: What opens the way back through a firewall: an empty RTP and an empty RTCP packet, as other players send.
_PUNCH_RTP = b"\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
_PUNCH_RTCP = b"\x80\xc9\x00\x01\x00\x00\x00\x00"

_buffer = bytearray(65536)
_view = memoryview(_buffer)


class UdpTrack:
    """The ports of one track. `open` before SETUP, `connect` with the camera's answer; `close` may be called twice."""

    def __init__(
        self, flow: TrackFlow, camera: str, on_batch: Callable[[], None], on_failure: Callable[[Exception], None]
    ) -> None:
        self.port = 0
        self.packets = 0
        self.bytes = 0
        self.heard_at = 0.0
        self.handler: Callable[[bytes, float], None] = flow.observe
        self._flow = flow
        self._camera = camera.partition("%")[0]
        self._on_batch = on_batch
        self._on_failure = on_failure
        self._sockets: list[socket.socket] = []
        self._destinations: list[tuple[str, int]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def open(self, local: str) -> None:
        """Bind an even port and the next one on the local address of the RTSP connection; raises SourceError."""
        version = ipaddress.ip_address(local.partition("%")[0]).version
        family = socket.AF_INET6 if version == 6 else socket.AF_INET
        for _ in range(_ATTEMPTS):
            pair = [socket.socket(family, socket.SOCK_DGRAM) for _ in range(2)]
            try:
                port = _bind_even(pair[0], local)
                pair[1].bind((local, port + 1))
            except OSError:
                for item in pair:
                    item.close()
                continue
            self.port, self._sockets = port, pair
            break
        else:
            raise SourceError("port_in_use")
        for item, receive in zip(pair, (self._receive_rtp, self._receive_rtcp), strict=True):
            item.setblocking(False)
            with contextlib.suppress(OSError):
                item.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            self._loop.add_reader(item.fileno(), receive)

    def connect(self, server_ports: tuple[int, int] | None) -> None:
        """Send to the camera's ports, so that firewalls let its packets in; never to another address than its own."""
        if server_ports and all(server_ports):
            self._destinations = [(self._camera, port) for port in server_ports]
            self._send(0, _PUNCH_RTP)
            self._send(1, _PUNCH_RTCP)

    def send_report(self, report: bytes) -> None:
        """Send RTCP to the camera."""
        self._send(1, report)

    def close(self) -> None:
        """Close the ports."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        sockets, self._sockets = self._sockets, []
        for item in sockets:
            self._loop.remove_reader(item.fileno())
            item.close()

    def _send(self, which: int, data: bytes) -> None:
        if self._destinations and self._sockets:
            with contextlib.suppress(OSError):
                self._sockets[which].sendto(data, self._destinations[which])

    def _receive_rtp(self) -> None:
        try:
            self._take_waiting(0, self.handler)
            self._arm()
        except Exception as error:
            self._on_failure(error)

    def _receive_rtcp(self) -> None:
        try:
            self._take_waiting(1, self._flow.take_rtcp)
        except Exception as error:
            self._on_failure(error)

    def _take_waiting(self, which: int, handler: Callable[[bytes, float], None]) -> None:
        now = time.monotonic()
        camera = self._camera
        has_packets = False
        for _ in range(_BATCH):
            if not self._sockets:
                return
            try:
                size, address = self._sockets[which].recvfrom_into(_buffer)
            except (BlockingIOError, InterruptedError):
                break
            except OSError:
                # An answer to what was sent before the camera listened.
                continue
            if address[0].partition("%")[0] != camera:
                continue
            self.heard_at = now
            self.packets += 1
            self.bytes += size
            has_packets = True
            handler(bytes(_view[:size]), now)
        if has_packets:
            self._on_batch()

    def _arm(self) -> None:
        """Have packets that wait for a missing one passed on in time, though no other comes."""
        deadline = self._flow.reorder.deadline if self._flow.reorder else None
        if deadline is not None and self._timer is None and self._sockets:
            self._timer = self._loop.call_later(max(0.0, deadline - time.monotonic()), self._pass_late)

    def _pass_late(self) -> None:
        self._timer = None
        try:
            self._flow.reorder.flush(time.monotonic())
            self._on_batch()
            self._arm()
        except Exception as error:
            self._on_failure(error)


def _bind_even(item: socket.socket, local: str) -> int:
    """Bind to any even port of an address; raises OSError."""
    item.bind((local, 0))
    port = item.getsockname()[1]
    if port % 2:
        raise OSError("the port is odd")
    return port
