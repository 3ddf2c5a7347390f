"""Removes secrets from URLs and text before anybody sees them, in linear time."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

#: The replacement of a secret.
MASK = "***"

#: Ends of names whose values are secret wherever they stand.
_SECRET_ENDS = (
    *("pass", "password", "passwd", "passphrase", "passcode", "passwort", "pwd", "secret", "secrets", "token"),
    *("tokens", "signature", "credential", "credentials", "apikey", "accesskey", "privatekey", "psk", "jwt"),
)
#: Names whose values are secret in JSON.
_MEMBERS = frozenset(("pw", "psw", "pin", "otp", "auth", "authorization", "sig", "sid", "sessionid", "loginpas"))
#: Names whose values are secret in URLs and other parameters, where `key` or `code` are not words of prose.
_PARAMETERS = _MEMBERS.union(
    ("p", "u", "key", "code", "user", "usr", "username", "login", "loginuse", "session", "jsessionid")
)
#: Longest name that is looked at, percent-encoded up to three times.
_MAX_NAME = 80

# The search begins at the `://`: one that begins at the letters of a scheme reads a long word once per letter.
_USERINFO = re.compile(r"://[^/?#\s'\"<>]*@")
#: The same in a URL that is itself a percent-encoded value.
_ENCODED_USERINFO = re.compile(r"(?P<start>%3A%2F%2F)(?:(?!%2F|%3F|%23)[^/?#&\s'\"<>])*(?P<end>%40)", re.IGNORECASE)
_BEARER = re.compile(r"\b(Bearer|Basic|Digest)\s+[A-Za-z0-9._~+/=\-]{6,}", re.IGNORECASE)
#: The beginning of user and password, or of a token, at the end of a text that was cut.
_CUT_SECRET = re.compile(
    r"(?:(?:(?<=://)|(?<=%3A%2F%2F))[^/?#\s'\"<>]*|(?P<kind>\b(?:Bearer|Basic|Digest)\s+)\S*)\Z", re.IGNORECASE
)

#: The equals sign of a parameter, the start of a query, and the ends of words.
_MARK = re.compile(r"(?P<equals>=|%3D)|(?P<query>\?)|[\s'\"<>]", re.IGNORECASE)
#: Cameras accept passwords in the query and in the path (`/user=admin_password=x_channel=1`): a value ends before the
#: next parameter, and in a path before the next segment.
_PATH_VALUE = re.compile(r"(?:[^&;,_/?\s'\"<>]|[;,_](?![a-z0-9]{1,40}(?:=|%3D)))+", re.IGNORECASE)
_QUERY_VALUE = re.compile(r"(?:[^&;,_\s'\"<>]|[;,_](?![a-z0-9]{1,40}(?:=|%3D)))+", re.IGNORECASE)
_ENCODED_VALUE = re.compile(
    r"(?:[^&;,_%\s'\"<>]|[;,_](?![a-z0-9]{1,40}(?:=|%3D))|%(?!26|3B|20|22|27|0A|0D))+", re.IGNORECASE
)
#: A status or exit code, which is no secret.
_STATUS = re.compile(r"-?[0-9]{1,3}")
#: A segment of a path, and the one behind it.
_SEGMENT = re.compile(r"/(?P<name>[^/?#&=\s'\"<>]{1,80})(?=/(?P<value>[^/?#\s'\"<>]+))")
#: The name of a member in JSON and the like; its quotes are escaped in JSON that is itself a text in JSON.
_MEMBER = re.compile(
    r"(?:(?P<quote>\\{0,7}[\"'])(?P<name>[^\"'\\]{1,80})(?P=quote)|(?<![\w.-])(?P<bare>[\w.-]{1,80}))\s{0,20}:\s{0,20}"
)
_QUOTE = re.compile(r"\\{0,7}[\"']")
_STRINGS = {
    '"': re.compile(r'(?:[^"\\]|\\.)*', re.DOTALL),
    "'": re.compile(r"(?:[^'\\]|\\.)*", re.DOTALL),
}
_NUMBER = re.compile(r"-?[0-9][0-9.eE+-]*")


def redact_url(url: str) -> str:
    """The URL as people may see it: `***@` for user and password, `***` for secret values."""
    scheme, separator, rest = url.partition("://")
    authority = re.match(r"[^/?#]*", rest)[0]
    path = rest[len(authority) :]
    if "@" in authority:
        authority = f"{MASK}@{authority.rpartition('@')[2]}"
    return f"{scheme}{separator}{authority}{_mask_path(path)}"


def is_redacted(url: str) -> bool:
    """Whether a URL contains `***` in the place of a secret, as our own replies do."""
    return any(f"{before}{MASK}" in url for before in ("/", "=", "%3D", "%3d"))


def redact_text(text: str, secrets: Iterable[str] = ()) -> str:
    """Remove the credentials in any text, such as a line from FFmpeg, and the given `secrets`."""
    for secret in sorted({s for s in secrets if len(s) >= 3}, key=len, reverse=True):
        text = text.replace(secret, MASK)
    text = _USERINFO.sub(f"://{MASK}@", text)
    return _BEARER.sub(rf"\1 {MASK}", _mask_path(_replace(text, _members(text))))


def shorten(text: str, limit: int) -> str:
    """Cut a text to `limit` characters, the last an ellipsis; redacted afterwards, it holds no part of a secret."""
    if len(text) <= limit:
        return text
    return _CUT_SECRET.sub(rf"\g<kind>{MASK}", text[: limit - 1], count=1)[: limit - 1] + "…"


def _mask_path(text: str) -> str:
    text = _ENCODED_USERINFO.sub(rf"\g<start>{MASK}\g<end>", text)
    text = _replace(text, _segments(text))
    return _replace(text, _parameters(text))


def _segments(text: str) -> Iterator[tuple[int, int]]:
    """The places of values behind their names, as in `/password/x/`."""
    for match in _SEGMENT.finditer(text):
        if _is_secret(match["name"], frozenset()):
            yield match.span("value")


def _parameters(text: str) -> Iterator[tuple[int, int]]:
    """The places of secret values of parameters."""
    is_query, name_from, mark = False, 0, _MARK.search(text)
    while mark is not None:
        position = mark.end()
        if mark["equals"]:
            value = _ENCODED_VALUE if mark["equals"] != "=" else _QUERY_VALUE if is_query else _PATH_VALUE
            name = text[max(name_from, mark.start() - _MAX_NAME) : mark.start()]
            if _is_secret(name, _PARAMETERS) and (place := _find_value(text, position, value, name)) is not None:
                yield place
                position = place[1]
        else:
            is_query = bool(mark["query"])
        name_from = position
        mark = _MARK.search(text, position)


def _find_value(text: str, start: int, pattern: re.Pattern[str], name: str) -> tuple[int, int] | None:
    quote = _QUOTE.match(text, start)
    if quote is not None:
        return quote.end(), _end_of_string(text, quote)
    value = pattern.match(text, start)
    if value is None or (_STATUS.fullmatch(value[0].rstrip(",;.")) and unquote(name).lower().endswith("code")):
        return None
    return value.span()


def _members(text: str) -> Iterator[tuple[int, int]]:
    """The places of secret strings and numbers in JSON, whole or cut."""
    match = _MEMBER.search(text)
    while match is not None:
        position = match.end()
        if _is_secret(match["name"] or match["bare"], _MEMBERS):
            if (quote := _QUOTE.match(text, position)) is not None:
                start, position = quote.end(), _end_of_string(text, quote)
                yield start, position
            elif match["quote"] and text.startswith("[", position):
                start, position = position, text.find("]", position) + 1 or len(text)
                yield start, position
            elif match["quote"] and (number := _NUMBER.match(text, position)) is not None:
                yield number.span()
                position = number.end()
        match = _MEMBER.search(text, position)


def _end_of_string(text: str, quote: re.Match[str]) -> int:
    """The place of the closing quote, or the end of the text."""
    if quote[0] in _STRINGS:
        return _STRINGS[quote[0]].match(text, quote.end()).end()
    # Quotes in a string of JSON within JSON have more backslashes than its own.
    backslashes, end = len(quote[0]) - 1, quote.end()
    while (end := text.find(quote[0][-1], end)) >= 0:
        start = end - backslashes
        if text[start : end + 1] == quote[0] and text[start - 1] != "\\":
            return start
        end += 1
    return len(text)


def _is_secret(name: str, further: frozenset[str]) -> bool:
    """Whether the value behind this text is secret: its last word, or its last words joined by `_`, `-` or `.`."""
    for _ in range(3):
        if "%" not in name:
            break
        name = unquote(name)
    joined = re.split(r"[^a-z0-9_.-]", name.lower())[-1].rstrip("0123456789")
    words = (re.split(r"[_.-]", joined)[-1], re.sub(r"[_.-]", "", joined))
    return any(word in further or word.endswith(_SECRET_ENDS) for word in words)


def _replace(text: str, places: Iterable[tuple[int, int]]) -> str:
    """The text with `***` in these places, which are in order."""
    pieces, done = [], 0
    for start, end in places:
        pieces += (text[done:start], MASK)
        done = end
    return "".join((*pieces, text[done:]))
