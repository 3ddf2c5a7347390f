"""The values of a session: which camera is asked, and how."""

from dataclasses import dataclass

from gateway.devices.sources import SourceUrl
from gateway.sources.tls import VERIFIED, TlsTrust

TCP = "tcp"
UDP = "udp"


@dataclass(frozen=True, slots=True)
class RtspTarget:
    """A camera, after the source policy: only `addresses` are connected to, in this order, without another look-up."""

    source: SourceUrl
    addresses: tuple[str, ...]
    transport: str = TCP
    tls: TlsTrust = VERIFIED
