"""Conversion of request fields to the values of a bookmark, and the id of a new one."""

import uuid
from typing import Any

from gateway.api.base import services
from gateway.api.time_fields import now_ms
from gateway.captures.bookmarks import Bookmark, BookmarkValues
from gateway.errors import InvalidValue

#: A client's clock may be this far ahead of ours.
_MAX_CLOCK_SKEW_MS = 1000


def values_of(data: dict[str, Any], at_ms: int, before: Bookmark | None = None) -> BookmarkValues:
    """The requested values; omitted ones default to `at_ms` and to the lengths of `before`. Raises InvalidValue."""
    at = at_ms if data["at"] is None else data["at"]
    if at > now_ms() + _MAX_CLOCK_SKEW_MS:
        raise InvalidValue("at", "'at' must not be in the future")
    lengths = [
        getattr(before, f"{name}_ms") if data[f"{name}_seconds"] is None else round(data[f"{name}_seconds"] * 1000)
        for name in ("before", "after")
    ]
    longest = services().config.max_clip_seconds
    if not 0 < sum(lengths) <= longest * 1000:
        raise InvalidValue(
            "before_seconds",
            f"'before_seconds' and 'after_seconds' together must be more than 0 and at most {longest}, "
            f"not {sum(lengths) / 1000:g}",
        )
    return BookmarkValues(at, data["title"], data["note"], data["tags"], *lengths)


def new_id(tenant_id: str | None, key: str | None) -> str:
    """The id of a new bookmark; the same idempotency key gives the same id."""
    return str(uuid.uuid4() if key is None else uuid.uuid5(uuid.UUID(tenant_id), f"bookmark:{key}"))
