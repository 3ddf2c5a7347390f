"""Writes a plain MP4 (ISO/IEC 14496-12) with its index in front, in one pass: space is reserved for the index.

A player starts such a file while it is still being downloaded, and can seek in it with range requests.
"""

import struct
from array import array
from datetime import datetime
from typing import Protocol

from gateway.mp4.boxes import box, full_box
from gateway.mp4.samples import VIDEO, Samples, TrackFormat

MOVIE_TIMESCALE = 1000
#: Times in MP4 count from 1904.
_EPOCH_SECONDS = 2_082_844_800
_MATRIX = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_MOVE_BYTES = 4 << 20
_BRANDS = b"isomiso2avc1mp41"


class Sink(Protocol):
    """The file that the movie is written to."""

    def write(self, data: bytes | memoryview) -> None:
        """Append all of `data`."""

    def write_at(self, place: int, data: bytes) -> None:
        """Overwrite bytes at `place`; it may be beyond the end."""

    def read_at(self, place: int, size: int) -> bytes:
        """The bytes that were written at `place`."""


def estimate_index_bytes(frames: int, parts: int, sound_seconds: float) -> int:
    """Upper limit of the index size of this much footage; audio may have up to 100 samples a second."""
    return 4096 + 24 * frames + int(16 * 100 * sound_seconds) + 48 * parts


class OutputTrack:
    """A track that is being written. Times are ticks of `timescale` from the start of the file."""

    def __init__(self, track: TrackFormat, track_id: int) -> None:
        self.kind = track.kind
        self.timescale = track.timescale
        self.entry = track.entry
        self.track_id = track_id
        self._times = array("q")
        self._sizes = array("I")
        self._offsets = array("i")
        self._keys = array("I")
        self._chunk_places = array("Q")
        self._chunk_counts = array("I")
        self._last_duration = 0

    def __len__(self) -> int:
        return len(self._times)

    @property
    def end(self) -> int:
        """The decoding time at the end of the last sample; 0 when there is none."""
        return self._times[-1] + self._last_duration if self._times else 0

    @property
    def last(self) -> int:
        """The decoding time of the last sample; -1 when there is none."""
        return self._times[-1] if self._times else -1

    def add(self, samples: Samples, times: list[int], place: int) -> None:
        """Add samples whose bytes are at `place`, with their times in this file, which must increase."""
        count = len(self._times)
        self._times.extend(times)
        self._sizes.extend(samples.sizes)
        self._offsets.extend(samples.offsets)
        self._keys.extend(count + index + 1 for index, is_key in enumerate(samples.keys) if is_key)
        self._chunk_places.append(place)
        self._chunk_counts.append(len(samples))
        self._last_duration = samples.durations[-1]

    def move(self, by: int) -> None:
        """Note that all bytes were moved back by `by`."""
        self._chunk_places = array("Q", (place + by for place in self._chunk_places))

    def presentation_start(self) -> int:
        """The earliest presentation time in ticks; frames may be stored in another order."""
        head = range(min(len(self._times), 64))
        return min((self._times[index] + self._offsets[index] for index in head), default=0)

    def presentation_end(self) -> int:
        """The end of the last presented sample in ticks; 0 when there is none.

        Where frames are stored in another order, nothing gives the duration of the last presented one: that of the
        last stored one is taken.
        """
        tail = range(max(0, len(self._times) - 64), len(self._times))
        return max((self._times[index] + self._offsets[index] for index in tail), default=0) + self._last_duration

    def build(self, created: int, movie_start: float) -> bytes:
        """The `trak` box; `movie_start` is the time of this track, in seconds, at which the movie begins."""
        # Edit list: audio before the start of the movie is skipped, and a track that starts later is delayed.
        first = max(self.presentation_start(), round(movie_start * self.timescale))
        delay = round((first / self.timescale - movie_start) * MOVIE_TIMESCALE)
        # Rounded up: a movie that ends before its last frame would lose that frame.
        length = -(-(self.presentation_end() - first) * MOVIE_TIMESCALE // self.timescale)
        edits = self._build_edits(first, delay, length)
        tkhd = full_box(
            b"tkhd",
            1,
            3,
            struct.pack(
                ">QQIIQ8xhhhH",
                created,
                created,
                self.track_id,
                0,
                delay + length,
                0,
                0,
                0 if self.kind == VIDEO else 0x100,
                0,
            ),
            _MATRIX,
            struct.pack(">HHHH", self._dimension(0), 0, self._dimension(1), 0),
        )
        mdhd = full_box(
            b"mdhd",
            1,
            0,
            struct.pack(">QQIQHH", created, created, self.timescale, self.end - self._times[0], 0x55C4, 0),
        )
        name = b"VideoHandler\0" if self.kind == VIDEO else b"SoundHandler\0"
        hdlr = full_box(b"hdlr", 0, 0, struct.pack(">I4s12x", 0, self.kind.encode()), name)
        head = full_box(b"vmhd", 0, 1, bytes(8)) if self.kind == VIDEO else full_box(b"smhd", 0, 0, bytes(4))
        data = box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)))
        return box(b"trak", tkhd, edits, box(b"mdia", mdhd, hdlr, box(b"minf", head, data, self._build_table())))

    def _build_edits(self, first: int, delay: int, length: int) -> bytes:
        begin = first - self._times[0]
        if not delay and not begin:
            return b""
        entries = [struct.pack(">QqI", delay, -1, 0x10000)] if delay else []
        entries.append(struct.pack(">QqI", length, begin, 0x10000))
        return box(b"edts", full_box(b"elst", 1, 0, struct.pack(">I", len(entries)), *entries))

    def _dimension(self, index: int) -> int:
        return struct.unpack_from(">HH", self.entry, 32)[index] if self.kind == VIDEO else 0

    def _build_table(self) -> bytes:
        tables = [full_box(b"stsd", 0, 0, struct.pack(">I", 1), self.entry)]
        durations = array("q", (later - earlier for earlier, later in zip(self._times, self._times[1:], strict=False)))
        durations.append(self._last_duration)
        tables.append(_build_runs(b"stts", 0, durations))
        if any(self._offsets):
            tables.append(_build_runs(b"ctts", 1, self._offsets))
        if self.kind == VIDEO and len(self._keys) < len(self._times):
            tables.append(full_box(b"stss", 0, 0, struct.pack(">I", len(self._keys)), _big_endian(self._keys)))
        tables.append(full_box(b"stsz", 0, 0, struct.pack(">II", 0, len(self._sizes)), _big_endian(self._sizes)))
        tables.append(_build_chunk_sizes(self._chunk_counts))
        if self._chunk_places and self._chunk_places[-1] >= 1 << 32:
            places = full_box(
                b"co64", 0, 0, struct.pack(">I", len(self._chunk_places)), _big_endian(self._chunk_places)
            )
        else:
            short = array("I", self._chunk_places)
            places = full_box(b"stco", 0, 0, struct.pack(">I", len(short)), _big_endian(short))
        return box(b"stbl", *tables, places)


class Mp4Writer:
    """Writes one video track and at most one audio track. `created` is the time at which the footage begins."""

    def __init__(
        self, sink: Sink, video: TrackFormat, audio: TrackFormat | None, *, index_bytes: int, created: datetime
    ) -> None:
        self.video = OutputTrack(video, 1)
        self.audio = OutputTrack(audio, 2) if audio is not None else None
        self._sink = sink
        self._created = int(created.timestamp()) + _EPOCH_SECONDS
        self._head = box(b"ftyp", b"isom", struct.pack(">I", 0x200), _BRANDS)
        self._index_space = max(64, index_bytes)
        self._data_start = len(self._head) + self._index_space + 16
        self._place = self._data_start
        sink.write(self._head)
        # Zeros that remain when the index is shorter become the content of a `free` box.
        blank = bytes(1 << 20)
        left = self._index_space + 16
        while left > 0:
            sink.write(memoryview(blank)[: min(left, len(blank))])
            left -= len(blank)

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._place

    def add(self, track: OutputTrack, samples: Samples, times: list[int]) -> None:
        """Append samples to a track of this file."""
        self._sink.write(samples.data)
        track.add(samples, times, self._place)
        self._place += len(samples.data)

    def close(self) -> float:
        """Write the index and return the movie's duration in seconds. The caller closes the sink."""
        index = self._build_index()
        while len(index) > self._index_space - 8 and len(index) != self._index_space:
            self._enlarge_index_space(len(index) - self._index_space + 4096)
            index = self._build_index()
        rest = self._index_space - len(index)
        filler = struct.pack(">I", rest) + b"free" if rest else b""
        media = struct.pack(">I4sQ", 1, b"mdat", self._place - self._data_start + 16)
        self._sink.write_at(len(self._head), index + filler)
        self._sink.write_at(self._data_start - 16, media)
        return self._movie_seconds()

    def _tracks(self) -> list[OutputTrack]:
        return [track for track in (self.video, self.audio) if track]

    def _movie_start(self) -> float:
        return self.video.presentation_start() / self.video.timescale

    def _movie_seconds(self) -> float:
        return self.video.presentation_end() / self.video.timescale - self._movie_start()

    def _build_index(self) -> bytes:
        start = self._movie_start()
        length = -(-int(self._movie_seconds() * 1_000_000) // (1_000_000 // MOVIE_TIMESCALE))
        mvhd = full_box(
            b"mvhd",
            1,
            0,
            struct.pack(">QQIQIH10x", self._created, self._created, MOVIE_TIMESCALE, length, 0x10000, 0x100),
            _MATRIX,
            bytes(24),
            struct.pack(">I", 3),
        )
        return box(b"moov", mvhd, *(track.build(self._created, start) for track in self._tracks()))

    def _enlarge_index_space(self, by: int) -> None:
        """Move all media back, because the index is longer than estimated."""
        at = self._place
        while at > self._data_start:
            size = min(_MOVE_BYTES, at - self._data_start)
            at -= size
            self._sink.write_at(at + by, self._sink.read_at(at, size))
        for track in self._tracks():
            track.move(by)
        self._index_space += by
        self._data_start += by
        self._place += by


def _build_runs(name: bytes, version: int, values: array) -> bytes:
    """A run-length encoded table (`stts`, `ctts`)."""
    entries = []
    previous, count = None, 0
    for value in values:
        if value == previous:
            count += 1
            continue
        if count:
            entries.append((count, previous))
        previous, count = value, 1
    if count:
        entries.append((count, previous))
    packed = b"".join(struct.pack(">Ii", count, value) for count, value in entries)
    return full_box(name, version, 0, struct.pack(">I", len(entries)), packed)


def _build_chunk_sizes(counts: array) -> bytes:
    entries, previous = [], None
    for number, count in enumerate(counts, 1):
        if count != previous:
            entries.append(struct.pack(">III", number, count, 1))
            previous = count
    return full_box(b"stsc", 0, 0, struct.pack(">I", len(entries)), *entries)


def _big_endian(values: array) -> bytes:
    swapped = array(values.typecode, values)
    swapped.byteswap()  # MP4 is big-endian; all supported machines are little-endian
    return swapped.tobytes()
