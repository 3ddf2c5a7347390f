"""Fills parts without audio with silence, so that all parts of a playlist have the same tracks. Pure.

`gateway.mp4.init_segments` gives the reason. Video and audio that a part has are not changed, only added to.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from gateway.mp4.boxes import I32, U32, U64, InvalidMedia, box, find_box, full_box, read_box_header, walk_boxes
from gateway.mp4.fragments import VIDEO, Track, parse_tracks, summarize_samples
from gateway.mp4.init_segments import AAC_FRAME_SAMPLES, add_silent_sound, find_sound
from gateway.mp4.patched_media import PatchedMedia, Span
from gateway.mp4.track_runs import (
    BASE_IS_MOOF,
    DATA_OFFSET,
    DEFAULT_DURATION,
    DEFAULT_FLAGS,
    DEFAULT_SIZE,
    DURATION,
    SIZE,
    read_decode_time,
    read_run,
    read_track_fragment,
)

#: Gaps in the audio of up to this many frames are left: Chromium treats up to two as clock jitter. After a longer gap,
#: or after audio that goes back in time, it drops all video frames up to the next key frame.
_MAX_GAP_FRAMES = 2
#: Audio and video of a part whose start times differ by more than this do not belong together.
_MAX_OFFSET_SECONDS = 2.0
#: Maximum number of silent frames in a part. A longer part does not come from a camera, and is not worth an hour of
#: silence.
_MAX_FRAMES = 2000

#: Maximum size of a `moof` box: those of cameras have hundreds of bytes.
_MAX_MOOF_BYTES = 4 << 20
#: Bytes read at the start of a part, which usually hold its whole `moof` box and the header of its `mdat` box.
_HEAD_BYTES = 8192

_SYNC = 0x0200_0000


@dataclass(frozen=True, slots=True)
class _Sound:
    """The audio of a fragment: start in ticks, duration (ticks) and size (bytes) of each frame, offset of the first."""

    start: int
    frames: tuple[tuple[int, int], ...]
    offset: int

    @property
    def end(self) -> int:
        return self.start + sum(duration for duration, _ in self.frames)


@dataclass(frozen=True, slots=True)
class _Media:
    """An `mdat` box: its header, and where it is in the file."""

    header: bytes
    offset: int
    size: int

    @property
    def all(self) -> Span:
        return Span(self.offset, self.size)


@dataclass(frozen=True, slots=True)
class SilenceFiller:
    """Fills the parts of one run. `init` is the init segment for players, in place of the run's own."""

    init: bytes
    tracks: tuple[Track, ...]
    audio: Track
    frame: bytes | None

    @classmethod
    def of(cls, init: bytes) -> SilenceFiller:
        """The filler for a run with this init segment; raises InvalidMedia."""
        whole = add_silent_sound(init)
        sound = find_sound(whole)
        start, end = find_box(whole, 0, len(whole), b"moov") or (0, 0)
        assert sound is not None
        return cls(whole, parse_tracks(whole[start - 8 : end]), sound.track, sound.silent_frame)

    def fill(self, data: bytes, before: bytes = b"") -> bytes:
        """Consecutive parts (`moof`+`mdat`) with silence wherever they have video but no audio.

        `before` is the preceding part of the run, if known: silence then begins where its audio ends. The parts are
        returned unchanged when no silent frame is known for the run's audio format. Raises InvalidMedia.
        """
        view = memoryview(data)
        plan = self.plan(lambda offset, length: bytes(view[offset : offset + length]), len(data), before)
        return b"".join(plan.read(lambda offset, length: (view[offset : offset + length],), 0, plan.size))

    def plan(self, read: Callable[[int, int], bytes], size: int, before: bytes = b"") -> PatchedMedia:
        """As `fill`, for parts of `size` bytes in a file, of which `read(offset, length)` returns some.

        Only the heads of the parts are read. Raises InvalidMedia.
        """
        if self.frame is None:
            return PatchedMedia([Span(0, size)])
        end: int | None = None
        pieces: list[bytes | Span] = []
        try:
            for moof, _ in split_parts(before):
                end = self._sound_end(moof)
            for at, moof, media in _read_heads(read, size):
                pieces += self._fill_one(moof, media, end) or (Span(at, len(moof)), media.all)
                end = self._sound_end(moof)
        except (struct.error, IndexError) as error:
            raise InvalidMedia(f"a part that cannot be filled with silence: {error}") from error
        return PatchedMedia(pieces)

    def _fill_one(self, moof: bytes, media: _Media, end_before: int | None) -> list[bytes | Span]:
        """The pieces of a part with its silence; empty when it is unchanged."""
        start, end = self._video_range(moof)
        if end <= start:
            return []
        max_offset = int(_MAX_OFFSET_SECONDS * self.audio.timescale)
        is_known = end_before is not None and abs(end_before - start) <= max_offset
        # Not after the video: after a jump of the clock the key frame must come first.
        begin = end_before if is_known else max(0, start - 1) // AAC_FRAME_SAMPLES * AAC_FRAME_SAMPLES
        sound = self._sound(moof)
        if sound is None:
            return []
        sound = _trimmed(sound, begin) if is_known else _without_extension(sound)
        if sound.frames:
            count = (sound.start - begin) // AAC_FRAME_SAMPLES
            if count <= _MAX_GAP_FRAMES or sound.start - begin > max_offset:
                count = 0
            begin, offset = sound.start - count * AAC_FRAME_SAMPLES, sound.offset
        else:
            count = min((_on_grid(end) - begin + AAC_FRAME_SAMPLES // 2) // AAC_FRAME_SAMPLES, _MAX_FRAMES)
            offset = len(moof) + media.size
        frames = ((AAC_FRAME_SAMPLES, len(self.frame or b"")),) * count + sound.frames
        if not frames or (not count and sound == self._sound(moof)):
            return []
        return self._rebuild(moof, media, _Sound(begin, frames, offset), count)

    def _rebuild(self, moof: bytes, media: _Media, sound: _Sound, silent: int) -> list[bytes | Span]:
        """The part with its audio replaced by `sound`; the first `silent` frames are inserted into its media."""
        silence = (self.frame or b"") * silent
        place, first = sound.offset - len(moof), len(media.header)
        if not first <= place <= media.size:
            raise InvalidMedia("audio that is not in the media of its part")
        header = _grow(media.header, media.size + len(silence))
        boxes = [
            moof[inner - 8 : last]
            for name, inner, last in walk_boxes(moof, 8, len(moof))
            if name != b"traf" or _track_of(moof, inner, last) != self.audio.track_id
        ]
        growth = sum(map(len, boxes)) + len(self._fragment(sound)) + 8 - len(moof)
        boxes = [_shift_data(one, sound.offset, growth, len(silence)) for one in boxes]
        return [
            box(b"moof", *boxes, self._fragment(replace(sound, offset=sound.offset + growth))) + header,
            Span(media.offset + first, place - first),
            silence,
            Span(media.offset + place, media.size - place),
        ]

    def _video_range(self, moof: bytes) -> tuple[int, int]:
        """Start and end of the video, in ticks of the audio track."""
        video = summarize_samples(moof, self.tracks)[VIDEO]
        timescale = next(track.timescale for track in self.tracks if track.kind == VIDEO)
        start = video.start or 0
        rate = self.audio.timescale
        return start * rate // timescale, (start + video.duration) * rate // timescale

    def _sound_end(self, moof: bytes) -> int | None:
        """End of the audio of a part once it is filled; None where that is unknown."""
        sound = self._sound(moof)
        if sound is None:
            return None
        return sound.end if sound.frames else _on_grid(self._video_range(moof)[1])

    def _sound(self, moof: bytes) -> _Sound | None:
        """The audio frames, empty where there are none; None when they are not contiguous."""
        found: _Sound | None = None
        for name, start, end in walk_boxes(moof, 8, len(moof)):
            if name == b"traf" and _track_of(moof, start, end) == self.audio.track_id:
                if found is not None:
                    return None
                found = _read_sound(moof, start, end, self.audio)
                if found is None:
                    return None
        return found or _Sound(0, (), 0)

    def _fragment(self, sound: _Sound) -> bytes:
        """A `traf` box with these audio frames (ISO/IEC 14496-12, 8.8.6 to 8.8.12)."""
        samples = b"".join(struct.pack(">2I", *frame) for frame in sound.frames)
        flags = DATA_OFFSET | DURATION | SIZE
        boxes = (
            full_box(b"tfhd", 0, BASE_IS_MOOF | DEFAULT_FLAGS, struct.pack(">2I", self.audio.track_id, _SYNC)),
            full_box(b"tfdt", 1, 0, U64.pack(sound.start)),
            full_box(b"trun", 0, flags, struct.pack(">Ii", len(sound.frames), sound.offset), samples),
        )
        return box(b"traf", *boxes)


def split_parts(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """`moof` and `mdat` of each of some consecutive parts; raises InvalidMedia for anything else."""
    at = 0
    while at < len(data):
        pair = []
        for expected in (b"moof", b"mdat"):
            header = read_box_header(memoryview(data)[at : at + 16])
            if header is None or header[0] != expected or at + header[2] > len(data):
                raise InvalidMedia(f"no whole '{expected.decode()}' box where a part should have one")
            pair.append(data[at : at + header[2]])
            at += header[2]
        yield pair[0], pair[1]


def _read_heads(read: Callable[[int, int], bytes], size: int) -> Iterator[tuple[int, bytes, _Media]]:
    """Place and `moof` of each of some consecutive parts, and its media; raises InvalidMedia for anything else."""
    at = 0
    while at < size:
        head = read(at, min(_HEAD_BYTES, size - at))
        length = _box_size(head, b"moof", at, size)
        if length > _MAX_MOOF_BYTES:
            raise InvalidMedia(f"a 'moof' box of {length} bytes")
        if length + 16 > len(head):
            head = read(at, min(length + 16, size - at))
        rest = head[length : length + 16]
        media_size = _box_size(rest, b"mdat", at + length, size)
        media = _Media(rest[: 16 if U32.unpack_from(rest)[0] == 1 else 8], at + length, media_size)
        yield at, head[:length], media
        at += length + media_size


def _box_size(head: bytes, name: bytes, at: int, end: int) -> int:
    header = read_box_header(head[:16])
    if header is None or header[0] != name or at + header[2] > end:
        raise InvalidMedia(f"no whole '{name.decode()}' box where a part should have one")
    return header[2]


def _without_extension(sound: _Sound) -> _Sound:
    """Undo FFmpeg's extension of the first audio frame back to the start of the run, however late the frame came."""
    if sound.start or not sound.frames or sound.frames[0][0] <= (1 + _MAX_GAP_FRAMES) * AAC_FRAME_SAMPLES:
        return sound
    (duration, size), *others = sound.frames
    return _Sound(duration - AAC_FRAME_SAMPLES, ((AAC_FRAME_SAMPLES, size), *others), sound.offset)


def _trimmed(sound: _Sound, begin: int) -> _Sound:
    """The audio without the frames that the preceding silence has covered already."""
    sound = _without_extension(sound)
    start, offset, frames = sound.start, sound.offset, list(sound.frames)
    while frames and start + AAC_FRAME_SAMPLES // 2 < begin:
        duration, size = frames.pop(0)
        start, offset = start + duration, offset + size
    return _Sound(start, tuple(frames), offset)


def _on_grid(ticks: int) -> int:
    """The next multiple of a frame. Silence ends on this grid wherever it began, so that parts can be filled alone."""
    return -(-ticks // AAC_FRAME_SAMPLES) * AAC_FRAME_SAMPLES


def _track_of(moof: bytes, start: int, end: int) -> int:
    fragment = read_track_fragment(moof, start, end)
    if not fragment.flags & BASE_IS_MOOF:
        raise InvalidMedia("a 'traf' box whose media is not found from its 'moof'")
    return fragment.track_id


def _read_sound(moof: bytes, start: int, end: int, track: Track) -> _Sound | None:
    """The frames of a track fragment; None when they are in several `trun` boxes, or without a data offset."""
    fragment = read_track_fragment(moof, start, end)
    duration = fragment.default(DEFAULT_DURATION, track.default_duration)
    size = fragment.default(DEFAULT_SIZE, track.default_size)
    times = find_box(moof, start, end, b"tfdt")
    runs = [inner for name, inner, _ in walk_boxes(moof, start, end) if name == b"trun"]
    if times is None or len(runs) != 1:
        return None
    run = read_run(moof, runs[0])
    if run.data_offset is None:
        return None
    first = read_decode_time(moof, times[0])
    # A count without columns is not limited by the bytes of the box.
    count = min(run.count, len(moof))
    durations = run.column(DURATION) or [duration] * count
    sizes = run.column(SIZE) or [size] * count
    return _Sound(first, tuple(zip(durations, sizes, strict=True)), run.data_offset)


def _shift_data(whole: bytes, offset: int, growth: int, inserted: int) -> bytes:
    """A box of a `moof` box that grows by `growth`, for media into which bytes are inserted at `offset`."""
    if whole[4:8] != b"traf":
        return whole
    shifted = bytearray(whole)
    for name, inner, _ in walk_boxes(whole, 8, len(whole)):
        if name == b"trun" and (old := read_run(whole, inner).data_offset) is not None:
            I32.pack_into(shifted, inner + 8, old + growth + inserted * (old >= offset))
    return bytes(shifted)


def _grow(header: bytes, size: int) -> bytes:
    """The header of a box with its new size."""
    if len(header) == 16:
        return header[:8] + U64.pack(size)
    return U32.pack(size) + header[4:]
