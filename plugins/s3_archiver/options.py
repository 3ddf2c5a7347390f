"""The options: the bucket and the limits of uploads for the installation, what is archived for each device."""

import re
import ssl
from typing import Any
from zoneinfo import available_timezones

import marshmallow as ma

from gateway.plugin_api import Choice, Count, Flag, Secret, ShortList, Text, TimeWindow
from plugins.s3_archiver.settings import (
    ADDRESSINGS,
    CREDENTIALS,
    ENCRYPTIONS,
    HOST,
    KEYS,
    KINDS,
    KMS,
    NONE,
    PATH,
    check_addressing,
    check_endpoint,
)

#: Bucket names of AWS (user guide, "Bucket naming rules"), and the older ones with '_' and capitals that others allow.
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]", re.ASCII)
_REGION = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
_PREFIX = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,62}(/[A-Za-z0-9_][A-Za-z0-9._-]{0,62}){0,4}", re.ASCII)
_ACCESS_KEY = re.compile(r"[!-~]{1,200}", re.ASCII)
_STORAGE_CLASS = re.compile(r"[A-Z][A-Z0-9_]{1,39}", re.ASCII)
#: Classes whose objects must be restored for hours before they can be read.
_SLOW_CLASSES = ("GLACIER", "DEEP_ARCHIVE")


class InstallationOptions(ma.Schema):
    """The bucket, how it is reached, and how much uploads may take."""

    bucket = Text(
        high=63,
        load_default="",
        metadata={"title": "Bucket", "description": "its name; nothing is archived without one"},
    )
    endpoint = Text(
        high=255,
        load_default="",
        metadata={"title": "Endpoint", "description": "such as https://minio.example:9000; empty for AWS"},
    )
    region = Text(high=64, load_default="us-east-1", metadata={"title": "Region"})
    prefix = Text(
        high=255,
        load_default="",
        metadata={"title": "Prefix", "description": "folder in the bucket; must be another for each installation"},
    )
    addressing = Choice(
        ADDRESSINGS,
        load_default=PATH,
        metadata={
            "title": "Addressing",
            "description": "where the bucket's name is: in the path (MinIO and most others) or in the host (AWS)",
        },
    )
    allow_http = Flag(
        load_default=False,
        metadata={"title": "Allow http", "description": "allow an endpoint without encryption on the way"},
    )
    ca_certificate = Text(
        high=20_000,
        lines=True,
        load_default="",
        metadata={"title": "Certificate authority", "description": "PEM, trusted in addition to those of the system"},
    )
    credentials = Choice(
        CREDENTIALS,
        load_default=KEYS,
        metadata={
            "title": "Credentials",
            "description": "keys: those below; environment: AWS_ACCESS_KEY_ID and its like, or the role of the machine",
        },
    )
    access_key = Text(high=200, load_default="", metadata={"title": "Access key"})
    secret_key = Secret(high=500, load_default="", metadata={"title": "Secret key"})
    encryption = Choice(
        ENCRYPTIONS,
        load_default=NONE,
        metadata={"title": "Encryption", "description": "by the storage, at rest; none leaves it to the bucket"},
    )
    kms_key = Text(high=300, load_default="", metadata={"title": "KMS key", "description": "empty: the default key"})
    storage_class = Text(
        high=40,
        load_default="",
        metadata={"title": "Storage class", "description": "such as STANDARD_IA; must be readable at once"},
    )
    send_checksums = Flag(
        load_default=True,
        metadata={"title": "Send checksums", "description": "SHA-256 with each upload; some older servers refuse it"},
    )
    read_back = Flag(
        load_default=False,
        metadata={"title": "Read back", "description": "read each object once as a whole after its upload"},
    )
    presign = Flag(
        load_default=False,
        metadata={
            "title": "Direct downloads",
            "description": "send downloads of whole files to the storage, which browsers must be able to reach",
        },
    )
    kilobytes_per_second = Count(
        low=16,
        high=10_000_000,
        allow_none=True,
        load_default=None,
        metadata={"title": "Bandwidth", "unit": "kB/s", "description": "of all uploads together; empty: no limit"},
    )
    concurrency = Count(low=1, high=4, load_default=2, metadata={"title": "Uploads at a time"})
    window = TimeWindow(
        allow_none=True,
        load_default=None,
        metadata={"title": "Hours", "description": "when uploads are allowed; empty: always"},
    )
    time_zone = Text(
        high=64,
        load_default="",
        metadata={"title": "Time zone", "description": "of the hours, such as Europe/Berlin; empty: the machine's"},
    )
    warn_hours = Count(
        low=1,
        high=24 * 365,
        load_default=24,
        metadata={
            "title": "Warn after",
            "unit": "h",
            "description": "age of what waits at which health warns",
        },
    )

    @ma.validates_schema
    def check_together(self, data: dict[str, Any], **_options: Any) -> None:
        """What depends on more than one option. Without a bucket nothing has to be complete."""
        problems: dict[str, str | None] = {
            name: None if not data.get(name) or pattern.fullmatch(data[name]) else words
            for name, pattern, words in _PATTERNS
        }
        endpoint, addressing = data.get("endpoint") or "", data.get("addressing", PATH)
        if endpoint:
            problems["endpoint"] = check_endpoint(endpoint, allow_http=bool(data.get("allow_http")))
        if addressing == HOST:
            problems["addressing"] = check_addressing(endpoint, data.get("bucket") or "")
        if data.get("storage_class") in _SLOW_CLASSES:
            problems["storage_class"] = "must be readable at once; let a rule of the bucket move old objects instead"
        if data.get("kms_key") and data.get("encryption") != KMS:
            problems["kms_key"] = f"is for the encryption {KMS} only"
        if data.get("ca_certificate"):
            problems["ca_certificate"] = _check_certificate(data["ca_certificate"])
        if data.get("time_zone") and data["time_zone"] not in available_timezones():
            problems["time_zone"] = "must be the name of a time zone, such as Europe/Berlin"
        found = {name: [f"'{name}' {problem}"] for name, problem in problems.items() if problem}
        if found:
            raise ma.ValidationError(found)


class DeviceOptions(ma.Schema):
    """What of a device is archived."""

    archived = ShortList(
        Choice(KINDS),
        load_default=lambda: list(KINDS),
        validate=ma.validate.Length(max=len(KINDS)),
        metadata={
            "title": "Archived",
            "description": "footage (segments), snapshots, clips of bookmarks, and exports with time-lapses",
        },
    )


_PATTERNS = (
    ("bucket", _BUCKET, "must be 3 to 63 letters, digits, '.', '_' and '-'"),
    ("region", _REGION, "must be letters, digits and '-'"),
    ("prefix", _PREFIX, "must be up to five names of letters, digits, '.', '_' and '-' with '/' between them"),
    ("access_key", _ACCESS_KEY, "must have no spaces"),
    ("storage_class", _STORAGE_CLASS, "must be capital letters, digits and '_'"),
    ("kms_key", re.compile(r"[!-~]{1,300}", re.ASCII), "must have no spaces"),
)


def _check_certificate(text: str) -> str | None:
    try:
        ssl.create_default_context(cadata=text)
    except (ssl.SSLError, ValueError):
        return "must be one or more certificates in PEM form (-----BEGIN CERTIFICATE-----)"
    return None
