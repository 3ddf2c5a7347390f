"""Removes samples from the start of a fragment (ISO/IEC 14496-12, 8.8): for media that was delivered before. Pure."""

import struct
from collections.abc import Mapping

from gateway.mp4.boxes import U32, InvalidMedia, box, full_box, walk_boxes
from gateway.mp4.fragments import Track
from gateway.mp4.track_runs import (
    COMPOSITION,
    DATA_OFFSET,
    DEFAULT_DURATION,
    DEFAULT_SIZE,
    DURATION,
    FIRST_FLAGS,
    FLAGS,
    SIZE,
    TrackFragment,
    TrackRun,
    read_decode_time,
    read_run,
    read_track_fragment,
)

_MAX_SAMPLES = 1_000_000
_COLUMNS = (DURATION, SIZE, FLAGS, COMPOSITION)


def trim_fragment(moof: bytes, mdat: bytes, tracks: tuple[Track, ...], until: Mapping[int, int]) -> bytes | None:
    """The fragment without the samples that begin before `until` (ticks of decoding time, by track id).

    A track without an entry keeps all its samples. None when nothing is left. The data of removed samples stays in
    `mdat`, where nothing points to it. Raises InvalidMedia.
    """
    track_by_id = {track.track_id: track for track in tracks}
    pieces: list[tuple[bytes, list[int]]] = []
    has_samples = False
    try:
        for name, start, end in walk_boxes(moof, 8, len(moof)):
            content = moof[start - 8 : end]
            if name == b"traf":
                fragment = read_track_fragment(moof, start, end)
                track = track_by_id.get(fragment.track_id)
                if track is not None:
                    found = _trim_track(fragment, track, until.get(fragment.track_id))
                    if found is None:
                        continue
                    has_samples = True
                    pieces.append(found)
                    continue
            pieces.append((content, []))
    except (struct.error, IndexError) as error:
        raise InvalidMedia(f"a 'moof' box that ends too early: {error}") from error
    if not has_samples:
        return None
    size = 8 + sum(len(content) for content, _ in pieces)
    shift = size - len(moof)
    result = bytearray(U32.pack(size) + b"moof")
    for content, places in pieces:
        at = len(result)
        result += content
        for place in places:
            (offset,) = struct.unpack_from(">i", result, at + place)
            struct.pack_into(">i", result, at + place, offset + shift)
    return bytes(result) + mdat


def _trim_track(fragment: TrackFragment, track: Track, until: int | None) -> tuple[bytes, list[int]] | None:
    """The `traf` box without early samples, and where it has data offsets; None without samples."""
    data = fragment.data
    default_duration = fragment.default(DEFAULT_DURATION, track.default_duration)
    default_size = fragment.default(DEFAULT_SIZE, track.default_size)
    contents: list[bytes] = []
    places: list[int] = []
    at, time, is_empty = 8, 0, True
    time_at: int | None = None
    for name, start, end in walk_boxes(data, fragment.start, fragment.end):
        content = bytes(data[start - 8 : end])
        if name == b"tfdt":
            time = read_decode_time(data, start)
            time_at = len(contents)
        elif name == b"trun":
            run = read_run(data, start)
            if not run.is_within(_MAX_SAMPLES):
                raise InvalidMedia("a 'trun' box with more samples than bytes")
            dropped = 0
            durations = run.column(DURATION) or (default_duration,) * run.count
            while until is not None and is_empty and dropped < run.count and time < until:
                time += durations[dropped]
                dropped += 1
            if dropped == run.count:
                continue
            is_empty = False
            content = _trim_run(run, dropped, default_size, data[start])
            if run.flags & DATA_OFFSET:
                places.append(at + 16)
        contents.append(content)
        at += len(content)
        if name == b"tfdt":
            # Its length must not change afterwards: the time is filled in when the first sample is known.
            contents[-1] = full_box(b"tfdt", 1, 0, b"\0" * 8)
            at += len(contents[-1]) - len(content)
        if name == b"trun" and time_at is not None:
            contents[time_at] = full_box(b"tfdt", 1, 0, struct.pack(">Q", time))
            time_at = None
    return None if is_empty else (box(b"traf", *contents), places)


def _trim_run(run: TrackRun, dropped: int, default_size: int, version: int) -> bytes:
    """The `trun` box without its first samples."""
    # What was said of the first sample is not true of the one that is first now.
    flags = run.flags & ~FIRST_FLAGS if dropped else run.flags
    head = struct.pack(">I", run.count - dropped)
    if run.flags & DATA_OFFSET:
        sizes = run.column(SIZE) or (default_size,) * run.count
        head += struct.pack(">i", (run.data_offset or 0) + sum(sizes[:dropped]))
    if flags & FIRST_FLAGS:
        head += U32.pack(run.first_flags or 0)
    width = sum(4 for column in _COLUMNS if run.flags & column)
    table = run.data[run.table_at + dropped * width : run.table_at + run.count * width]
    return full_box(b"trun", version, flags & 0xFFFFFF, head, bytes(table))
