"""Cameras for tests and benches: real ones (CameraServer), misbehaving ones (FaultyCamera), many at the same time
(LoadCameras), and one with numbered frames (CounterCamera)."""

from gateway.testing.camera_server import CameraServer, CameraServerError

from .clock import ClockReading, read_clock, read_clock_of_file
from .counter import CounterCamera, read_counter_of_file
from .faulty import Behaviour, FaultyCamera
from .load import LoadCameras

__all__ = [
    "Behaviour",
    "CameraServer",
    "CameraServerError",
    "ClockReading",
    "CounterCamera",
    "FaultyCamera",
    "LoadCameras",
    "read_clock",
    "read_clock_of_file",
    "read_counter_of_file",
]
