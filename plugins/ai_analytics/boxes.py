"""Boxes of an object, packed: 13 bytes each, with the time since the first one."""

import struct
from collections.abc import Iterable

from plugins.ai_analytics.tracker import Sighting

_BOX = struct.Struct("<IHHHHB")
_WHOLE = 0xFFFF


def pack_boxes(start_ms: int, sightings: Iterable[Sighting]) -> bytes:
    """Pack the boxes of sightings from `start_ms` on."""
    return b"".join(
        _BOX.pack(
            min(max(seen.at_ms - start_ms, 0), 0xFFFF_FFFF),
            *(_to_whole(value) for value in (seen.x, seen.y, seen.width, seen.height)),
            round(min(max(seen.score, 0.0), 1.0) * 255),
        )
        for seen in sightings
    )


def unpack_boxes(start_ms: int, packed: bytes) -> list[Sighting]:
    """The reverse of `pack_boxes`; bytes after the last whole box are ignored."""
    whole = len(packed) - len(packed) % _BOX.size
    return [
        Sighting(start_ms + since, x / _WHOLE, y / _WHOLE, width / _WHOLE, height / _WHOLE, score / 255)
        for since, x, y, width, height, score in _BOX.iter_unpack(memoryview(packed)[:whole])
    ]


def _to_whole(value: float) -> int:
    return round(min(max(value, 0.0), 1.0) * _WHOLE)
