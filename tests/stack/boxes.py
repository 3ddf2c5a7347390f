"""Reads fragmented MP4 for tests: where its parts begin and end, and how many frames they hold.

Written apart from the product's own scanner, so that an error in that one is not shared by who checks it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class ScannedPart:
    """`offset` and `size` in bytes, of `moof` and `mdat` together; `frames` of the video track."""

    offset: int
    size: int
    frames: int
    has_audio: bool


@dataclass(frozen=True)
class ScannedFile:
    """`rest`: bytes at the end that are no whole part. `edges`: every offset at which a box of any depth ends."""

    init_size: int
    parts: tuple[ScannedPart, ...]
    rest: int
    edges: tuple[int, ...]


#: Boxes that hold nothing but boxes.
_NESTED = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"mvex", b"moof", b"traf", b"edts", b"dinf"})


def scan_file(data: bytes) -> ScannedFile:
    """What is in a file of init segment and parts; bytes that are cut off at the end are `rest`."""
    at, init_size, begin = 0, 0, None
    video, parts, moof = None, [], None
    for name, start, end in _boxes(data, 0, len(data)):
        if name == b"moov":
            video, init_size = _find_video_track(data, start, end), end
        elif name == b"moof":
            moof = (start, end)
        if name not in {b"ftyp", b"moov"}:
            begin = start if begin is None else begin
        if name == b"mdat" and moof is not None and begin is not None:
            frames, has_audio = _count_samples(data, *moof, video)
            parts.append(ScannedPart(begin, end - begin, frames, has_audio))
            begin = moof = None
        at = end
    whole = parts[-1].offset + parts[-1].size if parts else init_size
    return ScannedFile(init_size, tuple(parts), len(data) - whole, tuple(sorted({*_edges(data, 0, at)})))


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of each whole box."""
    while start + 8 <= end:
        size = struct.unpack_from(">I", data, start)[0]
        if size < 8 or start + size > end:
            return
        yield data[start + 4 : start + 8], start, start + size
        start += size


def _edges(data: bytes, start: int, end: int) -> Iterator[int]:
    for name, first, last in _boxes(data, start, end):
        yield last
        if name in _NESTED:
            yield first + 8
            yield from _edges(data, first + 8, last)


def _find(data: bytes, start: int, end: int, *path: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of every box at a path below the box at `start`."""
    for name, first, last in _boxes(data, start + 8, end):
        if name == path[0]:
            if len(path) == 1:
                yield first, last
            else:
                yield from _find(data, first, last, *path[1:])


def _find_video_track(data: bytes, start: int, end: int) -> int | None:
    for track, track_end in _find(data, start, end, b"trak"):
        handler, _ = next(_find(data, track, track_end, b"mdia", b"hdlr"))
        header, _ = next(_find(data, track, track_end, b"tkhd"))
        if data[handler + 16 : handler + 20] == b"vide":
            return struct.unpack_from(">I", data, header + (28 if data[header + 8] else 20))[0]
    return None


def _count_samples(data: bytes, start: int, end: int, video: int | None) -> tuple[int, bool]:
    frames, has_audio = 0, False
    for fragment, fragment_end in _find(data, start, end, b"traf"):
        header, _ = next(_find(data, fragment, fragment_end, b"tfhd"))
        track = struct.unpack_from(">I", data, header + 12)[0]
        count = sum(
            struct.unpack_from(">I", data, run + 12)[0] for run, _ in _find(data, fragment, fragment_end, b"trun")
        )
        if track == video:
            frames += count
        else:
            has_audio = has_audio or count > 0
    return frames, has_audio
