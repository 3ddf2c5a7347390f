"""Time in the footage of a DriftingCamera: of pictures by the index and by the camera, and of sound by the picture."""

import io
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import av
import numpy

from tests.cameras.footage import FootageError, read_frames

from .drifting_camera import BEEP_EVERY_SECONDS, BEEP_SECONDS

#: Share of the loudest sample from which on sound counts as a beep.
_LOUD = 0.3


@dataclass
class Clocks:
    """What footage says about time, in the order of playing.

    `counters`: numbers of all pictures. `index_errors`: pairs of a picture's true time (seconds since 1970) and of the
    difference of its time in the index. `sound_errors`: pairs of a beep's true time and of how much later than the
    picture of that time it is heard; negative if it is early. All in seconds.
    """

    counters: list[int] = field(default_factory=list)
    index_errors: list[tuple[float, float]] = field(default_factory=list)
    sound_errors: list[tuple[float, float]] = field(default_factory=list)
    ranges: int = 0


def read_clocks(ranges: Iterable[tuple[float | None, bytes]], started_at: float, fps: float) -> Clocks:
    """Read contiguous ranges of footage, with their start by the index, of a camera started at `started_at`.

    Raises FootageError.
    """
    found = Clocks()
    for start, footage in ranges:
        found.ranges += 1
        frames = list(read_frames(footage))
        if not frames:
            continue
        found.counters += [counter for counter, _ in frames]
        if start is not None:
            for counter, place in frames:
                picture = started_at + counter / fps
                found.index_errors.append((picture, start + place - frames[0][1] - picture))
        found.sound_errors += [
            (started_at + seconds, late)
            for seconds, late in compare_beeps([(place, counter / fps) for counter, place in frames], footage)
        ]
    return found


def compare_beeps(frames: list[tuple[float, float]], footage: bytes) -> Iterator[tuple[float, float]]:
    """Yield, for each beep, its true time and how much later than the picture it is, in seconds.

    `frames` are the pictures' times in the footage and by the camera's clock, in order. Beeps before the first picture
    and after the last are skipped.
    """
    places = [place for place, _ in frames]
    for place in find_beeps(footage):
        index = bisect_right(places, place) - 1
        if index < 0 or place > places[-1]:
            continue
        yield measure_beep(frames[index][1] + place - places[index])


def measure_beep(picture: float) -> tuple[float, float]:
    """Return a beep's true time, and how much later it was heard than it should be, in seconds.

    `picture` is the true time, since the camera's start, of the picture that was shown when the beep began.
    """
    beep = round(picture / BEEP_EVERY_SECONDS) * BEEP_EVERY_SECONDS
    return beep, picture - beep


def find_beeps(footage: bytes) -> list[float]:
    """Return the times in the footage, in seconds, at which a beep begins. Raises FootageError."""
    places: list[numpy.ndarray] = []
    levels: list[numpy.ndarray] = []
    try:
        with av.open(io.BytesIO(footage)) as container:
            if not container.streams.audio:
                return []
            resampler = av.AudioResampler(format="flt", layout="mono")
            for frame in container.decode(audio=0):
                for mono in resampler.resample(frame):
                    samples = mono.to_ndarray().ravel()
                    places.append(frame.time + numpy.arange(len(samples)) / mono.sample_rate)
                    levels.append(numpy.abs(samples))
    except (av.FFmpegError, IndexError) as error:
        raise FootageError(f"the sound cannot be decoded: {error}") from error
    if not levels:
        return []
    level = numpy.concatenate(levels)
    loud = numpy.concatenate(places)[level > max(0.01, _LOUD * float(level.max()))]
    if not len(loud):
        return []
    first = numpy.concatenate([[True], numpy.diff(loud) > BEEP_SECONDS])
    begins = [float(place) for place in loud[first]]
    # The first beep of the footage may have begun before it.
    return begins if begins[0] > float(places[0][0]) + BEEP_SECONDS else begins[1:]
