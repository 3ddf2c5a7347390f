"""Advice names the costs in latency and CPU, and the camera settings to change."""

from dataclasses import replace

import pytest

from gateway.media import AudioInfo, SourceInfo, TrackInfo, VideoInfo
from gateway.states import reason_for
from workers.ingest.advice import advise, describe_probe
from workers.ingest.probe import ProbeResult

GOOD = VideoInfo("h264", 1280, 720, fps=25.0, key_frame_interval_seconds=1.0)


def codes(video: VideoInfo | None, **values) -> list[tuple[str, str]]:
    return [(item["level"], item["code"]) for item in advise(SourceInfo(video=video, **values))]


@pytest.mark.parametrize(
    ("video", "expected"),
    [
        (GOOD, [("info", "fits")]),
        (None, [("warning", "no_video")]),
        (replace(GOOD, codec="hevc"), [("warning", "reencoded_codec")]),
        (replace(GOOD, codec="mjpeg"), [("warning", "reencoded_codec")]),
        (replace(GOOD, has_b_frames=True), [("warning", "b_frames")]),
        (replace(GOOD, key_frame_interval_seconds=2.5), [("info", "fits")]),
        (replace(GOOD, key_frame_interval_seconds=4.0), [("info", "long_key_frame_interval")]),
        (replace(GOOD, key_frame_interval_seconds=None), [("info", "long_key_frame_interval")]),
        (replace(GOOD, width=3840), [("info", "large_picture")]),
        (
            replace(GOOD, codec="hevc", width=3840, key_frame_interval_seconds=10.0),
            [("warning", "reencoded_codec"), ("info", "long_key_frame_interval"), ("info", "large_picture")],
        ),
    ],
)
def test_each_cost_has_its_advice_and_the_most_important_comes_first(video, expected):
    assert codes(video) == expected


def test_an_audio_track_that_cannot_be_read_is_mentioned():
    track = TrackInfo(1, "audio", "unknown")
    assert codes(GOOD, tracks=(track,)) == [("info", "audio_left_out")]
    assert codes(GOOD, tracks=(track,), audio=AudioInfo("aac")) == [("info", "fits")]


def test_the_reply_of_a_probe_describes_the_source():
    answer = describe_probe(ProbeResult(SourceInfo(GOOD, time_to_first_frame_ms=80), None, 900))
    assert answer["reachable"] is True
    assert (answer["elapsed_ms"], answer["time_to_first_frame_ms"]) == (900, 80)
    assert answer["video"]["codec"] == "h264"
    assert answer["reason"] is None


def test_the_reply_of_a_probe_gives_the_reason_of_a_failure():
    answer = describe_probe(ProbeResult(None, reason_for("refused"), 12))
    assert answer["reachable"] is False
    assert answer["reason"]["code"] == "refused"
    assert answer["reason"]["remedy"]
    assert (answer["video"], answer["tracks"], answer["advice"]) == (None, [], [])
