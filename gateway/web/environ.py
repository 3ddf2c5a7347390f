"""The WSGI environment (PEP 3333) of a request. The only place that decides whose headers are believed."""

import io
import sys
from typing import Any
from urllib.parse import unquote_to_bytes

from gateway.errors import VasError

#: Headers that WSGI names without `HTTP_`, or that describe the transfer of a body, which is complete here.
_LEFT_OUT = frozenset((b"content-type", b"content-length", b"transfer-encoding", b"expect", b"trailer"))


class InvalidTarget(VasError):
    """The target of a request is not a path."""


def build_environ(scope: dict[str, Any], body: bytes) -> dict[str, Any]:
    """The environment of an ASGI request with its complete body. Raises InvalidTarget.

    No header changes the path, the scheme or the client's address: SCRIPT_NAME is always empty. Headers whose names
    contain an underscore are left out, because `X_Y` and `X-Y` would be the same variable.
    """
    server, client = scope.get("server") or ("", None), scope.get("client") or ("", 0)
    headers = scope["headers"]
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(_path_of(scope)).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": str(server[0]),
        "SERVER_PORT": str(server[1] or ""),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": str(client[0]),
        "REMOTE_PORT": str(client[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in headers:
        if name == b"content-type":
            environ["CONTENT_TYPE"] = value.decode("latin-1")
        if name in _LEFT_OUT or b"_" in name:
            continue
        variable = "HTTP_" + name.decode("latin-1").upper().replace("-", "_")
        text = value.decode("latin-1")
        if variable in environ:
            text = f"{environ[variable]}{'; ' if name == b'cookie' else ','}{text}"
        environ[variable] = text
    if body or any(name == b"content-length" for name, _ in headers):
        environ["CONTENT_LENGTH"] = str(len(body))
    return environ


def header_of(scope: dict[str, Any], name: bytes) -> bytes | None:
    """The first header of a name, which is in lower case."""
    return next((value for known, value in scope["headers"] if known == name), None)


def _path_of(scope: dict[str, Any]) -> bytes:
    """The path as sent. A complete URL (RFC 9112, 3.2.2) must name the host that `Host` names."""
    target = scope["raw_path"]
    if target.startswith(b"/") or target == b"*":
        return target
    scheme, separator, rest = target.partition(b"://")
    authority, slash, path = rest.partition(b"/")
    if not separator or scheme.lower() not in (b"http", b"https"):
        raise InvalidTarget("the target of the request must be a path")
    if authority.lower() != (header_of(scope, b"host") or b"").lower():
        raise InvalidTarget("the host in the target of the request must be the one of 'Host'")
    return slash + path or b"/"
