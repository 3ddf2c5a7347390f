"""The detector `http` asks a service that may be slow, wrong or hostile."""

import http.server
import json
import threading

import pytest

from gateway.detectors import Frame
from gateway.devices.sources import AddressNotAllowed
from gateway.errors import InvalidValue
from plugins.ai_analytics.detectors.http import HttpDetector, HttpDetectorError
from tests.factories import make_config

BOX = {"label": "person", "score": 0.9, "x": 0.1, "y": 0.2, "width": 0.3, "height": 0.4}


class Service(http.server.ThreadingHTTPServer):
    """Answers with `status` and `body`; keeps what it was sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status, self.body, self.headers = 200, json.dumps([BOX]).encode(), {}
        self.asked: list[tuple[str, dict, bytes]] = []
        self.hold = threading.Event()
        self.hold.set()
        self.url = f"http://127.0.0.1:{self.server_port}/detect?model=a"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        service = self.server
        data = self.rfile.read(int(self.headers["Content-Length"]))
        service.asked.append((self.path, dict(self.headers), data))
        service.hold.wait(10)
        self.send_response(service.status)
        for name, value in service.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(service.body)))
        self.end_headers()
        self.wfile.write(service.body)

    def log_message(self, *_values) -> None:
        return


@pytest.fixture
def service():
    server = Service()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield server
    server.hold.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def session(service):
    detector = HttpDetector(make_config(allow_loopback_sources=True))
    session = detector.open({"http_url": service.url, "http_token": "secret", "http_timeout_seconds": 1})
    yield session
    session.close()


def frame() -> Frame:
    return Frame("d1", 1_700_000_000_123, 64, 36, bytes(64 * 36 * 3))


def test_a_picture_is_posted_as_jpeg_with_its_time_and_boxes_come_back(service, session):
    (one,) = session.detect(frame())
    session.detect(frame())
    assert (one.label, one.score) == ("person", 0.9)
    path, headers, data = service.asked[0]
    assert path == "/detect?model=a"
    assert data.startswith(b"\xff\xd8")
    assert headers["Authorization"] == "Bearer secret"
    assert (headers["X-Device-Id"], headers["X-Capture-Time-Ms"]) == ("d1", "1700000000123")


def test_boxes_may_be_in_an_object(service, session):
    service.body = json.dumps({"detections": [BOX, BOX]}).encode()
    assert len(session.detect(frame())) == 2


@pytest.mark.parametrize(
    ("status", "body", "part"),
    [
        (500, b"[]", "status 500"),
        (302, b"[]", "redirects"),
        (200, b"<html>", "no JSON"),
        (200, b"[" * 100_000, "no JSON"),
        (200, b"[]" + b" " * (300 << 10), "more than"),
        (200, b'[["person", NaN, 0, 0, 1, 1]]', "nonsense"),
        (200, b'{"boxes": 1}', "nonsense"),
        (200, b'"yes"', "nonsense"),
    ],
)
def test_wrong_answers_are_named(service, session, status, body, part):
    service.status, service.body, service.headers = status, body, {"Location": "http://127.0.0.1:1/"}
    with pytest.raises(HttpDetectorError, match=part):
        session.detect(frame())
    service.status, service.body = 200, b"[]"
    assert session.detect(frame()) == []


def test_a_service_that_does_not_answer_is_named(service, session):
    service.hold.clear()
    with pytest.raises(HttpDetectorError, match="does not answer"):
        session.detect(frame())


def test_a_connection_that_the_service_closed_is_opened_again(service, session):
    session.detect(frame())
    session._connection.sock.shutdown(2)
    assert len(session.detect(frame())) == 1


def test_addresses_that_are_not_allowed_are_refused():
    detector = HttpDetector(make_config(allow_loopback_sources=False))
    for url in ("http://127.0.0.1/", "http://169.254.169.254/latest", "http://localhost:80/", "http://[::1]/"):
        with pytest.raises(AddressNotAllowed):
            detector.open({"http_url": url})
    for url in ("ftp://example.com/", "file:///etc/passwd", "example.com"):
        with pytest.raises(InvalidValue):
            detector.open({"http_url": url})
    with pytest.raises(HttpDetectorError, match="'http_url'"):
        detector.open({})


def test_nothing_listens():
    session = HttpDetector(make_config(allow_loopback_sources=True)).open({"http_url": "http://127.0.0.1:1/"})
    with pytest.raises(HttpDetectorError, match="does not answer"):
        session.detect(frame())
