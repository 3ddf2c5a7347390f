"""Parts are decoded to pictures with their capture times; damage costs the pictures up to the next key frame."""

import pytest

from gateway.plugin_api import Part, PartDecoder, decode_parts
from gateway.plugin_api.decoding import parse_init
from tests.fragmented_media import H264, make_media

pytestmark = pytest.mark.integration

START = 1_750_000_000.0


def split(media: bytes) -> tuple[bytes, list[Part]]:
    """The init segment and the parts of fragmented MP4, each of which takes half a second."""
    at = media.index(b"moof") - 4
    init, found = media[:at], []
    while at < len(media):
        end = media.find(b"moof", at + 8)
        end = len(media) if end < 0 else end - 4
        number = len(found)
        found.append(Part("d1", 1, number + 1, START + number / 2, 0.5, number % 2 == 0, 5, media[at:end]))
        at = end
    return init, found


@pytest.fixture(scope="module")
def media() -> tuple[bytes, list[Part]]:
    return split(make_media(*H264, "-bf", "2"))


def test_each_picture_has_its_capture_time(media):
    frames = list(decode_parts(*media))
    assert len(frames) == 20
    assert [frame.at_ms for frame in frames] == [round(START * 1000) + 100 * number for number in range(20)]
    assert (frames[0].width, frames[0].height, frames[0].device_id) == (320, 180, "d1")
    assert frames[0].array().shape == (180, 320, 3)
    assert frames[0].array().std() > 10


def test_key_frames_alone_are_given_at_once_and_in_the_size_that_is_asked_for(media):
    init, parts = media
    decoder = PartDecoder(width=64, height=36, only_keys=True)
    assert [len(decoder.decode(part, init)) for part in parts] == [1, 0, 1, 0]
    (frame,) = decode_parts(init, parts[:2], width=64, height=36, only_keys=True)
    assert (frame.width, frame.height, len(frame.rgb)) == (64, 36, 64 * 36 * 3)


def test_nothing_is_given_before_the_first_key_frame(media):
    init, parts = media
    assert next(frame.at_ms for frame in decode_parts(init, parts[1:])) == round(START * 1000) + 1000
    assert list(decode_parts(init, parts[1:2])) == []


def test_a_new_run_has_its_own_init_segment(media):
    init, parts = media
    other, others = split(make_media(*H264, seconds=1, size="160x96"))
    decoder = PartDecoder()
    frames = [*decoder.decode(parts[0], init), *decoder.decode(others[0], other), *decoder.flush()]
    assert {(frame.width, frame.height) for frame in frames} == {(320, 180), (160, 96)}
    assert decoder.flush() == []


@pytest.mark.parametrize("damage", [b"", b"x" * 100, "half", "init"])
def test_damage_costs_the_pictures_up_to_the_next_key_frame(media, damage):
    init, parts = media
    decoder = PartDecoder()
    broken_init = b"no init segment" if damage == "init" else init
    data = parts[0].data[: len(parts[0].data) // 2] if damage == "half" else damage
    broken = parts[0] if damage == "init" else Part("d1", 1, 1, START, 0.5, True, 5, data)
    first = decoder.decode(broken, broken_init)
    rest = [frame for part in parts[1:] for frame in decoder.decode(part, init)] + decoder.flush()
    assert first == []
    assert [frame.at_ms for frame in rest] == [round(START * 1000) + 1000 + 100 * number for number in range(10)]
    assert decoder.damaged


def test_video_that_no_decoder_is_known_for_is_counted(media):
    init, parts = media
    assert parse_init(init)[0].codec == "avc1"
    decoder = PartDecoder()
    assert decoder.decode(parts[0], init.replace(b"avc1", b"av99")) == []
    assert decoder.damaged == 1
