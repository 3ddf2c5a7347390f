"""The boxes of MP4 (ISO/IEC 14496-12, 4.2): built, walked through and found by path. Pure."""

import struct
from collections.abc import Iterator

#: A longer box is not video of a camera: the reader has lost the box boundaries.
MAX_BOX_BYTES = 64 << 20

U32 = struct.Struct(">I")
U64 = struct.Struct(">Q")
I32 = struct.Struct(">i")


class InvalidMedia(ValueError):
    """Bytes that are not fragmented MP4; the bytes after them cannot be trusted either."""


def box(name: bytes, *content: bytes | memoryview) -> bytes:
    """A box with this content."""
    size = 8 + sum(map(len, content))
    return b"".join((U32.pack(size), name, *content))


def full_box(name: bytes, version: int, flags: int, *content: bytes | memoryview) -> bytes:
    """A box whose content begins with version and flags."""
    return box(name, U32.pack(version << 24 | flags), *content)


def walk_boxes(data: bytes | memoryview, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of the content of each box between two offsets; raises InvalidMedia."""
    while start + 8 <= end:
        size = U32.unpack_from(data, start)[0]
        if size < 8 or start + size > end:
            raise InvalidMedia("a box that is longer than the one around it")
        yield bytes(data[start + 4 : start + 8]), start + 8, start + size
        start += size


def find_box(data: bytes | memoryview, start: int, end: int, *path: bytes) -> tuple[int, int] | None:
    """Start and end of the content of the first box at `path` between two offsets; None without one."""
    for name in path:
        for found, inner, last in walk_boxes(data, start, end):
            if found == name:
                start, end = inner, last
                break
        else:
            return None
    return start, end


def read_box_header(data: bytes | bytearray | memoryview) -> tuple[bytes, int, int] | None:
    """Name, header length and total length of the box at the start of `data`; None when its header is incomplete.

    Raises InvalidMedia for bytes that cannot be a box of a camera's stream.
    """
    if len(data) < 8:
        return None
    size, header = U32.unpack_from(data)[0], 8
    if size == 1:
        if len(data) < 16:
            return None
        size, header = U64.unpack_from(data, 8)[0], 16
    if not header <= size <= MAX_BOX_BYTES:
        raise InvalidMedia(f"a box of {size} bytes")
    name = bytes(data[4:8])
    if not all(32 <= byte < 127 for byte in name):
        raise InvalidMedia("a box without a name")
    return name, header, size
