"""Detectors of objects in pictures, which plugins provide by the hook `register_detectors`."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Detection:
    """An object in a picture: its box, with the upper left corner at `x`, `y`, in parts of the picture (0 to 1)."""

    label: str
    score: float
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture of a device. `at_ms`: its capture time, in milliseconds since 1970, UTC. `rgb`: 3 bytes per pixel."""

    device_id: str
    at_ms: int
    width: int
    height: int
    rgb: bytes = field(repr=False)

    def array(self) -> Any:
        """The picture as a read-only numpy array of height × width × 3 bytes."""
        import numpy

        return numpy.frombuffer(self.rgb, numpy.uint8).reshape(self.height, self.width, 3)


class DetectorSession(ABC):
    """An open detector, in one thread of a process of its own."""

    @abstractmethod
    def detect(self, frame: Frame) -> Sequence[Detection]:
        """What is seen in a picture. An exception costs this picture alone."""

    def close(self) -> None:
        """Free what was opened. May be called twice."""


class Detector(ABC):
    """A detector. It runs in a process of its own: one that hangs, crashes or grows is ended and started again."""

    #: Unique among all detectors: lower-case letters, digits and `_`.
    name: str
    #: Size of the pictures that it gets, to which they are stretched; 0: as they are decoded, at most 640 pixels wide.
    width: int = 0
    height: int = 0

    @abstractmethod
    def open(self, options: Mapping[str, Any]) -> DetectorSession:
        """Load what it needs; may take a minute. `options`: the installation's. An exception is shown to users."""
