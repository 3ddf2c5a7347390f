"""`plugin.events`: what a plugin may record."""

import pytest

from gateway import database
from gateway.errors import InvalidValue, NotFound
from gateway.events import plugin_events
from gateway.events.model import Event
from gateway.inventory import tenant_of
from gateway.tenancy.scopes import EVERY_TENANT
from tests.factories import make_config, make_device

pytestmark = pytest.mark.usefixtures("bound_database")

SNAPSHOT_ID = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def device(bound_database, scope, box):
    return make_device(scope, box)


@pytest.fixture
def events(bound_database):
    return plugin_events.PluginEvents("eyes", make_config(), tenant_of)


def stored(event_id):
    with database.session():
        return EVERY_TENANT.select(Event).where(Event.id == event_id).get()


def test_an_event_of_a_plugin_begins_changes_and_ends(device, events):
    event_id = events.record(
        device.id, "motion", start_ms=1000, label="person", zone="door", score=0.5, data={"boxes": [[0, 0, 1, 1]]}
    )
    row = stored(event_id)
    assert (row.change, row.plugin, row.tenant_id, row.end_ms) == ("began", "eyes", device.tenant_id, None)
    events.change(event_id, score=0.9, snapshot_id=SNAPSHOT_ID)
    assert (stored(event_id).change, stored(event_id).score) == ("changed", 0.9)
    events.change(event_id, end_ms=2000)
    fact = stored(event_id).to_fact()
    assert (fact.change, fact.end_ms, fact.label, fact.zone, fact.snapshot_id) == (
        "ended",
        2000,
        "person",
        "door",
        SNAPSHOT_ID,
    )
    assert fact.data == {"boxes": [[0, 0, 1, 1]]}


@pytest.mark.parametrize("device_id", ["22222222-2222-4222-8222-222222222222", "no id", ""])
def test_an_unknown_device_is_refused(events, device_id):
    with pytest.raises(NotFound):
        events.record(device_id, "motion", start_ms=1)
    with pytest.raises(NotFound):
        events.show(device_id, "motion", {})


@pytest.mark.parametrize(
    ("kind", "values", "name"),
    [
        ("state", {}, "kind"),
        ("Motion!", {}, "kind"),
        (None, {}, "kind"),
        ("motion", {"label": "x" * 101}, "label"),
        ("motion", {"zone": 5}, "zone"),
        ("motion", {"score": float("inf")}, "score"),
        ("motion", {"score": "high"}, "score"),
        ("motion", {"snapshot_id": "no id"}, "snapshot_id"),
        ("motion", {"data": {"a": "x" * 70_000}}, "data"),
    ],
)
def test_bad_values_are_refused(device, events, kind, values, name):
    with pytest.raises(InvalidValue) as caught:
        events.record(device.id, kind, start_ms=1, **values)
    assert caught.value.field == name


def test_only_an_events_own_fields_can_be_changed(device, events):
    event_id = events.record(device.id, "motion", start_ms=1000)
    for field in ("tenant_id", "plugin", "cursor", "kind"):
        with pytest.raises(InvalidValue):
            events.change(event_id, **{field: "x"})
    with pytest.raises(NotFound):
        events.change(event_id + 1, end_ms=2000)
    with pytest.raises(InvalidValue):
        events.change(event_id, end_ms=500)


def test_a_passing_fact_is_sent_and_not_stored(device, events, monkeypatch):
    sent = []
    monkeypatch.setattr(plugin_events, "show_passing", lambda *values, **named: sent.append((values, named)))
    events.show(device.id, "boxes", {"n": 1})
    assert sent == [((device.tenant_id, device.id, "boxes", {"n": 1}), {"plugin": "eyes"})]
