"""Stored reasons as the API shows them."""

from gateway.states import Reason, reason_for


def format_reason(code: str | None, message: str | None) -> Reason | None:
    """The reason of a code, with the stored message, if any, instead of the general one; None without a code."""
    return None if code is None else reason_for(code, message)
