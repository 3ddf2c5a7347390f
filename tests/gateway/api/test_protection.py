"""Checks of every request and headers of every reply."""

import io
import json

import pytest
from flask import Flask, jsonify
from gunicorn.config import Config as GunicornConfig
from gunicorn.http.parser import RequestParser

from gateway.app import create_app
from tests.factories import device_body, make_config, no_plugins

URL = "/api/v1/devices"

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SHAPE = {"code", "status", "message", "errors", "reason"}


def make_client(config, **settings):
    values = {name: getattr(config, name) for name in ("database_url", "redis_url", "var_dir")}
    return create_app(make_config(**values, **settings), no_plugins()).test_client()


@pytest.mark.parametrize("host", ["a b", "x/../y", "a@b", "<x>", "a:b", "[::1", "x:123456"])
def test_a_malformed_host_is_refused(client, host):
    answer = client.get(URL, headers={"Host": host})
    assert (answer.status_code, set(answer.json)) == (400, SHAPE)


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "nonsense"]
)
def test_a_body_must_be_json(client, kind):
    answer = client.post(URL, data='{"name": "x"}', headers={"Content-Type": kind})
    assert (answer.status_code, answer.json["reason"], set(answer.json)) == (415, "unsupported_media_type", SHAPE)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[1",
        "nul",
        "[" * 100_000,
        '{"a":' * 50_000,
        "\x00",
        '{"name": NaN',
        b"\xff\xfe",
        "1" * 5000,
        '"\\ud800',
    ],
)
def test_a_malformed_body_is_a_client_error(client, body):
    answer = client.post(URL, data=body, content_type="application/json")
    assert answer.status_code in (400, 422)
    assert set(answer.json) == SHAPE


@pytest.mark.parametrize(
    "body", ["[]", "1", "null", '"x"', "true", "[{}]", "NaN", '{"name": Infinity, "source_url": 1e999}']
)
def test_json_of_another_type_is_refused(client, body):
    answer = client.post(URL, data=body, content_type="application/json")
    assert (answer.status_code, set(answer.json)) == (422, SHAPE)


def test_a_body_that_is_too_large_is_refused(config):
    client = make_client(config, max_body_bytes=2048)
    answer = client.post(URL, json=device_body(description="x" * 4000))
    assert (answer.status_code, answer.json["reason"]) == (413, "body_too_large")


def test_a_chunked_body_that_is_too_large_is_refused_and_a_small_one_accepted(config):
    client = make_client(config, max_body_bytes=2048)

    def send(body):
        return client.post(
            URL,
            input_stream=io.BytesIO(body),
            content_type="application/json",
            headers={"Transfer-Encoding": "chunked"},
            environ_overrides={"wsgi.input_terminated": True},
        )

    body = json.dumps(device_body()).encode()
    assert send(body + b" " * 4000).status_code == 413
    assert send(body).status_code == 201


@pytest.mark.parametrize(
    "chunks",
    [
        b"zz\r\n{}\r\n0\r\n\r\n",
        b"-2\r\n{}\r\n0\r\n\r\n",
        b"2 2\r\n{}\r\n0\r\n\r\n",
        b"2;\x00\r\n{}\r\n0\r\n\r\n",
        b"2\r\n{}XX0\r\n\r\n",
        b"2\r\n{}\r\n0\r\nx y\r\n\r\n",
        b"2\r\n{}\r\n0\r\na: b\n\r\n",
        b"2\r\n{}\r\n0\r\n" + b"a: b\r\n" * 200 + b"\r\n",
        b"2\r\n{}\r\n",
        b"20\r\n{}",
        b"f" * 9000,
        b"",
    ],
)
def test_a_malformed_chunked_body_is_a_client_error(client, chunks):
    """The body comes from gunicorn's own parser, whose errors are those of a running web process."""
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    received = next(RequestParser(GunicornConfig(), iter([head, chunks] if chunks else [head]), ("127.0.0.1", 1)))
    answer = client.post(
        URL,
        content_type="application/json",
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input": received.body, "wsgi.input_terminated": True},
    )
    assert (answer.status_code, answer.json["reason"], set(answer.json)) == (400, "bad_request", SHAPE)
    assert answer.json["message"] == "the request body is malformed or incomplete"


@pytest.mark.parametrize("error", [OSError("reset"), ValueError("closed"), RuntimeError("a server's own"), EOFError()])
def test_a_body_that_cannot_be_read_is_a_client_error(client, error):
    class Broken(io.RawIOBase):
        def read(self, _size=-1):
            raise error

        readinto = read

    for headers in ({"Content-Length": "10"}, {"Transfer-Encoding": "chunked"}):
        answer = client.post(
            URL,
            content_type="application/json",
            headers=headers,
            environ_overrides={"wsgi.input": Broken(), "wsgi.input_terminated": True},
        )
        assert (answer.status_code, answer.json["reason"], set(answer.json)) == (400, "bad_request", SHAPE)


@pytest.mark.parametrize(
    "body",
    [
        '{"name": "a", "source_url": "rtsp://h/", "KEY": 1}',
        '{"KEY": {"KEY": "KEY"}}',
        '{"name": "KEY"}',
        '{"name": {"KEY": 1}}',
        '{"tags": ["KEY"]}',
        '["KEY"]',
    ],
)
def test_half_a_surrogate_pair_in_a_body_is_a_client_error(client, body):
    for key in ("\\ud800", "\\udfff", "a\\ud800b", "\\udc00\\ud800", "\\uD83D"):
        answer = client.post(URL, data=body.replace("KEY", key), content_type="application/json")
        assert (answer.status_code, set(answer.json)) == (422, SHAPE)
        assert not any("\ud800" <= character <= "\udfff" for character in str(answer.json))


def test_a_reply_holds_any_text(app: Flask):
    """A file's name that is not UTF-8 comes with halves of surrogate pairs from the operating system."""
    with app.test_request_context():
        reply = jsonify({"name": "Kamera 門 \U0001f4f7", "a\udcff": "b\ud800"})
    assert reply.json == {"name": "Kamera 門 \U0001f4f7", "a\ufffd": "b\ufffd"}
    assert "門" in reply.get_data(as_text=True)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("POST", "/api/v1/nothing", 404),
        ("GET", "/api", 404),
        ("GET", "/api/v2/devices", 404),
        ("GET", "/api/v1/devices/", 404),
        ("PATCH", "/api/v1/devices", 405),
        ("DELETE", "/api/v1/streams", 405),
        ("POST", "/", 404),
        ("PROPFIND", "/api/v1/devices", 405),
    ],
)
def test_errors_of_routing_have_the_same_shape(client, method, path, status):
    answer = client.open(path, method=method)
    assert (answer.status_code, set(answer.json)) == (status, SHAPE)
    assert answer.json["code"] == status
    if status == 405:
        assert "GET" in answer.headers["Allow"]


def test_an_unexpected_error_discloses_no_details(app, client, monkeypatch, caplog):
    def fail(*_args, **_options):
        raise RuntimeError("inner detail rtsp://user:geheim@host/")

    monkeypatch.setattr("gateway.api.devices.routes.list_devices", fail)
    answer = client.get(URL)
    assert (answer.status_code, set(answer.json), answer.json["reason"]) == (500, SHAPE, "internal_error")
    assert "inner detail" not in answer.text
    assert "inner detail" in caplog.text


@pytest.mark.parametrize("path", [URL, "/api/v1/nothing", "/docs", "/"])
def test_every_reply_carries_the_security_headers(client, path):
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "script-src" not in headers["Content-Security-Policy"]
    if path.startswith("/api/"):
        assert headers["Cache-Control"] == "no-store"
