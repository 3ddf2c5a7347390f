"""Conditional requests: ETag and If-Match protect against lost updates, Idempotency-Key against duplicates."""

from typing import Any, Protocol

import marshmallow as ma
from flask import request

from gateway.errors import VersionChanged


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
        validate=ma.validate.Length(max=1000, error="must have at most 1000 characters"),
        metadata={"description": "the ETag of the version to change; 412 if it is no longer the current one"},
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
            "nothing new"
        },
    )


def etag_header(what: str) -> dict[str, Any]:
    """The ETag header for the OpenAPI document."""
    return {"ETag": {"description": f"version of {what}, for If-Match", "schema": {"type": "string"}}}


def location_header(what: str) -> dict[str, Any]:
    """The Location header for the OpenAPI document."""
    return {"Location": {"description": f"URL of {what}", "schema": {"type": "string"}}}


def etag_of(row: Versioned) -> str:
    """The ETag of a row."""
    return f'"{row.version}"'


def with_etag(
    body: Any, row: Versioned, status: int = 200, *, location: str | None = None
) -> tuple[Any, int, dict[str, str]]:
    """The reply of a route that shows `row` as `body`."""
    headers = {"ETag": etag_of(row)}
    if location is not None:
        headers["Location"] = location
    return body, status, headers


def seen_version(headers: dict[str, Any], row: Versioned, what: str) -> int | None:
    """The version that the request may change, or None without a condition (no If-Match, or `*`).

    `headers` are those of `IfMatchSchema`. Raises VersionChanged when If-Match names another version than `row` has.
    """
    if headers["if_match"] is None or request.if_match.star_tag:
        return None
    if not request.if_match.contains(etag_of(row).strip('"')):
        raise VersionChanged(f"the {what} was changed since it was read: read it again")
    return row.version
