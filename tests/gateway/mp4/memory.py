"""A sink in memory, and formats and samples that need no encoder."""

import struct

from gateway.mp4.boxes import box
from gateway.mp4.samples import Samples, TrackFormat


class MemorySink:
    """Keeps the written bytes."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes | memoryview) -> None:
        self.data += data

    def write_at(self, place: int, data: bytes) -> None:
        if len(self.data) < place + len(data):
            self.data += bytes(place + len(data) - len(self.data))
        self.data[place : place + len(data)] = data

    def read_at(self, place: int, size: int) -> bytes:
        return bytes(self.data[place : place + size])


_AVC = b"\x01\x42\xc0\x1e\xff\xe1\x00\x00\x01\x00\x00"


def video_format(timescale: int = 1000) -> TrackFormat:
    """An `avc1` sample entry of 64x48."""
    fields = bytes(24) + struct.pack(">HH", 64, 48) + bytes(50)
    return TrackFormat(1, "vide", timescale, box(b"avc1", fields, box(b"avcC", _AVC)))


def audio_format(timescale: int = 8000) -> TrackFormat:
    """An `mp4a` sample entry."""
    return TrackFormat(
        2, "soun", timescale, box(b"mp4a", bytes(16), struct.pack(">HHHHI", 1, 16, 0, 0, timescale << 16))
    )


def make_samples(track: TrackFormat, start: int, durations: list[int], *, offsets: list[int] | None = None) -> Samples:
    """One sample of four bytes for each duration; the first is a key frame."""
    times = [start + sum(durations[:index]) for index in range(len(durations))]
    count = len(durations)
    return Samples(
        track,
        times,
        durations,
        [4] * count,
        offsets or [0] * count,
        [True] + [False] * (count - 1),
        memoryview(bytes(4 * count)),
    )
