"""An HTTP camera that sends JPEG pictures as a stream or one at a time, in the many ways of cameras, and wrongly."""

from __future__ import annotations

import base64
import hashlib
import io
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from PIL import Image, ImageDraw


def make_picture(number: int = 0, size: tuple[int, int] = (320, 192), **options: Any) -> bytes:
    """A JPEG that shows its number."""
    image = Image.new("RGB", size, (number * 37 % 256, 90, 160))
    ImageDraw.Draw(image).text((10, 10), str(number), fill="white")
    found = io.BytesIO()
    image.save(found, "JPEG", **options)
    return found.getvalue()


@dataclass(frozen=True)
class HttpBehaviour:
    """What the camera does at one path."""

    status: str = "200 OK"
    content_type: str | None = 'multipart/x-mixed-replace; boundary="frame"'
    headers: tuple[str, ...] = ()
    #: Builds the bytes of one part from a picture.
    part: Callable[[bytes], bytes] = lambda picture: (
        b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(picture) + picture + b"\r\n"
    )
    fps: float = 10.0
    #: Pictures after which the camera closes the connection; None: it goes on.
    pictures: int | None = None
    is_chunked: bool = False
    is_silent: bool = False
    #: What is sent instead of the reply.
    raw: bytes | None = None
    login: tuple[str, str] | None = None
    algorithm: str | None = None
    redirect: str | None = None


STREAM = HttpBehaviour()
SINGLE = HttpBehaviour(content_type="image/jpeg", part=lambda picture: picture, pictures=1)


@dataclass
class HttpCamera:
    """The server; behaviours by path. Use it as a context manager."""

    paths: dict[str, HttpBehaviour] = field(default_factory=lambda: {"/": STREAM})
    context: ssl.SSLContext | None = None
    picture: Callable[[int], bytes] = make_picture

    def __post_init__(self) -> None:
        self.requests: list[str] = []
        self.logins: list[str] = []
        self.sent = 0
        self._is_closing = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._connections: list[socket.socket] = []

    def __enter__(self) -> HttpCamera:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_closing = True
        # `close` alone does not end an `accept` that waits in another thread.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop()

    def drop(self) -> None:
        """Cut all connections."""
        for connection in self._connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
            finally:
                connection.close()
        self._connections.clear()

    def url(self, path: str = "/", login: str = "") -> str:
        return f"{'https' if self.context else 'http'}://{login}127.0.0.1:{self.port}{path}"

    def behave(self, path: str = "/", **changes: Any) -> None:
        self.paths[path] = replace(self.paths.get(path, STREAM), **changes)

    def _accept(self) -> None:
        while not self._is_closing:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
            self._connections.append(connection)
            self._answer(connection)
        except OSError:
            return
        finally:
            connection.close()

    def _answer(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            data = connection.recv(4096)
            if not data:
                return
            head += data
            if head.startswith(b"\x16"):
                # TLS where there is none.
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                return
        text = head.decode("latin-1")
        path = text.split(" ")[1]
        self.requests.append(text)
        behaviour = self.paths.get(path)
        if behaviour is None:
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        elif behaviour.is_silent:
            self._wait(connection)
        elif behaviour.login is not None and not self._is_logged_in(behaviour, text, path):
            digest = f'Digest realm="cam", nonce="n1", qop="auth", algorithm={behaviour.algorithm}'
            challenge = digest if behaviour.algorithm else 'Basic realm="cam"'
            connection.sendall(
                f"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: {challenge}\r\nContent-Length: 0\r\n\r\n".encode()
            )
        elif behaviour.redirect is not None:
            connection.sendall(f"HTTP/1.1 302 Found\r\nLocation: {behaviour.redirect}\r\n\r\n".encode())
        elif behaviour.raw is not None:
            connection.sendall(behaviour.raw)
        else:
            self._send(connection, behaviour)

    def _is_logged_in(self, behaviour: HttpBehaviour, text: str, path: str) -> bool:
        line = next((one for one in text.split("\r\n") if one.lower().startswith("authorization:")), None)
        if line is None:
            return False
        self.logins.append(line)
        user, password = behaviour.login
        if behaviour.algorithm is None:
            return line.split()[-1] == base64.b64encode(f"{user}:{password}".encode()).decode()
        values = {
            name.strip(): value.strip().strip('"')
            for name, _, value in (one.partition("=") for one in line.split("Digest ", 1)[1].split(", "))
        }
        name = {"MD5": "md5", "SHA-256": "sha256"}[behaviour.algorithm]
        first, second = (
            hashlib.new(name, one.encode()).hexdigest() for one in (f"{user}:cam:{password}", f"GET:{path}")
        )
        proof = f"{first}:n1:{values['nc']}:{values['cnonce']}:auth:{second}"
        return values["response"] == hashlib.new(name, proof.encode()).hexdigest()

    def _send(self, connection: socket.socket, behaviour: HttpBehaviour) -> None:
        lines = [f"HTTP/1.1 {behaviour.status}", "Server: pictures", *behaviour.headers]
        if behaviour.content_type is not None:
            lines.append(f"Content-Type: {behaviour.content_type}")
        if behaviour.is_chunked:
            lines.append("Transfer-Encoding: chunked")
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        count = 0
        while not self._is_closing and (behaviour.pictures is None or count < behaviour.pictures):
            data = behaviour.part(self.picture(self.sent))
            if behaviour.is_chunked:
                # Chunks that respect no boundary.
                pieces = [data[at : at + 1000] for at in range(0, len(data), 1000)]
                data = b"".join(b"%x\r\n" % len(piece) + piece + b"\r\n" for piece in pieces)
            connection.sendall(data)
            self.sent += 1
            count += 1
            if behaviour.pictures is None or count < behaviour.pictures:
                time.sleep(1 / behaviour.fps)
        if behaviour.is_chunked:
            connection.sendall(b"0\r\n\r\n")

    @staticmethod
    def _wait(connection: socket.socket) -> None:
        while connection.recv(4096):
            continue
