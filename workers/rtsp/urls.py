"""The URLs of a session: request URLs without credentials, and the URL of a track from whatever a camera writes.

No URL here leads to a connection: all requests go through the one that the session has, to the checked address.
"""

import re
from urllib.parse import urljoin

from gateway.devices.sources import SourceUrl
from workers.rtsp.messages import Reply

_MAX_LENGTH = 2000
_ABSOLUTE = re.compile(r"(rtsps?|rtspu)://", re.IGNORECASE)
_HOST_FIRST = re.compile(r"(?://)?((?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]+|\[[0-9A-Fa-f:.]+\]|localhost)(:\d{1,5})?(?=/|$)")


def request_url(source: SourceUrl) -> str:
    """The URL of a source for request lines: without user and password."""
    host = f"[{source.host}]" if ":" in source.host else source.host
    port = f":{source.port}" if source.port is not None else ""
    return f"{source.scheme}://{host}{port}{source.rest}"


def clean_url(text: str) -> str:
    """A URL of a camera that can stand in a request line: no user or password, no blanks or control characters."""
    text = text.strip().strip("<>\"'").strip()[:_MAX_LENGTH]
    text = re.sub(r"[\x00-\x1f\x7f]", "", text).replace(" ", "%20")
    absolute = _ABSOLUTE.match(text)
    start = absolute.end() if absolute else 2 if text.startswith("//") else 0
    return text[:start] + _without_login(text[start:], is_relative=not start)


def _without_login(text: str, *, is_relative: bool) -> str:
    """What begins with a host, without the user and password before it; a password may hold a raw slash."""
    authority = re.match(r"[^/?]*", text)[0]
    if "@" in authority and (":" in authority or not is_relative):
        return text[authority.rindex("@") + 1 :]
    login = re.match(r"[^/?@:]+:(?!\d{1,5}(?:/|$))[^?@]*@(?=[A-Za-z0-9.\[\]:-]+(?:[/?]|$))", text)
    return text[login.end() :] if login else text


def base_urls(request: str, session_control: str | None, reply: Reply) -> tuple[list[str], list[str]]:
    """The URLs to which controls may be relative, the likeliest first, and what is unusual about the camera's own.

    `request` is the URL of DESCRIBE. An absolute control of the session counts before Content-Base, this before
    Content-Location, and the request's URL is always among them.
    """
    bases: list[str] = []
    quirks: list[str] = []
    control = clean_url(session_control or "")
    if _ABSOLUTE.match(control):
        bases.append(control)
    elif not control:
        quirks.append("no session control")
    for name, written in (("content-base", "Content-Base"), ("content-location", "Content-Location")):
        text = reply.get(name)
        if text is None:
            continue
        base, quirk = _read_base(text, request)
        if quirk:
            quirks.append(f"{written} {quirk}")
        if base:
            bases.append(base)
    if control and control != "*" and not _ABSOLUTE.match(control):
        bases += [_append(base, control) for base in (bases or [request])[:1]]
    bases.append(request)
    host = _host_of(request)
    # A camera behind address translation writes its own address; it may want that, or the one it is asked at.
    bases += [_with_host(base, host) for base in bases]
    return list(dict.fromkeys(bases)), quirks


def _read_base(text: str, request: str) -> tuple[str | None, str | None]:
    base = clean_url(text)
    if not base:
        return None, "is empty"
    if _ABSOLUTE.match(base):
        if len(base) < len(text.strip()) and "@" in text:
            return base, "contains a login"
        return base, None if _name_of(base) == _name_of(request) else "names another host"
    scheme = request.partition("://")[0]
    if _HOST_FIRST.match(base):
        return f"{scheme}://{base.removeprefix('//')}", "without a scheme"
    if base.startswith("/"):
        return f"{scheme}://{_host_of(request)}{base}", "is only a path"
    return None, "is no URL"


def track_urls(bases: list[str], control: str) -> list[str]:
    """The URLs for SETUP of a track, the likeliest first: what FFmpeg, VLC and gortsplib would send, then RFC 3986."""
    control = clean_url(control)
    if not control or control == "*":
        return list(bases)
    if _ABSOLUTE.match(control):
        others = [_with_host(control, _host_of(bases[-1]))] if bases else []
        return list(dict.fromkeys([control, *others]))
    found = [_append(base, control) for base in bases]
    for base in bases:
        path, question, query = base.partition("?")
        if question:
            found += [f"{_append(path, control)}?{query}", _append(path, control)]
        found.append(_resolve(base, control))
    if "%20" in control:
        found += [_append(base, control).replace("%20", " ") for base in bases[:1]]
    return list(dict.fromkeys(found))


def aggregate_urls(bases: list[str]) -> list[str]:
    """The URLs for PLAY of the whole session, the likeliest first."""
    return list(dict.fromkeys([*bases, *(base.rstrip("/") for base in bases)]))


def _append(base: str, control: str) -> str:
    if control.startswith("?"):
        return base + control
    return f"{base.rstrip('/')}/{control.lstrip('/')}"


def _resolve(base: str, control: str) -> str:
    """As RFC 3986 resolves it, which does not know the scheme."""
    scheme, _, rest = base.partition("://")
    try:
        joined = urljoin(f"http://{rest}", control)
    except ValueError:
        return _append(base, control)
    return f"{scheme}://{joined.partition('://')[2]}"


def _host_of(url: str) -> str:
    return re.match(r"[^/?]*", url.partition("://")[2])[0]


def _name_of(url: str) -> str:
    return re.sub(r":\d*$", "", _host_of(url)).lower()


def _with_host(url: str, host: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{host}{rest[len(re.match(r'[^/?]*', rest)[0]) :]}"
