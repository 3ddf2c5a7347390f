"""Removes secrets from URLs and text before anybody sees them."""

import re
from collections.abc import Iterable

#: The replacement of a secret.
MASK = "***"

# The search begins at the `://`: one that begins at the letters of a scheme reads a long word once per letter.
_USERINFO = re.compile(r"://[^/?#\s'\"<>]*@")
# Cameras accept passwords in the query and in the path (`/user=admin_password=x_channel=1`); hence the value
# ends at a separator of either.
_PARAMETER = re.compile(
    r"(?P<name>(?:^|(?<=[^a-z]))(?:[a-z]*(?:pass(?:word|wd|phrase)?|pwd|token|secret|signature|credentials?)"
    r"|pw|psw|auth|sig|api_?key|access_?key|key|user|usr|username|login)=)"
    r"(?P<value>(?:(?!_[a-z]+=)[^&;/?\s'\"<>])+)",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\b(Bearer|Basic|Digest)\s+[A-Za-z0-9._~+/=\-]{6,}", re.IGNORECASE)
#: The beginning of user and password, or of a token, at the end of a text that was cut.
_CUT_SECRET = re.compile(r"(?:(?<=://)[^/?#\s'\"<>]*|(?P<kind>\b(?:Bearer|Basic|Digest)\s+)\S*)\Z", re.IGNORECASE)


def redact_url(url: str) -> str:
    """The URL as people may see it: `***@` for user and password, `***` for secret values."""
    scheme, separator, rest = url.partition("://")
    authority = re.match(r"[^/?#]*", rest)[0]
    path = rest[len(authority) :]
    if "@" in authority:
        authority = f"{MASK}@{authority.rpartition('@')[2]}"
    return f"{scheme}{separator}{authority}{_mask_parameters(path)}"


def is_redacted(url: str) -> bool:
    """Whether a URL contains `***` in the place of a secret, as our own replies do."""
    return f"://{MASK}@" in url or f"={MASK}" in url


def redact_text(text: str, secrets: Iterable[str] = ()) -> str:
    """Remove the credentials in any text, such as a line from FFmpeg, and the given `secrets`."""
    for secret in sorted({s for s in secrets if len(s) >= 3}, key=len, reverse=True):
        text = text.replace(secret, MASK)
    text = _USERINFO.sub(f"://{MASK}@", text)
    return _BEARER.sub(rf"\1 {MASK}", _mask_parameters(text))


def shorten(text: str, limit: int) -> str:
    """Cut a text to `limit` characters, the last an ellipsis; redacted afterwards, it holds no part of a secret."""
    if len(text) <= limit:
        return text
    return _CUT_SECRET.sub(rf"\g<kind>{MASK}", text[: limit - 1], count=1)[: limit - 1] + "…"


def _mask_parameters(text: str) -> str:
    return _PARAMETER.sub(rf"\g<name>{MASK}", text)
