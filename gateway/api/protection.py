"""Checks of every request and headers of every reply: hosts, origins, JSON only, security headers."""

from flask import Flask, Response, request

from gateway.api.cross_site import allowed_origins, may_change, may_embed, set_allowed_origins
from gateway.api.errors import ApiError
from gateway.api.proxies import ProxyHeaders
from gateway.config import Config
from gateway.hosts import Host, TrustedHosts, machine_names, parse_origin

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: Endpoints that orchestrators ask under addresses of their own; they tell nothing but whether the process is ready.
_OF_ANY_HOST = frozenset({"health.HealthLive", "health.HealthReady"})

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
    # Pages of other sites cannot show our pictures and video, not even as a plain `<img>`.
    "Cross-Origin-Resource-Policy": "same-origin",
    # Of all replies that say nothing else: what the API answers is of the moment.
    "Cache-Control": "no-store",
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
    app.wsgi_app = ProxyHeaders(app.wsgi_app, config.trusted_proxies)  # type: ignore[method-assign]
    set_allowed_origins(app, config.allowed_origins)
    hosts = TrustedHosts(config.trusted_hosts, own=machine_names() | {config.host.lower()})

    def refuse_untrusted_hosts() -> None:
        if request.endpoint in _OF_ANY_HOST:
            return
        text = request.environ.get("HTTP_HOST", "")
        if not text and not hosts.are_configured:
            return  # an HTTP/1.0 health check sends no Host
        try:
            host = Host.parse(text)
        except ValueError:
            raise ApiError(400, "'Host' must be a host name with an optional port", reason="untrusted_host") from None
        if hosts.accept(host):
            return
        if hosts.are_configured:
            raise ApiError(400, "'Host' is not one of TRUSTED_HOSTS", reason="untrusted_host")
        raise ApiError(
            400,
            f"'Host' is '{host.name}', which is neither an IP address nor a name of this machine: "
            f"add it to the setting TRUSTED_HOSTS, such as TRUSTED_HOSTS={host.name}",
            reason="untrusted_host",
        )

    def refuse_cross_site_changes() -> None:
        """Keep pages of other sites from making changes through the browsers of their visitors (CSRF)."""
        if request.method not in SAFE_METHODS and not may_change():
            raise ApiError(
                403,
                "changes from other sites are refused: add the origin to ALLOWED_ORIGINS; "
                "if it is this gateway's own, name the proxy in front of it in TRUSTED_PROXIES",
                reason="cross_site",
            )

    def refuse_bodies_without_json() -> None:
        """Accept only JSON, which the form of another site cannot send."""
        has_body = bool(request.content_length) or "chunked" in request.headers.get("Transfer-Encoding", "").lower()
        if request.method not in SAFE_METHODS and has_body and request.mimetype not in _JSON_TYPES:
            raise ApiError(415, "the body must be JSON: send 'Content-Type: application/json'")

    def add_headers(response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if allowed_origins():
            response.vary.add("Origin")
            if request.url_rule is not None:  # the files of the UI are for its own pages
                response.vary.add("Referer")
                if may_embed():
                    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
            _allow_origin(response)
        return response

    app.before_request(refuse_untrusted_hosts)
    app.before_request(refuse_cross_site_changes)
    app.before_request(refuse_bodies_without_json)
    app.after_request(add_headers)


def _allow_origin(response: Response) -> None:
    """Let pages of ALLOWED_ORIGINS read the reply (CORS)."""
    header = request.headers.get("Origin", "")
    try:
        if parse_origin(header) not in allowed_origins():
            return
    except ValueError:
        return
    response.headers["Access-Control-Allow-Origin"] = header
    response.headers["Access-Control-Expose-Headers"] = _CORS_EXPOSED
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = "GET, POST, PUT, PATCH, DELETE"
        response.headers["Access-Control-Allow-Headers"] = _CORS_ALLOWED
        response.headers["Access-Control-Max-Age"] = "600"
