"""Simulated cameras for the tests of clocks: units with their true capture time, their stamp and their arrival."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from workers.rtp.track_clock import TrackClock

START = 5_000.0


@dataclass(frozen=True)
class SimulatedUnit:
    """`captured` and `arrived` are seconds of the monotonic clock, `stamp` is the unwrapped RTP time."""

    captured: float
    stamp: int
    arrived: float


@dataclass(frozen=True)
class PlacedUnit:
    """A unit, and the time that the clock gave it."""

    unit: SimulatedUnit
    time: float

    @property
    def error(self) -> float:
        """Seconds by which the time is late; negative if it is early."""
        return self.time - self.unit.captured

    @property
    def age(self) -> float:
        """Seconds from the start to the arrival."""
        return self.unit.arrived - START


Captured = Iterable[float]


def evenly(fps: float, seconds: float, begin: float = 0.0) -> Iterator[float]:
    """Capture times at a steady rate."""
    for number in range(int(seconds * fps)):
        yield START + begin + number / fps


def simulate(
    captured: Captured,
    *,
    clock_rate: int = 90_000,
    stamp: Callable[[float], float] = lambda seconds: seconds,
    delay: Callable[[float], float] = lambda seconds: 0.0,
    first_stamp: int = 123_456,
) -> list[SimulatedUnit]:
    """Units in order: `stamp` and `delay` are functions of the seconds since the start. A network keeps the order."""
    units, arrived = [], START
    for at in captured:
        since = at - START
        arrived = max(arrived, at + delay(since))
        units.append(SimulatedUnit(at, first_stamp + round(stamp(since) * clock_rate), arrived))
    return units


def reorder(units: list[SimulatedUnit], b_frames: int) -> list[SimulatedUnit]:
    """The same pictures with B-frames: in decode order, sent evenly as soon as the encoder has them."""
    size = b_frames + 1
    order = [units[0]]
    for at in range(1, len(units) - size + 1, size):
        group = units[at : at + size]
        order += [group[-1], *group[:-1]]
    sent = [unit.arrived for unit in units[b_frames:]]
    return [SimulatedUnit(unit.captured, unit.stamp, at) for unit, at in zip(order, sent, strict=False)]


def jitter(most: float, seed: int = 1) -> Callable[[float], float]:
    """A delay that is evenly distributed up to `most`."""
    dice = random.Random(seed)
    return lambda seconds: dice.random() * most


def run(units: list[SimulatedUnit], clock: TrackClock | None = None, clock_rate: int = 90_000) -> list[PlacedUnit]:
    """Place the units in turn."""
    clock = clock or TrackClock(clock_rate)
    return [PlacedUnit(unit, clock.place(unit.stamp, unit.arrived)) for unit in units]
