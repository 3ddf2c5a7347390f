"""Pictures are scaled down and converted, never enlarged; invalid and oversized ones are refused."""

import io
import struct

import pytest
from PIL import Image

from gateway.captures.pictures import (
    MAX_PIXELS,
    PICTURE_FORMATS,
    PictureUnreadable,
    convert_picture,
    fit_width,
    media_type,
)
from gateway.captures.posters import POSTER_WIDTHS, round_width


def jpeg(width: int = 64, height: int = 36, mode: str = "RGB") -> bytes:
    written = io.BytesIO()
    Image.new(mode, (width, height)).save(written, "JPEG")
    return written.getvalue()


@pytest.mark.parametrize("format_name", PICTURE_FORMATS)
def test_each_format_matches_its_media_type(format_name):
    picture = convert_picture(jpeg(), width=32, format_name=format_name)
    image = Image.open(io.BytesIO(picture.data))
    assert Image.MIME[image.format] == media_type(format_name)
    assert image.size == (picture.width, picture.height) == (32, 18)


@pytest.mark.parametrize("format_name", PICTURE_FORMATS)
def test_the_time_of_the_picture_is_kept(format_name):
    exif = Image.Exif()
    exif[306] = "2026:03:11 12:00:00"
    written = io.BytesIO()
    Image.new("RGB", (64, 36)).save(written, "JPEG", exif=exif)
    picture = convert_picture(written.getvalue(), width=32, format_name=format_name)
    assert Image.open(io.BytesIO(picture.data)).getexif()[306] == "2026:03:11 12:00:00"


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_any_kind_of_jpeg_is_converted_to_rgb(mode):
    assert Image.open(io.BytesIO(convert_picture(jpeg(mode=mode)).data)).mode == "RGB"


@pytest.mark.parametrize(
    ("size", "wanted", "expected"),
    [
        ((1920, 1080), 640, (640, 360)),
        ((1920, 1080), None, (1920, 1080)),
        ((640, 360), 1920, (640, 360)),
        ((4000, 2), 16, (16, 1)),
        ((704, 576), 353, (353, 289)),
    ],
)
def test_the_aspect_ratio_is_kept_and_pictures_are_not_enlarged(size, wanted, expected):
    assert fit_width(*size, wanted) == expected


def claiming(width: int, height: int) -> bytes:
    """A JPEG with a wrong size in its header."""
    data = bytearray(jpeg())
    place = data.index(b"\xff\xc0") + 5
    data[place : place + 4] = struct.pack(">HH", height, width)
    return bytes(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no picture",
        jpeg()[:200],
        jpeg()[:-40] + b"\0" * 10,
        claiming(60_000, 60_000),
        claiming(10_000, MAX_PIXELS // 10_000 + 1),
    ],
    ids=["empty", "text", "cut off", "end lost", "a bomb", "too many pixels"],
)
def test_unreadable_data_are_refused(data):
    with pytest.raises(PictureUnreadable):
        convert_picture(data, width=32)


def test_another_format_in_a_file_is_not_decoded():
    written = io.BytesIO()
    Image.new("RGB", (64, 36)).save(written, "PNG")
    with pytest.raises(PictureUnreadable):
        convert_picture(written.getvalue())


def test_the_width_of_a_poster_is_rounded_up():
    assert [round_width(width) for width in (1, 160, 161, 1921)] == [160, 160, 320, 1920]
    assert list(POSTER_WIDTHS) == sorted(POSTER_WIDTHS)
