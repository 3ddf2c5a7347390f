"""Host names and web origins: which hosts a request may name, and which origins count as ours. Pure.

A page of any site can point a name of its own at this machine (DNS rebinding): to the browser it then is the same site,
and only the header `Host` tells the difference. It cannot do that with a name that the public DNS does not give away:
an IP address, `localhost`, and the name of this machine.
"""

import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

#: The entry of TRUSTED_HOSTS that allows every host.
ANY_HOST = "*"

_DEFAULT_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63}){0,126}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Host:
    """A host as URLs and the header `Host` name it; `name` in lower case, IPv6 addresses without brackets."""

    name: str
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse `name`, `name:port`, `address` or `[IPv6]:port`; raises ValueError."""
        bracketed, bracket, rest = text[1:].partition("]") if text.startswith("[") else ("", "", "")
        name, colon, port = (bracketed, rest[:1], rest[1:]) if bracket else text.partition(":")
        if len(text) > 262 or (bracket and rest[:1] not in ("", ":")):
            raise ValueError(text[:80])
        if bracket and "%" not in bracketed:
            name = str(ipaddress.IPv6Address(bracketed))
        else:
            name = name.lower().removesuffix(".")
            if len(name) > 253 or not _NAME.fullmatch(name):
                raise ValueError(text[:80])
        if colon and not re.fullmatch("[0-9]{1,5}", port):
            raise ValueError(text[:80])
        return cls(name, int(port) if colon else None)

    @property
    def is_address(self) -> bool:
        """Whether it is an IP address in its usual notation."""
        return is_address(self.name)


def is_address(text: str) -> bool:
    """Whether a text is an IP address in its usual notation."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def machine_names() -> frozenset[str]:
    """The names by which this machine calls itself, and by which mDNS announces it. Asks no resolver."""
    name = socket.gethostname().lower().removesuffix(".")
    short = name.partition(".")[0]
    return frozenset({name, short, f"{short}.local", "localhost"}) - {"", ".local"}


class TrustedHosts:
    """The hosts under which the web process may be reached.

    Without TRUSTED_HOSTS: IP addresses, `localhost`, and the names of this machine.
    """

    def __init__(self, trusted: Iterable[str], own: Iterable[str] = ()) -> None:
        self._trusted = frozenset(Host.parse(text) for text in trusted if text != ANY_HOST)
        self._is_any = ANY_HOST in trusted
        self._own = frozenset(own)

    @property
    def are_configured(self) -> bool:
        """Whether TRUSTED_HOSTS is set."""
        return self._is_any or bool(self._trusted)

    def accept(self, host: Host) -> bool:
        """Whether a request may name this host."""
        if self.are_configured:
            return self._is_any or host in self._trusted or Host(host.name) in self._trusted
        return host.is_address or host.name in self._own or host.name.endswith(".localhost")


def parse_origin(text: str) -> str:
    """A web origin as browsers write it: scheme and host in lower case, without a default port. Raises ValueError."""
    parts = urlsplit(text.strip())
    if parts.scheme not in _DEFAULT_PORTS or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(text[:80])
    host = Host.parse(parts.netloc)
    return format_origin(parts.scheme, host)


def format_origin(scheme: str, host: Host) -> str:
    """The origin of the pages at `host`."""
    name = f"[{host.name}]" if ":" in host.name else host.name
    port = "" if host.port in (None, _DEFAULT_PORTS[scheme]) else f":{host.port}"
    return f"{scheme}://{name}{port}"
