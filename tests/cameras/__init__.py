"""Cameras for tests and benches: real ones (CameraServer), misbehaving ones (FaultyCamera), many at once (LoadCameras),
and one whose frames are numbered (CounterCamera)."""

from .clock import ClockReading, read_clock
from .counter import CounterCamera
from .faulty import Behaviour, FaultyCamera
from .load import LoadCameras
from .server import CameraServer, CameraServerError

__all__ = [
    "Behaviour",
    "CameraServer",
    "CameraServerError",
    "ClockReading",
    "CounterCamera",
    "FaultyCamera",
    "LoadCameras",
    "read_clock",
]
