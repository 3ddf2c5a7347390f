"""The time to read input grows no worse than linearly with its length, and no reply repeats all of it."""

import ast
import itertools
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from typing import Any

import marshmallow as ma
import pytest
from flask import Flask, Response, request

from gateway import database
from gateway.api.base import Choice, Count, DeviceIds, Flag, Id, Schema, Text
from gateway.api.conditional import IdempotencySchema, IfMatchSchema, seen_version
from gateway.api.devices.schemas import DeviceQueryArgsSchema, DeviceSchema, SourceText
from gateway.api.errors import MAX_ERRORS, MAX_MESSAGE, MAX_NAME, error_response
from gateway.api.file_names import name_file, safe_name
from gateway.api.file_replies import file_response
from gateway.api.footage.routes import _wants_csv
from gateway.api.path_parameters import PathParameters
from gateway.api.playback.live import _read_directives
from gateway.api.schedules.schemas import SnapshotScheduleSchema
from gateway.api.tags import TagFilter, Tags
from gateway.api.time_fields import DateText, Moment, Seconds, WeeklyPlan, ZoneName
from gateway.app import create_app
from gateway.devices.sources import SourcePolicy, check_source
from gateway.errors import VasError
from gateway.logs import RedactingFormatter
from gateway.media import parse_segment_key
from gateway.redaction import is_redacted, redact_text, redact_url
from gateway.schedules.recording_plan import parse_minute
from gateway.storage.interface import check_key
from tests.contracts.repository import ROOT, relative
from tests.factories import device_body, make_config, no_plugins

#: The input is doubled four times; a quadratic reader takes 256 times as long for it, a linear one 16 times.
DOUBLED = 2**4
ALLOWED = 3 * DOUBLED

#: Two combining marks in the order that Unicode reverses: sorting a long run of them takes quadratic time.
MARKS = "\u0301\u0316"


def assert_linear(read: Callable[[Any], Any], make: Callable[[int], Any], start: int = 1000) -> None:
    """Compare the best CPU times for `make(start)` and for 16 times as much; no absolute times, so load is harmless."""
    inputs = make(start), make(DOUBLED * start)
    read(inputs[0])  # compiles, fills caches
    small = large = float("inf")
    calls = 1
    for _ in range(5):
        small, large = min(small, _cpu(read, inputs[0], calls)), min(large, _cpu(read, inputs[1], calls))
        if large <= ALLOWED * small:
            return
        # A time near the resolution of the clock is measured again over many calls.
        calls = max(1, min(500, int(0.001 / small)))
    pytest.fail(f"{DOUBLED} times the input takes {large / small:.0f} times as long")


def _cpu(read: Callable[[Any], Any], value: Any, calls: int) -> float:
    """The CPU seconds of one call, not counting other threads and processes."""
    began = time.thread_time()
    for _ in range(calls):
        read(value)
    return (time.thread_time() - began) / calls


def test_the_check_itself_refuses_a_quadratic_reader():
    with pytest.raises(pytest.fail.Exception, match="times as long"):
        assert_linear(re.compile("a*b").search, "a".__mul__)
    assert_linear(re.compile("b").search, "a".__mul__)


def find_patterns() -> Iterator[Any]:
    """Every regular expression in the code of `gateway/`, wherever its input comes from."""
    for path in sorted((ROOT / "gateway").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "re"
                and node.func.attr != "escape"
            ):
                name = f"{relative(path)}:{node.lineno}"
                assert isinstance(node.args[0], ast.Constant), f"{name}: a pattern must be a constant to be checked"
                used = [*node.args[1:], *(keyword.value for keyword in node.keywords)]
                flags = [eval(ast.unparse(flag)) for flag in used if ast.unparse(flag).startswith("re.")]
                method = node.func.attr if node.func.attr in ("match", "fullmatch") else "sub"
                yield pytest.param(re.compile(node.args[0].value, *flags), method, id=name)


@pytest.mark.parametrize(("pattern", "method"), list(find_patterns()))
def test_regular_expressions_are_linear(pattern: re.Pattern, method: str):
    def read(text: str) -> None:
        if method == "sub":
            pattern.sub("-", text)
        else:
            getattr(pattern, method)(text)

    own = dict.fromkeys(re.findall(r"[A-Za-z]+|[^A-Za-z]", pattern.pattern))
    pieces = dict.fromkeys([*own, "a", "A", "0", " ", "\n", "/", "://", "a://", "=", "key=_", "_a", "a=_a", "%", "ſ"])
    for before, piece, after in itertools.product(("", "://", "key=", "Basic ", "[", "T"), pieces, ("", "\0")):
        assert_linear(read, lambda size, b=before, p=piece, a=after: b + p * (size // len(p)) + a)


class Everything(Schema):
    text = Text(high=4000, lines=True)
    source = SourceText()
    tags = Tags()
    tag = TagFilter("things")
    device_id = DeviceIds("devices")
    id = Id()
    count = Count(low=0, high=9)
    choice = Choice(("a", "b"))
    flag = Flag()
    moment = Moment()
    date = DateText()
    zone = ZoneName()
    seconds = Seconds(low=0, high=9)
    plan = WeeklyPlan()


def load(field: str) -> Callable[[Any], None]:
    return lambda value: try_load(Everything, {field: value})


def try_load(schema: type[ma.Schema], data: dict[str, Any]) -> None:
    with suppress(ma.ValidationError):
        schema().load(data)


def attempt(function: Callable[[Any], Any]) -> Callable[[Any], None]:
    """The function, where a refusal is an answer as well."""

    def call(value: Any) -> None:
        with suppress(VasError, ValueError):
            function(value)

    return call


def log_line(text: str) -> str:
    return RedactingFormatter("%(message)s").format(logging.LogRecord("x", 30, "x", 1, "%s", (text,), None))


def describe(name: str) -> None:
    PathParameters().path_helper(parameters=[{"in": "path", "name": name}])


#: Text in which readers of URLs, lists, times, headers and file names go far before they give up.
TEXTS = (
    "a",
    "/",
    "../",
    "0",
    " ",
    "\n",
    "\r\n",
    ".",
    ":",
    "[",
    "%",
    "%41",
    "&tcp",
    "&password=",
    ",",
    '"',
    '",',
    "\\",
    "é",
    MARKS,
    "ᄀ",
)
URL = "rtsp://user:password@10.0.0.1/"
READERS: dict[str, tuple[Callable[[Any], Any], tuple[str, ...]]] = {
    "redact_text": (redact_text, ("", URL, "Bearer ", '{"password": "', "a%3A%2F%2F", "?p%61ss%3D", "/password/")),
    "redact_text with secrets": (lambda text: redact_text(text, ("aaa", "password")), ("",)),
    "redact_url": (redact_url, ("", URL, "rtsp://", "rtsp://h/user=a_password=", "rtsp://h?%70=")),
    "is_redacted": (is_redacted, ("", URL)),
    "a log line": (log_line, ("", URL)),
    "check_source": (attempt(lambda text: check_source(text, SourcePolicy())), ("", "rtsp://", URL, "rtsp://[")),
    "check_key": (attempt(check_key), ("",)),
    "parse_segment_key": (parse_segment_key, ("",)),
    "parse_minute": (attempt(parse_minute), ("", "08:")),
    "safe_name": (lambda text: safe_name(text, "mp4", "export"), ("",)),
    "name_file": (lambda text: name_file(Response(), safe_name(text, "mp4", "export"), is_attachment=True), ("",)),
    "PathParameters": (describe, ("",)),
    "Idempotency-Key": (lambda text: try_load(IdempotencySchema, {"Idempotency-Key": text}), ("",)),
    **{
        field: (load(field), before)
        for field, before in {
            "text": ("", "a"),
            "source": ("", URL),
            "id": ("", "urn:uuid:"),
            "count": ("",),
            "choice": ("",),
            "flag": ("",),
            "moment": ("", "2026-11-22T", "2026-11-22T10:00:00."),
            "date": ("", "2026-"),
            "zone": ("", "Europe/", "posix/"),
            "seconds": ("",),
        }.items()
    },
}


@pytest.mark.parametrize("name", READERS)
def test_readers_of_text_are_linear(name):
    read, befores = READERS[name]
    for before, piece in itertools.product(befores, TEXTS):
        assert_linear(read, lambda size, b=before, p=piece: b + p * (size // len(p)) + "!")


@pytest.mark.parametrize(
    ("field", "entry"),
    [
        ("tags", "a"),
        ("tags", {}),
        ("tags", "a" * 51),
        ("tag", {}),
        ("device_id", "a"),
        ("device_id", {}),
        ("plan", []),
    ],
)
def test_lists_are_read_in_linear_time_and_counted_first(field, entry):
    value = (lambda size: {"monday": [entry] * size}) if field == "plan" else (lambda size: [entry] * size)
    assert_linear(load(field), value)
    with pytest.raises(ma.ValidationError) as error:
        Everything().load({field: value(5000)})
    assert len(str(error.value.messages)) < 200


@pytest.mark.parametrize("field", ["times", "weekdays", "tags"])
def test_lists_of_a_schedule_are_counted_before_their_entries_are_read(field):
    with pytest.raises(ma.ValidationError) as error:
        SnapshotScheduleSchema().load({field: [{}] * 5000}, partial=True)
    assert len(str(error.value.messages)) < 200


@pytest.mark.parametrize("schema", [DeviceSchema, DeviceQueryArgsSchema, Everything])
@pytest.mark.parametrize("where", ["many names", "a long name"])
def test_unknown_names_are_refused_in_linear_time(schema, where):
    def body(size: int) -> dict[str, Any]:
        return {"a" * size: 0} if where == "a long name" else {f"name{number}": 0 for number in range(size)}

    assert_linear(lambda data: try_load(schema, data), body)


@cache
def build_app() -> Flask:
    app = create_app(make_config(), no_plugins())
    database.close()
    return app


def read_conditions(headers: dict[str, str]) -> None:
    """All that a route reads from the headers of the present request."""

    class Row:
        version = 7

    with build_app().test_request_context("/", headers=headers):
        attempt(lambda _: seen_version(IfMatchSchema().load({"If-Match": "*"}), Row(), "device"))(None)
        attempt(lambda _: seen_version(IfMatchSchema().load(dict(request.headers)), Row(), "device"))(None)
        file_response(lambda _o, _l: iter(()), 1000, etag="7", mimetype="video/mp4", cache_control="no-store")
        _ = request.if_modified_since, request.if_unmodified_since, request.mimetype
        _ = _wants_csv(None), request.accept_encodings["gzip"]


@pytest.mark.parametrize(
    "name",
    [
        "If-Match",
        "If-None-Match",
        "If-Range",
        "Range",
        "If-Modified-Since",
        "If-Unmodified-Since",
        "Content-Type",
        "Accept",
        "Accept-Encoding",
    ],
)
def test_headers_of_conditions_and_ranges_are_read_in_linear_time(name):
    pieces = ("a", " ", "\t", "a ", ",", '"', '",', '"a",', 'W/"', 'W/"a",', "0", "0-1,", "-", ";", ";a=", ';a="', "*")
    for before, piece in itertools.product(("", "bytes=", "bytes=0-1,", '"', "a/b;"), pieces):
        assert_linear(
            read_conditions,
            # A server strips the spaces at the end of a header.
            lambda size, b=before, p=piece: {name: b + p * (size // len(p)) + "a"},
            start=2000,
        )


@pytest.mark.parametrize("before", ["_HLS_msn=", "_HLS_part=", "_HLS_msn=1&_HLS_part=", ""])
def test_directives_of_a_live_playlist_are_read_in_linear_time(before):
    def read(query: str) -> None:
        with build_app().test_request_context("/", query_string=query):
            attempt(lambda _: _read_directives())(None)

    for piece in ("0", "a", "&", "&a=", "%", "%30", ";", "+"):
        assert_linear(read, lambda size, p=piece: before + p * (size // len(p)), start=2000)


def send(case: tuple[str, dict[str, Any]]) -> Response:
    method, options = case
    return build_app().test_client().open(method=method, **options)


UNKNOWN = "00000000-0000-0000-0000-000000000000"
REQUESTS: dict[str, Callable[[int], tuple[str, dict[str, Any]]]] = {
    "a long path": lambda size: ("GET", {"path": "/api/v1/" + "a" * size}),
    "a long id": lambda size: ("GET", {"path": "/api/v1/devices/" + "a" * size}),
    "a long day": lambda size: (
        "GET",
        {"path": f"/api/v1/devices/{UNKNOWN}/dates/{'0' * size}"},
    ),
    "a deep path": lambda size: ("GET", {"path": "/api/v1/devices" + "/a" * (size // 2)}),
    "many slashes": lambda size: ("GET", {"path": "/api/v1/devices" + "/" * size}),
    "a path upwards": lambda size: ("GET", {"path": "/assets" + "/.." * (size // 3)}),
    "a long name in the query": lambda size: ("GET", {"path": "/api/v1/devices?" + "a" * size}),
    "many names in the query": lambda size: (
        "GET",
        {"path": "/api/v1/devices?" + "&".join(f"a{number}=" for number in range(size // 8))},
    ),
    "many tags in the query": lambda size: ("GET", {"path": "/api/v1/devices?tag=&" + "tag=a&" * (size // 6)}),
    "a long text in the query": lambda size: ("GET", {"path": "/api/v1/devices?q=" + "a" * size}),
    "a long word in the query": lambda size: ("GET", {"path": "/api/v1/devices?sort=" + "a" * size}),
    "a long name in the body": lambda size: ("POST", {"path": "/api/v1/devices", "json": {"a" * size: 0}}),
    "a long URL as a name": lambda size: ("POST", {"path": "/api/v1/devices", "json": {"a://" * (size // 4): 0}}),
    "many names in the body": lambda size: (
        "POST",
        {"path": "/api/v1/devices", "json": {f"name{number}": 0 for number in range(size // 12)}},
    ),
    "a long device name": lambda size: (
        "POST",
        {"path": "/api/v1/devices", "json": device_body(name=MARKS * (size // 4))},
    ),
    "a long source": lambda size: (
        "POST",
        {"path": "/api/v1/devices", "json": device_body(source_url="rtsp://" + "a" * size)},
    ),
    "many tags in the body": lambda size: (
        "POST",
        {"path": "/api/v1/devices", "json": device_body(tags=[{}] * (size // 4))},
    ),
    "many devices in the body": lambda size: (
        "POST",
        {"path": "/api/v1/rtsp/streams/start", "json": {"device_ids": ["a"] * (size // 5)}},
    ),
    "many objects for devices": lambda size: (
        "POST",
        {"path": "/api/v1/rtsp/streams/stop", "json": {"device_ids": [{}] * (size // 4)}},
    ),
    "many tags for many devices": lambda size: (
        "POST",
        {"path": "/api/v1/devices/tags", "json": {"device_ids": [UNKNOWN], "add": ["a"] * (size // 5)}},
    ),
    "a long weekday": lambda size: (
        "POST",
        {"path": "/api/v1/snapshot-schedules", "json": {"weekdays": ["a" * size], "times": ["a" * size]}},
    ),
    "a long number": lambda size: (
        "POST",
        {"path": "/api/v1/devices", "data": b'{"a":' + b"1" * size + b"}", "content_type": "application/json"},
    ),
    "a long fraction": lambda size: (
        "POST",
        {"path": "/api/v1/devices", "data": b'{"a":0.' + b"1" * size + b"}", "content_type": "application/json"},
    ),
    "deep lists": lambda size: (
        "POST",
        {"path": "/api/v1/devices", "data": b"[" * size, "content_type": "application/json"},
    ),
    "no JSON": lambda size: (
        "POST",
        {"path": "/api/v1/devices", "data": b'{"a":"' + b"\\n" * size, "content_type": "application/json"},
    ),
    "a long host": lambda size: ("GET", {"path": "/api/v1/devices?x", "headers": {"Host": "a" * size}}),
    "a long origin": lambda size: (
        "POST",
        {"path": "/api/v1/devices", "json": {}, "headers": {"Origin": "http://" + "¨" * size}},
    ),
    "a long content type": lambda size: (
        "POST",
        {"path": "/api/v1/devices", "data": b"{}", "headers": {"Content-Type": "application/json" + ";a=" * size}},
    ),
    "a long method": lambda size: ("A" * size, {"path": "/api/v1/devices"}),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_refused_requests_are_answered_in_linear_time_and_with_a_short_body(name):
    make = REQUESTS[name]
    for size in (2000, 400_000):
        answer = send(make(size))
        assert 400 <= answer.status_code < 500, answer.status_code
        assert len(answer.data) < 16_384
    assert_linear(send, make, start=25_000)


def count_messages(errors: Any) -> int:
    if isinstance(errors, dict):
        return sum(map(count_messages, errors.values()))
    return sum(map(count_messages, errors)) if isinstance(errors, list) else 1


def test_long_names_and_many_errors_are_cut_in_replies():
    name = "a" * 5000
    answer = send(("POST", {"path": "/api/v1/devices", "json": device_body(**{name: 0})})).json
    assert list(answer["errors"]["json"]) == [name[: MAX_NAME - 1] + "…"]
    assert answer["message"] == f"'{name[: MAX_NAME - 1]}…': is not a known field"
    names = {f"name{number}": 0 for number in range(5000)}
    answer = send(("POST", {"path": "/api/v1/devices", "json": device_body(**names)})).json
    assert count_messages(answer["errors"]) == MAX_ERRORS
    answer = send(("POST", {"path": "/api/v1/devices", "json": {"x": 0}})).json
    assert answer["errors"]["json"] == {
        "x": ["is not a known field"],
        "name": ["'name' is required"],
        "source_url": ["'source_url' is required"],
    }


def test_the_document_names_the_limits_of_an_error():
    described = build_app().test_client().get("/api/v1/openapi.json").json["components"]["schemas"]["Error"]
    assert f"at most {MAX_ERRORS} messages" in described["properties"]["errors"]["description"]
    assert f"{MAX_NAME} characters" in described["properties"]["errors"]["description"]
    assert f"{MAX_MESSAGE} characters" in described["properties"]["message"]["description"]


@pytest.mark.parametrize("length", range(MAX_MESSAGE - 80, MAX_MESSAGE + 10, 3))
def test_a_cut_leaves_no_part_of_a_password(length):
    with build_app().test_request_context("/"):
        for secret in ("rtsp://viewer:geheim-geheim@10.0.0.1/", "Bearer geh/eim-geheim", "a?password=geheim-geheim"):
            shown = error_response(422, " " * length + secret + " and more" * 50).json["message"]
            assert "geh" not in shown
            assert "viewer" not in shown
    shown = log_line(
        "x" * (length + 8_000 - MAX_MESSAGE) + " rtsp://viewer:geheim-geheim@10.0.0.1/" + " and more" * 5000
    )
    assert "geh" not in shown


def test_text_within_its_limit_is_accepted_in_any_normal_form():
    class Named(Schema):
        name = Text(low=1, high=100)

    korean = "\u1112\u1161\u11ab" * 100  # a syllable in its three parts
    assert Named().load({"name": korean}) == {"name": "한" * 100}
    assert Named().load({"name": " " * 5000 + "a" + " " * 5000}) == {"name": "a"}
    for text in ("a" * 101, korean + "a", "a" * 100_000, MARKS * 100_000):
        with pytest.raises(ma.ValidationError, match="must have 1 to 100 characters"):
            Named().load({"name": text})
    assert Named().load({"name": "a" + "\u0301" * 30})
    with pytest.raises(ma.ValidationError, match="at most 30 combining marks in a row"):
        Named().load({"name": "a" + "\u0301" * 31})
    with pytest.raises(ma.ValidationError, match="control characters"):
        Named().load({"name": "a\n"})


def test_text_has_no_controls_of_its_direction():
    class Named(Schema):
        name = Text(low=1, high=100)
        note = Text(high=200, lines=True)

    controls = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    for name in ("clip4pm.exe", "שער 1", "بوابة", "👩\u200d👩", "می\u200cخواهم"):
        assert Named().load({"name": controls.join(name), "note": f"{controls}\n{name}"}) == {
            "name": name,
            "note": name,
        }
    with pytest.raises(ma.ValidationError, match="1 to 100 characters"):
        Named().load({"name": controls, "note": ""})
