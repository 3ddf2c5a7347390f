"""One object is one track: also when it is missed, crosses another, or is taken for another kind."""

import math
import random

import pytest

from plugins.ai_analytics.tracker import Sighting, Tracker
from tests.plugins.ai_analytics.scenes import person


def follow(tracker: Tracker, pictures, *, interval_ms: int = 200, begin: int = 0):
    """Returns the tracks that ended."""
    ended = []
    for number, detections in enumerate(pictures):
        ended += tracker.update(1_000_000 + (begin + number) * interval_ms, detections)
    return ended


def test_a_walker_is_one_track_with_his_velocity():
    tracker = Tracker(least_score=0.4)
    assert follow(tracker, [[person(0.1 + 0.02 * step, 0.3)] for step in range(20)]) == []
    (track,) = tracker.tracks
    assert track.hits == 20
    assert (track.vx, track.vy) == (pytest.approx(0.1, abs=0.01), pytest.approx(0, abs=0.01))
    assert track.travelled == pytest.approx(0.38 / 0.05, rel=0.01)
    assert track.label == "person"


def test_a_walker_who_is_missed_for_a_while_is_the_same_afterwards():
    tracker = Tracker(least_score=0.4)
    walk = [[person(0.1 + 0.02 * step, 0.3)] for step in range(30)]
    walk[12:22] = [[]] * 10
    assert follow(tracker, walk) == []
    assert [track.number for track in tracker.tracks] == [1]


def test_a_walker_who_is_gone_ends_his_track():
    tracker = Tracker(least_score=0.4, lost_seconds=3)
    (track,) = follow(tracker, [[person(0.1 + 0.02 * step, 0.3)] for step in range(5)] + [[]] * 17)
    assert (track.last.at_ms, track.hits) == (1_000_800, 5)
    assert tracker.tracks == []


def test_pictures_that_are_rare_give_more_time():
    tracker = Tracker(least_score=0.4, lost_seconds=3)
    walk = [[person(0.1, 0.3)], [person(0.12, 0.3)], [], [person(0.14, 0.3)], [], [person(0.16, 0.3)]]
    follow(tracker, walk, interval_ms=2000)
    assert [track.hits for track in tracker.tracks] == [4]


def test_walkers_who_cross_keep_their_tracks():
    tracker = Tracker(least_score=0.4)
    pictures = []
    for step in range(40):
        pictures.append([person(0.1 + 0.02 * step, 0.3), person(0.9 - 0.02 * step, 0.36)])
    follow(tracker, pictures)
    first, second = sorted(tracker.tracks, key=lambda track: track.number)
    assert first.last.x == pytest.approx(0.88)
    assert second.last.x == pytest.approx(0.12)


def test_weak_detections_continue_a_track_but_begin_none():
    tracker = Tracker(least_score=0.4)
    follow(tracker, [[person(0.5, 0.3, score=0.3)]] * 5)
    assert tracker.tracks == []
    follow(tracker, [[person(0.5, 0.3, score=score)] for score in (0.5, 0.3, 0.26, 0.3)], begin=5)
    assert [track.hits for track in tracker.tracks] == [4]


def test_labels_of_one_kind_are_one_object_with_the_most_frequent_label():
    tracker = Tracker(least_score=0.4)
    labels = ["car", "vehicle", "car", "truck", "car"]
    follow(tracker, [[person(0.2 + 0.01 * step, 0.3, label=label)] for step, label in enumerate(labels)])
    assert [(track.label, track.kind) for track in tracker.tracks] == [("car", "vehicle")]
    follow(tracker, [[person(0.25, 0.3, label="person")]], begin=5)
    assert len(tracker.tracks) == 2


def test_two_boxes_of_one_object_are_one_track():
    tracker = Tracker(least_score=0.4)
    follow(tracker, [[person(0.2, 0.3, width=0.06), person(0.205, 0.31, width=0.05, score=0.5)]] * 5)
    assert len(tracker.tracks) == 1


def test_a_picture_that_comes_late_is_ignored():
    tracker = Tracker(least_score=0.4)
    tracker.update(2000, [person(0.2, 0.3)])
    tracker.update(1000, [person(0.8, 0.3)])
    assert [(track.hits, track.last.at_ms) for track in tracker.tracks] == [(1, 2000)]


def test_the_best_sighting_is_large_sure_and_whole():
    tracker = Tracker(least_score=0.4)
    follow(tracker, [[person(0.0, 0.3, score=0.9)], [person(0.02, 0.3, score=0.8)], [person(0.04, 0.3, score=0.5)]])
    assert tracker.tracks[0].best.at_ms == 1_000_200


@pytest.mark.parametrize("seed", range(5))
def test_many_walkers_who_are_often_missed_are_as_many_tracks(seed):
    dice = random.Random(seed)
    tracker = Tracker(least_score=0.4)
    lanes = [(0.05 + 0.2 * number, dice.choice((-1, 1)) * dice.uniform(0.005, 0.02)) for number in range(4)]
    ended = []
    for step in range(40):
        detections = []
        for y, speed in lanes:
            if step > 2 and dice.random() < 0.25:
                continue
            x = (0.05 if speed > 0 else 0.9) + speed * step + dice.uniform(-0.004, 0.004)
            detections.append(person(min(max(x, 0), 0.95), y * 0.8, score=dice.uniform(0.3, 0.7) if step else 0.6))
        ended += tracker.update(1_000_000 + 200 * step, detections)
    assert ended == []
    assert sorted(track.number for track in tracker.tracks) == [1, 2, 3, 4]


def test_centre_and_foot_of_a_sighting():
    seen = Sighting(0, 0.2, 0.4, 0.1, 0.2, 0.5)
    assert seen.centre == (pytest.approx(0.25), pytest.approx(0.5))
    assert seen.foot == (pytest.approx(0.25), pytest.approx(0.6))
    assert math.isclose(seen.score, 0.5)
