"""Fills parts that carry no sound with silence, so that a player meets the same tracks all along. Pure.

`gateway.mp4.init_segments` tells why. A part is only added to: its pictures, and what sound it has, stay as they are.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

from gateway.mp4.boxes import I32, U32, U64, InvalidMedia, box, find_box, full_box, read_box_header, walk_boxes
from gateway.mp4.fragments import VIDEO, Track, parse_tracks, summarize_samples
from gateway.mp4.init_segments import AAC_FRAME_SAMPLES, add_silent_sound, find_sound
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

#: A hole of so many frames in the sound is none: Chromium takes up to two for a clock that is not exact. After a longer
#: one, or after sound that goes back, it drops all pictures up to the next key frame.
_NO_HOLE_FRAMES = 2
#: Sound and picture of a part that are further apart than this are not of the same time.
_MAX_APART_SECONDS = 2.0
#: A part longer than this is no part of a camera: nobody is sent an hour of silence for it.
_MAX_FRAMES = 2000

_SYNC = 0x0200_0000


@dataclass(frozen=True, slots=True)
class _Sound:
    """The sound of a fragment: start in ticks, duration (ticks) and size (bytes) of each frame, and where they lie."""

    start: int
    frames: tuple[tuple[int, int], ...]
    offset: int

    @property
    def end(self) -> int:
        return self.start + sum(duration for duration, _ in self.frames)


@dataclass(frozen=True, slots=True)
class SilenceFiller:
    """Fills the parts of one run. `init` is what players must be given in place of the run's own init segment."""

    init: bytes
    tracks: tuple[Track, ...]
    audio: Track
    frame: bytes | None

    @classmethod
    def of(cls, init: bytes) -> SilenceFiller:
        """For a run with this init segment; raises InvalidMedia."""
        whole = add_silent_sound(init)
        sound = find_sound(whole)
        start, end = find_box(whole, 0, len(whole), b"moov") or (0, 0)
        assert sound is not None
        return cls(whole, parse_tracks(whole[start - 8 : end]), sound.track, sound.silent_frame)

    def fill(self, data: bytes, before: bytes = b"") -> bytes:
        """Parts in a row (`moof`+`mdat`, one or several) with silence where there is picture but no sound.

        `before` is the part right before them in the run, if it is known: silence then begins where its sound ends.
        They come back unchanged when the run's sound has a format in which silence is not known. Raises InvalidMedia.
        """
        if self.frame is None:
            return data
        end: int | None = None
        filled = []
        try:
            for moof, _ in split_parts(before):
                end = self._sound_end(moof)
            for moof, mdat in split_parts(data):
                filled.append(self._fill_one(moof, mdat, end))
                end = self._sound_end(moof)
        except (struct.error, IndexError) as error:
            raise InvalidMedia(f"a part that cannot be filled with silence: {error}") from error
        return b"".join(filled)

    def _fill_one(self, moof: bytes, mdat: bytes, end_before: int | None) -> bytes:
        start, end = self._picture(moof)
        if end <= start:
            return moof + mdat
        most = int(_MAX_APART_SECONDS * self.audio.timescale)
        is_known = end_before is not None and abs(end_before - start) <= most
        # Never after the picture: its key frame must be the first thing after a clock that jumps.
        begin = end_before if is_known else max(0, start - 1) // AAC_FRAME_SAMPLES * AAC_FRAME_SAMPLES
        sound = self._sound(moof)
        if sound is None:
            return moof + mdat
        sound = _trimmed(sound, begin) if is_known else _unstretched(sound)
        if sound.frames:
            count = (sound.start - begin) // AAC_FRAME_SAMPLES
            if count <= _NO_HOLE_FRAMES or sound.start - begin > most:
                count = 0
            begin, offset = sound.start - count * AAC_FRAME_SAMPLES, sound.offset
        else:
            count = min((_on_grid(end) - begin + AAC_FRAME_SAMPLES // 2) // AAC_FRAME_SAMPLES, _MAX_FRAMES)
            offset = len(moof) + len(mdat)
        frames = ((AAC_FRAME_SAMPLES, len(self.frame or b"")),) * count + sound.frames
        if not frames or (not count and sound == self._sound(moof)):
            return moof + mdat
        return self._rebuild(moof, mdat, _Sound(begin, frames, offset), count)

    def _rebuild(self, moof: bytes, mdat: bytes, sound: _Sound, silent: int) -> bytes:
        """The part with this sound in place of its own; the first `silent` frames are put into its media."""
        silence = (self.frame or b"") * silent
        place = sound.offset - len(moof)
        media = _grow(mdat[:place] + silence + mdat[place:], len(mdat) + len(silence))
        boxes = [
            moof[inner - 8 : last]
            for name, inner, last in walk_boxes(moof, 8, len(moof))
            if name != b"traf" or _track_of(moof, inner, last) != self.audio.track_id
        ]
        growth = sum(map(len, boxes)) + len(self._fragment(sound)) + 8 - len(moof)
        boxes = [_shift_data(one, sound.offset, growth, len(silence)) for one in boxes]
        return box(b"moof", *boxes, self._fragment(replace(sound, offset=sound.offset + growth))) + media

    def _picture(self, moof: bytes) -> tuple[int, int]:
        """Start and end of the pictures, in ticks of the sound."""
        video = summarize_samples(moof, self.tracks)[VIDEO]
        timescale = next(track.timescale for track in self.tracks if track.kind == VIDEO)
        start = video.start or 0
        rate = self.audio.timescale
        return start * rate // timescale, (start + video.duration) * rate // timescale

    def _sound_end(self, moof: bytes) -> int | None:
        """Where the sound of a part ends, filled as it will be; None where that is not known."""
        sound = self._sound(moof)
        if sound is None:
            return None
        return sound.end if sound.frames else _on_grid(self._picture(moof)[1])

    def _sound(self, moof: bytes) -> _Sound | None:
        """The frames of the sound, none of them where there is no sound; None when they are not in one row."""
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
        """A `traf` with these frames of sound (ISO/IEC 14496-12, 8.8.6 to 8.8.12)."""
        samples = b"".join(struct.pack(">2I", *frame) for frame in sound.frames)
        flags = DATA_OFFSET | DURATION | SIZE
        boxes = (
            full_box(b"tfhd", 0, BASE_IS_MOOF | DEFAULT_FLAGS, struct.pack(">2I", self.audio.track_id, _SYNC)),
            full_box(b"tfdt", 1, 0, U64.pack(sound.start)),
            full_box(b"trun", 0, flags, struct.pack(">Ii", len(sound.frames), sound.offset), samples),
        )
        return box(b"traf", *boxes)


def split_parts(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """`moof` and `mdat` of each part in a row of them; raises InvalidMedia for anything else."""
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


def _unstretched(sound: _Sound) -> _Sound:
    """FFmpeg stretches the first frame of a run's sound back to the start of the run, however late it came."""
    if sound.start or not sound.frames or sound.frames[0][0] <= (1 + _NO_HOLE_FRAMES) * AAC_FRAME_SAMPLES:
        return sound
    (duration, size), *others = sound.frames
    return _Sound(duration - AAC_FRAME_SAMPLES, ((AAC_FRAME_SAMPLES, size), *others), sound.offset)


def _trimmed(sound: _Sound, begin: int) -> _Sound:
    """Without the frames that the silence before has covered already."""
    sound = _unstretched(sound)
    start, offset, frames = sound.start, sound.offset, list(sound.frames)
    while frames and start + AAC_FRAME_SAMPLES // 2 < begin:
        duration, size = frames.pop(0)
        start, offset = start + duration, offset + size
    return _Sound(start, tuple(frames), offset)


def _on_grid(ticks: int) -> int:
    """The next whole frame. Silence ends on this grid wherever it began, so that each part can be filled alone."""
    return -(-ticks // AAC_FRAME_SAMPLES) * AAC_FRAME_SAMPLES


def _track_of(moof: bytes, start: int, end: int) -> int:
    fragment = read_track_fragment(moof, start, end)
    if not fragment.flags & BASE_IS_MOOF:
        raise InvalidMedia("a 'traf' box whose media is not found from its 'moof'")
    return fragment.track_id


def _read_sound(moof: bytes, start: int, end: int, track: Track) -> _Sound | None:
    """The frames of a track fragment; None when it tells of them in several boxes, or not where they lie."""
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
    # Without a column the count alone costs no bytes.
    count = min(run.count, len(moof))
    durations = run.column(DURATION) or [duration] * count
    sizes = run.column(SIZE) or [size] * count
    return _Sound(first, tuple(zip(durations, sizes, strict=True)), run.data_offset)


def _shift_data(whole: bytes, offset: int, growth: int, inserted: int) -> bytes:
    """A box of a `moof` that grows, for media in which something is inserted at `offset`."""
    if whole[4:8] != b"traf":
        return whole
    shifted = bytearray(whole)
    for name, inner, _ in walk_boxes(whole, 8, len(whole)):
        if name == b"trun" and (old := read_run(whole, inner).data_offset) is not None:
            I32.pack_into(shifted, inner + 8, old + growth + inserted * (old >= offset))
    return bytes(shifted)


def _grow(whole: bytes, size: int) -> bytes:
    """A box whose content has changed, with its new size in its header."""
    if U32.unpack_from(whole)[0] == 1:
        return whole[:8] + U64.pack(size) + whole[16:]
    return U32.pack(size) + whole[4:]
