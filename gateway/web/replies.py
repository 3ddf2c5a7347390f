"""Replies of the front itself, in the API's one shape for errors."""

import json
from http import HTTPStatus
from typing import Any

Headers = list[tuple[bytes, bytes]]

_REASONS = {
    400: "bad_request",
    408: "request_timed_out",
    413: "body_too_large",
    414: "target_too_long",
    431: "headers_too_large",
    500: "internal_error",
    501: "not_implemented",
    503: "overloaded",
}
#: Without dependence on Python's version, which renames some.
_PHRASES = {413: "Content Too Large", 414: "URI Too Long"}
_RETRY_SECONDS = b"2"


def phrase_of(code: int) -> str:
    """The reason phrase of a status."""
    return _PHRASES.get(code) or HTTPStatus(code).phrase


def error_reply(code: int, message: str, *, reason: str | None = None) -> tuple[int, Headers, bytes]:
    """Status, headers and body of an error. `message` must not quote the request."""
    shape: dict[str, Any] = {
        "code": code,
        "status": phrase_of(code),
        "message": message,
        "errors": {},
        "reason": reason or _REASONS.get(code, "error"),
    }
    body = json.dumps(shape).encode() + b"\n"
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    if code == 503:
        headers.append((b"retry-after", _RETRY_SECONDS))
    return code, headers, body
