"""Decodes footage of a CounterCamera and finds missing, duplicated and misplaced frames."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO

import av
import numpy

from .counter import read_counter


class FootageError(ValueError):
    """Footage with decoding errors, or with a frame whose number cannot be read."""


def read_counters(footage: bytes | str | Path) -> list[int]:
    """The numbers of all frames, as decoded. `footage` is a file's content, its path, or a URL that FFmpeg reads.

    Raises FootageError: a decoder that conceals damage is no proof that nothing is missing.
    """
    return [counter for counter, _ in read_frames(footage)]


def read_frames(footage: bytes | str | Path) -> Iterator[tuple[int, float]]:
    """Number and presentation time (seconds) of each frame. Raises FootageError."""
    source = io.BytesIO(footage) if isinstance(footage, bytes) else str(footage)
    place = 0
    try:
        with av.open(source) as container:
            video = container.streams.video[0]
            video.codec_context.options = {"err_detect": "explode"}
            for frame in container.decode(video):
                if frame.is_corrupt:
                    raise FootageError(f"frame {place} of the footage is damaged")
                counter = read_counter(_grey(frame))
                if counter is None:
                    raise FootageError(f"the number of frame {place} cannot be read; its time is {frame.time}")
                yield counter, frame.time
                place += 1
    except (av.FFmpegError, IndexError) as error:
        raise FootageError(f"the footage cannot be decoded after {place} frames: {error}") from error


def read_raw_counters(stream: IO[bytes], width: int, height: int) -> Iterator[int]:
    """The numbers of the raw 8-bit grey pictures in a stream. Raises FootageError."""
    place = 0
    while picture := stream.read(width * height):
        whole = len(picture) == width * height
        counter = read_counter(numpy.frombuffer(picture, numpy.uint8).reshape(height, width)) if whole else None
        if counter is None:
            raise FootageError(f"the number of picture {place} cannot be read")
        yield counter
        place += 1


@dataclass(frozen=True)
class Exactness:
    """The result for the frames from the first to the last. All empty: each is there exactly once, in order.

    `missing` are ranges as (first, last) number; `repeated` are numbers that came again; `misplaced` are numbers
    that came after a higher one, and had not come before.
    """

    frames: int
    missing: tuple[tuple[int, int], ...]
    repeated: tuple[int, ...]
    misplaced: tuple[int, ...]

    @property
    def is_exact(self) -> bool:
        return not (self.missing or self.repeated or self.misplaced)

    @property
    def missing_frames(self) -> int:
        """The number of missing frames."""
        return sum(last - first + 1 for first, last in self.missing)

    def __str__(self) -> str:
        if self.is_exact:
            return f"{self.frames} frames, each exactly once"
        return (
            f"{self.frames} frames; {self.missing_frames} missing: {format_ranges(self.missing)}; "
            f"{len(self.repeated)} repeated: {self.repeated[:8]}; {len(self.misplaced)} misplaced: {self.misplaced[:8]}"
        )


def judge(counters: Iterable[int]) -> Exactness:
    """Compare the played frames with the complete sequence from the lowest to the highest number."""
    seen: set[int] = set()
    highest = -1
    repeated, misplaced = [], []
    for counter in counters:
        if counter in seen:
            repeated.append(counter)
        elif counter < highest:
            misplaced.append(counter)
        seen.add(counter)
        highest = max(highest, counter)
    missing = [(low + 1, high - 1) for low, high in pairwise(sorted(seen)) if high > low + 1]
    return Exactness(len(seen), tuple(missing), tuple(repeated), tuple(misplaced))


def format_ranges(ranges: Iterable[tuple[int, int]]) -> str:
    """`4-9, 12`."""
    return ", ".join(f"{first}-{last}" if last > first else f"{first}" for first, last in ranges)


def _grey(frame: av.VideoFrame) -> numpy.ndarray:
    plane = frame.planes[0]
    rows = numpy.frombuffer(plane, numpy.uint8).reshape(-1, plane.line_size)
    return numpy.ascontiguousarray(rows[: frame.height, : frame.width])
