"""The options of the installation as a value: which bucket, how it is reached, and how much uploads may take."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

SEGMENTS, SNAPSHOTS, CLIPS, EXPORTS = KINDS = ("segments", "snapshots", "clips", "exports")
#: Where credentials come from: options, or what the environment and the machine give (variables, token, role).
KEYS, ENVIRONMENT = CREDENTIALS = ("keys", "environment")
NONE, AES256, KMS = ENCRYPTIONS = ("none", "AES256", "aws:kms")
PATH, HOST = ADDRESSINGS = ("path", "host")


@dataclass(frozen=True, slots=True)
class BucketSettings:
    """How a bucket is reached. An empty `endpoint` is AWS in `region`."""

    bucket: str
    endpoint: str = ""
    region: str = "us-east-1"
    prefix: str = ""
    addressing: str = PATH
    allow_http: bool = False
    ca_certificate: str = ""
    credentials: str = KEYS
    access_key: str = ""
    secret_key: str = field(default="", repr=False)
    encryption: str = NONE
    kms_key: str = ""
    storage_class: str = ""
    send_checksums: bool = True
    read_back: bool = False
    presign: bool = False

    @property
    def url(self) -> str:
        """Scheme and host of the endpoint; with addressing by host the bucket is part of the host."""
        endpoint = self.endpoint.rstrip("/") or f"https://s3.{self.region}.amazonaws.com"
        if self.addressing == PATH:
            return endpoint
        scheme, _, host = endpoint.partition("://")
        return f"{scheme}://{self.bucket}.{host}"

    @property
    def bucket_url(self) -> str:
        """The address of the bucket."""
        return f"{self.url}/{self.bucket}" if self.addressing == PATH else self.url


@dataclass(frozen=True, slots=True)
class UploadSettings:
    """How much the uploads may take. `window` is None or `{"from": "HH:MM", "to": "HH:MM"}`."""

    bytes_per_second: int | None = None
    concurrency: int = 2
    window: dict[str, str] | None = None
    time_zone: str = ""
    warn_hours: int = 24


@dataclass(frozen=True, slots=True)
class Settings:
    """All options of the installation; `bucket` is None until one is configured."""

    bucket: BucketSettings | None
    uploads: UploadSettings


def read_settings(options: Mapping[str, Any]) -> Settings:
    """The settings of validated options (`plugins/s3_archiver/options.py`)."""
    names = BucketSettings.__dataclass_fields__
    bucket = BucketSettings(**{name: options[name] for name in names if options.get(name) is not None})
    kilobytes = options.get("kilobytes_per_second")
    uploads = UploadSettings(
        bytes_per_second=kilobytes * 1000 if kilobytes else None,
        concurrency=options.get("concurrency") or UploadSettings.concurrency,
        window=options.get("window") or None,
        time_zone=options.get("time_zone") or "",
        warn_hours=options.get("warn_hours") or UploadSettings.warn_hours,
    )
    return Settings(bucket if bucket.bucket else None, uploads)


def check_endpoint(endpoint: str, *, allow_http: bool) -> str | None:
    """What is wrong with the address of an endpoint; None if nothing."""
    try:
        parts = urlsplit(endpoint)
        port = parts.port
    except ValueError:
        return "must be an address such as https://s3.example.com:9000"
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        return "must be an address such as https://s3.example.com:9000"
    if parts.username or parts.password or parts.query or parts.fragment or parts.path.strip("/"):
        return "must be a scheme, a host and a port only"
    if parts.scheme == "http" and not allow_http:
        return "must begin with https://, unless 'allow_http' is set: footage is not encrypted on its way otherwise"
    if _is_link_local(parts.hostname):
        return "must not be a link-local address, where clouds have the credentials of their machines"
    return None


def check_addressing(endpoint: str, bucket: str) -> str | None:
    """What is wrong with addressing by host; None if nothing."""
    host = urlsplit(endpoint).hostname or ""
    if host and (":" in host or re.fullmatch(r"[0-9.]+", host)):
        return f"must be '{PATH}' for an endpoint that is an IP address"
    if not re.fullmatch(r"[a-z0-9.-]*", bucket):
        return f"must be '{PATH}' for a bucket whose name cannot be part of a host name"
    return None


def _is_link_local(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_link_local or str(address) == "fd00:ec2::254"
