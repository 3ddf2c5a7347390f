"""The output of real FFmpeg becomes parts, however it is split into chunks; other bytes raise InvalidMedia only."""

import contextlib
import random
import struct

import pytest

from gateway.mp4.boxes import box
from tests.fragmented_media import H264, make_media
from workers.ffmpeg.fmp4 import MAX_BOX_BYTES, Fmp4Reader, Fragment, InitSegment, InvalidMedia


def read(data: bytes, step: int | None = None) -> list[InitSegment | Fragment]:
    reader = Fmp4Reader()
    pieces = [data] if step is None else [data[at : at + step] for at in range(0, len(data), step)]
    return [event for piece in pieces for event in reader.feed(piece)]


def boxes(data: bytes) -> list[tuple[bytes, bytes]]:
    """Name and whole of each box, read independently of the code under test."""
    found, at = [], 0
    while at < len(data):
        size = struct.unpack_from(">I", data, at)[0]
        found.append((data[at + 4 : at + 8], data[at : at + size]))
        at += size
    return found


def test_a_run_is_one_init_segment_and_its_parts(h264_media: bytes):
    init, *parts = read(h264_media)
    assert isinstance(init, InitSegment)
    assert init.video.codec == "avc1"
    assert b"".join([init.data, *(part.data for part in parts)]) == h264_media
    assert sum(part.frames for part in parts) == 20
    assert [round(part.start, 3) for part in parts] == [0.0, 0.5, 1.0, 1.5]
    assert [round(part.duration, 3) for part in parts] == [0.5] * 4
    assert [part.is_key for part in parts] == [True, False, True, False]
    assert not any(part.has_b_frames for part in parts)


@pytest.mark.parametrize("step", [1, 2, 3, 7, 8, 9, 15, 16, 17, 1000, 4096, 65536])
def test_the_size_of_the_chunks_changes_nothing(h264_media: bytes, step: int):
    assert read(h264_media, step) == read(h264_media)


def test_a_stream_cut_in_two_anywhere_gives_the_same_parts():
    short = make_media(*H264, "-bf", "0", seconds=0.5, size="32x32")
    whole = read(short)
    for cut in range(len(short)):
        reader = Fmp4Reader()
        assert [*reader.feed(short[:cut]), *reader.feed(short[cut:])] == whole, f"cut at {cut}"


def test_a_stream_that_ends_anywhere_gives_whole_parts_only(h264_media: bytes):
    whole = read(h264_media)
    ends = []
    reader = Fmp4Reader()
    for count in range(1, len(h264_media) + 1):
        ends += [(count, event) for event in reader.feed(h264_media[count - 1 : count])]
    assert [event for _, event in ends] == whole
    positions, at = [], 0
    for event in whole:
        at += len(event.data)
        positions.append(at)
    assert [count for count, _ in ends] == positions, "each comes with its very last byte, not earlier and not later"


def test_b_frames_are_detected_in_the_video():
    parts = [
        e for e in read(make_media(*H264[:2], "-g", "10", "-bf", "2", "-pix_fmt", "yuv420p")) if isinstance(e, Fragment)
    ]
    assert any(part.has_b_frames for part in parts)


def test_h265_is_read_with_its_parameter_sets():
    init, *parts = read(
        make_media(
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
    )
    assert init.video.codec == "hvc1"
    assert len(init.video.parameter_sets) == 1
    assert parts[0].is_key


def test_audio_counts_no_frames_and_does_not_change_the_start():
    media = make_media("-f", "lavfi", "-i", "sine=sample_rate=48000", *H264, "-bf", "0", "-c:a", "aac")
    init, *parts = read(media)
    assert sorted(track.kind for track in init.tracks) == ["soun", "vide"]
    assert sum(part.frames for part in parts) == 20
    # The encoder's priming samples may shift both by less than a frame.
    assert [round(part.start) for part in parts if part.is_key] == [0, 1]


def test_audio_alone_is_a_part_without_frames():
    init, *parts = read(make_media("-f", "lavfi", "-i", "sine", "-map", "1:a", "-c:a", "aac"))
    assert init.video is None
    assert parts
    assert all(part.frames == 0 and part.duration == 0 and not part.is_key for part in parts)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (box(b"mdat"), "'mdat' box without"),
        (struct.pack(">I", 7) + b"free", "a box of 7 bytes"),
        (struct.pack(">I", 0) + b"mdat", "a box of 0 bytes"),
        (struct.pack(">I", MAX_BOX_BYTES + 1) + b"mdat", "a box of 67108865 bytes"),
        (struct.pack(">I", 1) + b"mdat" + struct.pack(">Q", 1 << 40), "a box of 1099511627776 bytes"),
        (box(b"\x00\x01\x02\x03"), "without a name"),
        (b"RTSP/1.0 200 OK\r\n\r\n", "a box of"),
        (box(b"moov", box(b"trak")), "a track without its boxes"),
        (box(b"moov", struct.pack(">I", 99) + b"trak"), "longer than the one around it"),
    ],
)
def test_bytes_that_are_not_fragmented_mp4_are_refused(data: bytes, message: str):
    with pytest.raises(InvalidMedia, match=message):
        read(data)


def test_a_box_is_refused_by_its_header_before_its_bytes_are_buffered():
    reader = Fmp4Reader()
    with pytest.raises(InvalidMedia):
        list(reader.feed(struct.pack(">I", MAX_BOX_BYTES + 1) + b"mdat"))


def test_unknown_boxes_are_skipped(h264_media: bytes):
    padded = b"".join(box(b"free", b"x" * 5) + whole for _, whole in boxes(h264_media))
    assert read(padded) == read(h264_media)


def test_a_64_bit_box_size_is_read(h264_media: bytes):
    long = b"".join(struct.pack(">I4sQ", 1, b"free", 16 + 3) + b"abc" + whole for _, whole in boxes(h264_media))
    assert read(long) == read(h264_media)


def test_a_fragment_that_ends_in_the_middle_of_a_box_is_refused(h264_media: bytes):
    header = h264_media[: h264_media.index(b"moof") - 4]
    track = box(b"tfhd", struct.pack(">II", 0, 1))
    for cut in (
        box(b"tfdt"),
        box(b"tfdt", b"\x01\x00\x00\x00"),
        box(b"trun"),
        box(b"trun", struct.pack(">I", 1)),
    ):
        with pytest.raises(InvalidMedia, match="ends too early"):
            read(header + box(b"moof", box(b"traf", track + cut)) + box(b"mdat"))


def test_a_fragment_that_claims_more_samples_than_it_has_is_refused(h264_media: bytes):
    at = h264_media.index(b"trun") + 8
    broken = h264_media[:at] + struct.pack(">I", 0x00FF_FFFF) + h264_media[at + 4 :]
    with pytest.raises(InvalidMedia):
        read(broken)


def test_damaged_bytes_raise_nothing_but_invalid_media(h264_media: bytes):
    dice = random.Random(20)
    hevc = make_media(
        "-c:v",
        "libx265",
        "-preset",
        "ultrafast",
        "-x265-params",
        "log-level=none",
        "-tag:v",
        "hvc1",
        seconds=0.5,
    )
    for media in (h264_media[:6000], hevc[:6000]):
        # Only the headers, which the parser reads, not the media.
        spots = [
            place
            for name, whole in boxes(media[: media.rindex(b"mdat") - 4])
            if name in {b"moov", b"moof"}
            for start in [media.index(whole)]
            for place in range(start + 8, start + len(whole))
        ]
        for _ in range(3000):
            damaged = bytearray(media)
            for _ in range(dice.randint(1, 4)):
                damaged[dice.choice(spots)] = dice.randrange(256)
            with contextlib.suppress(InvalidMedia):
                read(bytes(damaged))
