"""Decides whether a rule wants to report a happening. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.schedules.recording_plan import Plan, is_planned
from plugins.notifications.happenings import BEGAN, Happening


@dataclass(frozen=True, slots=True)
class Conditions:
    """Which happenings a rule reports. An empty condition allows everything.

    `devices` and `tags` together choose devices: those named, and those with one of the tags; with either of them,
    events without a device are not reported. With `states`, events in one of these states are reported; with `labels`,
    `zones` or `min_score`, detections that fit them all; with both, either.
    """

    kinds: frozenset[str] = frozenset()
    states: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    zones: frozenset[str] = frozenset()
    min_score: float | None = None
    devices: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    moment: str = BEGAN

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Conditions":
        """Conditions from the JSON of a rule; unknown keys are ignored."""
        sets = {name: frozenset(values.get(name) or ()) for name in _SETS}
        return cls(**sets, min_score=values.get("min_score"), moment=values.get("moment") or BEGAN)

    def match(self, happening: Happening) -> bool:
        """Whether a rule with these conditions reports the happening."""
        return (
            happening.moment == self.moment
            and (not self.kinds or happening.kind in self.kinds)
            and self._match_device(happening)
            and self._match_properties(happening)
        )

    def _match_device(self, happening: Happening) -> bool:
        if not self.devices and not self.tags:
            return True
        if happening.device_id is None:
            return False
        return happening.device_id in self.devices or bool(self.tags & happening.device_tags)

    def _match_properties(self, happening: Happening) -> bool:
        asks_detection = bool(self.labels or self.zones or self.min_score is not None)
        if not self.states and not asks_detection:
            return True
        return happening.state in self.states or (asks_detection and self._match_detection(happening))

    def _match_detection(self, happening: Happening) -> bool:
        return (
            bool(happening.label or happening.score is not None)
            and (not self.labels or happening.label in self.labels)
            and (not self.zones or happening.zone in self.zones)
            and (self.min_score is None or (happening.score is not None and happening.score >= self.min_score))
        )


_SETS = ("kinds", "states", "labels", "zones", "devices", "tags")


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Weekly spans of local time in which a rule reports nothing."""

    time_zone: str = "UTC"
    plan: Plan = field(default_factory=dict)

    def is_quiet(self, at_ms: int) -> bool:
        """Whether a moment (ms since 1970, UTC) is within them."""
        return bool(self.plan) and is_planned(self.plan, self.time_zone, at_ms)


def is_cooling(last_ms: int | None, at_ms: int, cooldown_seconds: int) -> bool:
    """Whether the cooldown after the last notification, at `last_ms`, still runs at `at_ms`.

    A last notification in the future, after a clock was set back, does not count.
    """
    return last_ms is not None and 0 <= at_ms - last_ms < cooldown_seconds * 1000
