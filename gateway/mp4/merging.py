"""Joins a fragment with sound-only fragments before it into one part (ISO/IEC 14496-12, 8.8). Pure."""

import itertools
import struct
from collections.abc import Sequence

from gateway.mp4.boxes import U32, InvalidMedia, box, full_box, walk_boxes
from gateway.mp4.fragments import AUDIO, Track
from gateway.mp4.track_runs import (
    BASE_IS_MOOF,
    DATA_OFFSET,
    DEFAULT_DURATION,
    DEFAULT_SIZE,
    DURATION,
    SIZE,
    read_decode_time,
    read_run,
    read_track_fragment,
)

_MAX_SAMPLES = 1_000_000


def merge_sound(sound: Sequence[bytes], part: bytes, tracks: tuple[Track, ...]) -> bytes:
    """One part (`moof`+`mdat`) with the sound of `sound`, in order, before that of `part`. Raises InvalidMedia.

    Each of `sound` is a part that has samples of the audio track only. A distance between two of them is added to the
    last sample before it, so that all times stay as they are.
    """
    audio = next((track for track in tracks if track.kind == AUDIO), None)
    if audio is None or not sound:
        return part
    try:
        return _merge([_split(one) for one in sound], *_split(part), audio)
    except (struct.error, IndexError) as error:
        raise InvalidMedia(f"a 'moof' box that ends too early: {error}") from error


def _split(part: bytes) -> tuple[bytes, bytes]:
    """The `moof` box and the content of the `mdat` box."""
    size = U32.unpack_from(part)[0]
    if part[4:8] != b"moof" or part[size + 4 : size + 8] != b"mdat":
        raise InvalidMedia("a part that is not 'moof' and 'mdat'")
    return part[:size], part[size + 8 :]


def _merge(sound: list[tuple[bytes, bytes]], moof: bytes, media: bytes, audio: Track) -> bytes:
    runs: list[tuple[int, list[tuple[int, int]], int]] = []
    before = 0
    for head, content in sound:
        runs += _read_runs(head, audio, before - len(head) - 8)
        before += len(content)
    others: list[bytes] = []
    for name, start, end in walk_boxes(moof, 8, len(moof)):
        if name == b"traf" and read_track_fragment(moof, start, end).track_id == audio.track_id:
            continue
        others.append(moof[start - 8 : end])
    runs += _read_runs(moof, audio, before - len(moof) - 8)
    if not runs:
        return b"".join((moof, U32.pack(len(media) + 8), b"mdat", media))
    for (start, samples, _), (following, _, _) in itertools.pairwise(runs):
        gap = following - start - sum(duration for duration, _ in samples)
        samples[-1] = (max(1, samples[-1][0] + gap), samples[-1][1])
    traf_size = 8 + 16 + 20 + sum(20 + 8 * len(samples) for _, samples, _ in runs)
    size = 8 + sum(map(len, others)) + traf_size
    # Offsets of the other tracks were counted from the old `moof`; their bytes now follow those of the sound.
    shift = size - len(moof) + before
    pieces = [_shifted(one, shift) for one in others]
    truns = [
        full_box(
            b"trun",
            0,
            DATA_OFFSET | DURATION | SIZE,
            struct.pack(">Ii", len(samples), size + 8 + offset),
            struct.pack(f">{2 * len(samples)}I", *(value for sample in samples for value in sample)),
        )
        for _, samples, offset in runs
    ]
    header = full_box(b"tfhd", 0, BASE_IS_MOOF, U32.pack(audio.track_id))
    time = full_box(b"tfdt", 1, 0, struct.pack(">Q", runs[0][0]))
    pieces.append(box(b"traf", header, time, *truns))
    total = sum(len(content) for _, content in sound) + len(media)
    return b"".join((box(b"moof", *pieces), U32.pack(total + 8), b"mdat", *(content for _, content in sound), media))


def _read_runs(moof: bytes, audio: Track, shift: int) -> list[tuple[int, list[tuple[int, int]], int]]:
    """Start, samples (duration, size) and place in the joined media of each run of the audio track."""
    found = []
    for name, start, end in walk_boxes(moof, 8, len(moof)):
        if name != b"traf":
            continue
        fragment = read_track_fragment(moof, start, end)
        if fragment.track_id != audio.track_id:
            continue
        duration = fragment.default(DEFAULT_DURATION, audio.default_duration)
        size = fragment.default(DEFAULT_SIZE, audio.default_size)
        time = 0
        for inner_name, inner, _ in walk_boxes(moof, start, end):
            if inner_name == b"tfdt":
                time = read_decode_time(moof, inner)
            elif inner_name == b"trun":
                run = read_run(moof, inner)
                if not run.is_within(_MAX_SAMPLES):
                    raise InvalidMedia("a 'trun' box with more samples than bytes")
                if not run.count:
                    continue
                durations = run.column(DURATION) or (duration,) * run.count
                sizes = run.column(SIZE) or (size,) * run.count
                found.append((time, list(zip(durations, sizes, strict=True)), (run.data_offset or 0) + shift))
                time += sum(durations)
    return found


def _shifted(content: bytes, shift: int) -> bytes:
    """A box of a `moof`; the data offsets of a `traf` are moved."""
    if content[4:8] != b"traf":
        return content
    moved = bytearray(content)
    for name, start, _ in walk_boxes(content, 8, len(content)):
        if name == b"trun" and read_run(content, start).flags & DATA_OFFSET:
            (offset,) = struct.unpack_from(">i", content, start + 8)
            struct.pack_into(">i", moved, start + 8, offset + shift)
    return bytes(moved)
