"""Reads the clock strip from a picture of our cameras: the time at which its frame was drawn, and its number.

The layout is described in `deploy/demo/clock_strip.py`, which draws it; `clock.js` reads it from a page's video. The
picture may have been scaled and compressed, but neither cropped nor padded.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

COLUMNS = 32
ROWS = 2
TOP = 17 / 18
MIN_CONTRAST = 64
_SAMPLES = (0.35, 0.5, 0.65)  # fractions of a block's width and height: away from its blurred edges


@dataclass(frozen=True)
class ClockReading:
    """`time_ms`: milliseconds since 1970 (UTC) at which the frame was drawn. `frame`: its number modulo 16384."""

    time_ms: int
    frame: int


def read_clock(picture: Any, width: int | None = None, height: int | None = None) -> ClockReading | None:
    """Read the clock in a picture of 8-bit grey, RGB, BGR or RGBA; None without one that passes its checksum.

    `picture` is a numpy array of shape (height, width) or (height, width, channels), or flat bytes with `width` and
    `height` given. The first channels, at most three, are averaged.
    """
    view = memoryview(picture)
    if width is None or height is None:
        height, width = view.shape[:2]
    pixels = view.cast("B") if view.contiguous else memoryview(view.tobytes())
    channels = len(pixels) // (width * height)
    levels = [
        _measure_block(pixels, width, height, channels, column, row) for row in range(ROWS) for column in range(COLUMNS)
    ]
    return decode_levels(levels)


def read_clock_of_file(picture: bytes) -> ClockReading | None:
    """Read the clock in an encoded picture: JPEG, PNG, WebP."""
    # Imported here: the page's and the camera's side of the tests read clocks without it.
    from PIL import Image

    grey = Image.open(io.BytesIO(picture)).convert("L")
    return read_clock(grey.tobytes(), *grey.size)


def decode_levels(levels: list[float]) -> ClockReading | None:
    """Decode the brightness of the 64 blocks (0 to 255), upper row first."""
    low, high = min(levels), max(levels)
    if high - low < MIN_CONTRAST:
        return None
    word = 0
    for level in levels:
        word = word << 1 | (level > (low + high) / 2)
    payload = (word >> 8).to_bytes(7, "big")
    if _crc8(payload) != word & 0xFF:
        return None
    return ClockReading(time_ms=word >> 22, frame=word >> 8 & 0x3FFF)


def _measure_block(pixels: memoryview, width: int, height: int, channels: int, column: int, row: int) -> float:
    total = 0
    colours = min(channels, 3)
    for down in _SAMPLES:
        y = int(height * (TOP + (1 - TOP) * (row + down) / ROWS))
        for along in _SAMPLES:
            at = (y * width + int(width * (column + along) / COLUMNS)) * channels
            total += sum(pixels[at : at + colours])
    return total / (len(_SAMPLES) ** 2 * colours)


def _crc8(payload: bytes) -> int:
    crc = 0xFF
    for byte in payload:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x07 if crc & 0x80 else crc << 1) & 0xFF
    return crc
