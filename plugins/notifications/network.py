"""Where notifications may go: the policy for addresses of receivers, which users of the API choose.

The gateway is inside networks that its users may not reach. So only public addresses are allowed, and networks that the
option `allowed_networks` names. A name is resolved once, every address is checked, and the connection goes to those.
"""

import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gateway.devices.sources import Address, SourcePolicy, embedded_addresses, parse_source, resolve_host
from gateway.plugin_api import InvalidValue, VasError

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
#: What no network of the option allows: metadata services, multicast, unspecified and reserved addresses.
_NEVER = SourcePolicy(allow_loopback=True)


class AddressRefused(VasError):
    """A receiver whose address the policy does not allow."""

    reason = "address_not_allowed"


class AddressUnknown(VasError):
    """A receiver whose name has no address, or whose resolver does not answer."""

    reason = "unknown_host"


@dataclass(frozen=True, slots=True)
class Target:
    """A receiver with its checked addresses. `host` is for TLS and headers."""

    host: str
    port: int
    addresses: tuple[str, ...]


class AddressPolicy:
    """Public addresses, and those in `networks`."""

    def __init__(self, networks: Iterable[str] = (), resolve: Callable[[str], list[str]] = resolve_host) -> None:
        self._networks: list[_Network] = [ipaddress.ip_network(text, strict=False) for text in networks]
        self._resolve = resolve

    def refusal(self, address: Address) -> str | None:
        """Why an address is not allowed, as the end of a sentence; None if it is."""
        never = _NEVER.refusal(address)
        if never and not address.is_loopback:
            return never
        for candidate in (address, *embedded_addresses(address)):
            if not candidate.is_global and not any(candidate in network for network in self._networks):
                return "is not a public address: add its network to the option 'allowed_networks'"
        return None

    def find(self, host: str, port: int, address: Address | None = None) -> Target:
        """Resolve a host and check every address. Raises AddressRefused, AddressUnknown. Waits up to two seconds."""
        found = [str(address)] if address is not None else self._resolve(host)
        if not found:
            raise AddressUnknown(f"'{host}' cannot be resolved")
        for text in found:
            refusal = self.refusal(ipaddress.ip_address(text.partition("%")[0]))
            if refusal:
                shown = host if text == host else f"{host} ({text})"
                raise AddressRefused(f"'{shown}' {refusal}")
        return Target(host, port, tuple(found))

    def find_host(self, host: str, port: int, field_name: str = "host") -> Target:
        """As `find`, for a host that was typed: a name, or an address in any notation. Raises InvalidValue too."""
        shown = f"[{host}]" if ":" in host and not host.startswith("[") else host
        source = parse_source(f"rtsp://{shown}", field_name)
        if source.userinfo is not None or source.port is not None or source.rest:
            raise InvalidValue(field_name, f"'{field_name}' must be a host name or an address alone")
        return self.find(source.host, port, source.address)

    def find_url(self, url: str, field_name: str = "url", *, schemes: tuple[str, ...] = ("https", "http")) -> Target:
        """As `find`, for an http or https URL. Raises InvalidValue too."""
        source = parse_source(url, field_name, schemes)
        if source.userinfo is not None:
            raise InvalidValue(field_name, f"'{field_name}' must not contain a user or password: use 'headers'")
        port = source.port or (443 if source.scheme == "https" else 80)
        return self.find(source.host, port, source.address)


def check_networks(texts: Iterable[str]) -> str | None:
    """What is wrong with a list of networks, as a sentence; None if nothing is."""
    for text in texts:
        try:
            ipaddress.ip_network(text, strict=False)
        except ValueError:
            return f"'{text}' must be a network such as 192.168.1.0/24, or an address"
    return None
