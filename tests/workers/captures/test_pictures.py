"""A picture is the exact frame, with its aspect ratio and colours, or an error; never an incomplete picture."""

import io
from fractions import Fraction

import numpy
import pytest
from PIL import ExifTags, Image

from gateway.captures.queue import EXACT, KEY_FRAME
from tests.cameras.counter import read_counter
from tests.fragmented_media import make_media
from tests.playback import Clip, make_clip
from workers.captures.pictures import PictureDamaged, Shot, TimedPart, decode_at, decode_key_frames, make_picture
from workers.ffmpeg.fmp4 import Fmp4Reader

BASE_MS = 1_750_000_000_000


def timed(clip: Clip) -> list[TimedPart]:
    zero = clip.parts[0].start
    return [TimedPart(BASE_MS + (part.start - zero) * 1000, part.data) for part in clip.parts]


def open_jpeg(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    assert picture.format == "JPEG"
    return picture


def number_of(shot: Shot) -> int | None:
    return read_counter(numpy.asarray(open_jpeg(make_picture(shot).jpeg).convert("L")))


@pytest.fixture(scope="module")
def clip() -> Clip:
    return make_clip(seconds=4, key_seconds=2)


@pytest.mark.parametrize("b_frames", [0, 2])
def test_each_frame_is_found_at_its_moment_also_if_frames_are_reordered(b_frames):
    clip = make_clip(seconds=4, key_seconds=2, b_frames=b_frames)
    for number in range(0, 100, 7):
        # Times of footage are whole milliseconds: two too early is still the frame, three is the one before.
        for away, expected in ((-2, number), (0, number), (37, number), (-3, max(number - 1, 0))):
            shot = decode_at(clip.init, timed(clip), BASE_MS + number * 40 + away)
            assert (number_of(shot), shot.at_ms) == (expected, BASE_MS + expected * 40)


def test_key_frame_accuracy_takes_the_last_one_before_the_moment_or_the_first_after_it(clip):
    parts = timed(clip)
    assert number_of(decode_at(clip.init, parts, BASE_MS + 1990, KEY_FRAME)) == 0
    assert number_of(decode_at(clip.init, parts, BASE_MS + 3990, KEY_FRAME)) == 50
    assert number_of(decode_at(clip.init, parts[1:], BASE_MS + 600, KEY_FRAME)) == 50
    assert decode_at(clip.init, parts[1:4], BASE_MS + 600, EXACT) is None


def test_without_a_moment_the_newest_frame_is_decoded(clip):
    assert number_of(decode_at(clip.init, timed(clip), None, EXACT)) == 99
    assert number_of(decode_at(clip.init, timed(clip), None, KEY_FRAME)) == 50


def test_only_the_necessary_parts_are_read(clip):
    taken = []
    parts = (taken.append(part) or part for part in timed(clip))
    decode_at(clip.init, parts, BASE_MS + 700)
    assert len(taken) == 3, "two, and the first one after the moment"


def test_key_frames_are_decoded_and_a_damaged_one_is_skipped():
    clip = make_clip(seconds=4, key_seconds=1)
    parts = timed(clip)
    parts[2] = damage(parts[2])
    assert [number_of(shot) for shot in decode_key_frames(clip.init, parts)] == [0, 50, 75]


def damage(part: TimedPart, at: float = 0.2) -> TimedPart:
    data = bytearray(part.data)
    place = data.index(b"mdat") + int((len(data) - data.index(b"mdat")) * at)
    data[place : place + 200] = bytes(range(200))
    return TimedPart(part.start_ms, bytes(data))


def test_neither_a_damaged_frame_nor_one_that_depends_on_it_becomes_a_picture(clip):
    parts = timed(clip)
    whole = [*parts[:4], damage(parts[4]), *parts[5:]]
    for at_ms in (2000, 2400, 3900):
        with pytest.raises(PictureDamaged):
            decode_at(clip.init, whole, BASE_MS + at_ms)
    assert number_of(decode_at(clip.init, whole, BASE_MS + 1960)) == 49


@pytest.mark.parametrize("part", [b"", b"\0" * 64, b"\0\0\0\x10moofabcdefgh"], ids=["empty", "zeros", "box"])
def test_invalid_footage_is_reported_as_damage(clip, part):
    with pytest.raises(PictureDamaged):
        decode_at(clip.init, [TimedPart(BASE_MS, part)], BASE_MS)
    with pytest.raises(PictureDamaged, match="damaged"):
        decode_at(b"no init", timed(clip), BASE_MS)


def test_a_truncated_part_is_reported_as_damage(clip):
    first = timed(clip)[0]
    for length in range(0, len(first.data), len(first.data) // 7 + 1):
        with pytest.raises(PictureDamaged):
            decode_at(clip.init, [TimedPart(first.start_ms, first.data[:length])], BASE_MS + 400)


def media_of(*arguments: str, size: str) -> tuple[bytes, list[TimedPart]]:
    init, *parts = Fmp4Reader().feed(make_media(*arguments, seconds=0.2, size=size))
    return init.data, [TimedPart(BASE_MS + part.start * 1000, part.data) for part in parts if part.frames]


def test_non_square_pixels_are_shown_in_their_aspect_ratio():
    init, parts = media_of("-vf", "setsar=12/11", "-c:v", "libx264", "-pix_fmt", "yuv420p", size="704x576")
    shot = decode_at(init, parts, None)
    assert (shot.pixel_ratio, shot.size) == (Fraction(12, 11), (768, 576))
    picture = make_picture(shot, width=384)
    assert open_jpeg(picture.jpeg).size == (picture.width, picture.height) == (384, 288)


def test_a_picture_is_scaled_down_and_never_enlarged(clip):
    shot = decode_at(clip.init, timed(clip), BASE_MS)
    assert open_jpeg(make_picture(shot, width=4000).jpeg).size == (384, 216)
    assert open_jpeg(make_picture(shot, width=100).jpeg).size == (100, 56)
    assert open_jpeg(make_picture(shot, width=1).jpeg).size == (1, 1)


def test_a_picture_has_its_moment_in_milliseconds(clip):
    shot = decode_at(clip.init, timed(clip), BASE_MS + 1240)
    exif = open_jpeg(make_picture(shot).jpeg).getexif().get_ifd(ExifTags.IFD.Exif)
    assert exif == {
        ExifTags.Base.DateTimeOriginal: "2025:06:15 15:06:41",
        ExifTags.Base.OffsetTimeOriginal: "+00:00",
        ExifTags.Base.SubsecTimeOriginal: "240",
    }


@pytest.mark.parametrize(("size", "matrix"), [("1280x720", "bt709"), ("320x180", "smpte170m")])
@pytest.mark.parametrize("range_", ["tv", "pc"])
def test_colours_are_those_of_a_player_also_without_colour_description(size, matrix, range_):
    red = f"drawbox=c=0xD02040:t=fill,format=rgb24,scale=out_color_matrix={matrix}:out_range={range_},format=yuv420p"
    untold = () if range_ == "tv" else ("-color_range", "pc")
    init, parts = media_of("-vf", red, "-c:v", "libx264", "-crf", "5", *untold, size=size)
    pixel = open_jpeg(make_picture(decode_at(init, parts, None)).jpeg).getpixel((90, 90))
    assert all(abs(is_ - should) <= 6 for is_, should in zip(pixel, (0xD0, 0x20, 0x40), strict=True)), pixel


def test_ten_bit_h265_becomes_a_picture():
    init, parts = media_of(
        "-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-x265-params", "log-level=none", "-tag:v", "hev1", size="320x180"
    )
    assert open_jpeg(make_picture(decode_at(init, parts, None)).jpeg).size == (320, 180)


def test_a_codec_that_cannot_be_decoded_is_named():
    init, parts = media_of("-c:v", "mpeg2video", size="320x180")
    with pytest.raises(PictureDamaged, match="'mp4v'"):
        decode_at(init, parts, None)
