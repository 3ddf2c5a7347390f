"""Clients that hold on to the web process: they wait, stall or send slowly. A program of its own: `python -m
bench.web_load`."""

import argparse
import asyncio
import contextlib
import json
import random
import re
import resource
import socket
import sys

#: A slow sender sends this often, one header line or one byte.
_SLOW_SECONDS = 5.0
#: A client that was refused or cut off comes back after this time; a player that gets its playlist at once asks again.
_AGAIN_SECONDS = 1.0


class Load:
    """The clients, and what became of them."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.counts = {"playlists": 0, "refused": 0, "cut off": 0, "holding": 0}

    async def wait_for_playlists(self, path: str, query: str) -> None:
        """A player: blocking reloads, one after the other."""
        while True:
            async with self._connection() as (reader, writer):
                while True:
                    started = asyncio.get_running_loop().time()
                    writer.write(f"GET {path}?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                    status, headers = await _read_head(reader)
                    playlist = await reader.readexactly(int(headers.get("content-length", 0)))
                    query = _next_query(playlist) or query
                    self.counts["playlists" if status == 200 else "refused"] += 1
                    if asyncio.get_running_loop().time() - started < _AGAIN_SECONDS:
                        await asyncio.sleep(_AGAIN_SECONDS)
                    if headers.get("connection") == "close":
                        break

    async def stall(self, path: str) -> None:
        """A download that is never read."""
        while True:
            async with self._connection(receive_bytes=8192) as (reader, writer):
                writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                status, _ = await _read_head(reader)
                self.counts["refused"] += status != 200
                writer.transport.pause_reading()
                await asyncio.sleep(3600)

    async def send_slowly(self, head: bytes, piece: bytes) -> None:
        """A request whose head or body never ends."""
        while True:
            async with self._connection() as (reader, writer):
                writer.write(head)
                while not reader.at_eof():
                    writer.write(piece)
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(reader.read(65536), _SLOW_SECONDS)

    @contextlib.asynccontextmanager
    async def _connection(self, receive_bytes: int | None = None):
        await asyncio.sleep(random.random() * _AGAIN_SECONDS)
        sock = socket.socket()
        sock.setblocking(False)
        if receive_bytes:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        writer = None
        try:
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self._port))
            reader, writer = await asyncio.open_connection(sock=sock, limit=1 << 16)
            self.counts["holding"] += 1
            try:
                yield reader, writer
            finally:
                self.counts["holding"] -= 1
        except (OSError, asyncio.IncompleteReadError):
            self.counts["cut off"] += 1
        finally:
            sock.close() if writer is None else writer.transport.abort()


def _next_query(playlist: bytes) -> str | None:
    """The query for the part after the last one."""
    found = re.search(rb"#EXT-X-MEDIA-SEQUENCE:(\d+)", playlist)
    if found is None:
        return None
    *segments, rest = playlist.split(b"#EXTINF")
    newest = rest.partition(b".m4s")[2] if segments else rest
    return f"_HLS_msn={int(found[1]) + len(segments)}&_HLS_part={newest.count(b'#EXT-X-PART:')}"


async def _read_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    fields = (line.partition(":") for line in head[1:] if line)
    return int(head[0].split(" ")[1]), {name.lower(): value.strip() for name, _, value in fields}


async def run(arguments: argparse.Namespace) -> None:
    load = Load(arguments.port)
    slow_body = b"POST /api/v1/devices HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    clients = [
        *(load.wait_for_playlists(path, arguments.query) for path in arguments.playlist * arguments.waiters),
        *(load.stall(arguments.file) for _ in range(arguments.stalled)),
        *(load.send_slowly(b"GET / HTTP/1.1\r\n", b"X-Slow: 1\r\n") for _ in range(arguments.heads)),
        *(load.send_slowly(slow_body + b"Content-Length: 1000\r\n\r\n", b" ") for _ in range(arguments.bodies)),
    ]
    tasks = [asyncio.ensure_future(client) for client in clients]
    while True:
        await asyncio.sleep(1)
        for task in tasks:
            if task.done():
                task.result()
        print(json.dumps(load.counts), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.web_load", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--playlist", action="append", default=[], help="path of a live playlist; may be repeated")
    parser.add_argument("--query", default="", help="query of a blocking reload")
    parser.add_argument("--file", default="/", help="path of a large file")
    parser.add_argument("--waiters", type=int, default=0, help="players of each playlist")
    for name in ("stalled", "heads", "bodies"):
        parser.add_argument(f"--{name}", type=int, default=0)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
