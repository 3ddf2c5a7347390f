"""Pictures become findings: motion at once, objects when their detector has answered."""

from types import SimpleNamespace

import pytest

from gateway.detectors import Detection, Frame
from plugins.ai_analytics.detectors.runner import Answer
from plugins.ai_analytics.options import DeviceOptions
from plugins.ai_analytics.pipeline import Pipeline
from tests.plugins.ai_analytics.scenes import Scene

START = 1_750_000_000.0


class FakeRunner:
    """Sees what it is told, `late` pictures after it was offered."""

    def __init__(self, late: int = 0) -> None:
        self.late = late
        self.frames: list[Frame] = []
        self.sees: list[Detection] = []
        self.is_broken = False
        self._waiting: list[Answer] = []

    def is_free(self, device_id: str) -> bool:
        return not self.is_broken

    def offer(self, device_id: str, frame: Frame) -> bool:
        self.frames.append(frame)
        self._waiting.append(Answer(frame.at_ms, list(self.sees)))
        return True

    def take(self, device_id: str) -> list[Answer]:
        ready = self._waiting[: len(self._waiting) - self.late]
        self._waiting = self._waiting[len(ready) :]
        return ready


class FakePicture:
    def __init__(self, at: float, grey) -> None:
        self.at = at
        self._grey = grey
        self.is_scaled = False

    def grey(self, width: int, height: int):
        return self._grey

    def rgb(self, width: int, height: int):
        self.is_scaled = True
        return width, height, b""


class World:
    def __init__(self, late: int = 0, **options) -> None:
        self.runner = FakeRunner(late)
        detector = SimpleNamespace(name="objects", width=300, height=300)
        self.pipeline = Pipeline("d1", DeviceOptions(**options), {"objects": (detector, self.runner)})
        self.scene = Scene()
        self.number = 0
        self.began, self.ended, self.shown = [], [], []

    def look(self, *boxes: tuple[int, int, int, int]) -> FakePicture:
        picture = FakePicture(START + self.number / 5, self.scene.picture(*boxes))
        self.runner.sees = [Detection("person", 0.8, x / 320, y / 180, w / 320, h / 180) for x, y, w, h in boxes]
        self.take(self.pipeline.look(picture))
        self.number += 1
        return picture

    def take(self, findings) -> None:
        self.began += findings.began
        self.ended += findings.ended
        self.shown += findings.shown

    def walk(self, steps: int) -> None:
        for step in range(steps):
            self.look((20 + 6 * step, 80, 14, 40))

    def kinds(self) -> list[str]:
        return [incident.kind for incident in self.began]


@pytest.mark.parametrize("late", [0, 2])
def test_a_walker_is_an_event_of_motion_and_one_of_an_object(late):
    world = World(late)
    for _ in range(3):
        world.look()
    world.walk(20)
    for _ in range(25):
        world.look()
    world.take(world.pipeline.collect(round((START + 20) * 1000)))
    assert sorted(world.kinds()) == ["motion", "object"]
    assert len(world.ended) == 2
    walker = next(incident for incident in world.began if incident.kind == "object")
    assert walker.start_ms == pytest.approx((START + 0.8) * 1000, abs=250)
    boxes = [box for shown in world.shown for box in shown["boxes"] if box["is_event"]]
    assert boxes[0]["label"] == "person"
    assert {shown["detector"] for shown in world.shown} == {"objects"}


def test_detectors_get_nothing_while_nothing_moves():
    world = World()
    pictures = [world.look() for _ in range(20)]
    assert world.runner.frames == []
    assert not any(picture.is_scaled for picture in pictures)


def test_while_somebody_stands_still_the_detector_is_asked_now_and_then():
    world = World()
    for _ in range(3):
        world.look()
    world.walk(15)
    before = len(world.runner.frames)
    for _ in range(50):
        world.look((20 + 6 * 14, 80, 14, 40))
    asked = len(world.runner.frames) - before
    assert 8 <= asked <= 18
    assert "object" in world.kinds()
    assert [incident.kind for incident in world.ended] == ["motion"]


def test_a_detector_that_rests_costs_no_motion():
    world = World()
    world.runner.is_broken = True
    world.look()
    world.walk(10)
    assert world.kinds() == ["motion"]
    assert world.runner.frames == []


def test_the_rates_of_a_detector_say_what_it_does_not_take():
    world = World()
    world.look()
    world.walk(10)
    (rate,) = world.pipeline.detector_rates(START + world.number / 5)
    assert rate["name"] == "objects"
    assert rate["given_fps"] == rate["wanted_fps"] > 0
    world.runner.is_broken = True
    world.walk(10)
    (rate,) = world.pipeline.detector_rates(START + world.number / 5)
    assert rate["given_fps"] < 0.7 * rate["wanted_fps"]
    (rate,) = world.pipeline.detector_rates(START + 100)
    assert rate["wanted_fps"] == 0


def test_motion_is_no_event_if_it_is_not_wanted():
    world = World(motion_events=False)
    world.look()
    world.walk(10)
    assert world.kinds() == ["object"]


def test_what_goes_on_ends_with_the_analysis():
    world = World()
    world.look()
    world.walk(10)
    world.take(world.pipeline.close())
    assert {id(one) for one in world.ended} == {id(one) for one in world.began}
    assert all(incident.is_ended for incident in world.ended)
