"""Incidents become events with boxes, and start what rules say; a database that is away costs nothing."""

import pytest

from gateway import database
from gateway.captures.bookmarks import Bookmark
from gateway.captures.queue import CaptureAnswer, CaptureRequest
from gateway.clock import FakeClock, utc_now
from gateway.events.model import Event
from gateway.events.plugin_events import PluginEvents
from gateway.footage.recordings import Recording, RecordingEvent
from gateway.inventory import tenant_of
from gateway.outputs import DeviceContext
from gateway.tenancy.scopes import EVERY_TENANT
from plugins.ai_analytics.incidents import Incident
from plugins.ai_analytics.model import Boxes, boxes_between, boxes_of_event, prune_boxes
from plugins.ai_analytics.options import Rule
from plugins.ai_analytics.tracker import Sighting
from plugins.ai_analytics.writer import EventWriter, end_forgotten
from tests.factories import make_config

START = 1_750_000_000_000


class FakeCaptures:
    """A snapshot worker that answers when it is told."""

    def __init__(self) -> None:
        self.sent: list[CaptureRequest] = []
        self.answers: dict[str, CaptureAnswer] = {}

    def send(self, request: CaptureRequest, *, keep_seconds: float) -> None:
        self.sent.append(request)

    def collect(self, request_id: str) -> CaptureAnswer | None:
        return self.answers.pop(request_id, None)

    def answer(self, reason: str | None = None) -> None:
        self.answers[self.sent[-1].id] = CaptureAnswer(reason=reason)


class World:
    def __init__(self, device: DeviceContext) -> None:
        self.device = device
        self.clock = FakeClock()
        self.captures = FakeCaptures()
        self.events = PluginEvents("ai_analytics", make_config(), tenant_of)
        self.writer = EventWriter(self.events, lambda: self.captures, self.clock, is_threaded=False)
        self.incident = Incident(
            "object", "person", START, START + 1000, 0.8, ["gate"], see(1000), "objects", [see(0), see(1000)]
        )

    def put(self, *actions: str, **options) -> None:
        self.writer.put(self.device, (Rule(frozenset(actions), **options),), self.incident)
        self.writer.write_all()

    def go_on(self, *actions: str, at: int, is_ended: bool = False) -> None:
        """Another sighting, so many ms after the first."""
        self.incident.fresh.append(see(at))
        self.incident.last_ms, self.incident.is_ended = START + at, is_ended
        self.clock.advance(11)
        self.put(*actions)

    @property
    def event(self) -> Event:
        (event,) = rows(Event, Event.kind.in_(["object", "motion"]))
        return event


def see(at: int) -> Sighting:
    return Sighting(START + at, 0.25, 0.5, 0.125, 0.25, 0.8)


def rows(model, *conditions) -> list:
    with database.session():
        return list(EVERY_TENANT.select(model).where(*conditions, True))


@pytest.fixture
def world(device):
    return World(device)


def test_an_incident_is_one_event_that_begins_goes_on_and_ends_with_all_its_boxes(world):
    world.put("snapshot")
    assert (world.event.change, world.event.end_ms, world.event.label, world.event.zone) == (
        "began", None, "person", "gate",
    )  # fmt: skip
    world.go_on(at=2000)
    world.go_on(at=3000, is_ended=True)
    event = world.event
    assert (event.start_ms, event.end_ms, event.score, event.plugin) == (START, START + 3000, 0.8, "ai_analytics")
    assert event.to_fact().data["box"] == [0.25, 0.5, 0.125, 0.25]
    found = boxes_of_event(EVERY_TENANT, event.id, limit=100)
    assert [box.at_ms - START for box in found] == [0, 1000, 2000, 3000]
    assert found[0].x == pytest.approx(0.25, abs=0.0001)


def test_motion_has_no_label_and_no_boxes(world):
    world.incident.kind, world.incident.label, world.incident.fresh = "motion", "motion", []
    world.incident.is_ended = True
    world.put()
    assert (world.event.label, world.event.kind, world.event.end_ms) == (None, "motion", START + 1000)
    assert rows(Boxes) == []
    assert world.writer.waiting == 0


def test_footage_is_wanted_from_its_beginning_until_its_end(world):
    world.put("record")
    (recorded,) = rows(RecordingEvent)
    assert (recorded.at_ms, recorded.label, recorded.source) == (START, "person", "ai_analytics")
    (before,) = rows(Recording)
    assert before.event_until_ms > START + 10_000
    world.go_on("record", at=60_000)
    (goes_on,) = rows(Recording)
    assert goes_on.event_until_ms > START + 70_000
    world.go_on("record", at=61_000, is_ended=True)
    (recorded,) = rows(RecordingEvent)
    assert START + 61_000 <= recorded.end_ms <= START + 81_000


def test_a_picture_is_taken_of_the_best_moment_and_joins_the_event(world):
    world.put("snapshot")
    assert world.captures.sent == []
    world.go_on("snapshot", at=4000)
    (request,) = world.captures.sent
    assert (request.at_ms, request.kind, request.tags) == (START + 1000, "historical", ("person",))
    world.captures.answer()
    world.go_on("snapshot", at=5000)
    assert world.event.snapshot_id == request.id
    world.go_on("snapshot", at=6000, is_ended=True)
    assert len(world.captures.sent) == 1
    assert world.writer.waiting == 0


@pytest.mark.parametrize("answers", [True, False])
def test_a_picture_that_cannot_be_taken_is_not_waited_for(world, answers):
    world.incident.is_ended = True
    world.put("snapshot")
    if answers:
        world.captures.answer("no_footage")
    world.clock.advance(60)
    world.writer.write_all()
    assert world.event.snapshot_id is None
    assert world.writer.waiting == 0


def test_a_bookmark_is_made_once_and_covers_the_event(world):
    world.put("bookmark")
    assert rows(Bookmark) == []
    world.go_on("bookmark", at=8000, is_ended=True)
    world.writer.write_all()
    (bookmark,) = rows(Bookmark)
    assert bookmark.title == "Person in gate"
    assert bookmark.at_ms - bookmark.before_ms <= START
    assert bookmark.at_ms + bookmark.after_ms >= START + 8000


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({}, 1),
        ({"labels": frozenset({"person"})}, 1),
        ({"labels": frozenset({"car"})}, 0),
        ({"zones": frozenset({"gate", "door"})}, 1),
        ({"zones": frozenset({"door"})}, 0),
        ({"min_score": 0.9}, 0),
    ],
)
def test_rules_choose_by_label_zone_and_score(world, rule, expected):
    world.put("record", **rule)
    assert len(rows(RecordingEvent)) == expected


def test_a_database_that_is_away_costs_nothing(world, monkeypatch):
    def refuse(*_values, **_options):
        raise database.DatabaseUnavailable("the database does not answer")

    for name in ("record", "change"):
        with monkeypatch.context() as patch:
            patch.setattr(world.events, name, refuse)
            world.put("record")
            world.go_on("record", at=2000 if name == "record" else 4000)
            assert world.writer.problem is not None
        world.clock.advance(11)
        world.writer.write_all()
    world.go_on("record", at=5000, is_ended=True)
    assert world.writer.problem is None
    assert world.event.end_ms == START + 5000
    found = boxes_of_event(EVERY_TENANT, world.event.id, limit=100)
    assert [box.at_ms - START for box in found] == [0, 1000, 2000, 4000, 5000]
    assert len(rows(RecordingEvent)) == 1


def test_the_event_of_a_deleted_device_is_given_up(world):
    world.device = DeviceContext("00000000-0000-4000-8000-00000000dead", world.device.tenant_id, "gone")
    world.put("record")
    assert world.writer.waiting == 0
    assert rows(Event, Event.kind == "object") == []


def test_events_whose_process_died_are_ended_at_their_last_sign(world):
    world.put()
    world.go_on(at=3000)
    end_forgotten(world.device.id, world.events)
    assert (world.event.end_ms, world.event.change) == (START + 3000, "ended")


def test_boxes_of_a_time_are_found_by_event_and_bounded(world):
    world.incident.fresh = [see(200 * step) for step in range(1000)]
    world.incident.last_ms, world.incident.is_ended = START + 199_800, True
    world.put()
    (found,), has_more = boxes_between(EVERY_TENANT, world.device.id, START + 100_000, START + 101_000, limit=100)
    assert not has_more
    assert [box.at_ms - START for box in found.boxes] == [100_000, 100_200, 100_400, 100_600, 100_800]
    assert (found.event_id, found.label) == (world.event.id, "person")
    _, has_more = boxes_between(EVERY_TENANT, world.device.id, START, START + 200_000, limit=400)
    assert has_more
    assert prune_boxes(utc_now()) == 4
    assert boxes_between(EVERY_TENANT, world.device.id, START, START + 200_000, limit=400) == ([], False)
