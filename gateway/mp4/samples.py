"""Reads recorded parts as samples: track formats, and time and place of each frame (ISO/IEC 14496-12, 8.8). Pure."""

import itertools
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from gateway.mp4.boxes import U32, InvalidMedia, find_box, read_box_header, walk_boxes
from gateway.mp4.descriptors import JPEG, DecoderDescription, parse_descriptors
from gateway.mp4.track_runs import (
    COMPOSITION,
    DEFAULT_DURATION,
    DEFAULT_FLAGS,
    DEFAULT_SIZE,
    DURATION,
    FLAGS,
    NON_SYNC,
    SIZE,
    TrackRun,
    read_decode_time,
    read_run,
    read_track_fragment,
)

VIDEO, AUDIO = "vide", "soun"

#: Maximum number of samples in a `trun` box; a larger count is damage.
_MAX_SAMPLES = 100_000
#: Boxes in a sample entry that describe bit rates and the like: two runs of one camera may differ in them.
_INFORMATIVE_BOXES = frozenset({b"btrt"})


@dataclass(frozen=True, slots=True)
class TrackFormat:
    """A track of an init segment. `entry` is its sample entry, which contains the codec's configuration."""

    track_id: int
    kind: str
    timescale: int
    entry: bytes = field(repr=False)
    default_duration: int = 0
    default_size: int = 0
    default_flags: int = 0

    @property
    def codec(self) -> str:
        """The type of the sample entry, such as `avc1`, `hvc1` or `mp4a`."""
        return self.entry[4:8].decode("latin-1")

    @property
    def picture_size(self) -> tuple[int, int]:
        """Width and height of a video track in pixels."""
        return struct.unpack_from(">HH", self.entry, 32)

    @property
    def channels(self) -> int:
        """Number of channels of an audio track."""
        return struct.unpack_from(">H", self.entry, 24)[0]

    @property
    def length_size(self) -> int:
        """Size in bytes of the length field before each NAL unit of a video track."""
        if (avc := self.box(b"avcC")) is not None:
            return (avc[4] & 3) + 1
        hevc = self.box(b"hvcC")
        return 4 if hevc is None or len(hevc) < 22 else (hevc[21] & 3) + 1

    def box(self, name: bytes) -> bytes | None:
        """The content of a box inside the sample entry; None without one."""
        start = _ENTRY_FIELDS.get(self.kind, 16)
        found = find_box(self.entry, start, len(self.entry), name)
        return self.entry[found[0] : found[1]] if found else None

    @property
    def decoder(self) -> DecoderDescription:
        """What the `esds` box of the sample entry says, for codecs that have one."""
        return parse_descriptors((self.box(b"esds") or b"")[4:])

    def fits(self, other: "TrackFormat") -> bool:
        """Whether samples of both formats can be in one track: the same codec with the same configuration."""
        return self.kind == other.kind and _decoder_key(self) == _decoder_key(other)


#: Where the boxes inside a sample entry begin.
_ENTRY_FIELDS = {VIDEO: 86, AUDIO: 36}
_MP4_VIDEO = "mp4v"
#: The markers at the beginning and end of a JPEG picture.
_SOI, _EOI = b"\xff\xd8", b"\xff\xd9"


@dataclass(slots=True)
class Samples:
    """Consecutive samples of one track, whose bytes are `data`. Times in ticks of the track's timescale.

    `times` are decoding times, `offsets` the composition offsets that give presentation times, `keys` the sync flags.
    """

    track: TrackFormat
    times: list[int]
    durations: list[int]
    sizes: list[int]
    offsets: list[int]
    keys: list[bool]
    data: memoryview = field(repr=False)

    def __len__(self) -> int:
        return len(self.times)

    @property
    def end(self) -> int:
        """The decoding time at the end of the last sample."""
        return self.times[-1] + self.durations[-1]

    def cut(self, first: int, last: int) -> "Samples":
        """The samples from index `first` up to, but not including, `last`."""
        if first <= 0 and last >= len(self):
            return self
        start = sum(self.sizes[:first])
        return Samples(
            self.track,
            self.times[first:last],
            self.durations[first:last],
            self.sizes[first:last],
            self.offsets[first:last],
            self.keys[first:last],
            self.data[start : start + sum(self.sizes[first:last])],
        )


def parse_init(data: bytes) -> tuple[TrackFormat, ...]:
    """The tracks of an init segment (`ftyp`+`moov`); raises InvalidMedia."""
    try:
        moov = find_box(data, 0, len(data), b"moov")
        if moov is None:
            raise InvalidMedia("an init segment without 'moov'")
        defaults = {}
        extends = find_box(data, *moov, b"mvex")
        for name, start, _ in walk_boxes(data, *extends) if extends else ():
            if name == b"trex":
                track_id, _, *values = struct.unpack_from(">5I", data, start + 4)
                defaults[track_id] = values
        return tuple(
            _parse_track(data, start, end, defaults) for name, start, end in walk_boxes(data, *moov) if name == b"trak"
        )
    except (struct.error, IndexError) as error:
        raise InvalidMedia(f"an init segment that ends too early: {error}") from error


def parse_part(data: bytes, tracks: Iterable[TrackFormat]) -> list[Samples]:
    """The samples of a whole part (`moof`+`mdat`) in the order of their bytes; raises InvalidMedia."""
    by_id = {track.track_id: track for track in tracks}
    view = memoryview(data)
    try:
        moof_end = U32.unpack_from(data)[0]
        found = []
        for name, start, end in walk_boxes(data, 8, moof_end):
            if name == b"traf":
                found += _parse_track_fragment(view, start, end, by_id)
    except (struct.error, IndexError) as error:
        raise InvalidMedia(f"a 'moof' box that ends too early: {error}") from error
    return [samples for _, samples in sorted(found, key=lambda pair: pair[0])]


def read_parts(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield whole parts (`moof`+`mdat`) from the bytes of a segment file after its init segment.

    Raises InvalidMedia for other bytes, and where the bytes end inside a part. Keeps one part in memory at a time.
    """
    buffer, at = bytearray(), 0
    for chunk in chunks:
        del buffer[:at]
        at = 0
        buffer += chunk
        while (end := _part_end(buffer, at)) is not None:
            yield bytes(memoryview(buffer)[at:end])
            at = end
    if at < len(buffer):
        raise InvalidMedia("the file ends inside a part")


def has_whole_units(samples: Samples, length_size: int = 4) -> bool:
    """Whether each video sample consists of NAL units whose lengths add up; damaged bytes hardly ever do.

    A JPEG picture is whole with its first and last marker; of other video without NAL units nothing can be said.
    """
    data, at = samples.data, 0
    if samples.track.codec == _MP4_VIDEO:
        if samples.track.decoder.object_type != JPEG:
            return True
        ends = itertools.accumulate(samples.sizes)
        return all(
            data[end - size : end - size + 2] == _SOI and data[end - 2 : end] == _EOI
            for size, end in zip(samples.sizes, ends, strict=True)
        )
    for size in samples.sizes:
        end = at + size
        while at + length_size < end:
            length = int.from_bytes(data[at : at + length_size], "big")
            # A NAL unit is never empty, and its first bit is always 0.
            if not length or data[at + length_size] & 0x80:
                return False
            at += length_size + length
        if at != end:
            return False
    return True


def _part_end(buffer: bytearray, at: int) -> int | None:
    """The end of the part that begins at `at`; None when the buffer does not hold all of it. Raises InvalidMedia."""
    for expected in (b"moof", b"mdat"):
        header = read_box_header(memoryview(buffer)[at : at + 16])
        if header is None:
            return None
        name, _, size = header
        if name != expected:
            raise InvalidMedia(f"a box {name!r} where {expected!r} should be")
        at += size
    return at if at <= len(buffer) else None


def _parse_track(data: bytes, start: int, end: int, defaults: dict[int, list[int]]) -> TrackFormat:
    header = find_box(data, start, end, b"tkhd")
    media = find_box(data, start, end, b"mdia", b"mdhd")
    handler = find_box(data, start, end, b"mdia", b"hdlr")
    descriptions = find_box(data, start, end, b"mdia", b"minf", b"stbl", b"stsd")
    if not (header and media and handler and descriptions):
        raise InvalidMedia("a track without its boxes")
    track_id = U32.unpack_from(data, header[0] + (20 if data[header[0]] else 12))[0]
    timescale = U32.unpack_from(data, media[0] + (20 if data[media[0]] else 12))[0]
    at = descriptions[0] + 8
    size = U32.unpack_from(data, at)[0]
    if not timescale or not 16 <= size <= descriptions[1] - at:
        raise InvalidMedia("a track without a timescale or a sample entry")
    kind = data[handler[0] + 8 : handler[0] + 12].decode("latin-1")
    return TrackFormat(track_id, kind, timescale, bytes(data[at : at + size]), *defaults.get(track_id, (0, 0, 0)))


def _parse_track_fragment(
    data: memoryview, start: int, end: int, tracks: dict[int, TrackFormat]
) -> Iterator[tuple[int, Samples]]:
    fragment = read_track_fragment(data, start, end)
    track = tracks.get(fragment.track_id)
    if track is None:
        return
    track = replace(
        track,
        default_duration=fragment.default(DEFAULT_DURATION, track.default_duration),
        default_size=fragment.default(DEFAULT_SIZE, track.default_size),
        default_flags=fragment.default(DEFAULT_FLAGS, track.default_flags),
    )
    time, place = None, None
    for name, inner, _ in walk_boxes(data, start, end):
        if name == b"tfdt":
            time = read_decode_time(data, inner)
        elif name == b"trun":
            if time is None:
                raise InvalidMedia("a 'traf' box without 'tfdt'")
            run = read_run(data, inner)
            place = place if run.data_offset is None else run.data_offset
            samples = _parse_run(run, track, time, place)
            if len(samples):
                time = samples.end
                yield place, samples
                place += len(samples.data)


def _parse_run(run: TrackRun, track: TrackFormat, time: int, place: int | None) -> Samples:
    """The samples of a `trun` box whose media begins at `place`; the defaults of a sample are those of `track`."""
    if place is None or not run.is_within(_MAX_SAMPLES):
        raise InvalidMedia("a 'trun' box with more samples than bytes, or without their place")
    durations, sizes, flags, offsets = (
        list(run.column(field) or [default] * run.count)
        for field, default in (
            (DURATION, track.default_duration),
            (SIZE, track.default_size),
            (FLAGS, track.default_flags),
            (COMPOSITION, 0),
        )
    )
    if run.count and run.first_flags is not None:
        flags[0] = run.first_flags
    size = sum(sizes)
    if place < 0 or place + size > len(run.data):
        raise InvalidMedia("samples outside their part")
    times = []
    for duration in durations:
        times.append(time)
        time += duration
    keys = [not value & NON_SYNC for value in flags]
    return Samples(track, times, durations, sizes, offsets, keys, run.data[place : place + size])


def _decoder_key(track: TrackFormat) -> tuple[bytes, bytes, bytes]:
    """Everything in a sample entry that matters to a decoder."""
    start = _ENTRY_FIELDS.get(track.kind, 16)
    boxes = b"".join(
        name + bytes(track.entry[inner:last])
        for name, inner, last in walk_boxes(track.entry, start, len(track.entry))
        if name not in _INFORMATIVE_BOXES
    )
    return track.entry[4:8], track.entry[16:start], boxes
