"""The options of the plugin, and the readings of them that the services use."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import marshmallow as ma

from gateway.plugin_api import Count, DatabaseUnavailable, PluginContext, ShortList, Text
from plugins.notifications.network import AddressPolicy, check_networks

DEFAULT_KEEP_DAYS = 30
DEFAULT_GIVE_UP_DAYS = 5
DEFAULT_BATCH_SECONDS = 30


class Networks(ShortList):
    """Networks such as `192.168.1.0/24`."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> list[str]:
        networks = super()._deserialize(value, attr, data, **options)
        problem = check_networks(networks)
        if problem:
            raise ma.ValidationError(problem)
        return networks


class PublicUrl(Text):
    """The address of the UI, without a path behind it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options)
        try:
            parts = urlsplit(text)
            is_right = not text or (parts.scheme in ("https", "http") and parts.hostname and not parts.query)
        except ValueError:
            is_right = False
        if not is_right:
            raise ma.ValidationError(f"'{attr}' must be an address such as https://cameras.example.org")
        return text.rstrip("/")


class InstallationOptions(ma.Schema):
    """The options of the installation."""

    allowed_networks = Networks(
        Text(low=1, high=50),
        load_default=list,
        validate=ma.validate.Length(max=50, error="must have at most 50 entries"),
        metadata={
            "title": "Allowed networks",
            "description": "private networks in which receivers, brokers and mail servers may be, such as "
            "192.168.1.0/24, or 127.0.0.0/8 for this machine; public addresses are always allowed",
        },
    )
    public_url = PublicUrl(
        load_default="",
        high=200,
        metadata={"title": "Public address", "description": "of this UI, for links in mails and webhooks"},
    )
    batch_seconds = Count(
        low=0,
        high=3600,
        load_default=DEFAULT_BATCH_SECONDS,
        metadata={"title": "Collect mail for", "unit": "s", "description": "notifications of this time are one mail"},
    )
    keep_days = Count(
        low=1, high=365, load_default=DEFAULT_KEEP_DAYS, metadata={"title": "Keep deliveries for", "unit": "days"}
    )
    give_up_days = Count(
        low=1,
        high=90,
        load_default=DEFAULT_GIVE_UP_DAYS,
        metadata={"title": "Disable a channel after", "unit": "days", "description": "of failures alone"},
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of the installation."""

    allowed_networks: tuple[str, ...] = ()
    public_url: str = ""
    keep_days: int = DEFAULT_KEEP_DAYS
    give_up_days: int = DEFAULT_GIVE_UP_DAYS
    batch_seconds: int = DEFAULT_BATCH_SECONDS

    @classmethod
    def from_options(cls, values: Mapping[str, Any]) -> "Settings":
        """The readings of options; a missing one has its default."""
        known = {name: values[name] for name in cls.__dataclass_fields__ if values.get(name) is not None}
        if "allowed_networks" in known:
            known["allowed_networks"] = tuple(known["allowed_networks"])
        if "public_url" in known:
            known["public_url"] = known["public_url"].rstrip("/")
        return cls(**known)

    def policy(self) -> AddressPolicy:
        """The policy for addresses of receivers."""
        return AddressPolicy(self.allowed_networks)


def read_settings(plugin: PluginContext) -> Settings:
    """The options of the installation; the defaults while the database is away."""
    try:
        return Settings.from_options(plugin.options.installation())
    except DatabaseUnavailable:
        return Settings()
