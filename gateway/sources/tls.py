"""Encrypted connections to cameras: which certificate is trusted, and why a connection failed."""

import hashlib
import hmac
import re
import ssl
import warnings
from dataclasses import dataclass
from functools import lru_cache

from gateway.sources.tracks import SourceError

#: Codes of OpenSSL's verification (X509_V_ERR_…).
_EXPIRED = frozenset({9, 10, 11, 12, 13, 14})
_WRONG_NAME = frozenset({62, 63, 64})
_NOT_TLS = (
    "WRONG_VERSION_NUMBER",
    "RECORD_LAYER_FAILURE",
    "HTTP_REQUEST",
    "UNEXPECTED_MESSAGE",
    "PACKET_LENGTH_TOO_LONG",
    "UNKNOWN_PROTOCOL",
    "BAD_PROTOCOL_VERSION_NUMBER",
)


@dataclass(frozen=True, slots=True)
class TlsTrust:
    """Which certificate of a camera is accepted.

    `mode`: "verify" (signed by an authority of this system, for the camera's host name), "pinned" (the certificate has
    the SHA-256 `fingerprint`, hexadecimal, with or without colons) or "any".
    """

    mode: str = "verify"
    fingerprint: str | None = None


#: The default: a known authority must have signed it.
VERIFIED = TlsTrust()


@lru_cache(maxsize=256)
def build_context(trust: TlsTrust) -> ssl.SSLContext:
    """The settings of a connection. Raises SourceError if the trust itself is wrong.

    Cameras whose certificate is not verified may also use what old firmware has: TLS 1.0, short keys.
    """
    if trust.mode == "verify":
        context = ssl.create_default_context()
        # Not left to the build of Python: Debian's accepts what the system's OpenSSL does, down to TLS 1.0.
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context
    if trust.mode == "pinned" and not re.fullmatch(r"[0-9a-f]{64}", normalize_fingerprint(trust.fingerprint)):
        raise SourceError("tls_failed", "the trusted fingerprint is no SHA-256 fingerprint of 64 hexadecimal digits")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


def normalize_fingerprint(text: str | None) -> str:
    """A fingerprint as 64 lower-case hexadecimal digits, if it is one."""
    return re.sub(r"^sha-?256[:=\s]*|[:\s-]", "", (text or "").strip().lower())


def check_certificate(trust: TlsTrust, certificate: bytes | None) -> None:
    """Compare the camera's certificate (DER) with the pinned one; raises SourceError."""
    if trust.mode != "pinned":
        return
    shown = hashlib.sha256(certificate or b"").hexdigest()
    if not hmac.compare_digest(shown, normalize_fingerprint(trust.fingerprint)):
        raise SourceError("tls_changed")


def explain(error: Exception) -> SourceError:
    """Why an encrypted connection could not be opened."""
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _EXPIRED:
            return SourceError("tls_expired")
        if error.verify_code in _WRONG_NAME:
            return SourceError("tls_wrong_name")
        return SourceError("tls_untrusted")
    if isinstance(error, ssl.SSLEOFError | ConnectionError):
        return SourceError("tls_failed", "the camera closed the connection instead of agreeing on encryption")
    if isinstance(error, ssl.SSLError):
        name = error.reason or ""
        if any(part in name for part in _NOT_TLS):
            return SourceError("tls_not_spoken")
        shown = name.lower().replace("_", " ")
        return SourceError("tls_failed", f"the encrypted connection to the camera failed: {shown}" if shown else None)
    return SourceError("tls_failed")
