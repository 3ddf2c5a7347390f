"""What moves is found where it moves; noise, light and what has been left behind are no motion."""

import numpy as np
import pytest

from plugins.ai_analytics.motion import MotionMeter
from tests.plugins.ai_analytics.scenes import Scene


def measure(meter: MotionMeter, scene: Scene, boxes_of_pictures, *, fps: float = 5.0, begin: int = 0, **options):
    return [
        meter.measure(scene.picture(*boxes, **options), 1000 + (begin + number) / fps)
        for number, boxes in enumerate(boxes_of_pictures)
    ]


def test_nothing_moves_in_a_noisy_picture():
    assert not any(found.regions for found in measure(MotionMeter(), Scene(noise=5), [()] * 50))


def test_a_walker_is_one_region_around_him_in_each_picture():
    walk = [((20 + 6 * step, 80, 14, 40),) for step in range(30)]
    found = measure(MotionMeter(), Scene(), [(), (), *walk])[3:]
    for step, motion in enumerate(found, 1):
        (region,) = motion.regions
        x = (20 + 6 * step) / 320
        assert region.x == pytest.approx(x, abs=0.04)
        assert region.x + region.width == pytest.approx(x + 14 / 320, abs=0.04)
        assert region.y == pytest.approx(80 / 180, abs=0.05)
        assert region.height == pytest.approx(40 / 180, abs=0.06)
        assert motion.share_in(x, 80 / 180, 14 / 320, 40 / 180) > 0.7
        assert motion.share_in(0.8, 0.1, 0.1, 0.1) == 0


def test_two_walkers_are_two_regions():
    walk = [((20 + 6 * step, 40, 14, 40), (280 - 6 * step, 110, 14, 40)) for step in range(10)]
    assert all(len(found.regions) == 2 for found in measure(MotionMeter(), Scene(), [(), *walk])[2:])


def test_what_is_left_behind_or_uncovered_stops_moving():
    meter, scene = MotionMeter(), Scene()
    measure(meter, scene, [()] * 3)
    stands = measure(meter, scene, [((100, 60, 30, 50),)] * 40, begin=3)
    assert stands[0].regions
    assert not any(found.regions for found in stands[2:])
    gone = measure(meter, scene, [()] * 10, begin=43)
    assert not any(found.regions for found in gone[2:])


def test_a_change_of_light_is_no_motion():
    meter, scene = MotionMeter(), Scene()
    measure(meter, scene, [()] * 3)
    assert not any(found.regions for found in measure(meter, scene, [()] * 20, begin=3, light=70))
    assert measure(meter, scene, [((50, 50, 30, 50),)], begin=23, light=70)[0].regions


def test_slow_changes_of_light_are_no_motion():
    meter, scene = MotionMeter(), Scene()
    for step in range(100):
        assert not meter.measure(scene.picture(light=step // 5), 1000 + step / 5).regions


def test_nothing_moves_in_a_mask():
    meter, scene = MotionMeter(masks=[((0, 0), (0.5, 0), (0.5, 1), (0, 1))]), Scene()
    measure(meter, scene, [()] * 2)
    left, right = measure(meter, scene, [((50, 60, 20, 40),), ((250, 60, 20, 40),)], begin=2)
    assert not left.regions
    assert [region.x > 0.5 for region in right.regions] == [True]


def test_sensitivity_decides_what_faint_and_small_things_are():
    def sees(sensitivity: int, side: int, value: int) -> bool:
        meter, scene = MotionMeter(sensitivity=sensitivity), Scene(noise=0)
        scene.background[:] = 100
        measure(meter, scene, [()] * 2)
        return bool(measure(meter, scene, [((100, 60, side, side),)], begin=2, value=value)[0].regions)

    assert sees(1, 60, 150)
    assert not sees(1, 60, 120)
    assert sees(50, 30, 120)
    assert not sees(50, 8, 200)
    assert sees(100, 12, 110)


def test_a_clock_that_is_set_back_begins_anew():
    meter, scene = MotionMeter(), Scene()
    measure(meter, scene, [()] * 3)
    assert not meter.measure(scene.picture((50, 50, 40, 60)), 500.0).regions
    assert meter.measure(scene.picture((150, 50, 40, 60)), 500.2).regions


def test_key_frames_two_seconds_apart_show_a_walker_as_well():
    walk = [((20 + 40 * step, 80, 14, 40),) for step in range(6)]
    for motion in measure(MotionMeter(), Scene(), [(), *walk], fps=0.5)[2:]:
        assert len(motion.regions) == 1


def test_the_cells_are_those_of_the_regions():
    meter, scene = MotionMeter(), Scene()
    measure(meter, scene, [()] * 2)
    (found,) = measure(meter, scene, [((100, 60, 40, 40),)], begin=2)
    assert found.area == pytest.approx(np.count_nonzero(found.cells) / found.cells.size)
    assert sum(region.cells for region in found.regions) == np.count_nonzero(found.cells)
