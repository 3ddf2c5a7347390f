"""The web process as the Procfile starts it, and HTTP/1.1 spoken by hand, for clients that do not behave."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import requests

from tests.conftest import free_port
from tests.contracts.repository import ROOT

START_SECONDS = 30


def procfile_command(**variables: str) -> list[str]:
    """The command of the line `web` of the Procfile, with shell defaults replaced by `variables`."""
    (line,) = re.findall(r"^web: (.+)$", (ROOT / "Procfile").read_text(encoding="utf-8"), re.MULTILINE)
    filled = re.sub(r"\$\{(\w+):-([^}]*)\}", lambda found: variables.get(found[1], found[2]), line)
    return shlex.split(filled)


class WebProcess:
    """gunicorn with one worker and settings from `environment`; its output goes to the file `log`."""

    def __init__(self, log: Path, environment: dict[str, str], options: Sequence[str] = ()) -> None:
        self.port = free_port()
        self.log = log
        # gunicorn uses the last one of an option.
        self._command = [*procfile_command(PORT=str(self.port), **environment), *options]
        self._environment = {**os.environ, **environment, "PORT": str(self.port)}
        self._process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1"

    @property
    def pid(self) -> int:
        """The process id of gunicorn's master."""
        return self._process.pid

    def workers(self) -> list[int]:
        """The process ids of gunicorn's workers."""
        text = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(word) for word in text.split()]

    def start(self) -> None:
        program = [str(Path(sys.executable).with_name(self._command[0])), *self._command[1:]]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(program, cwd=ROOT, env=self._environment, stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                requests.get(f"{self.url}/health/live", timeout=2)
                return
            except requests.RequestException:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    self.stop()
                    raise AssertionError(f"the web process does not answer: {self.log.read_text()}") from None
                time.sleep(0.05)

    def terminate(self) -> None:
        """Ask it to stop, as a platform does."""
        self._process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float) -> int:
        """Wait until it has ended; returns its exit code."""
        return self._process.wait(seconds)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.terminate()
            try:
                self.wait(15)
            except subprocess.TimeoutExpired:
                for pid in [*self.workers(), self.pid]:
                    os.kill(pid, signal.SIGKILL)
                self.wait(10)

    def connect(self, *, receive_bytes: int | None = None) -> "RawClient":
        """A new connection; `receive_bytes` makes its receive buffer small, so that a stall is felt soon."""
        sock = socket.socket()
        if receive_bytes is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        sock.settimeout(30)
        sock.connect(("127.0.0.1", self.port))
        return RawClient(sock)


class RawReply:
    """The status, headers (lower-case names) and body of a reply."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class RawClient:
    """One connection on which a test decides about every byte."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self._held = bytearray()

    def __enter__(self) -> "RawClient":
        return self

    def __exit__(self, *_error: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def get(self, target: str, *headers: str) -> None:
        """Send a request, without reading its reply."""
        self.send("\r\n".join([f"GET {target} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode())

    def read_reply(self, *, is_head: bool = False) -> RawReply:
        """Read the next reply; raises ConnectionError if the connection ends before it."""
        while b"\r\n\r\n" not in self._held:
            self._receive()
        first, *lines = self._take(self._held.index(b"\r\n\r\n") + 4).decode("latin-1").rstrip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        status = int(first.split(" ")[1])
        if is_head or status in (204, 304) or status < 200:
            return RawReply(status, headers, b"")
        if headers.get("transfer-encoding") == "chunked":
            return RawReply(status, headers, self._read_chunks())
        length = int(headers.get("content-length", "0"))
        return RawReply(status, headers, self._take(length))

    def is_closed(self, seconds: float) -> bool:
        """Whether the server closes the connection within `seconds`; what it sends until then is dropped."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                if not self.socket.recv(65536):
                    return True
            except TimeoutError:
                return False
            except ConnectionError:
                return True
        return False

    def _read_chunks(self) -> bytes:
        body = b""
        while True:
            while b"\r\n" not in self._held:
                self._receive()
            size = int(self._take(self._held.index(b"\r\n") + 2), 16)
            body += self._take(size)
            self._take(2)
            if size == 0:
                return body

    def _take(self, size: int) -> bytes:
        while len(self._held) < size:
            self._receive()
        taken = bytes(memoryview(self._held)[:size])
        del self._held[:size]
        return taken

    def _receive(self) -> None:
        data = self.socket.recv(1 << 20)
        if not data:
            raise ConnectionError(f"the connection ended after {bytes(self._held[:200])!r}")
        self._held += data
