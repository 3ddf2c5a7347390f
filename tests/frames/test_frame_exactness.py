"""The recorder and FFmpeg are killed at random moments; played back, every frame is there exactly once."""

import pytest

from tests.cameras import CounterCamera
from tests.frames.trial import APART_SECONDS, CALM_SECONDS, choose_moments, run_trial
from tests.stack import Stack

#: With this seed the last kill happens while the recorder is starting after the previous one.
SECONDS, KILLS, SEED = 60, 5, 6
#: The test is about writing each frame once, not about the time to start a process on a busy machine.
BUS_SECONDS = 60


@pytest.mark.faults
def test_every_frame_is_there_exactly_once_although_recorder_and_ffmpeg_were_killed_five_times_each(note):
    with Stack(bus_window_seconds=BUS_SECONDS) as stack, CounterCamera(audio=True) as camera:
        outcome = run_trial(stack, camera, seconds=SECONDS, kills=KILLS, seed=SEED)
    note("\n".join(outcome.describe()))
    assert outcome.played.is_exact, outcome.played
    assert outcome.played_by_ffmpeg.is_exact, outcome.played_by_ffmpeg
    assert outcome.played.frames >= SECONDS * 25
    assert outcome.complaints == ""
    assert outcome.dropped_by_camera == 0


@pytest.mark.parametrize("seed", range(20))
def test_kills_come_at_random_moments_apart_from_each_other_and_from_the_end(seed):
    moments = choose_moments(20, 600, seed)
    assert len(moments) == 20
    assert moments != choose_moments(20, 600, seed + 1)
    assert moments == choose_moments(20, 600, seed)
    steps = [later - earlier for earlier, later in zip([0, *moments], moments, strict=False)]
    assert min(steps) >= APART_SECONDS
    assert moments[-1] <= 600 - CALM_SECONDS


def test_more_kills_than_there_is_time_for_are_refused():
    with pytest.raises(ValueError, match="20 kills need at least 90 s"):
        choose_moments(20, 60, 1)
