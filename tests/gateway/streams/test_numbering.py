"""Media sequence numbers never go back: they grow no faster than time, from which a lost bus begins anew."""

import random

import pytest

from gateway.media import Part
from gateway.streams import numbering
from gateway.streams.numbering import MAX_SEGMENT_SECONDS, SegmentNumbering

NOON = 1_773_230_400.0
HOUR = 3600


class Camera:
    """Parts of a camera whose groups of pictures have one length, each a part; numbered by an owner."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, now: float = NOON, min_start: float = 0.0) -> None:
        self.now, self.run, self.sequence = now, 1, 0
        self.min_start = min_start
        monkeypatch.setattr(numbering.time, "time", lambda: self.now)
        self.owner = self.new_owner()
        self.numbered: list[Part] = []

    def new_owner(self) -> SegmentNumbering:
        return SegmentNumbering(lambda: self.min_start)

    def send(self, duration: float, *, is_key: bool = True) -> Part:
        self.sequence += 1
        part = Part("d1", self.run, self.sequence, self.now, duration, is_key, 1, b"")
        self.numbered.append(self.owner.number(part))
        self.now += duration
        return self.numbered[-1]

    def restart(self, away_seconds: float) -> None:
        self.run, self.sequence, self.now = self.run + 1, 0, self.now + away_seconds

    def replace_owner(self, *, is_bus_lost: bool = False) -> None:
        self.owner = self.new_owner()
        self.owner.continue_from(None if is_bus_lost else self.numbered[-1])

    @property
    def numbers(self) -> list[int]:
        return [part.segment for part in self.numbered]


@pytest.mark.parametrize("group_seconds", [0.96, 0.5, 0.951, 0.99, 1.0, 1.001, 1.04, 1.92, 3.9, 0.04])
def test_after_hours_a_lost_bus_begins_above_all_earlier_numbers(monkeypatch, group_seconds):
    camera = Camera(monkeypatch, now=NOON + 0.7)
    while camera.now < NOON + 3 * HOUR:
        camera.send(group_seconds)
    camera.restart(2)
    camera.replace_owner(is_bus_lost=True)
    camera.send(group_seconds)
    assert camera.numbers == sorted(camera.numbers)
    assert camera.numbers[-1] > camera.numbers[-2]


def test_groups_of_nearly_a_second_still_make_segments_of_a_second(monkeypatch):
    camera = Camera(monkeypatch)
    while camera.now < NOON + HOUR:
        camera.send(0.96)
    count = camera.numbers[-1] - camera.numbers[0]
    assert 0.99 * HOUR < count <= HOUR


def test_restarts_of_camera_and_worker_do_not_let_numbers_overtake_time(monkeypatch):
    chance = random.Random(1)
    camera = Camera(monkeypatch)
    while camera.now < NOON + HOUR:
        for _ in range(chance.randrange(1, 6)):
            camera.send(chance.choice((0.96, 0.3, 1.0)))
        camera.restart(chance.random())
        if chance.random() < 0.3:
            camera.replace_owner()
    assert camera.numbers == sorted(camera.numbers)
    assert camera.numbers[-1] <= camera.now + 2


def test_a_segment_stays_within_its_maximum(monkeypatch):
    camera = Camera(monkeypatch)
    starts = {}
    for _ in range(5000):
        part = camera.send(0.48, is_key=camera.sequence % 2 == 0)
        starts.setdefault(part.segment, part.start)
        assert part.start + part.duration - starts[part.segment] <= MAX_SEGMENT_SECONDS


def test_a_clock_that_goes_back_does_not_take_numbers_with_it(monkeypatch):
    camera = Camera(monkeypatch)
    for _ in range(10):
        camera.send(1.0)
    camera.restart(-HOUR)
    for _ in range(10):
        camera.send(1.0)
    assert camera.numbers == sorted(camera.numbers)
    assert camera.numbers[-1] - camera.numbers[10] == 9, "segments still last a second"


def test_after_a_boot_with_a_clock_that_is_behind_numbers_begin_at_the_last_known_time(monkeypatch):
    camera = Camera(monkeypatch, now=86_400.0, min_start=NOON)
    for _ in range(5):
        camera.send(1.0)
    assert camera.numbers == [int(NOON) + number for number in range(5)]
