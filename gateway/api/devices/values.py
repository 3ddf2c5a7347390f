"""Conversion of request fields to the values of a device: checks source URLs, keeps hidden passwords."""

from typing import Any

from gateway.devices.model import Device
from gateway.devices.sources import SourcePolicy, SourceUrl, check_addresses, check_source, parse_source
from gateway.errors import InvalidValue
from gateway.inventory import DeviceValues
from gateway.redaction import MASK, is_redacted
from gateway.secrets import SealBroken, SecretBox

_PLAIN = (
    *("name", "transport", "tls_trust", "tls_fingerprint", "description", "location", "tags"),
    *("start_mode", "idle_seconds", "enabled"),
)


def new_values(data: dict[str, Any], policy: SourcePolicy) -> DeviceValues:
    """The values of a new device; raises InvalidValue."""
    data = with_login(data, {})
    return DeviceValues(
        source_url=checked_source(data["source_url"], "source_url", policy),
        sub_source_url=data["sub_source_url"] and checked_source(data["sub_source_url"], "sub_source_url", policy),
        **{name: data[name] for name in _PLAIN},
    )


def replaced_values(data: dict[str, Any], before: Device, policy: SourcePolicy, box: SecretBox) -> DeviceValues:
    """The new values of the device `before`; a URL exactly as it was shown is kept. Raises InvalidValue."""
    data = with_login(data, stored_sources(before, box) if has_login(data) else {})
    source, sub_source = data["source_url"], data["sub_source_url"]
    keeps_sub = sub_source is not None and sub_source == before.sub_source_url
    return DeviceValues(
        source_url=None if source == before.source_url else checked_source(source, "source_url", policy),
        sub_source_url=None
        if keeps_sub or sub_source is None
        else checked_source(sub_source, "sub_source_url", policy),
        keeps_sub_source=keeps_sub,
        **{name: data[name] for name in _PLAIN},
    )


def checked_source(text: str, field: str, policy: SourcePolicy) -> str:
    """A source URL in normal form, after a check of the current addresses of its host; raises InvalidValue."""
    source = check_source(text, policy, field)
    if is_redacted(text):
        raise InvalidValue(field, f"'{field}' was changed: write the user and password again in place of ***")
    check_addresses(source, policy, field)
    return source.url


def has_login(data: dict[str, Any]) -> bool:
    """Whether a request brings a user name or a password in a field of its own."""
    return data["username"] is not None or data["password"] is not None


def stored_sources(device: Device, box: SecretBox) -> dict[str, tuple[str, str]]:
    """The URLs of a device by field, each as it is shown and with its secrets; without those that no key opens."""
    found = {}
    for field, open_url in (("source_url", device.open_source), ("sub_source_url", device.open_sub_source)):
        try:
            whole = open_url(box)
        except SealBroken:
            continue
        if whole is not None:
            found[field] = (getattr(device, field), whole)
    return found


def with_login(data: dict[str, Any], stored: dict[str, tuple[str, str]]) -> dict[str, Any]:
    """The fields of a request with its user name and password put into the source URLs; raises InvalidValue.

    `stored`: the URLs of the device, as `stored_sources` gives them. What is not sent is kept of them. The sub-stream
    gets the login too if it is at the same host and brings none of its own.
    """
    if not has_login(data):
        return data
    main = _Login(data, "source_url", stored)
    sources = {"source_url": main.url()}
    if data.get("sub_source_url") is not None:
        sub = _Login(data, "sub_source_url", stored)
        if sub.source.host == main.source.host and not sub.has_own:
            sources["sub_source_url"] = sub.url()
    return data | sources


class _Login:
    """The login of a request for one of its URLs."""

    def __init__(self, data: dict[str, Any], field: str, stored: dict[str, tuple[str, str]]) -> None:
        self._field = field
        self._username, self._password = data["username"], data["password"]
        shown, whole = stored.get(field, (None, None))
        is_stored = shown == data[field]
        self.source: SourceUrl = parse_source(whole if is_stored else data[field], field)
        #: Whether the URL brings user and password of its own.
        self.has_own = not is_stored and self.source.userinfo not in (None, MASK)
        self._kept = self.source.credentials if is_stored else None

    def url(self) -> str:
        """The URL with the login; raises InvalidValue."""
        if self.has_own:
            raise InvalidValue(
                self._field,
                f"'{self._field}' must not contain user and password if 'username' or 'password' is sent too",
            )
        username, password = self._kept or ("", "")
        username = username if self._username is None else self._username
        password = password if self._password is None else self._password
        if password and not username:
            raise InvalidValue("username", "'username' is required with 'password'")
        url = self.source.with_credentials(username, password).url
        parse_source(url, self._field)
        return url
