"""Events are objects that move, long enough, in a zone; and motion that lasts."""

import pytest

from plugins.ai_analytics.incidents import STILL_SECONDS, MotionIncidents, ObjectIncidents
from plugins.ai_analytics.motion import NONE, MotionMeter
from plugins.ai_analytics.options import DeviceOptions
from plugins.ai_analytics.tracker import Tracker
from plugins.ai_analytics.zones import Zone
from tests.plugins.ai_analytics.scenes import Scene, person

LEFT = Zone("left", ((0, 0), (0.5, 0), (0.5, 1), (0, 1)))


class World:
    def __init__(self, **options) -> None:
        self.tracker = Tracker(least_score=0.4)
        self.incidents = ObjectIncidents(DeviceOptions(**options), "objects")
        self.began, self.changed, self.ended = [], [], []
        self.at_ms = 1_000_000

    def see(self, *detections, moves: float = 0.5) -> None:
        over = self.tracker.update(self.at_ms, detections, lambda one: moves)
        found = self.incidents.update(self.at_ms, self.tracker.tracks, over)
        for kept, incidents in zip((self.began, self.changed, self.ended), found, strict=True):
            kept.extend(incidents)
        self.at_ms += 200

    def walk(self, begin: float, steps: int, *, speed: float = 0.02, **options) -> None:
        for step in range(steps):
            self.see(person(begin + speed * step, 0.3, **options))


def test_a_walker_is_one_event_from_his_first_to_his_last_sighting():
    world = World()
    world.walk(0.1, 20)
    for _ in range(20):
        world.see()
    (incident,) = world.began
    assert world.ended == [incident]
    assert incident.is_ended
    assert (incident.kind, incident.label, incident.detector) == ("object", "person", "objects")
    assert (incident.start_ms, incident.last_ms) == (1_000_000, 1_003_800)
    assert [seen.at_ms for seen in incident.fresh] == list(range(1_000_000, 1_004_000, 200))
    assert incident.best is not None
    assert incident.score == pytest.approx(0.6)


def test_what_stands_still_is_no_event_even_if_somebody_passes_it():
    world = World()
    for step in range(60):
        world.see(person(0.5, 0.3), moves=0.5 if 20 < step < 26 else 0.0)
    assert world.began == []


def test_what_flickers_up_is_no_event():
    world = World()
    world.walk(0.1, 2)
    for _ in range(20):
        world.see()
    assert world.began == []


@pytest.mark.parametrize(
    "options",
    [
        {"labels": frozenset({"car"})},
        {"min_score": 0.7},
        {"min_size": 0.3},
        {"min_seconds": 10},
        {"zones": (Zone("right", ((0.9, 0), (1, 0), (1, 1), (0.9, 1))),)},
        {"zones": (Zone("left", LEFT.points, frozenset({"car"})),)},
    ],
)
def test_what_the_options_leave_out_is_no_event(options):
    world = World(**options)
    world.walk(0.1, 20)
    assert world.began == []


def test_with_empty_labels_everything_is_wanted():
    world = World(labels=frozenset())
    world.walk(0.1, 20, label="suitcase")
    assert [incident.label for incident in world.began] == ["suitcase"]


def test_an_event_knows_all_zones_that_it_was_in():
    right = Zone("right", ((0.5, 0), (1, 0), (1, 1), (0.5, 1)))
    world = World(zones=(right, LEFT))
    world.walk(0.3, 25)
    (incident,) = world.began
    assert incident.zones == ["left", "right"]
    assert incident.zone == "left"


def test_what_has_arrived_ends_and_begins_anew_when_it_goes_on():
    world = World()
    world.walk(0.1, 15)
    for _ in range(int(STILL_SECONDS * 5) + 10):
        world.see(person(0.38, 0.3), moves=0.0)
    assert len(world.began) == len(world.ended) == 1
    world.walk(0.38, 60)
    first, second = world.began
    assert second.start_ms > first.last_ms
    assert len(world.ended) == 1


def test_open_events_end_when_the_analysis_ends():
    world = World()
    world.walk(0.1, 20)
    assert world.incidents.close() == world.began
    assert world.began[0].is_ended
    assert world.incidents.open == []


def moving(*boxes):
    meter, scene = MotionMeter(), Scene()
    for step in range(3):
        meter.measure(scene.picture(), 1000 + step)
    return meter.measure(scene.picture(*boxes), 1003)


def test_motion_is_one_event_over_short_pauses():
    incidents = MotionIncidents(DeviceOptions())
    motion = moving((100, 60, 40, 40))
    pictures = [motion] * 10 + [NONE] * 10 + [motion] * 10 + [NONE] * 30
    began, ended = [], []
    for number, one in enumerate(pictures):
        first, _, over = incidents.update(1_000_000 + 200 * number, one)
        began += first
        ended += over
    (incident,) = began
    assert ended == [incident]
    assert (incident.kind, incident.start_ms, incident.last_ms) == ("motion", 1_000_000, 1_000_000 + 200 * 29)
    assert incident.best.x == pytest.approx(100 / 320, abs=0.05)


def test_a_single_picture_with_motion_is_no_event():
    incidents = MotionIncidents(DeviceOptions())
    motion = moving((100, 60, 40, 40))
    for number, one in enumerate([motion, NONE] * 10):
        assert incidents.update(1_000_000 + 200 * number, one)[0] == []


def test_motion_outside_of_all_zones_is_no_event():
    incidents = MotionIncidents(DeviceOptions(zones=(LEFT,)))
    for number in range(10):
        assert incidents.update(1_000_000 + 200 * number, moving((250, 60, 40, 40)))[0] == []
    began = [incidents.update(1_010_000 + 200 * number, moving((50, 60, 40, 40)))[0] for number in range(10)]
    assert [incident.zones for found in began for incident in found] == [["left"]]
