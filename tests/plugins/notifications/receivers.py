"""Receivers for tests: an HTTP server with bad habits, a mail server, a broker."""

import http.server
import os
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope

from tests.conftest import free_port, wait_until


@dataclass
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


class HttpReceiver:
    """Answers by the path: `/ok`, `/status/500`, `/redirect`, `/big`, `/never`, `/drip`, `/garbage`."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.sent_bytes = 0
        self.answer: Callable[[Received], int] = lambda request: 200
        self.ended = threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                receiver.received.append(
                    Received(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                )
                try:
                    receiver.reply(self)
                except OSError:
                    self.close_connection = True

            def log_message(self, *_arguments: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True).start()

    def url(self, path: str = "/ok") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def reply(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        path = handler.path
        if path == "/never":
            self.ended.wait(60)
        elif path == "/drip":
            handler.send_response(200)
            handler.send_header("Content-Length", "100")
            handler.end_headers()
            while not self.ended.wait(0.05):
                handler.wfile.write(b".")
        elif path == "/big":
            handler.send_response(200)
            handler.send_header("Content-Length", str(10 << 20))
            handler.end_headers()
            for _ in range(160):
                handler.wfile.write(b"x" * 65536)
                self.sent_bytes += 65536
        elif path == "/redirect":
            handler.send_response(302)
            handler.send_header("Location", self.url("/ok"))
            handler.send_header("Content-Length", "0")
            handler.end_headers()
        elif path == "/garbage":
            handler.wfile.write(b"\x00\xff SSH-2.0-x\r\n\r\n")
            handler.close_connection = True
        else:
            status = int(path.rpartition("/")[2]) if path.startswith("/status/") else self.answer(self.received[-1])
            handler.send_response(status)
            handler.send_header("Content-Length", "6")
            handler.send_header("Retry-After", "120")
            handler.end_headers()
            handler.wfile.write(b"answer")

    def close(self) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()


@dataclass
class MailBox:
    """What aiosmtpd hands over. `refusal` is the answer to DATA."""

    mails: list[Envelope] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)
    refusal: str | None = None

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:
        if self.refusal:
            return self.refusal
        self.mails.append(envelope)
        return "250 OK"

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"right", handled=False)


class MailServer:
    """A mail server with STARTTLS and a login, or with TLS."""

    def __init__(self, certificate: Path, *, is_tls: bool = False) -> None:
        self.box = MailBox()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.port = free_port()
        options: dict[str, Any] = {"ssl_context": context} if is_tls else {"tls_context": context}
        self._controller = Controller(
            self.box,
            hostname="127.0.0.1",
            port=self.port,
            authenticator=self.box.authenticate,
            auth_require_tls=not is_tls,
            **options,
        )
        self._controller.start()

    def close(self) -> None:
        self._controller.stop(no_assert=True)


class Broker:
    """A mosquitto of one's own, with a user, or with TLS."""

    def __init__(self, folder: Path, *, certificate: Path | None = None) -> None:
        self.port = free_port()
        self._folder = folder
        passwords = folder / "passwords"
        subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "vas", "right"], check=True, timeout=20)
        passwords.chmod(0o644)
        lines = [f"listener {self.port} 127.0.0.1", f"password_file {passwords}", "allow_anonymous false"]
        if certificate is not None:
            lines += [f"certfile {certificate}", f"keyfile {certificate}"]
        if os.geteuid() == 0:
            lines.append("user root")
        (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
        self._process: subprocess.Popen | None = None
        self.start()

    def start(self) -> None:
        log = (self._folder / "log").open("ab")
        self._process = subprocess.Popen(
            [_mosquitto(), "-c", self._folder / "mosquitto.conf"], stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
        log.close()
        wait_until(self._answers, "mosquitto answers", 10)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def _answers(self) -> bool:
        assert self._process.poll() is None, (self._folder / "log").read_text(encoding="utf-8")
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True


def _mosquitto() -> str:
    return shutil.which("mosquitto") or "/usr/sbin/mosquitto"


def make_certificate(folder: Path) -> Path:
    """A self-signed certificate for 127.0.0.1 with its key, in one PEM file; it is its own authority."""
    path = folder / "server.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
         "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    path.write_text((folder / "key.pem").read_text() + (folder / "cert.pem").read_text())
    return path


@pytest.fixture
def receiver():
    server = HttpReceiver()
    yield server
    server.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("certificate"))
