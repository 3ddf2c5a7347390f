"""The headers of reverse proxies (`X-Forwarded-…`): believed from TRUSTED_PROXIES only, otherwise removed."""

import ipaddress
from collections.abc import Callable, Iterable
from typing import Any

from gateway.hosts import Host

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: Beside all that begin with HTTP_X_FORWARDED_.
_OTHERS = ("HTTP_FORWARDED", "HTTP_X_REAL_IP")
_PREFIX = "HTTP_X_FORWARDED_"


class ProxyHeaders:
    """WSGI middleware: the address, scheme and host of the client as the proxies in front of us report them.

    Read from the right, where the nearest proxy writes: what stands left of the first address that is not a trusted
    proxy was written by the client.
    """

    def __init__(self, app: Callable[..., Any], trusted: Iterable[str]) -> None:
        self._app = app
        self._networks = tuple(ipaddress.ip_network(text, strict=False) for text in trusted)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        names = [name for name in environ if name.startswith(_PREFIX) or name in _OTHERS]
        headers = {name.removeprefix(_PREFIX): environ.pop(name) for name in names}
        if self._is_trusted(_read_address(environ.get("REMOTE_ADDR", ""))):
            self._apply(environ, headers)
        elif headers:
            # The server may have believed one of them, such as gunicorn with FORWARDED_ALLOW_IPS.
            environ["wsgi.url_scheme"] = "http"
        return self._app(environ, start_response)

    def _apply(self, environ: dict[str, Any], headers: dict[str, str]) -> None:
        hops = 0
        for text in reversed(_split(headers.get("FOR", ""))):
            address = _read_address(text)
            if address is None:
                break
            environ["REMOTE_ADDR"] = str(address)
            if not self._is_trusted(address):
                break
            hops += 1
        scheme = _pick(headers.get("PROTO", ""), hops).lower()
        if scheme in ("http", "https"):
            environ["wsgi.url_scheme"] = scheme
        if host := _pick(headers.get("HOST", ""), hops):
            environ["HTTP_HOST"] = host

    def _is_trusted(self, address: _Address | None) -> bool:
        return address is not None and any(address in network for network in self._networks)


def _pick(values: str, hops: int) -> str:
    """The value of the outermost trusted proxy: each one appends its own, or replaces the only one."""
    parts = _split(values)
    return parts[max(0, len(parts) - 1 - hops)] if parts else ""


def _split(values: str) -> list[str]:
    return [part.strip() for part in values.split(",")] if values else []


def _read_address(text: str) -> _Address | None:
    """An address with or without a port; IPv4 addresses that are mapped into IPv6 as IPv4."""
    for candidate in (text, None):
        try:
            address = ipaddress.ip_address(candidate if candidate is not None else Host.parse(text).name)
        except ValueError:
            continue
        return getattr(address, "ipv4_mapped", None) or address
    return None
