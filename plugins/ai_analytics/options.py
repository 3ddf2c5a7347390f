"""The options of a device and of the installation, as the analysis uses them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plugins.ai_analytics.zones import Point, Zone

#: Labels of the events that are wanted unless options say otherwise.
LABELS = ("person", "car", "vehicle", "bicycle", "dog", "cat", "cattle")
#: What a rule may start.
ACTIONS = ("record", "snapshot", "bookmark")


@dataclass(frozen=True, slots=True)
class Rule:
    """What an event starts: `actions` of ACTIONS. Empty `labels` and `zones` mean all."""

    actions: frozenset[str]
    labels: frozenset[str] = frozenset()
    zones: frozenset[str] = frozenset()
    min_score: float = 0.0

    def holds(self, label: str, zones: list[str], score: float) -> bool:
        """Whether it applies to an event."""
        return (
            (not self.labels or label in self.labels)
            and (not self.zones or not self.zones.isdisjoint(zones))
            and score >= self.min_score
        )


@dataclass(frozen=True, slots=True)
class DeviceOptions:
    """The options of a device. Sizes are parts of the picture."""

    is_on: bool = False
    detectors: tuple[str, ...] = ("objects",)
    fps: float = 5.0
    detector_fps: float = 3.0
    uses_sub_stream: bool = True
    sensitivity: int = 50
    motion_events: bool = True
    labels: frozenset[str] = frozenset(LABELS)
    min_score: float = 0.4
    min_size: float = 0.0
    min_seconds: float = 0.5
    zones: tuple[Zone, ...] = ()
    masks: tuple[tuple[Point, ...], ...] = ()
    rules: tuple[Rule, ...] = (Rule(frozenset({"record", "snapshot"})),)

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> "DeviceOptions":
        """The options of a device from their stored values; those that are missing have their defaults."""
        known: dict[str, Any] = {
            name: values[name]
            for name in (
                "is_on",
                "fps",
                "detector_fps",
                "uses_sub_stream",
                "sensitivity",
                "motion_events",
                "min_score",
                "min_seconds",
            )
            if values.get(name) is not None
        }
        if values.get("min_size_percent") is not None:
            known["min_size"] = values["min_size_percent"] / 100
        if values.get("detectors") is not None:
            known["detectors"] = tuple(values["detectors"])
        if values.get("labels") is not None:
            known["labels"] = frozenset(label.lower() for label in values["labels"])
        if values.get("zones") is not None:
            known["zones"] = tuple(
                Zone(
                    zone["name"],
                    _points(zone["points"]),
                    frozenset(label.lower() for label in zone.get("labels") or ()),
                )
                for zone in values["zones"]
            )
        if values.get("masks") is not None:
            known["masks"] = tuple(_points(mask["points"]) for mask in values["masks"])
        if values.get("rules") is not None:
            known["rules"] = tuple(
                Rule(
                    frozenset(rule["actions"]),
                    frozenset(label.lower() for label in rule.get("labels") or ()),
                    frozenset(rule.get("zones") or ()),
                    rule.get("min_score") or 0.0,
                )
                for rule in values["rules"]
            )
        return cls(**known)


def _points(points: list[list[float]]) -> tuple[Point, ...]:
    return tuple((float(x), float(y)) for x, y in points)
