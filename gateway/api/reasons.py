"""A stored reason as the API shows it."""

from gateway.states import Reason, reason_for


def format_reason(code: str | None, message: str | None) -> Reason | None:
    """The whole reason of a code, with the more exact message where one was stored; None without a code."""
    return None if code is None else reason_for(code, message)
