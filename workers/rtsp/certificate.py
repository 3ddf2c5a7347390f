"""The certificate that a camera shows, for people who decide whether to trust it."""

import asyncio
import contextlib
import hashlib
import ssl
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from gateway.sources.registry import RTSP_PORTS
from gateway.sources.tls import TlsTrust, build_context
from workers.rtp.units import SourceError
from workers.rtsp.target import RtspTarget

_MAX_NAME = 300


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate: the SHA-256 `fingerprint` of its DER form, and what it says; None where it cannot be read."""

    fingerprint: str
    subject: str | None = None
    issuer: str | None = None
    expires: datetime | None = None


async def read_certificate(target: RtspTarget, *, seconds: float) -> Certificate | None:
    """The certificate that the camera shows now, whether trusted or not; None without one within the time.

    A connection of its own, which sends nothing and ends at once.
    """
    source = target.source
    port = source.port or RTSP_PORTS[source.scheme]
    name = source.host if source.address is None else None
    writer = None
    try:
        async with asyncio.timeout(seconds):
            context = build_context(TlsTrust("any"))
            _, writer = await asyncio.open_connection(
                target.addresses[0], port, ssl=context, server_hostname=name or target.addresses[0]
            )
            der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            return describe_certificate(der) if der else None
    except (OSError, TimeoutError, ssl.SSLError, SourceError, ValueError):
        return None
    finally:
        if writer is not None:
            with contextlib.suppress(Exception):
                writer.transport.abort()


def describe_certificate(der: bytes) -> Certificate:
    """What a certificate (DER) says. Those of old cameras break rules: their fingerprint is known nevertheless."""
    fingerprint = hashlib.sha256(der).hexdigest()
    try:
        found = x509.load_der_x509_certificate(der)
        return Certificate(
            fingerprint,
            found.subject.rfc4514_string()[:_MAX_NAME],
            found.issuer.rfc4514_string()[:_MAX_NAME],
            found.not_valid_after_utc,
        )
    except (ValueError, TypeError, x509.InvalidVersion):
        return Certificate(fingerprint)
