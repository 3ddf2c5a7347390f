"""Corrects the time of the first sample of a fragment (ISO/IEC 14496-12, 8.8), in place. Pure."""

import struct
from itertools import accumulate

from gateway.mp4.boxes import U32, U64, InvalidMedia, walk_boxes
from gateway.mp4.fragments import Track
from gateway.mp4.track_runs import (
    COMPOSITION,
    DEFAULT_DURATION,
    DURATION,
    TrackFragment,
    TrackRun,
    read_decode_time,
    read_run,
    read_track_fragment,
)

_MAX_SAMPLES = 1_000_000


def read_presentation(moof: bytes, track: Track) -> list[int]:
    """The presentation times of a track's samples, in decoding order and ticks. Raises InvalidMedia."""
    try:
        fragment, time_at, run = _find(moof, track)
        if run is None:
            return []
        durations = run.column(DURATION) or (fragment.default(DEFAULT_DURATION, track.default_duration),) * run.count
        offsets = run.column(COMPOSITION) or (0,) * run.count
        starts = accumulate(durations[:-1], initial=read_decode_time(moof, time_at))
        return [start + offset for start, offset in zip(starts, offsets, strict=True)]
    except (struct.error, IndexError) as error:
        raise InvalidMedia(f"a 'moof' box that ends too early: {error}") from error


def move_first_sample(data: bytes, track: Track, ticks: int) -> bytes:
    """The fragment (`moof` and what follows) with the first sample of a track `ticks` later, or earlier if negative.

    The other samples keep their times. Unchanged if their times do not leave room for it. Raises InvalidMedia.
    """
    try:
        fragment, time_at, run = _find(data[: U32.unpack_from(data)[0]], track)
        if run is None or data[time_at] != 1:
            return data
        if run.flags & DURATION:
            # Columns have the order of their flags: the duration comes first.
            duration_at: int | None = run.table_at
        elif run.count == 1 and fragment.flags & DEFAULT_DURATION:
            earlier = fragment.flags & (DEFAULT_DURATION - 1)
            duration_at = fragment.fields_at + 8 * (earlier & 1) + 4 * (earlier & 2 > 0)
        else:
            return data
        duration = U32.unpack_from(data, duration_at)[0] - ticks
        start = read_decode_time(data, time_at) + ticks
        if start < 0 or not 0 <= duration < 1 << 32:
            return data
        result = bytearray(data)
        U64.pack_into(result, time_at + 4, start)
        U32.pack_into(result, duration_at, duration)
        return bytes(result)
    except (struct.error, IndexError) as error:
        raise InvalidMedia(f"a 'moof' box that ends too early: {error}") from error


def _find(moof: bytes, track: Track) -> tuple[TrackFragment, int, TrackRun | None]:
    """The track's fragment, where the content of its `tfdt` begins, and its samples; None without exactly one run."""
    for name, start, end in walk_boxes(moof, 8, len(moof)):
        if name != b"traf":
            continue
        fragment = read_track_fragment(moof, start, end)
        if fragment.track_id != track.track_id:
            continue
        time_at, runs = None, []
        for inner, content, _ in walk_boxes(moof, start, end):
            if inner == b"tfdt":
                time_at = content
            elif inner == b"trun":
                runs.append(read_run(moof, content))
        if time_at is None or len(runs) != 1 or not runs[0].count or not runs[0].is_within(_MAX_SAMPLES):
            return fragment, time_at or 0, None
        return fragment, time_at, runs[0]
    raise InvalidMedia("a 'moof' box without the track")
