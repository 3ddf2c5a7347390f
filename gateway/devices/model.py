"""Devices: the configured cameras with their tags."""

import peewee

from gateway.secrets import SecretBox
from gateway.tenancy.scopes import IdField, TenantRow, TimeField


class Device(TenantRow):
    """A configured camera.

    `source_url` is the URL that people may see; the complete URL with its password is in `source_sealed`. `version`
    grows with each change; `source_version` only with a change that a running pipeline must follow.
    """

    id = IdField(primary_key=True)
    name = peewee.TextField()
    name_key = peewee.TextField()  # case-folded: unique in its tenant, and the sort key of names
    search_text = peewee.TextField()  # case-folded name, description, location, tags and shown URL
    source_url = peewee.TextField()
    source_sealed = peewee.TextField()
    sub_source_url = peewee.TextField(null=True)
    sub_source_sealed = peewee.TextField(null=True)
    has_credentials = peewee.BooleanField()
    transport = peewee.TextField()
    tls_trust = peewee.TextField()
    tls_fingerprint = peewee.TextField(null=True)
    description = peewee.TextField()
    location = peewee.TextField()
    start_mode = peewee.TextField()
    idle_seconds = peewee.IntegerField()
    enabled = peewee.BooleanField()
    version = peewee.IntegerField()
    source_version = peewee.IntegerField()
    created_at = TimeField()
    updated_at = TimeField()

    class Meta:
        table_name = "devices"

    def open_source(self, box: SecretBox) -> str:
        """The source URL with its credentials; never show or log it. Raises SealBroken."""
        return box.open(self.source_sealed, source_context(self.id, "source_url"))

    def open_sub_source(self, box: SecretBox) -> str | None:
        """The sub-stream's URL with its credentials, or None. Raises SealBroken."""
        if self.sub_source_sealed is None:
            return None
        return box.open(self.sub_source_sealed, source_context(self.id, "sub_source_url"))


class DeviceTag(TenantRow):
    """One tag on one device."""

    device_id = IdField()
    tag = peewee.TextField()

    class Meta:
        table_name = "device_tags"
        primary_key = peewee.CompositeKey("device_id", "tag")


def source_context(device_id: str, field: str) -> str:
    """The context that a device's sealed URL is bound to."""
    return f"device:{device_id}:{field}"
