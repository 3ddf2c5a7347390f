"""HTTP/1.1 as the web process speaks it: framing, limits, and one shape for all errors, whoever finds them."""

import json

import pytest

from tests.factories import device_body

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SHAPE = {"code", "status", "message", "errors", "reason"}
DEVICES = "/api/v1/devices"
LIVE = "/api/v1/health/live"


def head(first: str, *lines: str) -> bytes:
    return "\r\n".join([first, *lines, "", ""]).encode("latin-1")


def post(body: bytes, *lines: str, path: str = DEVICES) -> bytes:
    return head(f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", *lines) + body


@pytest.fixture
def ask(web):
    """The reply to raw bytes on a new connection."""

    def ask(data: bytes, **options):
        with web.connect() as client:
            client.send(data)
            return client.read_reply(**options)

    return ask


#: Requests that nobody may understand in two ways, and what is too long; with the expected status.
REFUSED = {
    "no version": (b"GET /\r\n\r\n", 400),
    "another version": (b"GET / HTTP/3.0\r\n\r\n", 400),
    "a header without a colon": (head("GET / HTTP/1.1", "Host localhost"), 400),
    "a space before the colon": (head("GET / HTTP/1.1", "Host : localhost"), 400),
    "two hosts": (head("GET / HTTP/1.1", "Host: localhost", "Host: other"), 400),
    "a folded header": (head("GET / HTTP/1.1", "Host: localhost", "X: a", " b"), 400),
    "a bare line feed": (b"GET / HTTP/1.1\nHost: localhost\n\n", 400),
    "a null": (head("GET / HTTP/1.1", "Host: localhost", "X: a\0b"), 400),
    "two lengths": (post(b"{}", "Content-Length: 2", "Content-Length: 2"), 400),
    "a signed length": (post(b"{}", "Content-Length: +2"), 400),
    "a length and chunks": (post(b"0\r\n\r\n", "Content-Length: 5", "Transfer-Encoding: chunked"), 400),
    "chunks twice": (post(b"0\r\n\r\n", "Transfer-Encoding: chunked, chunked"), 400),
    "an unknown coding": (post(b"{}", "Transfer-Encoding: br"), 501),
    "a coding without chunks": (post(b"{}", "Transfer-Encoding: gzip"), 400),
    "chunks in HTTP/1.0": (head("POST / HTTP/1.0", "Transfer-Encoding: chunked") + b"0\r\n\r\n", 400),
    "another host in the target": (head("GET http://other/ HTTP/1.1", "Host: localhost"), 400),
    "no path in the target": (head("GET ftp://localhost/ HTTP/1.1", "Host: localhost"), 400),
    "a long line": (head(f"GET /{'a' * 16_400} HTTP/1.1", "Host: localhost"), 414),
    "an endless line": (b"GET /" + b"a" * 20_000, 414),
    "a long header": (head("GET / HTTP/1.1", "Host: localhost", f"X: {'a' * 9000}"), 431),
    "many headers": (head("GET / HTTP/1.1", "Host: localhost", *["X: y"] * 101), 431),
    "a large body": (post(b"", f"Content-Length: {10 << 20}"), 413),
    "a large chunked body": (
        post(b"200000\r\n" + b" " * 0x200000 + b"\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
        413,
    ),
}


def test_what_is_refused_has_the_shape_of_all_errors(ask):
    for name, (data, status) in REFUSED.items():
        reply = ask(data)
        assert (reply.status, set(reply.json), reply.json["code"]) == (status, SHAPE, status), name
        assert reply.headers["content-type"] == "application/json", name
        assert reply.headers["connection"] == "close", name
        assert len(reply.body) < 1000, name


def test_a_malformed_chunk_is_a_client_error(web):
    for chunk in (b"zz\r\n{}\r\n0\r\n\r\n", b"-2\r\n{}\r\n", b"2\r\n{}xx0\r\n\r\n", b"2 \r\n{}\r\n0\r\n\r\n"):
        with web.connect() as client:
            client.send(post(chunk, "Transfer-Encoding: chunked"))
            reply = client.read_reply()
            assert (reply.status, set(reply.json)) == (400, SHAPE), chunk
            assert client.is_closed(5), chunk


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(web):
    with web.connect() as client:
        client.send(post(b"", f"Content-Length: {1 << 30}", "Expect: 100-continue"))
        assert client.read_reply().status == 413
    body = b" " * (4 << 20)
    with web.connect() as client:
        # Sent in full all the same: the client must get to read the reply.
        client.send(post(body, f"Content-Length: {len(body)}"))
        assert client.read_reply().status == 413


def test_two_hundred_devices_fit_into_a_query(ask):
    query = "&".join(f"device_id=00000000-0000-4000-8000-{number:012}" for number in range(200))
    reply = ask(
        head(f"GET /api/v1/recordings/coverage?{query}&start=2026-01-01&end=2026-01-02 HTTP/1.1", "Host: localhost")
    )
    assert reply.status not in (400, 414, 431), reply.body


def test_a_created_device_is_the_same_whichever_way_its_body_comes(web):
    with web.connect() as client:
        for number, send in enumerate(("length", "chunks", "continue")):
            body = json.dumps(device_body(name=f"Gate {number}")).encode()
            if send == "chunks":
                pieces = b"".join(b"%x;a=b\r\n%s\r\n" % (len(part), part) for part in (body[:7], body[7:]))
                client.send(post(pieces + b"0\r\nX-Trailer: 1\r\n\r\n", "Transfer-Encoding: chunked"))
            elif send == "continue":
                client.send(post(b"", f"Content-Length: {len(body)}", "Expect: 100-continue"))
                assert client.read_reply().status == 100
                client.send(body)
            else:
                client.send(post(body, f"Content-Length: {len(body)}"))
            reply = client.read_reply()
            assert (reply.status, reply.json["name"]) == (201, f"Gate {number}"), send


def test_requests_on_one_connection_are_answered_in_their_order(web):
    with web.connect() as client:
        client.send(
            head(f"GET {LIVE} HTTP/1.1", "Host: localhost") + head(f"HEAD {DEVICES} HTTP/1.1", "Host: localhost")
        )
        client.send(head("GET /api/v1/nowhere HTTP/1.1", "Host: localhost"))
        assert client.read_reply().json == {"status": "ok"}
        reply = client.read_reply(is_head=True)
        assert (reply.status, reply.headers["content-length"]) == (200, "3")
        assert client.read_reply().status == 404
        client.get(LIVE, "Connection: close")
        assert client.read_reply().headers["connection"] == "close"
        assert client.is_closed(5)


def test_a_connection_of_http_1_0_ends_with_its_reply(web):
    """A reply without a length, such as a page, has no other end."""
    for line in ("Connection: keep-alive", "Connection: close", "X: y"):
        for path in (LIVE, "/docs/start.js"):
            with web.connect() as client:
                client.send(head(f"GET {path} HTTP/1.0", line))
                assert client.is_closed(5), (path, line)


def test_no_header_moves_the_path_of_a_request(ask):
    for line in ("SCRIPT_NAME: /nothing", "SCRIPT_NAME: /api", "script_name: api", "PATH_INFO: /", "Script-Name: /api"):
        assert ask(head(f"GET {LIVE} HTTP/1.1", "Host: localhost", line)).status == 200, line


def test_a_complete_url_as_target_is_its_path(ask):
    assert ask(head(f"GET http://localhost{LIVE} HTTP/1.1", "Host: localhost")).json == {"status": "ok"}
    assert ask(head("OPTIONS * HTTP/1.1", "Host: localhost")).status in (200, 404)
    assert ask(head("CONNECT localhost:80 HTTP/1.1", "Host: localhost")).status == 400


def test_paths_are_decoded_once_and_never_leave_the_ui(ask):
    for path in (
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2fetc/passwd",
        "/assets/..%252f..%252fetc/passwd",
        "/%00",
        "/%ff",
    ):
        reply = ask(head(f"GET {path} HTTP/1.1", "Host: localhost"))
        assert reply.status in (200, 400, 404, 503), path
        assert b"root:" not in reply.body, path


def test_ranges_and_versions_of_a_file(web, large_file):
    with web.connect() as client:
        client.get(large_file, "Range: bytes=10-19")
        reply = client.read_reply()
        assert (reply.status, len(reply.body)) == (206, 10)
        etag = reply.headers["etag"]
        client.get(large_file, f"If-None-Match: {etag}")
        assert client.read_reply().status == 304
        client.get(large_file, "Range: bytes=0-9", 'If-Range: "another"')
        assert len(client.read_reply().body) == int(reply.headers["content-range"].rpartition("/")[2])
        client.send(head(f"HEAD {large_file} HTTP/1.1", "Host: localhost"))
        assert client.read_reply(is_head=True).status == 200
        client.get(LIVE)
        assert client.read_reply().status == 200


def test_a_websocket_is_refused(ask):
    key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="
    lines = ("Host: localhost", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", key)
    assert ask(head("GET /api/v1/devices HTTP/1.1", *lines)).status == 403
