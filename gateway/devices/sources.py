"""The policy for source URLs. Parsing is pure; `check_addresses` also asks the resolver.

The gateway is inside networks that its users may not reach. So the policy allows only the schemes of RTSP and of
plugins, and no address of the machine itself, of a cloud's metadata service, or outside ALLOWED_SOURCE_NETWORKS, in any
notation.
"""

import ipaddress
import re
import socket
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote, unquote, unquote_to_bytes

from gateway.config import Config
from gateway.errors import InvalidValue
from gateway.sources.registry import RTSP_PORTS, SCHEME

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

MAX_URL_LENGTH = 1000
#: Of user and password as the camera knows them, not percent-encoded.
MAX_USERINFO_LENGTH = 128

#: Which certificates of an encrypted source are trusted: those that a known authority signed for its host, the one
#: with a given fingerprint, or any.
TLS_TRUSTS = ("verify", "pinned", "any")

#: Other programs read these as options if they appear in the query of an RTSP URL: people expect an effect.
_QUERY_OPTIONS = frozenset({"tcp", "udp", "udp_multicast", "multicast", "http", "https"})

#: Characters that are not allowed in user and password, or mean something else there (RFC 3986), unless encoded.
_RAW_IN_LOGIN = re.compile(r"[^A-Za-z0-9\-._~!$&'()*+,;=:|{}\"\[\]%]|%(?![0-9A-Fa-f]{2})")
_HOST_AND_PORT = re.compile(r"(?:\[[^\[\]@/?#]*\]|[^:@\[\]/?#]*)(?::[0-9]*)?(?=[/?]|\Z)")
_ALLOWED_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%|{}\"]*")
_HOST_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "instance-data", "instance-data.ec2.internal"})
_METADATA_ADDRESSES = frozenset(
    ipaddress.ip_address(text) for text in ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254")
)
#: Networks whose addresses end with an IPv4 address: NAT64 (RFC 6052), translated (RFC 2765) and compatible ones.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_TRANSLATED = ipaddress.ip_network("::ffff:0:0:0/96")
_COMPATIBLE = ipaddress.ip_network("::/96")
#: NAT64 of a network's own (RFC 8215): its prefix has 48, 56, 64 or 96 bits, so the IPv4 address is at one of these
#: places (RFC 6052, section 2.2).
_LOCAL_NAT64 = ipaddress.ip_network("64:ff9b:1::/48")
_LOCAL_NAT64_PLACES = ((6, 7, 9, 10), (7, 9, 10, 11), (9, 10, 11, 12), (12, 13, 14, 15))
_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")
_RESOLVE_SECONDS = 2.0


class AddressNotAllowed(InvalidValue):
    """A source whose address the settings do not allow."""

    reason = "address_not_allowed"


@dataclass(frozen=True, slots=True)
class SourcePolicy:
    """The rules of the settings for camera addresses; `ports` are the schemes that there are, with default ports."""

    allow_loopback: bool = False
    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    ports: Mapping[str, int] = field(default_factory=lambda: RTSP_PORTS)

    @classmethod
    def from_config(cls, config: Config, ports: Mapping[str, int] = RTSP_PORTS) -> "SourcePolicy":
        return cls(
            ports=ports,
            allow_loopback=config.allow_loopback_sources,
            networks=tuple(ipaddress.ip_network(text, strict=False) for text in config.allowed_source_networks),
        )

    def refusal(self, address: Address) -> str | None:
        """The reason why an address is not allowed, as the end of a sentence; None if it is allowed."""
        for candidate in (address, *embedded_addresses(address)):
            refusal = self._refusal(candidate)
            if refusal:
                return refusal
        return None

    def _refusal(self, address: Address) -> str | None:
        if address.is_loopback:
            return None if self.allow_loopback else "is an address of this machine"
        if address.is_unspecified or (address.version == 4 and address in _THIS_NETWORK):
            return "is no address of a camera"
        if address.is_link_local or address in _METADATA_ADDRESSES:
            return "is a link-local or metadata address"
        if address.is_multicast or address == ipaddress.IPv4Address("255.255.255.255"):
            return "is a multicast or broadcast address"
        if address.version == 4 and address.is_reserved:
            return "is a reserved address"
        if self.networks and not any(address in network for network in self.networks):
            return "is outside the networks of ALLOWED_SOURCE_NETWORKS"
        return None


def read_fingerprint(text: str) -> str | None:
    """The SHA-256 fingerprint of a certificate as 64 lower-case hexadecimal digits, from the notations of browsers and
    openssl; None for any other text."""
    digits = re.sub(r"[:\s]", "", text).lower()
    return digits if re.fullmatch(r"[0-9a-f]{64}", digits) else None


@dataclass(frozen=True, slots=True)
class SourceUrl:
    """The parts of a valid source URL. `host` is a lower-case name or an address in canonical notation."""

    scheme: str
    host: str
    port: int | None
    rest: str = field(repr=False)  # path and query, which may contain a password
    userinfo: str | None = field(repr=False, default=None)
    address: Address | None = None

    @property
    def url(self) -> str:
        """The complete URL, with the credentials as they were written."""
        login = f"{self.userinfo}@" if self.userinfo is not None else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.port is not None else ""
        return f"{self.scheme}://{login}{host}{port}{self.rest}"

    @property
    def credentials(self) -> tuple[str, str] | None:
        """User and password, percent-decoded; None without any."""
        if self.userinfo is None:
            return None
        user, _, password = self.userinfo.partition(":")
        return unquote(user), unquote(password)

    def with_credentials(self, username: str, password: str) -> "SourceUrl":
        """The same source with this login, in any characters; without one if both are empty."""
        login = f"{quote(username, safe='')}:{quote(password, safe='')}" if password else quote(username, safe="")
        return replace(self, userinfo=login or None)


def credentials_of(source: SourceUrl) -> tuple[str, str] | None:
    """User and password as they are sent: bytes outside UTF-8 are kept as surrogates. None without a login."""
    if source.userinfo is None:
        return None
    user, _, password = source.userinfo.partition(":")
    return unquote(user, errors="surrogateescape"), unquote(password, errors="surrogateescape")


def parse_source(text: str, field_name: str = "source_url", schemes: Collection[str] | None = None) -> SourceUrl:
    """Parse a source URL; raises InvalidValue with a message that says what would be right. Makes no network calls.

    `schemes`: those that are allowed; None: any, for URLs that were saved, perhaps with a plugin that is gone.
    """

    def wrong(message: str) -> InvalidValue:
        return InvalidValue(field_name, f"'{field_name}' {message}")

    if len(text) > MAX_URL_LENGTH:
        raise wrong(f"must have at most {MAX_URL_LENGTH} characters, not {len(text)}")
    scheme, separator, rest = text.partition("://")
    scheme = scheme.lower()
    if not separator or not SCHEME.fullmatch(scheme) or (schemes is not None and scheme not in schemes):
        raise wrong(f"must start with {_name_schemes(schemes or RTSP_PORTS)}")
    _check_login(rest, wrong)
    if not _ALLOWED_CHARACTERS.fullmatch(rest):
        raise wrong(
            "must not contain spaces, control characters, '#', '\\' or characters outside ASCII: "
            "write them percent-encoded, such as %23 for #"
        )
    if re.search(r"%(?![0-9A-Fa-f]{2})", rest):
        raise wrong("must have two hexadecimal digits after each '%'; a percent sign itself is %25")
    if any(byte < 0x20 or byte == 0x7F for byte in unquote_to_bytes(rest)):
        raise wrong("must not contain control characters, not even percent-encoded")
    authority = re.match(r"[^/?]*", rest)[0]
    tail = rest[len(authority) :]
    userinfo, at, host_and_port = authority.rpartition("@")
    if len(unquote(userinfo)) > MAX_USERINFO_LENGTH:
        raise wrong(f"must have at most {MAX_USERINFO_LENGTH} characters of user and password")
    if at and not userinfo.partition(":")[0]:
        raise wrong("must name the user before the password, as in rtsp://user:password@host")
    options = _QUERY_OPTIONS.intersection(re.split(r"[?&]", tail.lower())[1:])
    if options and scheme in RTSP_PORTS:
        raise wrong(f"must not contain '{sorted(options)[0]}' in its query: choose it with 'transport'")
    host, port = _split_port(host_and_port, wrong)
    host, address = _read_host(host, wrong)
    return SourceUrl(scheme, host, port, tail, userinfo if at else None, address)


def check_source(text: str, policy: SourcePolicy, field_name: str = "source_url") -> SourceUrl:
    """As `parse_source`, and check the address if the host is one; raises InvalidValue or AddressNotAllowed."""
    source = parse_source(text, field_name, policy.ports)
    if source.host in _METADATA_NAMES:
        raise AddressNotAllowed(field_name, f"'{field_name}' must not lead to a metadata service: '{source.host}'")
    if source.address is not None:
        _require(policy, source.address, source.host, field_name)
    elif (source.host == "localhost" or source.host.endswith(".localhost")) and not policy.allow_loopback:
        raise AddressNotAllowed(
            field_name, f"'{field_name}' must be a camera's address: '{source.host}' is this machine"
        )
    return source


def check_addresses(
    source: SourceUrl,
    policy: SourcePolicy,
    field_name: str = "source_url",
    resolve: Callable[[str], list[str]] | None = None,
) -> list[str]:
    """Resolve the host name and check every address; returns them, empty if the name cannot be resolved now.

    Called when a device is saved and again before each start, because the name may resolve differently by then.
    Waits at most two seconds. Raises AddressNotAllowed.
    """
    if source.address is not None:
        _require(policy, source.address, source.host, field_name)
        return [str(source.address)]
    addresses = (resolve or resolve_host)(source.host)
    for text in addresses:
        _require(policy, ipaddress.ip_address(text.partition("%")[0]), source.host, field_name)
    return addresses


def resolve_host(host: str, timeout_seconds: float = _RESOLVE_SECONDS) -> list[str]:
    """The addresses of a name; empty if it has none or the resolver does not answer in time."""
    found: list[str] = []

    def ask() -> None:
        try:
            answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return
        found.extend(dict.fromkeys(str(answer[4][0]) for answer in answers))

    thread = threading.Thread(target=ask, name="resolve", daemon=True)
    thread.start()
    thread.join(timeout_seconds)
    return list(found)


def _name_schemes(schemes: Collection[str]) -> str:
    *others, last = (f"{scheme}://" for scheme in sorted(schemes))
    return f"{', '.join(others)} or {last}" if others else last


def _require(policy: SourcePolicy, address: Address, host: str, field_name: str) -> None:
    refusal = policy.refusal(address)
    if refusal:
        shown = host if str(address) == host else f"{host} ({address})"
        raise AddressNotAllowed(field_name, f"'{field_name}' must be a camera's address: '{shown}' {refusal}")


def _check_login(rest: str, wrong: Callable[[str], InvalidValue]) -> None:
    """Name a character of user and password that is not percent-encoded."""
    userinfo = rest[: _end_of_login(rest)]
    match = _RAW_IN_LOGIN.search(userinfo) if ":" in userinfo else None
    if match is None:
        return
    character, part = match[0], "password" if ":" in userinfo[: match.start()] else "username"
    if not character.isprintable():
        raise wrong(f"has a {part} with the character U+{ord(character):04X}, which a password cannot contain")
    kind = "a blank" if character == " " else f"'{character}'"
    code = quote(character, safe="")
    raise wrong(f"has a {part} that contains {kind}: write it as {code}, or send the {part} in the field '{part}'")


def _end_of_login(rest: str) -> int:
    """The place of the '@' behind user and password as people type them, with raw characters; 0 without one: what
    stands behind it is a host, with a port of digits if any."""
    for start in (0, *(match.end() for match in re.finditer("@", rest))):
        if _HOST_AND_PORT.match(rest, start):
            return max(start - 1, 0)
    return 0


def _split_port(text: str, wrong: Callable[[str], InvalidValue]) -> tuple[str, int | None]:
    if text.count(":") > 1 and not text.startswith("["):
        raise wrong("must name a host; an IPv6 address needs brackets, as in rtsp://[2001:db8::1]/")
    match = re.fullmatch(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::(.*))?", text)
    if match is None:
        raise wrong("must name a host; an IPv6 address needs brackets, as in rtsp://[2001:db8::1]/")
    host, port = match.groups()
    if not host:
        raise wrong("must name a host, as in rtsp://camera.example/stream")
    if port is None or port == "":
        return host, None
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 1 <= int(port) <= 65535:
        raise wrong("must have a port from 1 to 65535")
    return host, int(port)


def _read_host(text: str, wrong: Callable[[str], InvalidValue]) -> tuple[str, Address | None]:
    if text.startswith("["):
        try:
            address: Address = ipaddress.IPv6Address(text[1:-1])
        except ValueError:
            raise wrong(f"must name a host: '{text}' is not an IPv6 address") from None
        if address.scope_id is not None:
            raise wrong("must not name a network interface in its IPv6 address")
        return str(address), address
    name = text.lower().removesuffix(".")
    labels = name.split(".")
    if _is_number(labels[-1]):
        address = _read_ipv4(labels)
        if address is None:
            raise wrong(f"must name a host: '{text}' is not an IPv4 address")
        return str(address), address
    if len(name) > 253 or not all(_HOST_LABEL.fullmatch(label) for label in labels):
        raise wrong(f"must name a host of letters, digits, '-' and '.', not '{text[:80]}'")
    return name, None


def _is_number(label: str) -> bool:
    """Whether the resolver would read a name with this last label as an IPv4 address."""
    return bool(re.fullmatch(r"[0-9]+|0x[0-9a-f]*", label))


def _read_ipv4(labels: list[str]) -> ipaddress.IPv4Address | None:
    """An IPv4 address in any notation that the C library accepts: one to four decimal, octal or hexadecimal numbers."""
    if len(labels) > 4:
        return None
    numbers = []
    for label in labels:
        if not _is_number(label):
            return None
        try:
            if label.startswith("0x"):
                numbers.append(int(label[2:] or "0", 16))
            else:
                numbers.append(int(label, 8 if label.startswith("0") and len(label) > 1 else 10))
        except ValueError:
            return None
    *heads, last = numbers
    if any(number > 255 for number in heads) or last >= 256 ** (5 - len(numbers)):
        return None
    value = last
    for place, number in enumerate(heads):
        value += number << (8 * (3 - place))
    return ipaddress.IPv4Address(value)


def embedded_addresses(address: Address) -> list[ipaddress.IPv4Address]:
    """The IPv4 addresses that are embedded in an IPv6 address."""
    if not isinstance(address, ipaddress.IPv6Address):
        return []
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    last = int(address) & 0xFFFFFFFF
    is_isatap = int(address) >> 32 & 0xFDFFFFFF == 0x5EFE
    if address in _NAT64 or address in _TRANSLATED or is_isatap or (address in _COMPATIBLE and int(address) > 1):
        found.append(ipaddress.IPv4Address(last))
    if address in _LOCAL_NAT64:
        found += _embedded_at(address.packed)
    return [item for item in found if item is not None]


def _embedded_at(packed: bytes) -> list[ipaddress.IPv4Address]:
    """The IPv4 addresses that a local NAT64 address may mean: an address of 0.0.0.0/8 only if it can mean no other."""
    places = [ipaddress.IPv4Address(bytes(packed[place] for place in places)) for places in _LOCAL_NAT64_PLACES]
    return [item for item in places if item not in _THIS_NETWORK] or places[:1]
