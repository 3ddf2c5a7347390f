"""Keys that VAS and the SFU derive from SFU_SECRET, and viewer tokens (JWT, RFC 7519, HS256)."""

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime


def control_key(sfu_secret: str) -> str:
    """The key of the SFU's control interface, sent as a bearer token."""
    return _derive(sfu_secret, "vas control")


def viewer_key(sfu_secret: str) -> str:
    """The key that signs viewer tokens."""
    return _derive(sfu_secret, "vas viewer")


@dataclass(frozen=True, slots=True)
class ViewerToken:
    """A token to connect to one device until `expires_at`; existing connections stay."""

    token: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"<ViewerToken until {self.expires_at.isoformat()}>"


def mint_viewer_token(
    sfu_secret: str, *, device_id: str, tenant_id: str, lifetime_seconds: int, now: float | None = None
) -> ViewerToken:
    """Create a token for one device; the SFU verifies it on its own."""
    # Imported here: the keys above are needed in processes that issue no token.
    from joserfc import jwt
    from joserfc.jwk import OctKey

    issued = int(now if now is not None else time.time())
    expires = issued + lifetime_seconds
    claims = {
        "iss": "vas",
        "aud": "viewer",
        "device": device_id,
        "tenant": tenant_id,
        "jti": secrets.token_hex(16),
        "iat": issued,
        "exp": expires,
    }
    key = OctKey.import_key(viewer_key(sfu_secret))
    return ViewerToken(jwt.encode({"alg": "HS256"}, claims, key), datetime.fromtimestamp(expires, UTC))


def _derive(secret: str, label: str) -> str:
    return hmac.new(secret.encode(), label.encode(), hashlib.sha256).hexdigest()
