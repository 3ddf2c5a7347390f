"""Outputs of the model become boxes: those of its anchors, best first, each object once."""

import numpy as np
import pytest

from plugins.ai_analytics.detectors import ssd

LABELS = ["background", "person", "car"]
ANCHORS = ssd.build_anchors()


def decode(*objects: tuple[int, int, float], boxes: dict[int, list[float]] | None = None, least: float = 0.25):
    """`objects`: anchor, class and logit."""
    raw = np.zeros((ssd.ANCHORS, 4), np.float32)
    classes = np.full((ssd.ANCHORS, 3), -10, np.float32)
    for anchor, kind, logit in objects:
        classes[anchor, kind] = logit
    for anchor, box in (boxes or {}).items():
        raw[anchor] = box
    return ssd.decode(raw, classes, ANCHORS, LABELS, least)


def test_there_are_1917_anchors_over_the_whole_picture():
    assert ANCHORS.shape == (ssd.ANCHORS, 4)
    assert ANCHORS[0] == pytest.approx([0.5 / 19, 0.5 / 19, 0.1, 0.1])
    assert ANCHORS[-1][:2] == pytest.approx([0.5, 0.5])
    assert ((ANCHORS[:, :2] > 0) & (ANCHORS[:, :2] < 1)).all()


def test_a_box_is_relative_to_its_anchor():
    anchor = 19 * 19 * 3 + (10 * 5 + 5) * 6
    y, x, height, width = ANCHORS[anchor]
    (plain,) = decode((anchor, 1, 2.0))
    assert plain.label == "person"
    assert plain.score == pytest.approx(1 / (1 + np.exp(-2.0)))
    assert (plain.x, plain.y) == (pytest.approx(x - width / 2), pytest.approx(y - height / 2))
    (moved,) = decode((anchor, 2, 2.0), boxes={anchor: [1.0, 0, 5 * np.log(0.5), 0]})
    assert moved.label == "car"
    assert moved.height == pytest.approx(height / 2)
    assert moved.y + moved.height / 2 == pytest.approx(y + height / 10)


def test_the_background_and_weak_scores_are_nothing():
    assert decode((100, 0, 5.0)) == []
    assert decode((100, 1, -2.0)) == []


def test_an_object_is_found_once_and_the_best_is_first():
    anchor = 19 * 19 * 3 + (10 * 5 + 5) * 6
    found = decode((anchor, 1, 1.0), (anchor + 5, 1, 2.0), (anchor + 1, 2, 0.5))
    assert [(one.label, one.score > 0.8) for one in found] == [("person", True), ("car", False)]


def test_damaged_outputs_give_no_endless_boxes():
    raw = np.full((ssd.ANCHORS, 4), 1e30, np.float32)
    found = ssd.decode(raw, np.full((ssd.ANCHORS, 3), 50, np.float32), ANCHORS, LABELS, 0.25)
    assert len(found) <= 100
    assert all(0 <= one.x <= 1 and one.width <= 1 for one in found)
