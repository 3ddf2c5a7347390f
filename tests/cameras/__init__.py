"""Cameras for tests and benches: real ones (CameraServer), misbehaving ones (FaultyCamera), many at once (LoadCameras)."""

from .clock import ClockReading, read_clock
from .faulty import Behaviour, FaultyCamera
from .load import LoadCameras
from .server import CameraServer, CameraServerError

__all__ = [
    "Behaviour",
    "CameraServer",
    "CameraServerError",
    "ClockReading",
    "FaultyCamera",
    "LoadCameras",
    "read_clock",
]
