"""Conversion of request fields to the values of a device: checks source URLs, keeps hidden passwords."""

from typing import Any

from gateway.devices.model import Device
from gateway.devices.sources import SourcePolicy, check_addresses, check_source
from gateway.errors import InvalidValue
from gateway.inventory import DeviceValues
from gateway.redaction import is_redacted

_PLAIN = ("name", "transport", "description", "location", "tags", "start_mode", "idle_seconds", "enabled")


def new_values(data: dict[str, Any], policy: SourcePolicy) -> DeviceValues:
    """The values of a new device; raises InvalidValue."""
    return DeviceValues(
        source_url=checked_source(data["source_url"], "source_url", policy),
        sub_source_url=data["sub_source_url"] and checked_source(data["sub_source_url"], "sub_source_url", policy),
        **{name: data[name] for name in _PLAIN},
    )


def replaced_values(data: dict[str, Any], before: Device, policy: SourcePolicy) -> DeviceValues:
    """The new values of the device `before`; a URL exactly as it was shown is kept. Raises InvalidValue."""
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
