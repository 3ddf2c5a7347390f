"""Headers by which a request says what it knows: the version that it changes, and the key under which it may be
repeated.
"""

import marshmallow as ma
from flask import request

from gateway.errors import VersionChanged


class IfMatchSchema(ma.Schema):
    """The version that the caller has seen."""

    class Meta:
        unknown = ma.EXCLUDE

    if_match = ma.fields.String(
        data_key="If-Match",
        load_default=None,
        metadata={"description": "the ETag as it was read; 412 when it was changed since"},
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
            "description": "the same request again with the same key gives what was made before instead of a new one"
        },
    )


def seen_version(if_match: str | None, etag: str, version: int, what: str) -> int | None:
    """The version that If-Match names, or None where any will do; raises VersionChanged for another than `etag`."""
    if if_match is None or request.if_match.star_tag:
        return None
    if not request.if_match.contains(etag.strip('"')):
        raise VersionChanged(f"the {what} was changed since it was read: read it again")
    return version
