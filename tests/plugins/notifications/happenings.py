"""Happenings for tests."""

from typing import Any

from plugins.notifications.happenings import Happening

TENANT = "00000000-0000-4000-8000-000000000001"
DEVICE = "5f3f5a0e-6d4e-4b53-8b51-3f6a1f0c2f11"
#: Sunday 2026-11-22, 10:00 in UTC and 11:00 in Berlin.
AT_MS = 1_795_341_600_000


def person(**values: Any) -> Happening:
    """A detection of a person in the drive."""
    defaults = {
        "event_id": 7,
        "tenant_id": TENANT,
        "kind": "detection",
        "start_ms": AT_MS,
        "device_id": DEVICE,
        "device_name": "Gate",
        "device_tags": frozenset({"outside"}),
        "label": "person",
        "zone": "drive",
        "score": 0.87,
        "text": "A person was seen",
    }
    return Happening(**(defaults | values))


def lost(**values: Any) -> Happening:
    """A camera that was lost."""
    defaults = {"kind": "state", "label": "", "zone": "", "score": None, "state": "reconnecting", "reason": "refused"}
    return person(**(defaults | values))
