"""Checks of every request and headers of every reply: hosts, origins, JSON only, security headers."""

import re
from urllib.parse import urlsplit

from flask import Flask, Response, request

from gateway.api.errors import ApiError
from gateway.config import Config

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_HOST = re.compile(r"[A-Za-z0-9._\-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")

#: The player connects to the SFU, which may be on another port or host; the component library sets inline styles.
_CONTENT_POLICY = "; ".join(
    [
        "default-src 'self'",
        "connect-src 'self' ws: wss: http: https:",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "style-src 'self' 'unsafe-inline'",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    ]
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": _CONTENT_POLICY,
}
_CORS_EXPOSED = (
    "ETag, Location, X-Pagination, Retry-After, Accept-Ranges, Content-Range, Content-Length, Content-Disposition"
)
#: A form of another site can send neither.
_JSON_TYPES = ("application/json", "application/merge-patch+json")
_CORS_ALLOWED = "Content-Type, If-Match, If-None-Match, Authorization, Range, If-Range, Idempotency-Key"


def protect(app: Flask, config: Config) -> None:
    """Check every request of `app`, and add the security headers to every reply."""
    hosts = frozenset(host.lower() for host in config.trusted_hosts)
    origins = frozenset(origin.lower().rstrip("/") for origin in config.allowed_origins)

    def refuse_untrusted_hosts() -> None:
        host = request.environ.get("HTTP_HOST", "")
        if not host and not hosts:
            return  # an HTTP/1.0 health check sends no Host
        if not _HOST.fullmatch(host):
            raise ApiError(400, "'Host' must be a host name with an optional port", reason="untrusted_host")
        if hosts and _without_port(host.lower()) not in hosts and host.lower() not in hosts:
            raise ApiError(400, "'Host' is not one of TRUSTED_HOSTS", reason="untrusted_host")

    def refuse_cross_site_changes() -> None:
        """Keep pages of other sites from making changes through the browsers of their visitors (CSRF)."""
        if request.method in SAFE_METHODS:
            return
        origin = request.headers.get("Origin")
        if origin is None:
            if request.headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin"):
                return
        elif origin.lower().rstrip("/") in origins or _host_of(origin) == request.host.lower():
            return
        raise ApiError(
            403, "changes from other sites are refused: add the origin to ALLOWED_ORIGINS", reason="cross_site"
        )

    def refuse_bodies_without_json() -> None:
        """Accept only JSON, which the form of another site cannot send."""
        has_body = bool(request.content_length) or "chunked" in request.headers.get("Transfer-Encoding", "").lower()
        if request.method not in SAFE_METHODS and has_body and request.mimetype not in _JSON_TYPES:
            raise ApiError(415, "the body must be JSON: send 'Content-Type: application/json'")

    def add_headers(response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if request.path.startswith("/api/"):
            response.headers.setdefault("Cache-Control", "no-store")
        origin = request.headers.get("Origin", "").lower().rstrip("/")
        if origins:
            response.vary.add("Origin")
        if origin in origins:
            response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
            response.headers["Access-Control-Expose-Headers"] = _CORS_EXPOSED
            if request.method == "OPTIONS":
                response.headers["Access-Control-Allow-Methods"] = "GET, POST, PUT, PATCH, DELETE"
                response.headers["Access-Control-Allow-Headers"] = _CORS_ALLOWED
                response.headers["Access-Control-Max-Age"] = "600"
        return response

    app.before_request(refuse_untrusted_hosts)
    app.before_request(refuse_cross_site_changes)
    app.before_request(refuse_bodies_without_json)
    app.after_request(add_headers)


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None


def _without_port(host: str) -> str:
    return host if host.endswith("]") else host.rsplit(":", 1)[0]
