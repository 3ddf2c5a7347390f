"""A scan of a segment file, truncated anywhere or with any bytes, gives exactly the whole parts and never an error."""

import random
import struct
import tracemalloc
from collections.abc import Iterator

import pytest

from gateway.footage.segment_scan import ScanProblem, SegmentScan, scan_segment
from tests.fragmented_media import H264, make_media
from workers.ffmpeg.fmp4 import Fmp4Reader, Fragment, InitSegment

_CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"mvex", b"moof", b"traf", b"dinf"}


@pytest.fixture(scope="module")
def small() -> bytes:
    """Two seconds with sound in some kilobytes, so that each of its bytes can be its last."""
    return make_media(
        "-f", "lavfi", "-i", "sine=sample_rate=8000", *H264, "-bf", "0", "-c:a", "aac", "-b:a", "8k", size="32x32"
    )


@pytest.fixture(scope="module")
def large() -> bytes:
    """The same, as large as a camera's parts are."""
    return make_media("-f", "lavfi", "-i", "sine=sample_rate=48000", *H264, "-bf", "0", "-c:a", "aac", size="1280x720")


def box_ends(data: bytes, start: int = 0, end: int | None = None) -> Iterator[int]:
    """Where each box ends, at every depth; read independently of the code under test."""
    at, end = start, len(data) if end is None else end
    while at + 8 <= end:
        size, name = struct.unpack_from(">I4s", data, at)
        if name in _CONTAINERS:
            yield from box_ends(data, at + 8, at + size)
        at += size
        yield at


def part_ends(data: bytes) -> tuple[int, list[int]]:
    """Where the init segment ends, and where each part does."""
    ends, at, init = [], 0, 0
    while at < len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        at += size
        if name == b"moov":
            init = at
        elif name == b"mdat":
            ends.append(at)
    return init, ends


def expect(data: bytes, whole: SegmentScan, length: int) -> None:
    """That the first `length` bytes scan as what is whole in them."""
    init, ends = part_ends(data)
    found = scan_segment(data[:length])
    count = sum(end <= length for end in ends)
    assert found.parts == whole.parts[:count], f"cut at {length}"
    assert found.init_size == (init if length >= init else 0), f"cut at {length}"
    assert found.whole_size == max([end for end in (init, *ends) if end <= length], default=0), f"cut at {length}"
    is_whole = length in (init, *ends)
    assert found.problem == (None if is_whole else ScanProblem.TORN if length else ScanProblem.EMPTY), (
        f"cut at {length}"
    )


def read_as_ingested(data: bytes) -> tuple[InitSegment, list[Fragment]]:
    init, *parts = Fmp4Reader().feed(data)
    return init, parts


@pytest.mark.parametrize("name", ["small", "large"])
def test_a_scan_agrees_with_what_the_stream_worker_read(name: str, request: pytest.FixtureRequest):
    data = request.getfixturevalue(name)
    init, parts = read_as_ingested(data)
    found = scan_segment(data)
    assert found.problem is None
    assert found.init_size == len(init.data)
    assert [(p.size, p.frames, p.is_key) for p in found.parts] == [(len(p.data), p.frames, p.is_key) for p in parts]
    first = parts[0].start
    assert [p.offset_ms for p in found.parts] == [round((p.start - first) * 1000) for p in parts]
    assert [p.duration_ms for p in found.parts] == [round(p.duration * 1000) for p in parts]
    assert found.frames == 20
    assert abs(found.duration_ms - 2000) < 200, "the encoder of the sound may shift the picture"
    assert found.whole_size == len(data)
    assert all(p.has_audio for p in found.parts[:-1])


def test_h265_is_scanned_as_well():
    data = make_media(
        "-c:v",
        "libx265",
        "-preset",
        "ultrafast",
        "-x265-params",
        "log-level=none",
        "-g",
        "10",
        "-tag:v",
        "hvc1",
        seconds=1,
    )
    _, parts = read_as_ingested(data)
    found = scan_segment(data)
    assert [(p.size, p.frames, p.is_key) for p in found.parts] == [(len(p.data), p.frames, p.is_key) for p in parts]
    assert not any(p.has_audio for p in found.parts)


def test_a_file_cut_at_any_byte_gives_the_parts_that_are_whole(small: bytes):
    whole = scan_segment(small)
    for length in range(len(small) + 1):
        expect(small, whole, length)


def test_a_large_file_cut_at_each_box_and_between_gives_the_parts_that_are_whole(large: bytes):
    whole = scan_segment(large)
    ends = set(box_ends(large))
    assert len(ends) > 50
    for length in sorted(
        {end + step for end in ends for step in (-9, -1, 0, 1, 7, 8, 9)} | set(range(0, len(large), 4099))
    ):
        if 0 <= length <= len(large):
            expect(large, whole, length)


@pytest.mark.parametrize("step", [1, 3, 8, 15, 17, 1000, 65536])
def test_the_chunks_in_which_a_file_is_read_change_nothing(small: bytes, step: int):
    assert scan_segment(small[at : at + step] for at in range(0, len(small), step)) == scan_segment(small)


@pytest.mark.parametrize(
    "tail",
    [
        bytes(1000),
        b"\xff" * 1000,
        b"plain text that is no box at all",
        struct.pack(">I4s", 16, b"free") + bytes(8),
        struct.pack(">I4s", 1 << 30, b"mdat"),
        struct.pack(">I4s", 1 << 30, b"moof"),
    ],
    ids=["zeros", "ones", "text", "another box", "media without index", "an endless index"],
)
def test_what_follows_the_last_whole_part_is_reported_and_ignored(small: bytes, tail: bytes):
    whole = scan_segment(small)
    found = scan_segment(small + tail)
    assert (found.init_size, found.parts) == (whole.init_size, whole.parts)
    assert found.problem == ScanProblem.GARBAGE
    assert found.detail


def test_media_without_an_init_segment_is_no_segment(small: bytes):
    init, _ = part_ends(small)
    found = scan_segment(small[init:])
    assert (found.init_size, found.parts, found.whole_size) == (0, (), 0)
    assert found.problem == ScanProblem.GARBAGE


def test_any_bytes_give_a_result(small: bytes):
    numbers = random.Random(1)
    for _ in range(3000):
        data = bytearray(small[: numbers.randrange(len(small) + 1)])
        for _ in range(numbers.randrange(1, 6)):
            if data:
                data[numbers.randrange(len(data))] = numbers.choice((0, 1, 8, 127, 255))
        found = scan_segment(bytes(data))
        assert 0 <= found.whole_size <= len(data)
    for length in range(200):
        assert scan_segment(numbers.randbytes(length)).parts == ()


def test_a_huge_count_of_samples_does_not_delay_a_scan(small: bytes):
    data = bytearray(small)
    at = data.index(b"trun")
    struct.pack_into(">II", data, at + 4, 0, 0xFFFF_FFFF)
    assert scan_segment(bytes(data)).problem == ScanProblem.GARBAGE


def test_a_file_is_never_held_in_memory_as_a_whole(large: bytes):
    init, ends = part_ends(large)
    one_part = large[init : ends[0]]

    def chunks() -> Iterator[bytes]:
        yield large[:init]
        for _ in range(2000):
            yield one_part

    tracemalloc.start()
    found = scan_segment(chunks())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found.parts) == 2000
    assert found.whole_size == init + 2000 * len(one_part)
    assert peak < found.whole_size / 20
