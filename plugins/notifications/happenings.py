"""A happening: an event as rules, texts and receivers see it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway.plugin_api import format_time
from gateway.schedules.local_days import as_local
from gateway.schedules.recording_plan import find_zone

#: Moments of an event that rules can choose.
BEGAN, ENDED = MOMENTS = ("began", "ended")


@dataclass(frozen=True, slots=True)
class Happening:
    """An event with its device. Times in milliseconds since 1970, UTC; `state` and `reason` are codes, empty without.

    `moment` tells whether it is reported because it began or because it ended. Events of the whole installation, such
    as a change of its health, have no device.
    """

    event_id: int
    tenant_id: str
    kind: str
    start_ms: int
    moment: str = BEGAN
    end_ms: int | None = None
    device_id: str | None = None
    device_name: str = ""
    device_tags: frozenset[str] = frozenset()
    label: str = ""
    zone: str = ""
    score: float | None = None
    state: str = ""
    reason: str = ""
    text: str = ""
    snapshot_id: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def type(self) -> str:
        """The type of a message about it, such as `detection.began` or `state.reconnecting`."""
        return f"{self.kind}.{self.state or self.moment}"

    @property
    def summary(self) -> str:
        """A few words on what happened, without the device."""
        if self.label:
            place = f" in {self.zone}" if self.zone else ""
            ended = " gone" if self.moment == ENDED else ""
            return f"{self.label}{place}{ended}"
        if self.state:
            return f"{self.kind} {self.state}" if self.kind != "state" else self.state
        return self.kind

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, as receivers of webhooks and MQTT get them."""
        device = {"id": self.device_id, "name": self.device_name, "tags": sorted(self.device_tags)}
        return {
            "id": self.event_id,
            "kind": self.kind,
            "moment": self.moment,
            "device": device if self.device_id else None,
            "label": self.label or None,
            "zone": self.zone or None,
            "score": self.score,
            "state": self.state or None,
            "reason": self.reason or None,
            "text": self.text,
            "start": format_time(self.start_ms),
            "end": None if self.end_ms is None else format_time(self.end_ms),
            "snapshot_id": self.snapshot_id,
        }

    def local_time(self, zone: str) -> datetime:
        """The moment that is reported, in the local time of a zone."""
        at_ms = self.end_ms if self.moment == ENDED and self.end_ms is not None else self.start_ms
        return as_local(find_zone(zone), at_ms)
