"""A fake SFU: the control interface over a real WebSocket, with configurable answers; it can be stopped."""

import asyncio
import http
import json
from collections.abc import Callable
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve

from tests.plugins.mediasoup_webrtc.rtp_packets import free_udp_port
from workers.streams.loop import MediaLoop


def track(port: int) -> dict[str, Any]:
    """A track of the SFU's answer to `ingest.open`; the sender can bind its source port."""
    source = free_udp_port()
    return {
        "ip": "127.0.0.1",
        "rtp_port": port,
        "rtcp_port": port + 1,
        "source_rtp_port": source,
        "source_rtcp_port": source + 1,
        "ssrc": 1234,
        "payload_type": 101,
        "sequence": 7,
    }


class FakeSfu:
    """Runs on a media loop. `requests` holds the method and data of each request so far."""

    def __init__(self, loop: MediaLoop, key: str) -> None:
        self.requests: list[tuple[str, dict]] = []
        self.connections = 0
        self.answers: dict[str, Callable[[dict], Any]] = {
            "ingest.open": self._open,
            "ingest.stats": self._stats,
            "resync": lambda _: {"closed": []},
        }
        #: The tracks of each room, and the viewers that `ingest.open` reports.
        self.rooms: dict[str, dict[str, Any]] = {}
        self.viewers = 0
        self.next_port = 20000
        self._loop, self._key = loop, key
        self._server: Server | None = None
        self._sockets: set[ServerConnection] = set()
        self.port = 0

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def start(self) -> "FakeSfu":
        """Listen, on the same port as before if there was one."""
        self._loop.run(self._start(), timeout_seconds=5)
        return self

    def stop(self) -> None:
        """Close all connections and stop listening; may be called twice."""
        self._loop.run(self._stop(), timeout_seconds=5)

    def say(self, text: str) -> None:
        """Send a text to all connected clients."""

        async def send() -> None:
            for socket in list(self._sockets):
                await socket.send(text)

        self._loop.run(send(), timeout_seconds=5)

    def methods(self) -> list[str]:
        return [method for method, _ in self.requests]

    def asked(self, method: str) -> list[dict]:
        """The data of each request of a method."""
        return [data for name, data in self.requests if name == method]

    def _open(self, data: dict) -> dict:
        device, audio = data["device_id"], data["audio"]
        if device not in self.rooms or data.get("fresh"):
            wanted = data.get("ports") or {}
            self.rooms[device] = {
                kind: track(self.next_port + at) | wanted.get(kind, {}) for at, kind in enumerate(("video", "audio"))
            }
            self.next_port += 10
        room = self.rooms[device]
        return {"video": room["video"], "audio": room["audio"] if audio else None, "viewers": self.viewers}

    def _stats(self, data: dict) -> dict:
        return {name: {"viewers": self.viewers, "video": None} for name in data["device_ids"] if name in self.rooms}

    async def _start(self) -> None:
        self._server = await serve(self._serve, "127.0.0.1", self.port, process_request=self._check)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await asyncio.wait_for(self._server.wait_closed(), 4)
            self._server = None

    def _check(self, connection: ServerConnection, request: Any) -> Any:
        if request.path != "/control" or request.headers.get("Authorization") != f"Bearer {self._key}":
            return connection.respond(http.HTTPStatus.UNAUTHORIZED, "no\n")
        return None

    async def _serve(self, socket: ServerConnection) -> None:
        self.connections += 1
        self._sockets.add(socket)
        try:
            async for text in socket:
                message = json.loads(text)
                self.requests.append((message["method"], message["data"]))
                answer = self.answers.get(message["method"], lambda _: {})(message["data"])
                if answer is None:
                    continue
                if isinstance(answer, Exception):
                    reply = {"ok": False, "error": {"code": "no_ports", "message": str(answer)}}
                else:
                    reply = {"ok": True, "data": answer}
                await socket.send(json.dumps({"id": message["id"], **reply}))
        finally:
            self._sockets.discard(socket)
