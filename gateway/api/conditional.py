"""Conditional requests: ETag and If-Match protect against lost updates, If-None-Match saves the body of a reply,
Idempotency-Key protects against duplicates.

The ETag of a resource is `"VERSION.DIGEST"`: the version counts the changes of what callers may set, the digest stands
for the whole reply, which also contains what is observed. If-Match looks at the version alone, because a change of what
is observed is no conflict.
"""

import hashlib
import re
from typing import Any, Protocol

import marshmallow as ma
from flask import Response, request

from gateway.errors import InvalidValue, VersionChanged

_VERSION_TAG = re.compile(r'"([0-9]+)"')
#: Characters of an If-Match header.
_MAX_CONDITION = 1000


class Versioned(Protocol):
    """A row whose `version` counts the changes of what callers may set, and of nothing else."""

    version: int


class IfMatchSchema(ma.Schema):
    """The version that the caller has read."""

    class Meta:
        unknown = ma.EXCLUDE

    if_match = ma.fields.String(
        data_key="If-Match",
        load_default=None,
        metadata={
            "description": "the ETag of the version to change; 412 if it is no longer the current one. Its part before "
            "the dot counts: what is only observed, such as the state of a stream, may have changed",
            "maxLength": _MAX_CONDITION,
        },
    )


class IdempotencySchema(ma.Schema):
    """The key under which a request may be repeated."""

    class Meta:
        unknown = ma.EXCLUDE

    key = ma.fields.String(
        data_key="Idempotency-Key",
        load_default=None,
        validate=ma.validate.Length(min=1, max=200, error="must have 1 to 200 characters"),
        metadata={
            "description": "a repeated request with the same key returns what the first one created, and creates "
            "nothing new; 409 with reason `key_reused` for another request. Keys are of the tenant, and are remembered "
            "for at least 24 hours, the newest 5,000 of them"
        },
    )


def etag_header(what: str) -> dict[str, Any]:
    """The ETag header for the OpenAPI document."""
    return {
        "ETag": {
            "description": f"version of {what} for If-Match, a dot, and a digest of the reply for If-None-Match",
            "schema": {"type": "string"},
        }
    }


def location_header(what: str) -> dict[str, Any]:
    """The Location header for the OpenAPI document."""
    return {"Location": {"description": f"URL of {what}", "schema": {"type": "string"}}}


def with_etag(
    body: Any, row: Versioned, status: int = 200, *, location: str | None = None
) -> tuple[Any, int, dict[str, str]]:
    """The reply of a route that shows `row` as `body`; `complete_etag` adds the digest."""
    headers = {"ETag": f'"{row.version}"'}
    if location is not None:
        headers["Location"] = location
    return body, status, headers


def seen_version(headers: dict[str, Any], row: Versioned, what: str) -> int | None:
    """The version that the request may change, or None without a condition (no If-Match, or `*`).

    `headers` are those of `IfMatchSchema`. Raises VersionChanged when If-Match names another version than `row` has,
    and InvalidValue when it is too long.
    """
    if headers["if_match"] is None:
        return None
    if len(headers["if_match"]) > _MAX_CONDITION:
        raise InvalidValue("If-Match", f"'If-Match' must have at most {_MAX_CONDITION} characters")
    if request.if_match.star_tag:
        return None
    # A proxy that compresses replies makes their ETags weak.
    seen = {tag.partition(".")[0] for tag in request.if_match.as_set(include_weak=True) if tag}
    if str(row.version) not in seen:
        raise VersionChanged(f"the {what} was changed since it was read: read it again")
    return row.version


def complete_etag(response: Response) -> Response:
    """Add the digest to the ETag of a resource, and answer 304 if the caller has this very reply."""
    version = _VERSION_TAG.fullmatch(response.headers.get("ETag", ""))
    if version is None or response.mimetype != "application/json":
        return response
    tag = f"{version[1]}.{hashlib.sha256(response.get_data()).hexdigest()[:16]}"
    response.headers["ETag"] = f'"{tag}"'
    is_read = request.method in ("GET", "HEAD") and response.status_code == 200
    if is_read and request.if_none_match.contains_weak(tag):
        response.status_code = 304
        response.set_data(b"")
        response.headers.pop("Content-Type", None)
        response.headers.pop("Content-Length", None)
    return response
