"""The machine-readable clock along the bottom edge of every picture: its bits and its position.

The strip covers the full width and the bottom 1/18 of the height: 2 rows of 32 equal blocks, light for 1 and
dark for 0, read left to right, upper row first. The 64 bits, most significant first:

    42 bits  wall-clock time when the frame was drawn, milliseconds since 1970 (UTC)
    14 bits  frame number, modulo 16384
     8 bits  CRC-8 (polynomial 0x07, initial value 0xFF) over the preceding 7 bytes

Readers: `tests/cameras/clock.py` and `tests/cameras/clock.js`.
"""

COLUMNS = 32
ROWS = 2
TOP = 17 / 18
LIGHT = 0.90
DARK = 0.07


def build_bits(time_ms: int, frame: int) -> list[int]:
    """Build the 64 bits of a frame drawn at `time_ms`, in the order of the blocks."""
    payload = ((time_ms & (1 << 42) - 1) << 14 | frame & 0x3FFF).to_bytes(7, "big")
    word = int.from_bytes(payload + bytes([crc8(payload)]), "big")
    return [word >> shift & 1 for shift in range(63, -1, -1)]


def crc8(payload: bytes) -> int:
    """Return the CRC-8 with polynomial 0x07, with an initial value that makes an all-dark strip invalid."""
    crc = 0xFF
    for byte in payload:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x07 if crc & 0x80 else crc << 1) & 0xFF
    return crc


def build_blocks(width: int, height: int) -> list[tuple[int, int, int, int]]:
    """Build left, top, width and height in pixels of the 64 blocks, in the order of `build_bits`."""
    columns = [round(width * column / COLUMNS) for column in range(COLUMNS + 1)]
    rows = [round(height * (TOP + (1 - TOP) * row / ROWS)) for row in range(ROWS + 1)]
    return [
        (columns[column], rows[row], columns[column + 1] - columns[column], rows[row + 1] - rows[row])
        for row in range(ROWS)
        for column in range(COLUMNS)
    ]
