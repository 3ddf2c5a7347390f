"""The parameter sets of two encoders can be in one configuration under different ids."""

import subprocess

import pytest

from gateway.mp4.avc import parse_avc, replace_avc
from gateway.mp4.boxes import InvalidMedia
from gateway.mp4.samples import VIDEO, TrackFormat, parse_init
from tests.playback import make_clip


def encode(*options: str) -> TrackFormat:
    """The video format of an MP4 encoded by x264 with these options."""
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-nostdin",
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=64x48:rate=5",
        "-frames:v",
        "2",
        "-c:v",
        "libx264",
        *options,
        "-f",
        "mp4",
        "-movflags",
        "+empty_moov+default_base_moof+frag_keyframe",
        "pipe:1",
    ]
    data = subprocess.run(command, capture_output=True, check=True, timeout=30).stdout
    return next(track for track in parse_init(data) if track.kind == VIDEO)


def configuration(*options: str):
    return parse_avc(encode(*options).box(b"avcC"))


@pytest.mark.parametrize("profile", ["baseline", "main", "high"])
def test_a_configuration_is_written_as_it_was_read(profile):
    content = encode("-profile:v", profile, "-pix_fmt", "yuv420p").box(b"avcC")
    assert parse_avc(content).pack() == content
    assert parse_avc(content).is_plain


@pytest.mark.parametrize("number", [0, 1, 7, 31])
def test_ids_are_read_from_the_bits(number):
    assert configuration("-pix_fmt", "yuv420p", "-x264-params", f"sps-id={number}").used_ids() == {number}


def test_a_free_id_is_unused():
    assert configuration("-pix_fmt", "yuv420p", "-x264-params", "sps-id=1").free_id() == 2


def test_joined_configurations_have_the_higher_profile():
    low = configuration("-profile:v", "baseline", "-pix_fmt", "yuv420p", "-level", "1.1")
    high = configuration("-profile:v", "high", "-pix_fmt", "yuv420p", "-level", "3.1", "-x264-params", "sps-id=5")
    for joined in (low.joined_with(high), high.joined_with(low)):
        again = parse_avc(joined.pack())
        assert (again.profile, again.level, again.used_ids()) == (100, 31, {0, 5})
        assert (len(again.sequence_sets), len(again.picture_sets)) == (2, 2)


@pytest.mark.parametrize("pixels", ["yuv444p", "yuv422p", "yuv420p10le"])
def test_formats_that_a_plain_decoder_cannot_read_are_not_plain(pixels):
    assert not configuration("-pix_fmt", pixels).is_plain


def test_a_sample_entry_keeps_all_but_its_configuration():
    track = encode("-pix_fmt", "yuv420p")
    other = configuration("-pix_fmt", "yuv420p", "-x264-params", "sps-id=3")
    joined = parse_avc(track.box(b"avcC")).joined_with(other)
    changed = TrackFormat(1, VIDEO, 1000, replace_avc(track.entry, joined))
    assert changed.picture_size == track.picture_size
    assert parse_avc(changed.box(b"avcC")) == joined
    assert changed.box(b"pasp") == track.box(b"pasp")


def test_a_truncated_configuration_is_refused():
    content = encode("-pix_fmt", "yuv420p").box(b"avcC")
    for size in range(8):
        with pytest.raises(InvalidMedia):
            parse_avc(content[:size])


def test_runs_of_one_camera_fit_and_others_do_not():
    one, same, other = (
        parse_init(make_clip(seconds=1, **values).init)[0] for values in ({}, {"first_frame": 25}, {"size": (640, 360)})
    )
    assert one.fits(same)
    assert not one.fits(other)
