"""Fields of a source: its URL, user and password, and the trust in its certificate."""

from typing import Any

import marshmallow as ma
from flask import has_app_context

from gateway.api.base import Choice, Text, services
from gateway.devices.sources import MAX_URL_LENGTH, TLS_TRUSTS, parse_source, read_fingerprint
from gateway.errors import InvalidValue

#: Longest user name, and longest password. The URL has a limit for both together.
_MAX_SECRET = 128


class SourceText(Text):
    """A source URL. Only its text is checked here; its addresses are checked when the device is saved."""

    def __init__(self, **options: Any) -> None:
        super().__init__(low=1, high=MAX_URL_LENGTH, **options)
        self.metadata.setdefault("pattern", "^[A-Za-z][A-Za-z0-9+.-]{0,19}://")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options)
        try:
            # Without an application (a command), the scheme is checked with the addresses.
            schemes = services().policy.ports if has_app_context() else None
            parse_source(text, attr or "source_url", schemes)
        except InvalidValue as error:
            raise ma.ValidationError(error.message) from None
        return text


class Secret(ma.fields.String):
    """A user name or a password exactly as it was entered, which no reply contains."""

    def __init__(self, description: str) -> None:
        super().__init__(
            load_default=None,
            allow_none=True,
            load_only=True,
            validate=ma.validate.Length(max=_MAX_SECRET, error=f"must have at most {_MAX_SECRET} characters"),
            metadata={"description": description},
        )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options)
        if any(character < " " or character == "\x7f" or "\ud800" <= character <= "\udfff" for character in text):
            raise ma.ValidationError(f"'{attr}' must not contain control characters")
        return text


class Fingerprint(ma.fields.String):
    """The SHA-256 fingerprint of a certificate, in lower case without colons."""

    def __init__(self) -> None:
        super().__init__(
            load_default=None,
            allow_none=True,
            validate=ma.validate.Length(max=200, error="must have at most 200 characters"),
            metadata={
                "description": "SHA-256 fingerprint of the certificate: 64 hexadecimal digits in any case, with or "
                "without colons. Required with `pinned`, and only used with it",
                "pattern": r"^\s*([0-9A-Fa-f]{2}[:\s]*){32}$",
            },
        )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options)
        fingerprint = read_fingerprint(text) if len(text) <= 200 else None
        if fingerprint is None:
            raise ma.ValidationError(f"'{attr}' must be a SHA-256 fingerprint: 64 hexadecimal digits")
        return fingerprint


def username() -> Secret:
    """The field for a user name."""
    return Secret(
        "user of the camera, as its manual shows it: no encoding is needed. Put into `source_url`, and into "
        "`sub_source_url` if that is at the same host; one that is not sent keeps what is stored"
    )


def password() -> Secret:
    """The field for a password."""
    return Secret("password of the camera, in any characters and without encoding; with the same rules as `username`")


def tls_trust() -> Choice:
    """The field for the kind of trust."""
    return Choice(
        TLS_TRUSTS,
        load_default="verify",
        metadata={
            "description": "which certificates of an encrypted camera (rtsps, https) are trusted. `verify`: signed by "
            "a known authority for this host; `pinned`: the one with `tls_fingerprint`; `any`: every one, so that the "
            "password may reach somebody who pretends to be the camera"
        },
    )


def check_trust(data: dict[str, Any]) -> None:
    """Check that there is a fingerprint exactly if the certificate is pinned; raises ValidationError."""
    is_pinned = data["tls_trust"] == "pinned"
    if is_pinned and data["tls_fingerprint"] is None:
        raise ma.ValidationError({"tls_fingerprint": ["'tls_fingerprint' is required if 'tls_trust' is 'pinned'"]})
    if not is_pinned and data["tls_fingerprint"] is not None:
        raise ma.ValidationError({"tls_fingerprint": ["'tls_fingerprint' must be null unless 'tls_trust' is 'pinned'"]})
