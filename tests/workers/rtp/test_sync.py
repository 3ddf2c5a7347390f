"""Sound stays with the picture for hours, by arrivals and by sender reports; reports that lie change nothing."""

import math
from bisect import bisect_left
from itertools import pairwise

import pytest

from tests.workers.rtp.simulated import START, evenly, jitter, simulate
from workers.rtp.sync import MAX_SLEW, TrackSync
from workers.rtp.track_clock import TrackClock

NTP_2026 = 3_976_214_400.0


def report_both(sync, at, lag=0.3, ntp=lambda kind, at: NTP_2026 + at, stamp=lambda kind, at: int(at * 90_000)):
    """Both tracks report one after the other; the sound arrives `lag` seconds later than the picture."""
    sync.report("video", ntp("video", at), stamp("video", at), START + at)
    at += 0.1
    sync.report("audio", ntp("audio", at), stamp("audio", at) // 9 + 77, START + at + lag)


def settle(sync, seconds=400):
    """The shift after so many seconds, with a unit each 20 ms."""
    shift = 0.0
    for number in range(int(seconds * 50)):
        shift = sync.shift("audio", START + number / 50)
    return shift


@pytest.mark.parametrize("lag", [0.3, -0.3, 2.5, 0.02])
def test_sound_is_shifted_to_the_picture_by_two_reports_of_each(lag):
    sync = TrackSync()
    report_both(sync, 1, lag)
    assert settle(sync, 10) == 0
    sync = TrackSync()
    for at in (1, 6):
        report_both(sync, at, lag)
    assert settle(sync) == pytest.approx(-lag, abs=0.001)
    assert sync.shift("video", START + 99) == 0


def test_the_shift_changes_slowly():
    sync = TrackSync()
    for at in (1, 6):
        report_both(sync, at)
    shifts = [sync.shift("audio", START + number / 50) for number in range(5_000)]
    steps = [abs(later - one) for one, later in pairwise(shifts)]
    assert 0 < max(steps) <= MAX_SLEW / 50 * 1.001


def test_without_the_units_time_the_reports_move_the_shift():
    sync = TrackSync()
    for at in range(1, 200, 5):
        report_both(sync, at)
        sync.shift("audio")
    assert sync.shift("audio") == pytest.approx(-0.3, abs=0.001)


@pytest.mark.parametrize(
    "ntp",
    [
        lambda kind, at: 0.0,
        lambda kind, at: at,
        lambda kind, at: NTP_2026,
        lambda kind, at: NTP_2026 + at * (1.19 if kind == "audio" else 1),
        lambda kind, at: NTP_2026 + at * (1.01 if kind == "audio" else 1),
        lambda kind, at: NTP_2026 + at * 1.19,
        lambda kind, at: NTP_2026 + at + (at * (7 if kind == "audio" else 5) % 97) * 3,
        lambda kind, at: NTP_2026 - at,
        lambda kind, at: NTP_2026 + at + 3600 * (kind == "audio"),
        lambda kind, at: 0.0 if kind == "audio" else NTP_2026 + at,
        lambda kind, at: math.nan,
        lambda kind, at: math.inf,
    ],
    ids=[
        "zero", "since it was switched on", "the same", "sound of another rate", "sound 1 % off", "another rate",
        "jumping", "backwards", "an hour apart", "sound zero", "no number", "infinite",
    ],
)  # fmt: skip
def test_reports_that_lie_change_nothing(ntp):
    sync = TrackSync()
    for at in range(1, 300, 5):
        report_both(sync, at, ntp=ntp)
        assert settle(sync, at) == 0


def test_reports_that_are_copied_from_the_other_track_change_nothing():
    sync = TrackSync()
    for at in range(1, 300, 5):
        sync.report("video", NTP_2026 + at, at * 90_000, START + at)
        sync.report("audio", NTP_2026 + at, at * 8_000, START + at + 2.5)
        assert settle(sync, at) == 0


def test_reports_that_follow_the_sounds_own_wrong_clock_are_left_before_they_do_harm():
    sync = TrackSync()
    for at in range(1, 3600, 5):
        report_both(sync, at, lag=0.1, ntp=lambda kind, at: NTP_2026 + at * (1.001 if kind == "audio" else 1))
    assert abs(settle(sync)) < 0.3


def test_a_camera_whose_clock_is_set_keeps_its_shift():
    sync = TrackSync()
    for at in range(1, 300, 5):
        jump = 4.0 if at > 100 else 0.0
        sync.report("video", NTP_2026 + at + jump, at * 90_000, START + at)
        if at % 3 == 0:
            sync.report("audio", NTP_2026 + at + jump, at * 8_000, START + at + 0.3)
        assert -0.31 < settle(sync, at) <= 0
    assert settle(sync) == pytest.approx(-0.3, abs=0.001)


def test_senseless_capture_times_and_kinds_are_ignored():
    sync = TrackSync()
    sync.report("data", NTP_2026, 1, START)
    sync.report("video", NTP_2026, 1, math.nan)
    sync.report("video", NTP_2026, 1, 1e12)
    for at in range(1, 30, 5):
        report_both(sync, at)
    assert settle(sync) == pytest.approx(-0.3, abs=0.001)


@pytest.mark.parametrize("has_reports", [False, True])
@pytest.mark.parametrize(
    ("rate", "clock_rate", "packet", "hours"),
    [
        (0.99, 8_000, 0.02, 0.5),
        (1.01, 48_000, 1024 / 48_000, 0.5),
        (0.97, 48_000, 1024 / 48_000, 0.25),
        (1.03, 8_000, 0.02, 0.25),
        (0.99, 8_000, 0.2, 2),
        (0.9999, 16_000, 0.064, 0.5),
    ],
)
def test_sound_whose_clock_is_off_stays_with_the_picture(rate, clock_rate, packet, hours, has_reports):
    seconds = hours * 3600
    picture = simulate(evenly(5, seconds), delay=jitter(0.01))
    sound = simulate(evenly(1 / packet, seconds), clock_rate=clock_rate, stamp=lambda s: s * rate, delay=jitter(0.03))
    video, audio, sync = TrackClock(90_000), TrackClock(clock_rate, can_reorder=False), TrackSync()
    video_errors = [video.place(unit.stamp, unit.arrived) - unit.captured for unit in picture]
    video_times = [unit.captured for unit in picture]
    worst = early = 0.0
    for number, unit in enumerate(sound):
        time = audio.place(unit.stamp, unit.arrived)
        if has_reports and number % 250 == 249:
            ntp = NTP_2026 + unit.captured - START
            sync.report("audio", ntp, unit.stamp, time)
            sync.report("video", ntp, int((unit.captured - START) * 90_000), unit.captured)
        time += sync.shift("audio", time)
        apart = abs(time - unit.captured - video_errors[bisect_left(video_times, unit.captured) - 1])
        if unit.captured - START < 60:
            early = max(early, apart)
        else:
            worst = max(worst, apart)
    print(f"sound {rate}, {clock_rate} Hz, {hours} h: |A-V| {early:.3f} s in the first minute, then {worst:.3f} s")
    assert early <= 0.2
    assert worst <= 0.1
