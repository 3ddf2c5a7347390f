"""Fills parts that carry no sound with silence, so that a player meets the same tracks all along. Pure.

`gateway.init_segments` tells why. A part is only added to: its pictures, and what sound it has, stay as they are.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.boxes import I32, InvalidMedia, find_box, read_box_header, walk_boxes
from gateway.fragments import AUDIO, VIDEO, Samples, Track, parse_tracks, read_samples
from gateway.init_segments import AAC_FRAME_SAMPLES, add_silent_sound, find_sound

#: Sound that begins so many frames after the picture, or ends so many before, leaves no hole that a player minds.
_NO_HOLE_FRAMES = 2
#: A part longer than this is no part of a camera: nobody is sent an hour of silence for it.
_MOST_FRAMES = 2000

_DATA_OFFSET = 0x1
_BASE_IS_MOOF = 0x2_0000


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
        assert sound is not None
        start, end = find_box(whole, 0, len(whole), b"moov")
        return cls(whole, parse_tracks(whole[start - 8 : end]), sound.track, sound.silent_frame)

    def fill(self, data: bytes) -> bytes:
        """Parts (`moof`+`mdat`, one or several) with silence where there is picture but no sound.

        They come back unchanged when the run's sound has a format in which silence is not known. Raises InvalidMedia.
        """
        if self.frame is None:
            return data
        return b"".join(self._fill_one(moof, mdat) for moof, mdat in split_parts(data))

    def _fill_one(self, moof: bytes, mdat: bytes) -> bytes:
        samples = read_samples(moof, self.tracks)
        stretches = self._silent_stretches(samples[VIDEO], samples[AUDIO])
        if not stretches:
            return moof + mdat
        size = sum(map(len, (self._fragment(0, 0, 0) for _ in stretches)))
        moof = _shift_data(moof, size)
        offset = len(moof) + size + len(mdat)
        fragments = []
        for start, count in stretches:
            fragments.append(self._fragment(start, count, offset))
            offset += count * len(self.frame)
        silence = self.frame * sum(count for _, count in stretches)
        return _grow(moof, b"".join(fragments)) + _grow(mdat, silence)

    def _silent_stretches(self, video: Samples, audio: Samples) -> list[tuple[int, int]]:
        """Start in ticks of the sound, and number of frames, of each stretch with picture alone."""
        if not video.frames:
            return []
        rate, of_video = self.audio.timescale, next(t.timescale for t in self.tracks if t.kind == VIDEO)
        start = (video.start or 0) * rate // of_video
        end = start + video.duration * rate // of_video
        if not audio.frames:
            # On a grid of whole frames, so that stretches of parts in a row meet.
            first, last = _frames_until(start), _frames_until(end)
            return [(first * AAC_FRAME_SAMPLES, min(last - first, _MOST_FRAMES))] if last > first else []
        stretches = []
        sound_start = audio.start or 0
        sound_end = sound_start + audio.duration
        if (before := (sound_start - start) // AAC_FRAME_SAMPLES) > _NO_HOLE_FRAMES:
            before = min(before, _MOST_FRAMES)
            stretches.append((sound_start - before * AAC_FRAME_SAMPLES, before))
        if (after := _frames_until(end - sound_end)) > _NO_HOLE_FRAMES:
            stretches.append((sound_end, min(after, _MOST_FRAMES)))
        return stretches

    def _fragment(self, start: int, count: int, data_offset: int) -> bytes:
        """A `traf` with frames of silence (ISO/IEC 14496-12, 8.8.6 to 8.8.12)."""
        # The base is the moof; duration, size and flags are the same for all samples.
        defaults = (_BASE_IS_MOOF | 0x38, self.audio.track_id, AAC_FRAME_SAMPLES, len(self.frame or b""), 0x0200_0000)
        boxes = (
            _box(b"tfhd", struct.pack(">5I", *defaults)),
            _box(b"tfdt", struct.pack(">IQ", 1 << 24, start)),
            _box(b"trun", struct.pack(">2Ii", _DATA_OFFSET, count, data_offset)),
        )
        return _box(b"traf", *boxes)


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


def _frames_until(ticks: int) -> int:
    return -(-ticks // AAC_FRAME_SAMPLES)


def _shift_data(moof: bytes, by: int) -> bytes:
    """The `moof` for media that begins `by` bytes later."""
    shifted = bytearray(moof)
    for name, start, end in walk_boxes(moof, 8, len(moof)):
        if name != b"traf":
            continue
        header = find_box(moof, start, end, b"tfhd")
        if header is None or not int.from_bytes(moof[header[0] : header[0] + 4], "big") & _BASE_IS_MOOF:
            raise InvalidMedia("a 'traf' box whose media is not found from its 'moof'")
        for found, inner, _ in walk_boxes(moof, start, end):
            if found == b"trun" and int.from_bytes(moof[inner : inner + 4], "big") & _DATA_OFFSET:
                offset = I32.unpack_from(moof, inner + 8)[0]
                I32.pack_into(shifted, inner + 8, offset + by)
    return bytes(shifted)


def _grow(box: bytes, content: bytes) -> bytes:
    """A whole box with more at its end."""
    size = len(box) + len(content)
    if int.from_bytes(box[:4], "big") == 1:
        return box[:8] + size.to_bytes(8, "big") + box[16:] + content
    return size.to_bytes(4, "big") + box[4:] + content


def _box(name: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return (len(body) + 8).to_bytes(4, "big") + name + body
