"""Boxes come back from their packed form within a pixel of 8K and with their times."""

import pytest

from plugins.ai_analytics.boxes import pack_boxes, unpack_boxes
from plugins.ai_analytics.tracker import Sighting

SEEN = [
    Sighting(1_700_000_000_000 + 200 * step, 0.1 + 0.01 * step, 0.25, 0.0625, 0.3, 0.4 + 0.05 * step)
    for step in range(5)
]


def test_boxes_come_back():
    packed = pack_boxes(SEEN[0].at_ms, SEEN)
    assert len(packed) == 13 * len(SEEN)
    for before, after in zip(SEEN, unpack_boxes(SEEN[0].at_ms, packed), strict=True):
        assert after.at_ms == before.at_ms
        for name in ("x", "y", "width", "height"):
            assert getattr(after, name) == pytest.approx(getattr(before, name), abs=1 / 60_000)
        assert after.score == pytest.approx(before.score, abs=0.003)


def test_numbers_that_do_not_fit_are_clamped_and_incomplete_boxes_left_out():
    packed = pack_boxes(1000, [Sighting(500, -0.1, 1.5, 0.2, 0.2, 2.0)])
    (box,) = unpack_boxes(1000, packed + b"rest")
    assert (box.at_ms, box.x, box.y, box.score) == (1000, 0.0, 1.0, 1.0)
