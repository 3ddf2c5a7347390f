"""Pictures of the sub-stream and key frames of parts are decoded with their exact capture times."""

import numpy as np
import pytest

from gateway.media import Part, Position, SubPicture, SubPictures
from gateway.mp4.samples import read_parts
from plugins.ai_analytics.decoding import Decoder
from tests.cameras.encoded import LoopSettings, load_loop
from tests.fragmented_media import H264, make_media
from workers.rtp.parameter_sets import build_codec_data

pytestmark = pytest.mark.integration

SETTINGS = LoopSettings(width=320, height=192, fps=10, bitrate_kbps=200, gop_seconds=1)
START = 1_750_000_000.0


def pictures(count: int = 20) -> list[SubPicture]:
    loop = load_loop(SETTINGS)
    found = []
    for number in range(count):
        unit = loop.access_units[number % len(loop.access_units)]
        data = b"".join(len(nal).to_bytes(4, "big") + nal for nal in unit.nals)
        found.append(SubPicture(START + number / 10, unit.is_key, data))
    return found


def batch(some: list[SubPicture]) -> SubPictures:
    loop = load_loop(SETTINGS)
    return SubPictures(
        "d1", Position(1, 1), "h264", build_codec_data("h264", (loop.sps, loop.pps)).extra_data, tuple(some)
    )


def test_each_picture_is_decoded_with_its_capture_time():
    decoder = Decoder()
    some = pictures()
    found = [one for at in range(0, 20, 5) for one in decoder.decode_sub(batch(some[at : at + 5]))]
    assert len(found) >= 18
    for number, one in enumerate(found):
        assert one.at == pytest.approx(START + number / 10, abs=0.0001)
    assert found[0].grey(320, 180).shape == (180, 320)
    assert found[0].rgb(300, 300)[:2] == (300, 300)
    width, height, rgb = found[0].rgb(0, 0)
    assert (width, height, len(rgb)) == (320, 192, 320 * 192 * 3)
    assert decoder.damaged == 0


def test_decoding_begins_with_a_key_frame_and_may_be_of_key_frames_alone():
    decoder = Decoder()
    some = pictures()
    assert list(decoder.decode_sub(batch(some[3:8]))) == []
    decoder = Decoder()
    found = list(decoder.decode_sub(batch(some), only_keys=True))
    assert [round(one.at - START, 3) for one in found] == [0.0, 1.0]
    later = list(decoder.decode_sub(batch(pictures(30)[21:30])))
    assert later == []


def test_damaged_pictures_are_left_out_and_the_next_key_frame_goes_on():
    decoder = Decoder()
    some = pictures()
    broken = [*some[:3], SubPicture(some[3].at, False, b"\0\0\0\x04\xff\xff\xff\xff" * 3), *some[4:]]
    found = list(decoder.decode_sub(batch(broken)))
    assert decoder.damaged + len(found) >= 10
    assert any(one.at == pytest.approx(START + 1) for one in found)
    assert list(Decoder().decode_sub(SubPictures("d1", Position(1, 1), "h264", b"rubbish", tuple(some[:3])))) == []


@pytest.mark.parametrize("options", [(), ("-bf", "2")])
def test_a_key_frame_of_a_part_has_the_time_of_the_part(options):
    media = make_media(*H264, *options, seconds=3)
    first = media.index(b"moof") - 4
    init = media[:first]
    parts = [
        Part("d1", 1, number, START + number / 2, 0.5, number % 2 == 0, 5, data)
        for number, data in enumerate(read_parts(iter([media[first:]])))
    ]
    assert len(parts) == 6
    decoder = Decoder()
    shown = [decoder.decode_key_frame(part, init) for part in parts]
    for part, one in zip(parts, shown, strict=True):
        assert (one is not None) == part.is_key
        if one is not None:
            assert one.at == pytest.approx(part.start, abs=0.001)
            assert np.ptp(one.grey(320, 180)) > 10
    damaged = Part("d1", 1, 1, START, 0.5, True, 5, b"rubbish")
    assert decoder.decode_key_frame(damaged, init) is None
    assert decoder.decode_key_frame(damaged, b"rubbish") is None
    assert decoder.damaged == 2
