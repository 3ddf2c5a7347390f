"""Requests that no document describes: each gets a documented error in the one shape, and never a 500."""

import io
import json
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from gunicorn.config import Config as GunicornConfig
from gunicorn.http.parser import RequestParser
from hypothesis import HealthCheck, given, settings, strategies

from tests.gateway.api.conftest import ANYWHERE
from tests.gateway.api.test_openapi import (  # noqa: F401 (fixtures)
    MANY,
    OPERATIONS,
    api_app,
    document,
    model_app,
)

EXAMPLES = 200 if MANY else 12
SHAPE = {"code", "status", "message", "errors", "reason"}
PAGES = ("/", "/index.html", "/docs", "/docs/start.js", "/assets/none.js", "/cameras/1", "/api/v1/openapi.json")

LONG = "a" * 3000
QUERIES = (
    *(
        "unknown=1",
        "=",
        "&&&=&",
        "?",
        "a[]=1&a[b]=2",
        "page=1&page=2",
        "page=1;page=2",
        "%",
        "%zz=%zz",
        f"{LONG}={LONG}",
    ),
    *(
        "%ED%A0%80=1",
        "q=%ED%A0%80",
        "q=%FF%FE",
        "q=%00",
        "q=%0d%0aX: y",
        "page=%EF%BC%91",
        "page=1e9",
        "page=-0",
        "page=+1",
    ),
    *("page=99999999999999999999999", "page=NaN", "tag=" + "%E2%80%AE", "&".join(f"k{n}=" for n in range(300))),
    *("start=9999-12-31T23:59:59.999Z", "start=0001-01-01T00:00:00Z", "start=2026-02-30T00:00:00Z", "device_id=x"),
    *("width=1e3", "format=../x", "_HLS_msn=1&_HLS_part=-1", "_HLS_part=1", "_HLS_msn=999999999999999"),
)
RANGES = (
    *(
        "x",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=-0",
        "bytes=--1",
        "bytes=0-0,0-0",
        "bytes=5-1",
        "bytes=1-a",
        "BYTES=0-1",
    ),
    *("bytes=999999999999999999999999-", "bytes=-999999999999999999999999", "bytes=0-" + "9" * 500, "lines=0-1"),
    *("bytes= 0 - 1", "bytes=0-,-1", "bytes=" + ",".join(f"{n}-{n}" for n in range(500)), "bytes=\u0661-\u0662"),
)
HEADERS = (
    *({"Range": text} for text in RANGES),
    *({"Range": "bytes=0-1", "If-Range": text} for text in ("x", '"', 'W/"x"', "Sat, 99 Foo 2026", "", '"' * 500)),
    *(
        {name: text}
        for name in ("If-None-Match", "If-Match")
        for text in ("", "*", '"', '"*"', "W/", ",,,", '"a' * 300)
    ),
    *({"Accept": text} for text in ("", ";", "*", "text/csv;q=x", "a/b;q=99", "," * 500, " " * 2000, '";' * 300)),
    *({"Idempotency-Key": text} for text in ("", "\xff", LONG, "a b")),
    *(
        {"Content-Type": text}
        for text in ("", ";", "application/json;charset=x", "application/json; charset=utf-16", "/")
    ),
    *({"Content-Length": text} for text in ("-1", "x", "", "99999999999999999999", "1e3")),
    *({"Host": text} for text in ("evil.example", "a b", "[", "", "localhost:99999999")),
    *(
        {"Origin": text}
        for text in ("null", "", "http://[", "https://evil.example", "\xff", "http://localhost" + ":1" * 99)
    ),
    *({"Referer": text} for text in ("null", "http://[", "\xff", "//", "http://a" + "/" * 999)),
    *({"Sec-Fetch-Site": text} for text in ("", "cross-site", "\xff", LONG)),
    *({"X-Forwarded-For": text} for text in ("", ",", "x" * 999, "1.1.1.1, [", "\xff")),
    *({"X-HTTP-Method-Override": text} for text in ("DELETE", "")),
    *({"Transfer-Encoding": text} for text in ("gzip", "identity", "chunked, chunked", "xchunked", "")),
    *({"Cookie": text} for text in ("session=" + LONG, ";;;", "\xff")),
    {"Accept-Encoding": "gzip;q=x, ,*;q=0"},
    {"Expect": "x"},
)
BODIES: tuple[bytes, ...] = (
    *(
        b"",
        b"null",
        b"[]",
        b"[[[]]]",
        b"{}x",
        b"{} {}",
        b'"',
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        b"{'a': 1}",
        b"NaN",
    ),
    *(
        b'{"\\ud800": 1}',
        b'{"name": "\\udfff"}',
        b'{"name": "\xed\xa0\x80"}',
        b'{"name": "a\\u0000b"}',
        b'{"": {"": [""]}}',
    ),
    *(
        b'{"name": 1e999}',
        b'{"name": -0.0}',
        b'{"tags": {"0": "a"}}',
        b'{"tags": [[["a"]]]}',
        b'{"name": "a", "name": "b"}',
    ),
    *(
        b'{"__proto__": 1, "constructor": {}}',
        b'{"name": {"$ne": 1}}',
        b'{"start": 1e308, "end": []}',
        b"[" * 5000,
        b"1" * 5000,
    ),
    *(
        b'{"' + b"a" * 3000 + b'": 1}',
        b"{" + b",".join(b'"k%d": 0' % n for n in range(500)) + b"}",
        b'{"tags": [' + b'"a",' * 999 + b'""]}',
    ),
    *(
        b'{"id": "x", "tenant_id": "x", "created_at": 1, "unknown": null}',
        b'{"name": "' + "\u202e".encode() * 50 + b'"}',
    ),
)
CHUNKS = (
    *(
        b"2\r\n{}\r\n0\r\n\r\n",
        b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
        b"2;x=y\r\n{}\r\n0\r\nA: b\r\n\r\n",
        b"0\r\n\r\n",
        b"2\r\n{}\r\n",
        b"",
    ),
    *(
        b"zz\r\n{}\r\n0\r\n\r\n",
        b"-1\r\n",
        b"0x2\r\n{}\r\n0\r\n\r\n",
        b"2\n{}\n0\n\n",
        b"ffffffffffffffffff\r\n{}",
        b"2\r\n{}}0\r\n\r\n",
    ),
    b"".join(b"1\r\n \r\n" for _ in range(2000)) + b"2\r\n{}\r\n0\r\n\r\n",
)

Request = dict[str, Any]


def with_query(text: str) -> Callable[[Request], None]:
    return lambda request: request.update(query_string=text)


def with_headers(headers: dict[str, str]) -> Callable[[Request], None]:
    return lambda request: request["headers"].update(headers)


def with_body(body: bytes) -> Callable[[Request], None]:
    return lambda request: request.update(data=body)


def with_chunks(chunks: bytes) -> Callable[[Request], None]:
    """The body as gunicorn's own parser reads it, whose errors are those of a running web process."""

    def change(request: Request) -> None:
        head = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        received = next(RequestParser(GunicornConfig(), iter([head, chunks] if chunks else [head]), ("127.0.0.1", 1)))
        request.pop("data", None)
        request["headers"]["Transfer-Encoding"] = "chunked"
        request["environ_overrides"] = {"wsgi.input": received.body, "wsgi.input_terminated": True}

    return change


CHANGES = [
    *map(with_query, QUERIES),
    *map(with_headers, HEADERS),
    *map(with_body, BODIES),
    *map(with_chunks, CHUNKS),
]


def send(app: Any, method: str, path: str, changes: list[Callable[[Request], None]]) -> Any:
    request: Request = {"headers": {"Content-Type": "application/json"}}
    for change in changes:
        change(request)
    if method in ("GET", "DELETE") and "data" not in request and "environ_overrides" not in request:
        del request["headers"]["Content-Type"]
    return app.test_client().open(path, method=method, **request)


def check(answer: Any, allowed: set[int]) -> None:
    status = answer.status_code
    assert status in allowed, (status, answer.get_data(as_text=True)[:300])
    if status >= 400:
        error = json.loads(answer.get_data())
        assert (set(error), error["code"]) == (SHAPE, status)
        assert len(answer.get_data()) < 16_384
    assert not any("\n" in value for _, value in answer.headers)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_a_strange_request_gets_a_documented_answer(api_app, method, path):  # noqa: F811
    documented = document(api_app)["paths"][f"/api/v1{path}"][method.lower()]["responses"]
    allowed = {int(code) for code in documented if code.isdigit()} | ANYWHERE - {500}
    known = api_app.config["KNOWN"]
    values = {"day": "2026-03-11", "sound": "sound"}
    numbers = ("run", "sequence", "first", "last", "offset", "length", "segment_id")

    @settings(
        max_examples=EXAMPLES,
        derandomize=not MANY,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        changes=strategies.lists(strategies.sampled_from(CHANGES), min_size=1, max_size=3),
        is_known=strategies.booleans(),
    )
    def ask(changes, is_known):
        def fill(match: re.Match[str]) -> str:
            name = match[1]
            if name in numbers:
                return "1"
            return str(values.get(name) or (known.get(name) if is_known else None) or uuid.uuid4())

        check(send(api_app, method, "/api/v1" + re.sub(r"{(\w+)}", fill, path), changes), allowed)

    ask()


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_strange_request_for_a_page_is_answered(api_app, tmp_path, path, method):  # noqa: F811
    (tmp_path / "index.html").write_text("<title>UI</title>")
    api_app.extensions["vas_ui"] = tmp_path
    for change in CHANGES:
        answer = send(api_app, method, path, [change])
        assert answer.status_code < 500 or (answer.status_code, path) == (503, "/docs"), answer.status_code


def test_a_body_that_ends_early_is_a_client_error(api_app):  # noqa: F811
    for method, path in OPERATIONS:
        if method in ("POST", "PUT"):
            where = "/api/v1" + re.sub(r"{\w+}", lambda _: str(uuid.uuid4()), path)
            answer = api_app.test_client().open(
                where,
                method=method,
                input_stream=io.BytesIO(b'{"name": "'),
                headers={"Content-Type": "application/json", "Content-Length": "500"},
            )
            assert answer.status_code in (400, 404, 422, 202, 200), (path, answer.status_code)
