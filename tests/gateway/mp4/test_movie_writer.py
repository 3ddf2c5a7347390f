"""The index is in front of the media, however long it becomes, and gives the place of each sample."""

import struct
from datetime import UTC, datetime

import pytest

from gateway.mp4.boxes import find_box, walk_boxes
from gateway.mp4.movie_writer import Mp4Writer, estimate_index_bytes
from tests.gateway.mp4.memory import MemorySink, audio_format, make_samples, video_format

BORN = datetime(2026, 3, 11, 12, tzinfo=UTC)


def write(sink, *, index_bytes=8192, audio=False, parts=3, offsets=None):
    writer = Mp4Writer(sink, video_format(), audio_format() if audio else None, index_bytes=index_bytes, created=BORN)
    for number in range(parts):
        samples = make_samples(video_format(), number * 120, [40, 40, 40], offsets=offsets)
        writer.add(writer.video, samples, samples.times)
    return writer


def table(data: bytes, name: bytes, number: int = 0) -> bytes:
    """The content of a table of the track with this number."""
    moov = find_box(data, 0, len(data), b"moov")
    tracks = [(start, end) for found, start, end in walk_boxes(data, *moov) if found == b"trak"]
    found = find_box(data, *tracks[number], b"mdia", b"minf", b"stbl", name)
    return data[found[0] : found[1]]


def names(data: bytes) -> list[str]:
    at, found = 0, []
    while at < len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        if size == 1:
            size = struct.unpack_from(">Q", data, at + 8)[0]
        found.append(name.decode())
        at += size
    assert at == len(data), "boxes fill the file"
    return found


def test_the_index_is_in_front_and_its_unused_space_is_free():
    sink = MemorySink()
    assert write(sink).close() == pytest.approx(0.36)
    assert names(bytes(sink.data)) == ["ftyp", "moov", "free", "mdat"]


@pytest.mark.parametrize("index_bytes", [0, 64, 700, 701, 705, 710, 720])
def test_an_index_that_is_longer_than_estimated_moves_the_media_back(index_bytes):
    wanted, sink = MemorySink(), MemorySink()
    write(wanted, index_bytes=100_000).close()
    write(sink, index_bytes=index_bytes).close()
    data = bytes(sink.data)
    assert names(data)[:2] == ["ftyp", "moov"]
    assert names(data)[-1] == "mdat"
    count, *places = struct.unpack_from(">4I", table(data, b"stco"), 4)
    assert count == 3
    media = data.index(b"mdat") + 12
    assert places == [media, media + 12, media + 24]


def test_an_estimated_index_size_is_sufficient():
    sink = MemorySink()
    frames, parts = 3000, 1000
    writer = Mp4Writer(
        sink, video_format(), audio_format(), index_bytes=estimate_index_bytes(frames, parts, 120.0), created=BORN
    )
    for number in range(parts):
        # No two consecutive durations and offsets are equal, so run lengths save no bytes.
        video = make_samples(video_format(), number * 120, [39, 41, 40], offsets=[0, 80, 40])
        writer.add(writer.video, video, video.times)
        sound = make_samples(audio_format(), number * 960, [300, 330, 330])
        writer.add(writer.audio, sound, sound.times)
    writer.close()
    assert names(bytes(sink.data)) == ["ftyp", "moov", "free", "mdat"]


def test_durations_are_the_distances_between_samples():
    sink = MemorySink()
    writer = Mp4Writer(sink, video_format(), None, index_bytes=8192, created=BORN)
    writer.add(writer.video, make_samples(video_format(), 0, [40, 40]), [0, 40])
    writer.add(writer.video, make_samples(video_format(), 500, [40, 70]), [500, 540])
    assert writer.close() == pytest.approx(0.61)
    count, *runs = struct.unpack_from(">7I", table(bytes(sink.data), b"stts"), 4)
    assert (count, runs[:6]) == (4, [1, 40, 1, 460, 1, 40])


def test_key_frames_are_listed_by_number():
    sink = MemorySink()
    write(sink).close()
    assert struct.unpack_from(">4I", table(bytes(sink.data), b"stss"), 4) == (3, 1, 4, 7)


def edits(data: bytes, number: int) -> list[tuple[int, int]]:
    """Duration and media time of each edit of a track."""
    moov = find_box(data, 0, len(data), b"moov")
    tracks = [(start, end) for found, start, end in walk_boxes(data, *moov) if found == b"trak"]
    found = find_box(data, *tracks[number], b"edts", b"elst")
    if found is None:
        return []
    count = struct.unpack_from(">I", data, found[0] + 4)[0]
    return [struct.unpack_from(">Qq", data, found[0] + 8 + 20 * index) for index in range(count)]


def test_a_movie_of_reordered_frames_begins_with_the_first_presented():
    sink = MemorySink()
    write(sink, offsets=[80, 120, 40]).close()
    ((_, begin),) = edits(bytes(sink.data), 0)
    assert begin == 80


def test_reordered_frames_play_as_long_as_others():
    sink = MemorySink()
    assert write(sink, offsets=[80, 120, 40]).close() == pytest.approx(0.36)
    ((length, _),) = edits(bytes(sink.data), 0)
    assert length == 360


def test_late_audio_is_delayed_and_earlier_audio_is_skipped():
    later, earlier = MemorySink(), MemorySink()
    writer = write(later, audio=True)
    writer.add(writer.audio, make_samples(audio_format(), 800, [1024]), [800])
    writer.close()
    (delay, media), (_, begin) = edits(bytes(later.data), 1)
    assert (delay, media, begin) == (100, -1, 0)
    writer = write(earlier, audio=True, offsets=[80, 120, 40])
    writer.add(writer.audio, make_samples(audio_format(), 0, [1024]), [0])
    writer.close()
    ((_, begin),) = edits(bytes(earlier.data), 1)
    assert begin == 640, "the movie begins at 80 ms of its media"


def test_a_track_without_samples_is_left_out():
    sink = MemorySink()
    write(sink, audio=True).close()
    data = bytes(sink.data)
    moov = find_box(data, 0, len(data), b"moov")
    assert [name for name, _, _ in walk_boxes(data, *moov)] == [b"mvhd", b"trak"]


def test_places_beyond_four_gigabytes_have_64_bits():
    sink = MemorySink()
    writer = write(sink)
    writer.video.move(1 << 33)
    trak = writer.video.build(0, 0.0)
    found = find_box(trak, 8, len(trak), b"mdia", b"minf", b"stbl", b"co64")
    assert struct.unpack_from(">IQ", trak, found[0] + 4)[1] > 1 << 33
