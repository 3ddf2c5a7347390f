"""Encryption at rest: AES-256-GCM with keys derived from SECRET_KEY by HKDF-SHA256 (RFC 5869).

A sealed text is `v1.<key id>.<nonce and ciphertext>`, bound to its context, so that a secret of one row cannot be moved
to another row. To rotate, set a new SECRET_KEY, put the former one into PREVIOUS_SECRET_KEYS, and run
`vas secrets rotate`.
"""

import base64
import binascii
import os
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.config import Config
from gateway.errors import VasError

_VERSION = "v1"
_NONCE_BYTES = 12
#: The first characters of a sealed text, which name the key that encrypted it.
KEY_MARK_CHARACTERS = len(f"{_VERSION}.01234567.")


class SealBroken(VasError):
    """A sealed text that no key can open: SECRET_KEY was lost or changed, or the text was altered."""

    reason = "seal_broken"


class SecretBox:
    """Seals and opens short texts; thread-safe."""

    def __init__(self, key: str, previous_keys: Iterable[str] = ()) -> None:
        self._key_id, sealer = _derive(key)
        self._ciphers = {self._key_id: sealer}
        for old in previous_keys:
            old_id, cipher = _derive(old)
            self._ciphers.setdefault(old_id, cipher)

    @classmethod
    def from_config(cls, config: Config) -> "SecretBox":
        """The box with the keys of this installation."""
        return cls(config.secret_key, config.previous_secret_keys)

    def seal(self, text: str, context: str) -> str:
        """Encrypt `text` for `context`, such as `device:<id>:source_url`."""
        nonce = os.urandom(_NONCE_BYTES)
        data = self._ciphers[self._key_id].encrypt(nonce, text.encode(), context.encode())
        return f"{_VERSION}.{self._key_id}.{base64.urlsafe_b64encode(nonce + data).decode()}"

    def open(self, sealed: str, context: str) -> str:
        """Decrypt a text that was sealed for `context`; raises SealBroken."""
        version, _, rest = sealed.partition(".")
        key_id, _, payload = rest.partition(".")
        cipher = self._ciphers.get(key_id)
        if version != _VERSION or cipher is None:
            raise SealBroken(
                "a stored secret was encrypted with another SECRET_KEY: put that key into PREVIOUS_SECRET_KEYS",
                reason="wrong_secret_key",
            )
        try:
            data = base64.b64decode(payload, altchars=b"-_", validate=True)
            return cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], context.encode()).decode()
        except (InvalidTag, binascii.Error, ValueError):
            raise SealBroken("a stored secret was altered or belongs to another row") from None

    def is_current(self, sealed: str) -> bool:
        """Whether `sealed` was encrypted with the present SECRET_KEY."""
        return sealed.startswith(f"{_VERSION}.{self._key_id}.")

    def has_key_of(self, sealed: str) -> bool:
        """Whether one of the keys encrypted `sealed`, which may still be altered."""
        version, _, rest = sealed.partition(".")
        return version == _VERSION and rest.partition(".")[0] in self._ciphers

    def __repr__(self) -> str:
        return f"<SecretBox key {self._key_id}>"


def _derive(key: str) -> tuple[str, AESGCM]:
    """The public id of a key and its cipher."""
    material = HKDF(SHA256(), 36, salt=None, info=b"vas sealed text v1").derive(key.encode())
    return material[32:].hex(), AESGCM(material[:32])
