"""Figures of the analysis for monitoring."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from gateway.plugin_api import Config, Metric, connect_redis
from gateway.redis_values import is_number
from plugins.ai_analytics.figures import FiguresStore

#: What the metrics here read.
Value = int | float | list[tuple[dict[str, str], float]] | None


def build_metrics(config: Config) -> list[Metric]:
    """Build the metrics of all analyses."""
    return metrics_of(FiguresStore(connect_redis(config.redis_url, timeout_seconds=1.0)))


def metrics_of(store: FiguresStore) -> list[Metric]:
    """The metrics of the figures in a store."""

    def devices() -> dict[str, dict[str, Any]]:
        return store.read_all()[0]

    def processes() -> dict[str, dict[str, Any]]:
        return store.read_all()[1]

    def rates(name: str) -> Value:
        return round(sum(_numbers(devices(), name)), 3)

    def of_detectors(name: str) -> Value:
        sums: dict[str, float] = defaultdict(float)
        for process in processes().values():
            for detector in process.get("detectors") or ():
                if isinstance(detector, dict) and is_number(detector.get(name)):
                    sums[str(detector.get("name"))[:60]] += detector[name]
        return [({"detector": name}, round(value, 3)) for name, value in sorted(sums.items())]

    def given() -> Value:
        found = devices().items()
        return [({"device": key}, one["given_fps"]) for key, one in found if is_number(one.get("given_fps"))]

    return [
        Metric("pictures_total", "counter", "Pictures that were analysed.", store.read_pictures),
        Metric("devices", "gauge", "Devices whose pictures are analysed.", lambda: len(devices())),
        Metric("wanted_pictures_per_second", "gauge", "Pictures that are to be analysed.", lambda: rates("wanted_fps")),
        Metric("pictures_per_second", "gauge", "Pictures that are analysed.", lambda: rates("given_fps")),
        Metric(
            "slowed_devices",
            "gauge",
            "Devices of which fewer pictures than wanted are analysed.",
            lambda: sum(bool(one.get("is_slowed")) for one in devices().values()),
        ),
        Metric(
            "waiting_events",
            "gauge",
            "Events that wait to be written.",
            lambda: sum(_numbers(processes(), "waiting_events")),
        ),
        Metric(
            "detector_pictures_per_second",
            "gauge",
            "Pictures that each detector looks at.",
            lambda: of_detectors("pictures_per_second"),
        ),
        Metric(
            "device_pictures_per_second", "gauge", "Pictures of a device that are analysed.", given, per_device=True
        ),
    ]


def _numbers(found: dict[str, dict[str, Any]], name: str) -> Iterator[float]:
    return (one[name] for one in found.values() if is_number(one.get(name)))
