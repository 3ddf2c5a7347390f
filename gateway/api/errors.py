"""The shape of all errors, and the HTTP status of each domain error."""

import logging
from http import HTTPStatus
from typing import Any

import marshmallow as ma
from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from gateway.api.error_reasons import ERROR_REASONS
from gateway.errors import Conflict, InvalidValue, NotFound, Unavailable, VasError, VersionChanged
from gateway.redaction import redact_text, shorten
from gateway.secrets import SealBroken

logger = logging.getLogger(__name__)

#: Subclasses before their base classes.
_STATUS_OF: tuple[tuple[type[VasError], int], ...] = (
    (VersionChanged, 412),
    (InvalidValue, 422),
    (NotFound, 404),
    (Conflict, 409),
    (SealBroken, 409),
    (Unavailable, 503),
)
_REASONS = {
    400: "bad_request",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    412: "version_changed",
    413: "body_too_large",
    415: "unsupported_media_type",
    422: "invalid_value",
    429: "too_many_requests",
    500: "internal_error",
    503: "unavailable",
}
_RETRY_SECONDS = 2
#: Limits of the reply of an error: number of messages in `errors`, characters of a name in it, characters of a message.
MAX_ERRORS, MAX_NAME, MAX_MESSAGE = 20, 80, 500


class ErrorSchema(ma.Schema):
    """The shape of every error."""

    code = ma.fields.Integer(required=True, metadata={"description": "HTTP status code", "example": 422})
    status = ma.fields.String(
        required=True, metadata={"description": "HTTP reason phrase", "example": "Unprocessable Content"}
    )
    message = ma.fields.String(
        required=True,
        metadata={
            "description": f"what is wrong, and what would be right; cut with an ellipsis at {MAX_MESSAGE} characters"
        },
    )
    errors = ma.fields.Dict(
        required=True,
        metadata={
            "description": "messages by location (`json`, `query`, `path`, `headers`) and field; may be empty. The "
            f"first ones, at most {MAX_ERRORS} messages; names are cut with an ellipsis at {MAX_NAME} characters, "
            f"messages at {MAX_MESSAGE}"
        },
    )
    reason = ma.fields.String(
        required=True,
        metadata={
            "description": "stable identifier for programs: one of `x-reasons`, a code of the schema `Reason`, or one "
            "of a plugin. A later version may add others",
            "example": "name_taken",
            "x-reasons": ERROR_REASONS,
        },
    )


def _example(code: int, message: str, reason: str | None = None, **errors: Any) -> dict[str, Any]:
    return {
        "code": code,
        "status": HTTPStatus(code).phrase,
        "message": message,
        "errors": errors,
        "reason": reason or _REASONS[code],
    }


#: An example of each error for the OpenAPI document.
ERROR_EXAMPLES = {
    example["code"]: example
    for example in (
        _example(400, "the request body is malformed or incomplete"),
        _example(403, "a change was requested by a page of another site", "cross_site"),
        _example(404, "there is no device with id '00000000-0000-4000-8000-000000000000'"),
        _example(409, "'name' must be unique: there is a device named 'Front gate'", "name_taken"),
        _example(412, "the device was changed since it was read: read it again"),
        _example(413, "the request body is too large"),
        _example(415, "the body must be JSON with the content type application/json"),
        _example(416, "the range is outside of the file", "range_not_satisfiable"),
        _example(422, "'name' is required", json={"name": ["'name' is required"]}),
        _example(429, "too many probes are running: try again in a few seconds", "too_many_probes"),
        _example(503, "the database does not answer", "database_unavailable"),
    )
}


class ApiError(VasError):
    """An error with an explicit status, where no domain error fits."""

    def __init__(self, code: int, message: str, *, reason: str | None = None) -> None:
        super().__init__(message, reason=reason or _REASONS.get(code, "error"))
        self.code = code


def error_response(
    code: int, message: str, *, reason: str | None = None, errors: dict[str, Any] | None = None
) -> Response:
    """The JSON reply of an error; it is short whatever the request contained."""
    response = jsonify(
        code=code,
        status=HTTPStatus(code).phrase,
        message=redact_text(shorten(message, MAX_MESSAGE)),
        errors=_cut(errors or {}, MAX_ERRORS)[0],
        reason=reason or _REASONS.get(code, "error"),
    )
    response.status_code = code
    if code in (429, 503):
        response.headers["Retry-After"] = str(_RETRY_SECONDS)
    return response


def register_error_handlers(app: Flask) -> None:
    """Give all errors of `app` the same shape."""
    app.register_error_handler(HTTPException, handle_http_error)
    app.register_error_handler(VasError, handle_vas_error)
    app.register_error_handler(Exception, handle_unexpected)


def handle_http_error(error: HTTPException) -> Response:
    """Errors of Flask, werkzeug and webargs."""
    if error.code is None or error.code < 400:
        return error.get_response()
    data = getattr(error, "data", None) or {}
    errors, _ = _cut(data.get("errors") or data.get("messages") or {}, MAX_ERRORS)
    message = data.get("message") or _first_message(errors) or _plain(error)
    response = error_response(error.code, message, errors=errors)
    for name, value in error.get_headers(request.environ):
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def handle_vas_error(error: VasError) -> Response:
    """Errors of the domain."""
    if isinstance(error, ApiError):
        return error_response(error.code, error.message, reason=error.reason)
    for kind, code in _STATUS_OF:
        if isinstance(error, kind):
            place = "query" if request.method in ("GET", "HEAD", "DELETE") else "json"
            errors = {place: {error.field: [error.message]}} if isinstance(error, InvalidValue) else None
            return error_response(code, error.message, reason=error.reason, errors=errors)
    return handle_unexpected(error)


def handle_unexpected(error: Exception) -> Response:
    """A bug: the details go to the log, not to the caller."""
    logger.error("%s %s failed", request.method, request.path, exc_info=error)
    return error_response(500, "unexpected error: the log of the web process has the details")


def _cut(errors: Any, most: int) -> tuple[Any, int]:
    """The first `most` of nested validation messages, with names and messages cut; and the number of messages."""
    if not isinstance(errors, dict | list):
        return shorten(errors, MAX_MESSAGE) if isinstance(errors, str) else errors, 1
    kept, count = [], 0
    for key, value in errors.items() if isinstance(errors, dict) else enumerate(errors):
        if count >= most:
            break
        entry, number = _cut(value, most - count)
        kept.append((shorten(key, MAX_NAME) if isinstance(key, str) else key, entry))
        count += number
    return dict(kept) if isinstance(errors, dict) else [entry for _, entry in kept], max(count, 1)


def _plain(error: HTTPException) -> str:
    if error.code == 404:
        return f"there is no resource at '{request.path[:200]}'"
    if error.code == 405:
        return f"'{request.path[:200]}' does not allow {request.method[:20]}"
    if error.code == 413:
        return "the request body is too large"
    return (error.description or error.name).rstrip(".")


def _first_message(errors: Any) -> str | None:
    """The first text in nested validation messages."""
    if isinstance(errors, str):
        return errors.rstrip(".")
    values = errors.values() if isinstance(errors, dict) else errors if isinstance(errors, list) else ()
    if isinstance(errors, dict):
        for key, value in errors.items():
            text = _first_message(value)
            if text:
                named = (
                    f"'{key}'" in text or key in ("json", "query", "headers", "path", "_schema") or isinstance(key, int)
                )
                return text if named else f"'{key}': {text[:1].lower()}{text[1:]}"
        return None
    return next((text for text in map(_first_message, values) if text), None)
