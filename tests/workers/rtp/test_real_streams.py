"""What FFmpeg's RTP muxer and real encoders send arrives as units that decode to the same pictures."""

import pytest

from tests.workers.rtp.feeds import (
    Rig,
    capture,
    encode,
    hashes_of_stream,
    hashes_of_units,
    video_track,
)

CASES = {
    "h264 baseline": ("h264", "-profile:v", "baseline", "-pix_fmt", "yuv420p", "-g", "10"),
    "h264 with B-frames and slices": (
        "h264",
        "-bf",
        "2",
        "-pix_fmt",
        "yuv420p",
        "-g",
        "10",
        "-x264-params",
        "slices=4",
    ),
    "h264 4:2:2, 10 bits": ("h264", "-pix_fmt", "yuv422p10le", "-g", "10", "-bf", "0"),
    "h265": ("hevc", "-pix_fmt", "yuv420p", "-x265-params", "log-level=none:bframes=0:keyint=10:repeat-headers=1"),
    "h265 with B-frames": ("hevc", "-pix_fmt", "yuv420p", "-x265-params", "log-level=none:bframes=3:keyint=10"),
    "h265 10 bits": ("hevc", "-pix_fmt", "yuv420p10le", "-x265-params", "log-level=none:bframes=0:keyint=10"),
    "mpeg4": ("mpeg4", "-q:v", "4", "-g", "10"),
    "mpeg4 with B-frames": ("mpeg4", "-q:v", "4", "-g", "10", "-bf", "2"),
    "jpeg 4:2:0": ("mjpeg", "-pix_fmt", "yuvj420p", "-q:v", "5", "-huffman", "default"),
}


@pytest.mark.parametrize("name", CASES)
def test_packets_of_ffmpeg_decode_to_the_same_pictures(name):
    codec, *options = CASES[name]
    rig = Rig(video_track(codec, payload_type=26 if codec == "mjpeg" else 96))
    units = rig.feed(capture(codec, "-flags", "+bitexact", *options))
    assert rig.receiver.lost_packets == rig.receiver.damaged_units == 0
    stream = encode(codec, "-flags", "+bitexact", *options)
    if codec == "mpeg4":
        assert b"".join(unit.data for unit in units) == stream
    else:
        assert hashes_of_units(units) == hashes_of_stream(codec, stream)
    assert len(units) == rig.receiver.units == len(rig.clock.calls) == 30
    assert units[0].codec_data is not None
    assert all(unit.codec_data is None for unit in units[1:])
    assert units[0].is_key
    assert any(unit.is_b_frame for unit in units) == ("B-frames" in name)
