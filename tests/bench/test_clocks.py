"""The bench of wrong clocks measures what the footage really says."""

import io

import av
import numpy
import pytest

from bench import clocks
from bench.clock_footage import Clocks, find_beeps, read_clocks
from bench.drifting_camera import BEEP_EVERY_SECONDS, DriftingCamera, build_sound, encode_alaw
from tests.cameras.counter import PICTURE, draw_counter
from tests.cameras.viewing import probe_streams, read_packets

STARTED_AT = 1_700_000_000.0
RATE = 8000


def make_footage(seconds=20, first_second=4, sound_late=0.0, has_sound=True):
    """Footage of a camera's clock from a second on, with the sound later by `sound_late` seconds."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        video = container.add_stream(
            "libx264", rate=PICTURE.fps, options={"preset": "ultrafast", "tune": "zerolatency"}
        )
        video.width, video.height, video.pix_fmt = PICTURE.width, PICTURE.height, "yuv420p"
        sound = container.add_stream("aac", rate=RATE, layout="mono") if has_sound else None
        for number in range(seconds * PICTURE.fps):
            planes = numpy.full((PICTURE.height * 3 // 2, PICTURE.width), 128, numpy.uint8)
            counter = first_second * PICTURE.fps + number
            planes[: PICTURE.height] = draw_counter(PICTURE.width, PICTURE.height, counter)
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.pts = number
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if sound is not None:
            samples = build_sound(first_second - sound_late, RATE, seconds * RATE)
            frame = av.AudioFrame.from_ndarray(numpy.array([samples], numpy.int16), format="s16", layout="mono")
            frame.sample_rate, frame.pts = RATE, 0
            container.mux(sound.encode(frame))
            container.mux(sound.encode(None))
    return file.getvalue()


@pytest.mark.parametrize("late", [0.0, 0.35, -0.5, 2.0])
def test_the_delay_of_the_sound_is_found(late):
    found = read_clocks([(STARTED_AT + 4, make_footage(sound_late=late))], STARTED_AT, PICTURE.fps)
    assert len(found.sound_errors) >= 2
    assert [error for _, error in found.sound_errors] == pytest.approx([late] * len(found.sound_errors), abs=0.02)
    assert found.sound_errors[0][0] == STARTED_AT + BEEP_EVERY_SECONDS


def test_the_error_of_the_index_is_found_and_footage_without_sound_has_no_beeps():
    footage = make_footage(seconds=3, has_sound=False)
    found = read_clocks([(STARTED_AT + 4.2, footage), (None, footage)], STARTED_AT, PICTURE.fps)
    assert found.ranges == 2
    assert len(found.counters) == 6 * PICTURE.fps
    assert [error for _, error in found.index_errors] == pytest.approx([0.2] * 3 * PICTURE.fps, abs=1e-3)
    assert found.sound_errors == []


def test_a_beep_that_began_before_the_footage_is_no_beginning():
    assert find_beeps(make_footage(seconds=12, first_second=0)) == pytest.approx([8.0], abs=0.02)


def test_a_row_keeps_the_first_minute_apart():
    found = Clocks(counters=[1, 2, 4], ranges=1)
    found.index_errors = [(STARTED_AT + 10, -2.0), (STARTED_AT + 70, 0.1), (STARTED_AT + 80, -0.2)]
    row = clocks.build_row("camera", clocks.Outcome(found, 1.5, STARTED_AT, 21.04, 0, [-0.1, 0.3]))
    assert row[:7] == ["camera", "1.5 s", "1", "0", "1", "0", "21.0"]
    assert row[7:] == ["2000", "200 / 200", "-", "- / -", "0", "300 / 300", "2"]


def test_alaw_is_that_of_ffmpeg():
    samples = list(range(-32_768, 32_768, 16))
    decoder = av.CodecContext.create("pcm_alaw", "r")
    decoder.sample_rate, decoder.layout = RATE, "mono"
    decoded = decoder.decode(av.Packet(encode_alaw(samples)))[0].to_ndarray().ravel().astype(int)
    wrong = numpy.abs(decoded - samples) / numpy.maximum(300, numpy.abs(samples))
    assert wrong.max() < 0.04


@pytest.mark.integration
def test_a_drifting_camera_sends_playable_pictures_and_sound():
    with DriftingCamera(fps=21, stamped_fps=25.0, sound_rate=0.99) as camera:
        streams = probe_streams(camera.url)
        packets = read_packets(camera.url, 5)
    assert streams["video"]["codec_name"] == "h264"
    assert streams["audio"]["codec_name"] == "pcm_alaw"
    assert packets[0][0]
