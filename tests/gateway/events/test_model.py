"""Events: how they are written and changed."""

from datetime import timedelta

import pytest

from gateway import database
from gateway.clock import to_ms, utc_now
from gateway.errors import InvalidValue, NotFound
from gateway.events import model
from gateway.events.model import (
    Event,
    change_event,
    change_referenced,
    events_of,
    prune_events,
    record_event,
    record_events,
    transitions_between,
)
from gateway.tenancy.scopes import EVERY_TENANT
from gateway.tenancy.tenants import DEFAULT_TENANT_ID
from tests.factories import make_device

pytestmark = pytest.mark.usefixtures("bound_database")

OTHER = "99999999-9999-4999-8999-999999999999"


@pytest.fixture
def device(bound_database, scope, box):
    return make_device(scope, box)


def feed():
    with database.session():
        return list(EVERY_TENANT.select(Event).where(Event.kind == "motion").order_by(Event.cursor))


def test_an_event_that_changes_moves_to_the_end_of_the_feed(device):
    first = record_event(device.tenant_id, device.id, "motion", start_ms=1000, goes_on=True)
    second = record_event(device.tenant_id, device.id, "motion", start_ms=2000)
    change_event(EVERY_TENANT, first, end_ms=3000)
    assert [(event.id, event.change, event.end_ms) for event in feed()] == [
        (second, "recorded", 2000),
        (first, "ended", 3000),
    ]


def test_events_of_one_statement_have_cursors_of_their_own(device):
    one = {"tenant_id": device.tenant_id, "device_id": device.id, "kind": "motion"}
    record_events([one | {"label": "person"}, one | {"start_ms": 5, "data": {"a": 1}}, one])
    assert len({event.cursor for event in feed()}) == 3
    assert [event.label for event in feed()] == ["person", None, None]


def test_those_who_follow_are_woken_after_the_commit_and_once(device, monkeypatch):
    rings = []
    monkeypatch.setattr(model, "ring", lambda: rings.append(len(feed())))
    with database.transaction():
        record_event(device.tenant_id, device.id, "motion")
        with database.transaction():
            record_event(device.tenant_id, device.id, "motion")
        assert rings == []
    assert rings == [2]


def test_nobody_is_woken_for_what_was_rolled_back(device, monkeypatch):
    rings = []
    monkeypatch.setattr(model, "ring", lambda: rings.append(1))

    def fail():
        with database.transaction():
            record_event(device.tenant_id, device.id, "motion")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with database.transaction():
        pass
    assert rings == []
    assert feed() == []


def test_an_event_of_another_plugin_cannot_be_changed(device):
    event_id = record_event(device.tenant_id, device.id, "motion", plugin="one", goes_on=True)
    with pytest.raises(NotFound):
        change_event(EVERY_TENANT, event_id, plugin="two", end_ms=to_ms(utc_now()))


def test_the_newest_event_of_an_object_is_changed_by_its_id(device):
    record_event(device.tenant_id, device.id, "job", reference="a", to_state="done")
    newest = record_event(device.tenant_id, device.id, "job", reference="a", to_state="queued", goes_on=True)
    assert change_referenced("job", "a", to_state="running")
    assert not change_referenced("clip", "a", to_state="running")
    with database.session():
        changed = EVERY_TENANT.select(Event).where(Event.to_state == "running").get()
    assert (changed.id, changed.change) == (newest, "changed")


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"data": {"a": "x" * (1 << 20)}}, "data"),
        ({"data": {"a": float("nan")}}, "data"),
        ({"data": {"a": object()}}, "data"),
        ({"start_ms": -1}, "start_ms"),
        ({"start_ms": 10**18}, "start_ms"),
        ({"start_ms": 5, "end_ms": 4}, "end_ms"),
        ({"start_ms": "now"}, "start_ms"),
    ],
)
def test_bad_values_are_refused_and_nothing_is_stored(device, values, name):
    with pytest.raises(InvalidValue) as caught:
        record_event(device.tenant_id, device.id, "motion", **values)
    assert caught.value.field == name
    assert feed() == []


def test_transitions_are_read_by_time(device):
    for at in (1000, 2000, 3000):
        record_event(device.tenant_id, device.id, "state", start_ms=at, to_state="running")
    record_event(device.tenant_id, device.id, "motion", start_ms=2500)

    def times(**options):
        return [event.start_ms for event in transitions_between(EVERY_TENANT, device.id, 1000, 3000, **options)]

    assert times(limit=5) == [1000, 2000]
    assert times(limit=1) == [1000]
    assert times(limit=1, is_newest=True) == [2000]


def test_old_events_are_pruned_also_those_without_a_device(device):
    now = utc_now()
    record_event(DEFAULT_TENANT_ID, None, "health", at=now - timedelta(days=2))
    record_event(device.tenant_id, device.id, "motion", at=now)
    assert prune_events(now - timedelta(days=1)) == 1
    assert len(feed()) == 1


def test_the_history_of_a_device_is_in_order_of_time(device, scope):
    record_event(device.tenant_id, device.id, "motion", "late", start_ms=2000)
    record_event(device.tenant_id, device.id, "motion", "early", start_ms=1000)
    with database.session():
        assert [event.text for event in events_of(scope, device.id, ["motion"])] == ["late", "early"]
