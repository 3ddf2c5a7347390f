"""Which site a request comes from, as far as browsers tell: the gateway's own pages, ALLOWED_ORIGINS, or others.

Browsers send `Sec-Fetch-Site` to https and localhost only; on plain HTTP there are `Origin` with changes and CORS, and
`Referer` unless the page withholds it.
"""

from collections.abc import Iterable

from flask import Flask, current_app, request

from gateway.hosts import Host, format_origin, parse_origin

_EXTENSION = "vas_allowed_origins"
_OWN_SITES = ("none", "same-origin")


def set_allowed_origins(app: Flask, origins: Iterable[str]) -> None:
    """Keep the origins of ALLOWED_ORIGINS for the requests of `app`. Raises ValueError for what is no origin."""
    app.extensions[_EXTENSION] = frozenset(parse_origin(origin) for origin in origins)


def allowed_origins() -> frozenset[str]:
    """The origins of ALLOWED_ORIGINS."""
    return current_app.extensions[_EXTENSION]


def may_change() -> bool:
    """Whether the request may be a change: it comes from our own pages, from ALLOWED_ORIGINS, or from no browser."""
    site, header = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if header is None:
        return site is None or site in _OWN_SITES
    origin = _parse(header)
    if origin in allowed_origins():
        return True
    if site is not None and site not in _OWN_SITES:
        return False
    # Where a proxy of which we do not know ends TLS, `Sec-Fetch-Site` tells that the page has the same scheme.
    return origin in _own_origins(any_scheme=site == "same-origin")


def may_start_a_camera() -> bool:
    """Whether a GET of live video is the wish of a viewer, and thus may start an on_demand device.

    A page of another site can make its visitors' browsers send any GET, and browsers fetch in advance what nobody may
    look at: neither is such a wish. Programs that are no browsers, such as VLC and FFmpeg, send none of these headers.
    A browser sends one for our own pages, whose Referrer-Policy sees to that; so one that sends none is not on them.
    """
    headers = request.headers
    purpose = headers.get("Sec-Purpose") or headers.get("Purpose") or headers.get("X-Moz") or ""
    if request.method != "GET" or "prefetch" in purpose.lower():
        return False
    site = headers.get("Sec-Fetch-Site")
    page = _parse(headers["Origin"]) if "Origin" in headers else _page()
    if page in allowed_origins():
        return True
    if site is not None:
        return site in _OWN_SITES
    if "Origin" in headers or "Referer" in headers:
        return page in _own_origins(any_scheme=True)
    return not headers.get("User-Agent", "").startswith("Mozilla/")


def may_embed() -> bool:
    """Whether a page of ALLOWED_ORIGINS shows the reply without CORS, as a plain `<img>` does."""
    return _page() in allowed_origins()


def _page() -> str | None:
    return _parse("/".join(request.headers.get("Referer", "").split("/", 3)[:3]))


def _own_origins(*, any_scheme: bool) -> tuple[str, ...]:
    try:
        host = Host.parse(request.host)
    except ValueError:
        return ()
    schemes = ("http", "https") if any_scheme or request.scheme not in ("http", "https") else (request.scheme,)
    return tuple(format_origin(scheme, host) for scheme in schemes)


def _parse(text: str) -> str | None:
    try:
        return parse_origin(text)
    except ValueError:
        return None
