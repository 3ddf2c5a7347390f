"""The 404 reply where there is no footage or no picture: it names the nearest."""

from flask import Response

from gateway.api.errors import error_response
from gateway.clock import format_time

#: For a device without any footage.
NOTHING = "this device has no footage yet"
NOTHING_IN_RANGE = "there is no footage in this range"


def refuse_empty(
    message: str, before_ms: int | None, after_ms: int | None, *, nothing: str = NOTHING, reason: str = "no_footage"
) -> Response:
    """404 with `message` and the nearest moments before and after (ms since 1970, UTC), or `nothing` without any."""
    moments = {"before": before_ms, "after": after_ms}
    nearest = {where: None if moment is None else format_time(moment) for where, moment in moments.items()}
    words = [f"the nearest {where} is at {text}" for where, text in nearest.items() if text is not None]
    return error_response(
        404,
        f"{message}: {', '.join(words) or nothing}",
        reason=reason,
        errors={f"nearest_{where}": text for where, text in nearest.items()},
    )
