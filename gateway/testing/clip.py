"""Real video for trials: a film of eight seconds (H.264, 320x180, 10 fps), as parts of the bus.

In its first four seconds nothing moves; in the others somebody walks through the picture. Parts begin at key frames
every two seconds, last half a second each, and can be repeated without end: their times go on.
"""

import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from gateway.media import Part, Position, SourceInfo, SubPicture, SubPictures, TrackInfo, VideoInfo
from gateway.mp4.boxes import U32, find_box, read_box_header
from gateway.mp4.fragments import VIDEO, Track, parse_tracks, summarize_samples
from gateway.mp4.samples import parse_init, parse_part

FILM = Path(__file__).parent / "media" / "walk.mp4"
PART_SECONDS = 0.5
WIDTH, HEIGHT, FPS = 320, 180, 10

#: What a camera that sends this film offers.
SOURCE = SourceInfo(
    video=VideoInfo(
        "h264", WIDTH, HEIGHT, float(FPS), profile="Main", pixel_format="yuv420p", key_frame_interval_seconds=2.0
    ),
    tracks=(TrackInfo(0, "video", "h264"),),
    time_to_first_frame_ms=100,
)


@cache
def _read_film() -> tuple[bytes, tuple[bytes, ...]]:
    """The init segment, and the parts."""
    data, at, head, moof, parts = FILM.read_bytes(), 0, b"", b"", []
    while (header := read_box_header(memoryview(data)[at:])) is not None:
        box = data[at : at + header[2]]
        at += len(box)
        if box[4:8] in (b"ftyp", b"moov"):
            head += box
        elif box[4:8] == b"moof":
            moof = box
        elif box[4:8] == b"mdat":
            parts.append(moof + box)
    return head, tuple(parts)


def init_segment() -> bytes:
    """The init segment of all parts."""
    return _read_film()[0]


@cache
def _tracks() -> tuple[Track, ...]:
    head = init_segment()
    start, end = find_box(head, 0, len(head), b"moov")
    return parse_tracks(head[start - 8 : end])


class Film:
    """The parts of one run of a device, in order. `position` is that of the last part, `now` the time of the next."""

    def __init__(self, device_id: str, started: float, run: int = 1) -> None:
        self.device_id, self.run = device_id, run
        self.now = started
        self._taken = 0
        self._segment = 0
        self._places = {False: 0, True: 0}

    @property
    def position(self) -> Position | None:
        """The position of the last part; None before the first."""
        return Position(self.run, self._taken) if self._taken else None

    def take(self, moving: bool) -> Part:
        """The next part: of the moving or of the quiet half of the film."""
        half = _read_film()[1][8:] if moving else _read_film()[1][:8]
        # A change of the scene goes on at a key frame.
        if self._places[not moving]:
            self._places = {False: 0, True: 0}
        place = self._places[moving]
        self._places[moving] = (place + 1) % len(half)
        media_time = round(self._taken * PART_SECONDS, 3)
        data = _with_decode_time(half[place], media_time)
        found = summarize_samples(data[: U32.unpack_from(data)[0]], _tracks())[VIDEO]
        self._taken += 1
        # Each key frame begins a segment of the live playlist.
        self._segment += found.is_key
        part = Part(
            self.device_id,
            self.run,
            self._taken,
            self.now,
            PART_SECONDS,
            found.is_key,
            found.frames,
            data,
            segment=self._segment,
        )
        self.now = round(self.now + PART_SECONDS, 3)
        return part

    def take_many(self, seconds: float, *, moving: bool) -> Iterator[Part]:
        """The parts of the next seconds."""
        for _ in range(round(seconds / PART_SECONDS)):
            yield self.take(moving)


def to_sub_pictures(part: Part) -> SubPictures:
    """A part as the pictures of a sub-stream."""
    tracks = parse_init(init_segment())
    samples = parse_part(part.data, tracks)[0]
    pictures, at = [], 0
    for index, size in enumerate(samples.sizes):
        data = bytes(samples.data[at : at + size])
        pictures.append(SubPicture(part.start + index / FPS, samples.keys[index], data))
        at += size
    return SubPictures(part.device_id, part.position, "h264", tracks[0].box(b"avcC") or b"", tuple(pictures))


def _with_decode_time(part: bytes, seconds: float) -> bytes:
    """The part with another time of its first picture, in seconds of the run."""
    found = find_box(part, 0, len(part), b"moof", b"traf", b"tfdt")
    timescale = _tracks()[0].timescale
    patched = bytearray(part)
    start = found[0]
    form = ">Q" if part[start] == 1 else ">I"
    struct.pack_into(form, patched, start + 4, round(seconds * timescale))
    return bytes(patched)
