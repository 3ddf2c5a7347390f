"""Footage of cameras that send JPEG or MPEG-4 is whole, and its pictures can be taken."""

import io
import random

import av
import pytest

from gateway.mp4.descriptors import JPEG, MPEG4_VIDEO, parse_descriptors
from gateway.mp4.samples import VIDEO, has_whole_units, parse_init, parse_part
from workers.captures.pictures import PictureDamaged, TimedPart, decode_at, make_picture


def make_footage(codec: str) -> tuple[bytes, bytes]:
    """Init segment and one part of five pictures."""
    data = io.BytesIO()
    options = {"movflags": "empty_moov+default_base_moof", "frag_duration": "10000000"}
    with av.open(data, "w", format="mp4", options=options) as file:
        stream = file.add_stream(codec, rate=10)
        stream.width, stream.height = 320, 192
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        if codec == "mpeg4":
            stream.codec_context.flags |= 1 << 22  # AV_CODEC_FLAG_GLOBAL_HEADER
        for number in range(5):
            frame = av.VideoFrame(320, 192, "gray")
            frame.planes[0].update(bytes([40 * number]) * frame.planes[0].buffer_size)
            frame.pts = number
            file.mux(stream.encode(frame.reformat(format=stream.pix_fmt)))
        file.mux(stream.encode())
    found = data.getvalue()
    begin = found.index(b"moof") - 4
    end = found.rfind(b"mfra") - 4
    return found[:begin], found[begin : end if end > 0 else None]


FOOTAGE = {codec: make_footage(codec) for codec in ("mjpeg", "mpeg4")}


@pytest.mark.parametrize(("codec", "object_type"), [("mjpeg", JPEG), ("mpeg4", MPEG4_VIDEO)])
def test_its_decoder_is_known_and_its_pictures_decode(codec, object_type):
    init, part = FOOTAGE[codec]
    (track,) = parse_init(init)
    assert (track.codec, track.decoder.object_type) == ("mp4v", object_type)
    samples = [one for one in parse_part(part, (track,)) if one.track.kind == VIDEO]
    assert all(has_whole_units(one, one.track.length_size) for one in samples)
    shot = decode_at(init, [TimedPart(1_000_000.0, part)], 1_000_210.0)
    assert shot.at_ms == 1_000_200
    picture = make_picture(shot)
    assert (picture.width, picture.height) == (320, 192)


def test_a_picture_that_was_cut_off_is_damaged():
    init, part = FOOTAGE["mjpeg"]
    damaged = bytearray(part)
    damaged[-1] = 0
    (track,) = parse_init(init)
    assert not all(has_whole_units(one, 4) for one in parse_part(bytes(damaged), (track,)))
    with pytest.raises(PictureDamaged):
        decode_at(init, [TimedPart(1_000_000.0, bytes(damaged))], 1_000_400.0)


def test_descriptors_of_any_bytes_are_read_or_empty():
    numbers = random.Random(1)
    for size in range(200):
        found = parse_descriptors(numbers.randbytes(size % 40))
        assert 0 <= found.object_type < 256
