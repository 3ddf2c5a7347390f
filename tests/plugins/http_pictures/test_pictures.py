"""Pictures are found by the structure of JPEG, whatever is around them."""

import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from plugins.http_pictures.pictures import MAX_PICTURE_BYTES, PictureFinder
from tests.cameras.http_pictures import make_picture

FIRST, SECOND = make_picture(1), make_picture(2)


def find(data: bytes, step: int | None = None) -> list[bytes]:
    finder, found = PictureFinder(), []
    for at in range(0, len(data), step or len(data) or 1):
        found += finder.feed(data[at : at + (step or len(data))])
    return found


STREAMS = {
    "with lengths": b"--b\r\nContent-Type: image/jpeg\r\nContent-Length: 9\r\n\r\n%s\r\n--b\r\n\r\n%s\r\n--b--\r\n",
    "lengths that lie": b"--b\r\nContent-Length: 3\r\n\r\n%s\r\n--b\r\nContent-Length: 99999999\r\n\r\n%s\r\n",
    "boundary without dashes": b"b\r\nContent-Type: image/jpeg\r\n\r\n%s\r\nb\r\nContent-Type: image/jpeg\r\n\r\n%s",
    "line feeds alone": b"--b\nContent-Type: image/jpeg\n\n%s\n--b\nContent-Type: image/jpeg\n\n%s\n",
    "no headers at all": b"%s%s",
    "other headers": b"--b\r\nX-Timestamp: 12\r\nFoo\r\n\r\n%s\r\n\r\n\r\n--b\r\nX: \xff\xfe\xff\r\n\r\n%s",
    "zeros behind pictures": b"--b\r\n\r\n%s\0\0\0\0\r\n--b\r\n\r\n%s\0",
}


@pytest.mark.parametrize("form", STREAMS.values(), ids=STREAMS)
@pytest.mark.parametrize("step", [None, 1, 7, 1000])
def test_pictures_are_found_in_every_form_and_cut_anywhere(form: bytes, step):
    assert find(form % (FIRST, SECOND), step) == [FIRST, SECOND]


def test_a_picture_is_given_with_its_last_byte():
    finder = PictureFinder()
    assert finder.feed(b"--b\r\n\r\n" + FIRST[:-1]) == []
    assert finder.feed(FIRST[-1:]) == [FIRST]


@pytest.mark.parametrize("options", [{"progressive": True}, {"quality": 100}, {"comment": b"\xff\xd8\xff\xd9" * 9}])
def test_what_looks_like_an_end_inside_a_picture_is_none(options):
    thumbnail = make_picture(3, (64, 48))
    picture = make_picture(1, exif=b"Exif\0\0" + thumbnail, **options)
    Image.open(io.BytesIO(picture)).load()
    assert find(b"--b\r\n\r\n" + picture + b"\r\n" + FIRST, 5) == [picture, FIRST]


def test_a_picture_that_is_cut_off_is_dropped_and_the_next_one_kept():
    finder = PictureFinder()
    assert finder.feed(FIRST[: len(FIRST) // 2] + b"\r\n--b\r\nContent-Type: image/jpeg\r\n\r\n" + SECOND) == [SECOND]
    assert finder.dropped == 1


def test_memory_is_bounded():
    finder = PictureFinder()
    finder.feed(FIRST[:-2])
    for _ in range(40):
        finder.feed(b"\1" * 1_000_000)
        assert len(finder._buffer) <= MAX_PICTURE_BYTES + 2_000_000
    assert finder.dropped
    assert finder.feed(SECOND) == [SECOND]


def test_the_type_of_a_part_is_known_when_it_is_none_of_ours():
    finder = PictureFinder()
    finder.feed(b"--b\r\nContent-")
    assert finder.part_type is None
    finder.feed(b"Type: image/PNG\r\n\r\n" + b"x" * 500)
    assert finder.part_type == "image/png"
    assert finder.skipped > 400


@settings(max_examples=200)
@given(st.lists(st.one_of(st.binary(max_size=60), st.sampled_from([FIRST, FIRST[:50], b"\xff\xd8\xff", b"\xff\xd9"]))))
def test_any_bytes_give_pictures_or_nothing(pieces):
    finder = PictureFinder()
    for piece in pieces:
        for picture in finder.feed(piece):
            assert picture.startswith(b"\xff\xd8\xff")
            assert picture.endswith(b"\xff\xd9")


def test_damaged_pictures_do_not_stop_those_that_follow():
    numbers = random.Random(5)
    for _ in range(300):
        damaged = bytearray(FIRST)
        for _ in range(numbers.randint(1, 20)):
            damaged[numbers.randrange(3, len(damaged))] = numbers.randrange(256)
        # A damaged length may swallow one picture, as it does for every reader; not those behind it.
        assert find(bytes(damaged) + (b"\r\n--b\r\n\r\n" + SECOND) * 40)[-1] == SECOND
