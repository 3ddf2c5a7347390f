"""Single pictures become a stream with exactly the given times, and a decoder finds their bytes unchanged."""

import io

import av
import pytest

from gateway.mp4.samples import parse_init, parse_part
from gateway.mp4.still_track import TIMESCALE, build_jpeg_entry, build_still_part, build_stills_init
from tests.playback import make_clip

#: Time and duration of each still: late, uneven, and with a gap where a damaged picture is left out.
TIMES = [(9000, 3000), (12_000, 3001), (200_000, 90_000), (290_000, 1)]


def key_frames(codec: str) -> tuple[bytes, list[bytes]]:
    """Sample entry and key frames of a clip."""
    clip = make_clip(seconds=4, codec=codec)
    (track,) = parse_init(clip.init)
    parts = [one for part in clip.parts if part.is_key for one in parse_part(part.data, [track])]
    return track.entry, [bytes(one.cut(0, 1).data) for one in parts]


def jpegs() -> tuple[bytes, list[bytes]]:
    """Sample entry and JPEGs of two sizes."""
    found = []
    for size in ((64, 48), (128, 96), (64, 48), (128, 96)):
        encoder = av.CodecContext.create("mjpeg", "w")
        encoder.width, encoder.height, encoder.pix_fmt, encoder.framerate = *size, "yuvj420p", 25
        frame = av.VideoFrame(*size, "yuvj420p")
        found.append(b"".join(bytes(packet) for packet in (*encoder.encode(frame), *encoder.encode(None))))
    return build_jpeg_entry(64, 48), found


@pytest.mark.parametrize("source", ["h264", "h265", "jpeg"])
def test_pictures_keep_their_bytes_times_and_durations(source):
    entry, pictures = jpegs() if source == "jpeg" else key_frames(source)
    assert len(pictures) == len(TIMES)
    stills = zip(TIMES, pictures, strict=True)
    footage = build_stills_init(entry) + b"".join(
        build_still_part(number, time, duration, data) for number, ((time, duration), data) in enumerate(stills, 1)
    )
    with av.open(io.BytesIO(footage)) as container:
        assert container.streams.video[0].time_base.denominator == TIMESCALE
        packets = [packet for packet in container.demux(video=0) if packet.size]
        assert [bytes(packet) for packet in packets] == pictures
        assert [(packet.pts, packet.duration) for packet in packets] == TIMES
        assert all(packet.is_keyframe for packet in packets)


@pytest.mark.parametrize("source", ["h264", "h265", "jpeg"])
def test_every_picture_can_be_decoded_alone(source):
    entry, pictures = jpegs() if source == "jpeg" else key_frames(source)
    for data in pictures:
        with av.open(io.BytesIO(build_stills_init(entry) + build_still_part(1, 0, 1, data))) as container:
            assert len(list(container.decode(video=0))) == 1
