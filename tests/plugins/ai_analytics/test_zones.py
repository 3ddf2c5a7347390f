"""Zones hold what stands in them; masks cover the cells inside them."""

import pytest

from plugins.ai_analytics.zones import Zone, draw_mask, find_crossing, is_inside

TRIANGLE = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))
#: Its notch, from above down to the centre, is outside.
NOTCHED = ((0.0, 0.0), (0.4, 0.0), (0.5, 0.5), (0.6, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


@pytest.mark.parametrize(
    ("points", "x", "y", "expected"),
    [
        (TRIANGLE, 0.2, 0.2, True),
        (TRIANGLE, 0.8, 0.8, False),
        (TRIANGLE, -0.1, 0.5, False),
        (NOTCHED, 0.5, 0.2, False),
        (NOTCHED, 0.5, 0.7, True),
        (NOTCHED, 0.2, 0.2, True),
    ],
)
def test_a_point_is_inside_or_outside_of_a_polygon(points, x, y, expected):
    assert is_inside(points, x, y) is expected


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        (TRIANGLE, None),
        (NOTCHED, None),
        (((0, 0), (0.5, 0), (1, 0), (1, 1)), None),
        (((0, 0), (1, 1), (1, 0), (0, 1)), (0, 2)),
        (((0, 0), (1, 0), (1, 1), (0.5, 0), (0, 1)), (0, 2)),
        (((0, 0), (1, 1), (0.5, 0.5), (0, 1)), (0, 1)),
        (((0, 0), (0, 0), (1, 0), (1, 1)), (0, 1)),
    ],
)
def test_edges_that_meet_elsewhere_than_at_their_corner_are_found(points, expected):
    assert find_crossing(points) == expected


def test_a_zone_of_labels_holds_no_other_ones():
    zone = Zone("gate", TRIANGLE, frozenset({"person"}))
    assert zone.holds("person", 0.1, 0.1)
    assert not zone.holds("car", 0.1, 0.1)
    assert Zone("gate", TRIANGLE).holds("car", 0.1, 0.1)


def test_a_mask_has_the_cells_whose_centre_is_inside():
    mask = draw_mask([((0, 0), (0.5, 0), (0.5, 1), (0, 1)), ((0.9, 0.9), (1, 0.9), (1, 1), (0.9, 1))], 10, 10)
    assert mask[:, :5].all()
    assert mask[9, 9]
    assert mask.sum() == 51
    for row in range(10):
        for column in range(10):
            centre = ((column + 0.5) / 10, (row + 0.5) / 10)
            assert draw_mask([NOTCHED], 10, 10)[row, column] == is_inside(NOTCHED, *centre)
