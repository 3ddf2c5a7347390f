"""Turns the bytes of FFmpeg's fragmented MP4 into init segments and parts (ISO/IEC 14496-12, 14496-15)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

#: A box longer than this is no video of a camera but a stream that lost its way.
MAX_BOX_BYTES = 64 << 20

_NON_SYNC = 0x0001_0000
_U32 = struct.Struct(">I")
_U64 = struct.Struct(">Q")
_I32 = struct.Struct(">i")


class InvalidMedia(ValueError):
    """Bytes that are no fragmented MP4; the run must end, because what follows cannot be trusted."""


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


@dataclass(frozen=True, slots=True)
class InitSegment:
    """`ftyp`+`moov`, once at the start of a run."""

    data: bytes = field(repr=False)
    tracks: tuple[Track, ...]

    @property
    def video(self) -> Track | None:
        return next((track for track in self.tracks if track.kind == "vide"), None)


@dataclass(frozen=True, slots=True)
class Fragment:
    """`moof`+`mdat`. `start` and `duration` in seconds of media time (decode order) of its video.

    `frames` is 0 when there is only audio in it. `has_new_parameters` tells that the key frame carries
    a sequence parameter set that the init segment does not know: the picture's format changed. `has_audio` tells that
    there are samples of another track in it.
    """

    data: bytes = field(repr=False)
    start: float
    duration: float
    frames: int
    is_key: bool
    has_b_frames: bool
    has_new_parameters: bool
    has_audio: bool = False


class Fmp4Reader:
    """Cuts a byte stream into an InitSegment and Fragments; `feed` takes the bytes in pieces of any size."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._header = b""
        self._moof: bytes | None = None
        self.init: InitSegment | None = None

    def feed(self, data: bytes) -> Iterator[InitSegment | Fragment]:
        """Yield what has become whole; raises InvalidMedia."""
        self._buffer += data
        while (box := self._take_box()) is not None:
            kind = box[4:8]
            if kind == b"ftyp":
                self._header = box
            elif kind == b"moov":
                self.init = InitSegment(self._header + box, tuple(_parse_tracks(box)))
                yield self.init
            elif kind == b"moof":
                self._moof = box
            elif kind == b"mdat":
                if self._moof is None or self.init is None:
                    raise InvalidMedia("an 'mdat' box without 'moof' and 'moov' before it")
                yield _parse_fragment(self._moof, box, self.init)
                self._moof = None

    def _take_box(self) -> bytes | None:
        buffer = self._buffer
        if len(buffer) < 8:
            return None
        size = _U32.unpack_from(buffer)[0]
        if size == 1:
            if len(buffer) < 16:
                return None
            size = _U64.unpack_from(buffer, 8)[0]
        if not 8 <= size <= MAX_BOX_BYTES:
            raise InvalidMedia(f"a box of {size} bytes")
        if not all(32 <= byte < 127 for byte in buffer[4:8]):
            raise InvalidMedia("a box without a name")
        if len(buffer) < size:
            return None
        box = bytes(memoryview(buffer)[:size])
        del buffer[:size]
        return box


def _boxes(data: bytes | memoryview, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of the content of each box between two offsets."""
    while start + 8 <= end:
        size = _U32.unpack_from(data, start)[0]
        if size < 8 or start + size > end:
            raise InvalidMedia("a box that is longer than the one around it")
        yield bytes(data[start + 4 : start + 8]), start + 8, start + size
        start += size


def _find(data: bytes, start: int, end: int, *path: bytes) -> tuple[int, int] | None:
    for name in path:
        for found, inner, last in _boxes(data, start, end):
            if found == name:
                start, end = inner, last
                break
        else:
            return None
    return start, end


def _parse_tracks(moov: bytes) -> Iterator[Track]:
    try:
        defaults = {}
        extends = _find(moov, 8, len(moov), b"mvex")
        for name, start, _ in _boxes(moov, *extends) if extends else ():
            if name == b"trex":
                track_id, _, duration, size, flags = struct.unpack_from(">5I", moov, start + 4)
                defaults[track_id] = (duration, size, flags)
        for name, start, end in _boxes(moov, 8, len(moov)):
            if name == b"trak":
                yield _parse_track(moov, start, end, defaults)
    except (struct.error, IndexError) as error:
        raise InvalidMedia(f"a 'moov' box that ends too early: {error}") from error


def _parse_track(moov: bytes, start: int, end: int, defaults: dict[int, tuple[int, int, int]]) -> Track:
    header = _find(moov, start, end, b"tkhd")
    media = _find(moov, start, end, b"mdia", b"mdhd")
    handler = _find(moov, start, end, b"mdia", b"hdlr")
    descriptions = _find(moov, start, end, b"mdia", b"minf", b"stbl", b"stsd")
    if not (header and media and handler and descriptions):
        raise InvalidMedia("a track without its boxes")
    track_id = _U32.unpack_from(moov, header[0] + (20 if moov[header[0]] else 12))[0]
    timescale = _U32.unpack_from(moov, media[0] + (20 if moov[media[0]] else 12))[0]
    if not timescale:
        raise InvalidMedia("a track without a timescale")
    kind = moov[handler[0] + 8 : handler[0] + 12].decode("latin-1")
    entry = descriptions[0] + 8
    codec = moov[entry + 4 : entry + 8].decode("latin-1")
    parameter_sets, length_size = frozenset(), 4
    if kind == "vide":
        # VisualSampleEntry: 8 bytes of box header and 78 of fields, then the codec's configuration box.
        for name, inner, last in _boxes(moov, entry + 86, entry + _U32.unpack_from(moov, entry)[0]):
            if name == b"avcC":
                parameter_sets, length_size = _parse_avc_configuration(moov[inner:last])
            elif name == b"hvcC":
                parameter_sets, length_size = _parse_hevc_configuration(moov[inner:last])
    return Track(
        track_id, kind, codec, timescale, parameter_sets, length_size, *defaults.get(track_id, (0, 0, 0))
    )


def _parse_avc_configuration(box: bytes) -> tuple[frozenset[bytes], int]:
    """Sequence parameter sets and the length of NAL unit lengths (ISO/IEC 14496-15, 5.3.3)."""
    if len(box) < 7:
        return frozenset(), 4
    sets, offset = set(), 6
    for _ in range(box[5] & 0x1F):
        size = int.from_bytes(box[offset : offset + 2], "big")
        sets.add(box[offset + 2 : offset + 2 + size])
        offset += 2 + size
    return frozenset(sets), (box[4] & 3) + 1


def _parse_hevc_configuration(box: bytes) -> tuple[frozenset[bytes], int]:
    """As for AVC (ISO/IEC 14496-15, 8.3.3): only NAL units of type 33, the SPS."""
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


@dataclass(slots=True)
class _Samples:
    """The video samples of one fragment, summed up."""

    start: int | None = None
    duration: int = 0
    frames: int = 0
    is_key: bool = False
    has_b_frames: bool = False
    has_audio: bool = False
    first_offset: int | None = None
    first_size: int = 0
    composition: int | None = None


def _parse_fragment(moof: bytes, mdat: bytes, init: InitSegment) -> Fragment:
    data = moof + mdat
    video = init.video
    samples = _Samples()
    try:
        for name, start, end in _boxes(moof, 8, len(moof)):
            if name == b"traf" and video is not None:
                _add_track_fragment(moof, start, end, video, samples)
        is_new = samples.is_key and _has_new_parameters(data, samples, video)
    except (struct.error, IndexError) as error:
        raise InvalidMedia(f"a 'moof' box that ends too early: {error}") from error
    timescale = video.timescale if video else 1
    return Fragment(
        data=data,
        start=(samples.start or 0) / timescale,
        duration=samples.duration / timescale,
        frames=samples.frames,
        is_key=samples.is_key,
        has_b_frames=samples.has_b_frames,
        has_new_parameters=is_new,
        has_audio=samples.has_audio,
    )


def _add_track_fragment(moof: bytes, start: int, end: int, track: Track, samples: _Samples) -> None:
    header = _find(moof, start, end, b"tfhd")
    if header is None:
        raise InvalidMedia("a 'traf' box without 'tfhd'")
    flags, track_id = struct.unpack_from(">II", moof, header[0])
    if track_id != track.track_id:
        run = _find(moof, start, end, b"trun")
        samples.has_audio |= run is not None and _U32.unpack_from(moof, run[0] + 4)[0] > 0
        return
    offset = header[0] + 8 + (8 if flags & 0x1 else 0) + (4 if flags & 0x2 else 0)
    default_duration, default_size, default_flags = (
        track.default_duration, track.default_size, track.default_flags,
    )
    if flags & 0x8:
        default_duration = _U32.unpack_from(moof, offset)[0]
        offset += 4
    if flags & 0x10:
        default_size = _U32.unpack_from(moof, offset)[0]
        offset += 4
    if flags & 0x20:
        default_flags = _U32.unpack_from(moof, offset)[0]
    for name, inner, _ in _boxes(moof, start, end):
        if name == b"tfdt" and samples.start is None:
            samples.start = (_U64 if moof[inner] else _U32).unpack_from(moof, inner + 4)[0]
        elif name == b"trun":
            _add_samples(
                moof, inner, samples, duration=default_duration, size=default_size, default_flags=default_flags
            )


def _add_samples(
    moof: bytes, offset: int, samples: _Samples, *, duration: int, size: int, default_flags: int
) -> None:
    flags, count = struct.unpack_from(">II", moof, offset)
    flags &= 0xFF_FFFF
    offset += 8
    data_offset = None
    if flags & 0x1:
        data_offset = _I32.unpack_from(moof, offset)[0]
        offset += 4
    first_flags = default_flags
    if flags & 0x4:
        first_flags = _U32.unpack_from(moof, offset)[0]
        offset += 4
    has_duration, has_size, has_flags, has_composition = (bool(flags & bit) for bit in (0x100, 0x200, 0x400, 0x800))
    step = 4 * (has_duration + has_size + has_flags + has_composition)
    if offset + step * count > len(moof):
        raise InvalidMedia("a 'trun' box with more samples than bytes")
    for index in range(count):
        at = offset + index * step
        if has_duration:
            samples.duration += _U32.unpack_from(moof, at)[0]
            at += 4
        else:
            samples.duration += duration
        sample_size = _U32.unpack_from(moof, at)[0] if has_size else size
        at += 4 * has_size
        if samples.frames == 0:
            sample_flags = _U32.unpack_from(moof, at)[0] if has_flags else first_flags
            samples.is_key = not sample_flags & _NON_SYNC
            samples.first_offset, samples.first_size = data_offset, sample_size
        at += 4 * has_flags
        if has_composition:
            composition = _I32.unpack_from(moof, at)[0]
            if samples.composition is None:
                samples.composition = composition
            elif samples.composition != composition:
                # Frames are shown in another order than they are sent.
                samples.has_b_frames = True
        samples.frames += 1


def _has_new_parameters(data: bytes, samples: _Samples, video: Track | None) -> bool:
    """Whether the first sample carries an SPS that is not in the init segment."""
    if video is None or samples.first_offset is None or not video.parameter_sets:
        return False
    is_hevc = video.codec in {"hvc1", "hev1"}
    offset, end = samples.first_offset, min(samples.first_offset + samples.first_size, len(data))
    while offset + video.length_size < end:
        size = int.from_bytes(data[offset : offset + video.length_size], "big")
        offset += video.length_size
        if size == 0 or offset + size > end:
            return False
        kind = (data[offset] >> 1) & 0x3F if is_hevc else data[offset] & 0x1F
        if kind == (33 if is_hevc else 7):
            if data[offset : offset + size].rstrip(b"\x00") not in {s.rstrip(b"\x00") for s in video.parameter_sets}:
                return True
        elif kind < 32 if is_hevc else kind in {1, 5}:
            return False
        offset += size
    return False
