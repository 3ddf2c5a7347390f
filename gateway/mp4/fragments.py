"""Tracks of a `moov` box, and a summary of the samples of a `moof` box (ISO/IEC 14496-12, 14496-15). Pure."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.mp4.boxes import U32, InvalidMedia, find_box, walk_boxes
from gateway.mp4.track_runs import (
    COMPOSITION,
    DEFAULT_DURATION,
    DEFAULT_FLAGS,
    DEFAULT_SIZE,
    DURATION,
    FLAGS,
    NON_SYNC,
    SIZE,
    TrackFragment,
    TrackRun,
    read_decode_time,
    read_run,
    read_track_fragment,
)

VIDEO, AUDIO = "vide", "soun"

#: Maximum number of samples in a `trun` box; a larger count is damage.
_MAX_SAMPLES = 1_000_000


@dataclass(frozen=True, slots=True)
class Track:
    """A track of the init segment. Times are in `timescale` ticks a second."""

    track_id: int
    kind: str
    codec: str
    timescale: int
    parameter_sets: frozenset[bytes]
    length_size: int
    default_duration: int
    default_size: int
    default_flags: int


@dataclass(slots=True)
class SampleSummary:
    """Summary of the samples of one track in one fragment. Times in ticks, offsets from the start of `moof`."""

    start: int | None = None
    duration: int = 0
    frames: int = 0
    is_key: bool = False
    has_b_frames: bool = False
    first_offset: int | None = None
    first_size: int = 0
    composition: int | None = None


def parse_tracks(moov: bytes) -> tuple[Track, ...]:
    """The tracks of a whole `moov` box; raises InvalidMedia."""
    try:
        defaults = {}
        extends = find_box(moov, 8, len(moov), b"mvex")
        for name, start, _ in walk_boxes(moov, *extends) if extends else ():
            if name == b"trex":
                track_id, _, duration, size, flags = struct.unpack_from(">5I", moov, start + 4)
                defaults[track_id] = (duration, size, flags)
        return tuple(_parse_tracks(moov, defaults))
    except (struct.error, IndexError) as error:
        raise InvalidMedia(f"a 'moov' box that ends too early: {error}") from error


def summarize_samples(moof: bytes, tracks: tuple[Track, ...]) -> dict[str, SampleSummary]:
    """Summarize the samples of a whole `moof` box: of the first track of each kind, by kind. Raises InvalidMedia.

    A kind without a track is missing; a track without samples in this fragment has 0 frames.
    """
    track_by_kind = {track.kind: track for track in reversed(tracks)}
    found = {kind: SampleSummary() for kind in track_by_kind}
    try:
        for name, start, end in walk_boxes(moof, 8, len(moof)):
            if name == b"traf" and track_by_kind:
                fragment = read_track_fragment(moof, start, end)
                for kind, track in track_by_kind.items():
                    if track.track_id == fragment.track_id:
                        _add_track_fragment(fragment, track, found[kind])
    except (struct.error, IndexError) as error:
        raise InvalidMedia(f"a 'moof' box that ends too early: {error}") from error
    return found


def _parse_tracks(moov: bytes, defaults: dict[int, tuple[int, int, int]]) -> Iterator[Track]:
    for name, start, end in walk_boxes(moov, 8, len(moov)):
        if name == b"trak":
            yield _parse_track(moov, start, end, defaults)


def _parse_track(moov: bytes, start: int, end: int, defaults: dict[int, tuple[int, int, int]]) -> Track:
    header = find_box(moov, start, end, b"tkhd")
    media = find_box(moov, start, end, b"mdia", b"mdhd")
    handler = find_box(moov, start, end, b"mdia", b"hdlr")
    descriptions = find_box(moov, start, end, b"mdia", b"minf", b"stbl", b"stsd")
    if not (header and media and handler and descriptions):
        raise InvalidMedia("a track without its boxes")
    track_id = U32.unpack_from(moov, header[0] + (20 if moov[header[0]] else 12))[0]
    timescale = U32.unpack_from(moov, media[0] + (20 if moov[media[0]] else 12))[0]
    if not timescale:
        raise InvalidMedia("a track without a timescale")
    kind = moov[handler[0] + 8 : handler[0] + 12].decode("latin-1")
    entry = descriptions[0] + 8
    codec = moov[entry + 4 : entry + 8].decode("latin-1")
    parameter_sets, length_size = frozenset(), 4
    if kind == VIDEO:
        # VisualSampleEntry: 8 bytes of box header and 78 of fields, then the codec's configuration box.
        for name, inner, last in walk_boxes(moov, entry + 86, entry + U32.unpack_from(moov, entry)[0]):
            if name == b"avcC":
                parameter_sets, length_size = _parse_avc_configuration(moov[inner:last])
            elif name == b"hvcC":
                parameter_sets, length_size = _parse_hevc_configuration(moov[inner:last])
    return Track(track_id, kind, codec, timescale, parameter_sets, length_size, *defaults.get(track_id, (0, 0, 0)))


def _parse_avc_configuration(box: bytes) -> tuple[frozenset[bytes], int]:
    """Sequence parameter sets, and the size of the NAL unit length field in bytes (ISO/IEC 14496-15, 5.3.3)."""
    if len(box) < 7:
        return frozenset(), 4
    sets, offset = set(), 6
    for _ in range(box[5] & 0x1F):
        size = int.from_bytes(box[offset : offset + 2], "big")
        sets.add(box[offset + 2 : offset + 2 + size])
        offset += 2 + size
    return frozenset(sets), (box[4] & 3) + 1


def _parse_hevc_configuration(box: bytes) -> tuple[frozenset[bytes], int]:
    """The same for HEVC (ISO/IEC 14496-15, 8.3.3), where the SPS is NAL unit type 33."""
    if len(box) < 23:
        return frozenset(), 4
    sets, offset = set(), 23
    for _ in range(box[22]):
        kind, count = box[offset] & 0x3F, int.from_bytes(box[offset + 1 : offset + 3], "big")
        offset += 3
        for _ in range(count):
            size = int.from_bytes(box[offset : offset + 2], "big")
            if kind == 33:
                sets.add(box[offset + 2 : offset + 2 + size])
            offset += 2 + size
    return frozenset(sets), (box[21] & 3) + 1


def _add_track_fragment(fragment: TrackFragment, track: Track, summary: SampleSummary) -> None:
    moof = fragment.data
    duration = fragment.default(DEFAULT_DURATION, track.default_duration)
    size = fragment.default(DEFAULT_SIZE, track.default_size)
    flags = fragment.default(DEFAULT_FLAGS, track.default_flags)
    for name, inner, _ in walk_boxes(moof, fragment.start, fragment.end):
        if name == b"tfdt" and summary.start is None:
            summary.start = read_decode_time(moof, inner)
        elif name == b"trun":
            _add_run(read_run(moof, inner), summary, duration, size, flags)


def _add_run(run: TrackRun, summary: SampleSummary, duration: int, size: int, flags: int) -> None:
    """Add the samples of a `trun` box; the numbers are the defaults of a sample."""
    if not run.is_within(_MAX_SAMPLES):
        raise InvalidMedia("a 'trun' box with more samples than bytes")
    if not run.count:
        return
    durations = run.column(DURATION)
    summary.duration += duration * run.count if durations is None else sum(durations)
    if not summary.frames:
        first_flags = flags if run.first_flags is None else run.first_flags
        summary.is_key = not (run.column(FLAGS) or (first_flags,))[0] & NON_SYNC
        summary.first_offset, summary.first_size = run.data_offset, (run.column(SIZE) or (size,))[0]
    if offsets := run.column(COMPOSITION):
        if summary.composition is None:
            summary.composition = offsets[0]
        if offsets.count(summary.composition) < run.count:
            # Presentation order differs from decoding order.
            summary.has_b_frames = True
    summary.frames += run.count
