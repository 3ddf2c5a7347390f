"""A detector's answer is used as far as it makes sense, and the first nonsense in it is named."""

import math

import pytest

from gateway.detectors import Detection
from plugins.ai_analytics.detectors.answers import MOST_DETECTIONS, check_detections

GOOD = ["Person", 0.9, 0.1, 0.2, 0.3, 0.4]


def test_good_answers_come_in_three_forms():
    expected = Detection("person", 0.9, 0.1, 0.2, 0.3, 0.4)
    box = {"label": "Person", "score": 0.9, "x": 0.1, "y": 0.2, "width": 0.3, "height": 0.4}
    found, problem = check_detections([GOOD, box, Detection("person", 0.9, 0.1, 0.2, 0.3, 0.4)])
    assert problem is None
    for one in found:
        assert one.label == expected.label
        assert (one.score, one.x, one.y) == (0.9, 0.1, 0.2)
        assert (one.width, one.height) == (pytest.approx(0.3), pytest.approx(0.4))


@pytest.mark.parametrize(
    ("value", "part"),
    [
        (["person", math.nan, 0, 0, 1, 1], "finite"),
        (["person", 0.5, math.inf, 0, 1, 1], "finite"),
        (["person", 1.5, 0, 0, 1, 1], "score"),
        (["person", -0.1, 0, 0, 1, 1], "score"),
        (["person", 0.5, 0.5, 0, 0.8, 1], "outside"),
        (["person", 0.5, -300, 20, 100, 200], "outside"),
        (["person", 0.5, 0.5, 0.5, 0, 0.1], "outside"),
        (["person", 0.5, 0, 0, 1], "five numbers"),
        (["person", True, 0, 0, 1, 1], "five numbers"),
        (["person", "0.5", 0, 0, 1, 1], "five numbers"),
        (["", 0.5, 0, 0, 1, 1], "label"),
        (["a\0b", 0.5, 0, 0, 1, 1], "label"),
        (["x" * 1000, 0.5, 0, 0, 1, 1], "label"),
        ([7, 0.5, 0, 0, 1, 1], "label"),
        ({"label": "person"}, "score"),
        (None, ""),
        ([[]], ""),
        (object(), ""),
    ],
)
def test_nonsense_is_left_out_and_named(value, part):
    found, problem = check_detections([GOOD, value, GOOD])
    assert len(found) == 2
    assert part in problem


@pytest.mark.parametrize("values", [None, 7, "boxes", b"boxes", True])
def test_an_answer_that_is_no_list_is_named(values):
    found, problem = check_detections(values)
    assert found == []
    assert "not a list" in problem


def test_boxes_are_cut_to_the_picture_and_limited_in_number():
    (one,), problem = check_detections([["person", 0.5, -0.01, 0.5, 0.2, 0.51]])
    assert problem is None
    assert (one.x, one.width, one.y + one.height) == (0, pytest.approx(0.19), pytest.approx(1))
    found, problem = check_detections([GOOD] * 1000)
    assert len(found) == MOST_DETECTIONS
    assert "more than" in problem
