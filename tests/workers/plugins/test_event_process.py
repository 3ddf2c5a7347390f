"""Events are reported to plugins, and changes of the service's health become events."""

import pytest

from gateway import database
from gateway.clock import FakeClock
from gateway.events.model import HEALTH, Event, change_event, record_event
from gateway.hookspecs import hookimpl
from gateway.tenancy.scopes import EVERY_TENANT
from gateway.tenancy.tenants import DEFAULT_TENANT_ID
from tests.factories import no_plugins
from workers.plugins.event_reports import EventReports
from workers.plugins.health_watch import LOOK_SECONDS, HealthWatch

pytestmark = [
    pytest.mark.usefixtures("bound_database"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


class Recorder:
    """A plugin that keeps what it hears."""

    def __init__(self, error=None):
        self.heard = []
        self._error = error

    @hookimpl
    def on_event(self, event):
        self.heard.append((event.text, event.change))
        if self._error:
            raise self._error


def test_a_plugin_hears_of_each_event_and_one_that_fails_disturbs_no_other():
    manager = no_plugins()
    good, bad = Recorder(), Recorder(SystemExit(1))
    manager.register(bad, name="bad")
    manager.register(good, name="good")
    reports = EventReports(manager)
    record_event(DEFAULT_TENANT_ID, None, "motion", "before")
    reports.turn()
    event_id = record_event(DEFAULT_TENANT_ID, None, "motion", "a", goes_on=True)
    reports.turn()
    change_event(EVERY_TENANT, event_id, end_ms=10**13)
    reports.turn()
    assert good.heard == bad.heard == [("a", "began"), ("a", "ended")]


class TestHealthWatch:
    @pytest.fixture
    def clock(self):
        return FakeClock()

    @pytest.fixture
    def states(self):
        return {"redis": "ok", "disk": "ok"}

    @pytest.fixture
    def look(self, clock, states):
        def answer(_checks):
            about = {"reason": "it is full", "remedy": "make room"}
            return {"components": {name: {"status": status, **about} for name, status in states.items()}}

        watches = [HealthWatch([], clock, answer)]

        def look(*, is_new=False):
            if is_new:
                watches[0] = HealthWatch([], clock, answer)
            clock.advance(LOOK_SECONDS)
            watches[0].turn()
            with database.session():
                rows = EVERY_TENANT.select(Event).where(Event.kind == HEALTH).order_by(Event.id)
                return [(row.label, row.from_state, row.to_state) for row in rows]

        return look

    def test_a_change_counts_when_it_is_seen_twice(self, look, states):
        assert look() == []
        states["disk"] = "degraded"
        assert look() == []
        assert look() == [("disk", "ok", "degraded")]
        assert look() == [("disk", "ok", "degraded")]
        states["disk"] = "ok"
        look()
        assert look()[1:] == [("disk", "degraded", "ok")]

    def test_what_lasts_for_one_look_is_no_event(self, look, states):
        states["redis"] = "down"
        look()
        states["redis"] = "ok"
        look()
        assert look() == []

    def test_a_restart_repeats_nothing(self, look, states):
        states["disk"] = "down"
        look()
        assert len(look()) == 1
        look(is_new=True)
        assert len(look()) == 1
