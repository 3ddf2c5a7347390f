"""The keys of objects: `tenant/device/day/hour/name` below the prefix, for segments as in the store of footage."""

from datetime import UTC, datetime


def capture_key(tenant_id: str, device_id: str, at_ms: int, word: str, name: str) -> str:
    """The key of a snapshot, clip or export; `name` is the name of its file, which is unique.

    No key of a segment has this form, so `vas archive scan` passes over them.
    """
    at = datetime.fromtimestamp(at_ms // 1000, UTC)
    return f"{tenant_id}/{device_id}/{at:%Y-%m-%d}/{at:%H}/{at:%M-%S}-{at_ms % 1000:03d}_{word}_{name}"
