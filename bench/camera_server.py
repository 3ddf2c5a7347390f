"""Many cameras at the cost of one, over TCP and UDP: `python -m bench.camera_server --count 30`.

Like tests/cameras/load_server.py, but also over UDP, which the peer needs. It prints one JSON line when it listens,
answers each line on stdin with its statistics, and exits at the end of stdin.
"""

import argparse
import asyncio
import dataclasses
import json
import socket
import sys

from tests.cameras.encoded import LoopSettings
from tests.cameras.load_server import LoopServer
from tests.cameras.rtsp import Connection, Reply, Request

_FRAMING = 4  # bytes before each packet over TCP: $, channel, length


class UdpTransport:
    """Sends packets that are framed for TCP as datagrams, with the interface of an asyncio transport for LoopServer."""

    def __init__(self, ports: tuple[int, int], control: asyncio.WriteTransport) -> None:
        """`ports` are the client's for RTP and RTCP; the transport closes with the RTSP connection `control`."""
        self._control = control
        self.sockets = [_bind(), _bind()]
        for item, port in zip(self.sockets, ports, strict=True):
            item.connect(("127.0.0.1", port))

    @property
    def transport(self) -> "UdpTransport":
        return self

    @property
    def ports(self) -> list[int]:
        return [item.getsockname()[1] for item in self.sockets]

    def is_closing(self) -> bool:
        return self._control.is_closing()

    def get_write_buffer_size(self) -> int:
        return 0

    def write(self, framed: bytes) -> None:
        view, at = memoryview(framed), 0
        while at < len(view):
            size = int.from_bytes(view[at + 2 : at + _FRAMING], "big")
            at += _FRAMING
            try:
                self.sockets[0].send(view[at : at + size])
            except (BlockingIOError, ConnectionRefusedError):
                return
            at += size

    def close(self) -> None:
        for item in self.sockets:
            item.close()


class BothWaysServer(LoopServer):
    """A LoopServer that also accepts SETUP requests for UDP."""

    def __init__(self, settings: LoopSettings, count: int) -> None:
        super().__init__(settings, count)
        self._udp: dict[Connection, UdpTransport] = {}

    async def answer(self, connection: Connection, request: Request) -> Reply:
        wanted = request.headers.get("transport", "")
        if request.method != "SETUP" or "TCP" in wanted or "client_port=" not in wanted:
            return await super().answer(connection, request)
        first, _, second = wanted.partition("client_port=")[2].partition(";")[0].partition("-")
        sender = UdpTransport((int(first), int(second or int(first) + 1)), connection.writer.transport)
        self._udp[connection] = sender
        connection.channels[request.path.rpartition("track=")[2]] = 0
        ports = "-".join(map(str, sender.ports))
        return Reply(
            headers={
                "Session": "1;timeout=60",
                "Transport": f"RTP/AVP;unicast;client_port={first}-{second};server_port={ports}",
            }
        )

    async def send_media(self, connection: Connection) -> None:
        sender = self._udp.pop(connection, None)
        if sender is None:
            await super().send_media(connection)
            return
        try:
            await super().send_media(dataclasses.replace(connection, writer=sender))
        finally:
            sender.close()


def _bind() -> socket.socket:
    item = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    item.setblocking(False)
    item.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    item.bind(("127.0.0.1", 0))
    return item


def main() -> None:
    """Serve until the end of stdin."""
    parser = argparse.ArgumentParser(description="many RTSP cameras that play one encoded loop, over TCP and UDP")
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--gop-seconds", type=float, default=2.0)
    options = parser.parse_args()
    with BothWaysServer(LoopSettings(gop_seconds=options.gop_seconds), options.count) as server:
        print(json.dumps({"urls": server.urls}), flush=True)
        for _ in sys.stdin:
            print(json.dumps({"dropped": server.dropped, "clients": server.open_connections}), flush=True)


if __name__ == "__main__":
    main()
