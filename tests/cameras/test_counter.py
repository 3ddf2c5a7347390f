"""The counting camera's frames are read with certainty, and missing, repeated or misplaced ones are reported."""

import io
import subprocess
import time

import av
import numpy
import pytest

from .counter import PICTURE, CounterCamera, draw_counter, encode_group, read_counter
from .encoded import LoopSettings
from .footage import FootageError, judge, read_counters, read_frames


@pytest.mark.parametrize("counter", [0, 1, 16_383, 16_384, 1_000_003])
@pytest.mark.parametrize("size", [(384, 216), (480, 270), (640, 360)])
def test_a_drawn_number_is_read(counter, size):
    assert read_counter(draw_counter(*size, counter)) == counter


def test_another_cameras_clock_is_not_a_number():
    picture = draw_counter(384, 216, 77)
    picture[-12:, :] = draw_counter(384, 216, 78)[-12:, :]
    assert read_counter(picture) == 78
    picture[-6:, -120:] = 18
    assert read_counter(picture) is None


def _decode(groups):
    decoder = av.CodecContext.create("h264", "r")
    frames = []
    for group in groups:
        for unit in group.access_units:
            nals = (group.sps, group.pps, *unit.nals) if unit.is_key else unit.nals
            frames += decoder.decode(av.Packet(b"".join(b"\0\0\0\1" + nal for nal in nals)))
    return [read_counter(frame.to_ndarray(format="gray")) for frame in [*frames, *decoder.decode(None)]]


def test_encoded_groups_are_continuous_frame_by_frame():
    assert _decode(encode_group(PICTURE, group) for group in (40, 41, 42)) == list(range(1000, 1075))


def test_parameter_sets_stay_the_same_over_groups_and_change_with_the_size():
    first, second = encode_group(PICTURE, 0), encode_group(PICTURE, 9)
    assert (first.sps, first.pps) == (second.sps, second.pps)
    other = LoopSettings(**{**vars(PICTURE), "width": 480, "height": 270})
    assert encode_group(other, 0).sps != first.sps


def _build_file(counters, damage=None):
    """An MP4 of pictures with these numbers."""
    content = io.BytesIO()
    with av.open(content, "w", format="mp4", options={"movflags": "frag_keyframe+empty_moov"}) as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "g": "5"})
        stream.width, stream.height, stream.pix_fmt = 384, 216, "yuv420p"
        for counter in counters:
            picture = draw_counter(384, 216, counter)
            if counter == damage:
                picture[-12:, :] = 112
            planes = numpy.full((324, 384), 128, numpy.uint8)
            planes[:216] = picture
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        container.mux(stream.encode(None))
    return content.getvalue()


def test_the_numbers_and_times_of_a_file_are_read(tmp_path):
    content = _build_file(range(7, 27))
    assert read_counters(content) == list(range(7, 27))
    (tmp_path / "footage.mp4").write_bytes(content)
    times = [seconds for _, seconds in read_frames(tmp_path / "footage.mp4")]
    assert times == pytest.approx([number / 25 for number in range(20)], abs=0.001)


def test_a_frame_that_cannot_be_read_is_an_error_and_not_skipped():
    with pytest.raises(FootageError, match="frame 3"):
        read_counters(_build_file(range(10), damage=3))


def test_other_bytes_than_footage_are_an_error():
    with pytest.raises(FootageError):
        read_counters(b"nothing")


def test_complete_frames_are_exact():
    exact = judge([5, 6, 7, 8])
    assert exact.is_exact
    assert str(exact) == "4 frames, each exactly once"


@pytest.mark.parametrize(
    ("counters", "missing", "repeated", "misplaced"),
    [
        ([1, 2, 5, 6, 8], ((3, 4), (7, 7)), (), ()),
        ([1, 2, 2, 3], (), (2,), ()),
        ([1, 2, 3, 2, 3, 4], (), (2, 3), ()),
        ([1, 3, 2, 4], (), (), (2,)),
    ],
)
def test_missing_repeated_and_misplaced_frames_are_listed(counters, missing, repeated, misplaced):
    found = judge(counters)
    assert (found.missing, found.repeated, found.misplaced) == (missing, repeated, misplaced)
    assert not found.is_exact


def _record(url, seconds, *extra):
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-nostdin",
        "-rtsp_transport",
        "tcp",
        "-analyzeduration",
        "2000000",
        "-i",
        url,
        "-t",
        str(seconds),
        *extra,
    ]
    done = subprocess.run(
        [*command, "-c:v", "copy", "-f", "mp4", "-movflags", "frag_keyframe+empty_moov", "-"],
        capture_output=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.integration
def test_ffmpeg_records_the_camera_frame_by_frame_and_it_counts_on_between_visits():
    with CounterCamera() as camera:
        first = read_counters(_record(camera.url, 2))
        began = camera.counter
        second = read_counters(_record(camera.url, 2))
        assert judge(first).is_exact
        assert judge(second).is_exact
        assert len(first) >= 25
        assert second[0] >= began - 1
        assert camera.dropped == 0
        assert abs(camera.wall_clock(camera.counter) - time.time()) < 0.1


@pytest.mark.integration
def test_sound_can_be_switched_on_and_costs_no_frame():
    with CounterCamera(audio=True) as camera:
        content = _record(camera.url, 2, "-c:a", "aac")
        with av.open(io.BytesIO(content)) as container:
            assert container.streams.audio[0].codec_context.name == "aac"
        assert judge(read_counters(content)).is_exact


@pytest.mark.integration
def test_a_new_size_starts_at_a_key_frame_and_the_numbers_continue():
    with CounterCamera() as camera, av.open(camera.url, options={"rtsp_transport": "tcp"}) as container:
        sizes, counters = [], []
        for frame in container.decode(video=0):
            counters.append(read_counter(frame.to_ndarray(format="gray")))
            sizes.append(frame.width)
            if len(counters) == 10:
                camera.change(size=(480, 270))
            if sizes[-1] == 480 and sizes[-10] == 480:
                break
            assert len(counters) < 100
        assert judge(counters).is_exact
