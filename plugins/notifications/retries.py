"""When a delivery that failed is tried again: the schedule that Standard Webhooks recommends, over 24 hours. Pure."""

import math
from email.utils import parsedate_to_datetime

#: Seconds after each failed attempt; eight attempts within 24 hours.
PAUSES = (5, 300, 1800, 7200, 18_000, 28_800, 30_295)
MAX_ATTEMPTS = len(PAUSES) + 1
#: A pause is shortened by up to this share, so that receivers that were away are not asked by all at the same moment.
JITTER = 0.1
#: A receiver may ask for a longer pause (Retry-After), up to this.
MAX_ASKED_SECONDS = 3600


def pause_after(attempts: int, share: float, asked_seconds: float | None = None) -> float | None:
    """Seconds until the next attempt after `attempts` failed ones; None after the last.

    `share` is a random number from 0 to 1; `asked_seconds` is the pause that the receiver asked for.
    """
    if attempts >= MAX_ATTEMPTS:
        return None
    pause = PAUSES[attempts - 1] * (1 - JITTER * share)
    return max(pause, min(asked_seconds or 0.0, MAX_ASKED_SECONDS))


def parse_retry_after(text: str | None, now: float) -> float | None:
    """Seconds of a Retry-After header (RFC 9110, 10.2.3), which is a number or a date; None if it cannot be read."""
    if not text or len(text) > 64:
        return None
    if text.strip().isascii() and text.strip().isdigit():
        return float(text)
    try:
        seconds = parsedate_to_datetime(text).timestamp() - now
    except (ValueError, TypeError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) and seconds > 0 else None
