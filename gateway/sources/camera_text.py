"""Text of a camera for people: it may contain anything."""

import re

_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u200b-\u200f\u2028-\u202e\u2066-\u2069]+")


def clean_camera_text(text: str, limit: int = 100) -> str:
    """Text of a camera that can be shown: one line, without control and direction characters, bounded."""
    return _UNSAFE.sub(" ", text[: 4 * limit]).strip()[:limit]
