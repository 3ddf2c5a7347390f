"""From events to deliveries: once each, whatever is killed."""

from datetime import timedelta

import pytest

from gateway import database
from gateway.clock import to_ms, utc_now
from gateway.events.model import change_event, record_event
from gateway.tenancy.scopes import EVERY_TENANT
from plugins.notifications import engine, services
from plugins.notifications.deliveries.model import Delivery
from plugins.notifications.engine import EngineOptions
from plugins.notifications.rules.model import Match, count_outcomes, create_rule
from plugins.notifications.services import EventReader
from plugins.notifications.texts import DEFAULT_TEXT, DEFAULT_TITLE
from tests.factories import make_device

OPTIONS = EngineOptions(batch_seconds=30)


@pytest.fixture
def reader(tables) -> EventReader:
    """A reader that has read everything so far."""
    reader = EventReader()
    read_all(reader)
    return reader


@pytest.fixture
def device(tables, scope, box):
    return make_device(scope, box, name="Gate", tags=("outside",))


@pytest.fixture
def make_rule(tables, scope):
    def make(channel=None, name="Rule", conditions=None, **settings):
        values = {
            "conditions": {"kinds": ["detection"]} | (conditions or {}),
            "channel_ids": [channel.id] if channel else [],
            "title": DEFAULT_TITLE,
            "text": DEFAULT_TEXT,
            **settings,
        }
        return create_rule(scope, name=name, enabled=True, settings=values, by="test", at=utc_now())

    return make


def read_all(reader: EventReader) -> None:
    while reader.handle_next(OPTIONS):
        pass


def written() -> list[Delivery]:
    with database.session():
        return list(EVERY_TENANT.select(Delivery).order_by(Delivery.id))


def detect(scope, device, label="person", **values) -> int:
    return record_event(scope.tenant_id, device.id, "detection", "seen", label=label, score=0.9, **values)


def test_an_event_becomes_a_delivery_with_its_texts(reader, scope, device, make_channel, make_rule):
    rule = make_rule(make_channel(), conditions={"tags": ["outside"], "labels": ["person"]})
    event_id = detect(scope, device)
    detect(scope, device, "car")
    read_all(reader)
    (delivery,) = written()
    assert (delivery.title, delivery.event_id, delivery.rule_id) == ("Gate: person", event_id, rule.id)
    assert (delivery.device_name, delivery.state, delivery.type) == ("Gate", "pending", "detection.began")


def test_events_before_the_first_rule_are_not_reported(tables, scope, device, make_channel, make_rule):
    detect(scope, device)
    make_rule(make_channel())
    read_all(EventReader())
    assert written() == []


def test_events_while_the_service_was_away_are_reported_by_the_next(reader, scope, device, make_channel, make_rule):
    make_rule(make_channel())
    detect(scope, device)
    read_all(EventReader())
    assert len(written()) == 1


def test_an_event_that_changes_is_reported_once(reader, scope, device, make_channel, make_rule):
    make_rule(make_channel())
    event_id = detect(scope, device, goes_on=True)
    read_all(reader)
    change_event(scope, event_id, score=0.95)
    read_all(reader)
    change_event(scope, event_id, end_ms=to_ms(utc_now()) + 5000)
    read_all(reader)
    assert len(written()) == 1


def test_an_event_that_matches_only_later_is_reported_then(reader, scope, device, make_channel, make_rule):
    make_rule(make_channel(), conditions={"min_score": 0.95})
    event_id = detect(scope, device, goes_on=True)
    read_all(reader)
    assert written() == []
    change_event(scope, event_id, score=0.97)
    read_all(reader)
    assert len(written()) == 1


def test_the_end_of_an_event_is_reported_to_rules_for_ends(reader, scope, device, make_channel, make_rule):
    make_rule(make_channel(), conditions={"moment": "ended"})
    event_id = detect(scope, device, goes_on=True)
    read_all(reader)
    assert written() == []
    change_event(scope, event_id, end_ms=to_ms(utc_now()) + 5000)
    read_all(reader)
    assert [delivery.title for delivery in written()] == ["Gate: person gone"]


def test_a_kill_before_the_commit_loses_and_doubles_nothing(
    reader, scope, device, make_channel, make_rule, monkeypatch
):
    make_rule(make_channel())
    detect(scope, device)

    def killed(*_arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(services.feed, "write_place", killed)
        with pytest.raises(KeyboardInterrupt):
            reader.handle_next(OPTIONS)
    assert written() == []
    read_all(reader)
    assert len(written()) == 1


def test_events_that_are_read_twice_are_reported_once(reader, scope, device, make_channel, make_rule):
    make_rule(make_channel())
    detect(scope, device)
    read_all(reader)
    with database.transaction():
        services.feed.write_place(services.feed.RULES, 0)
    read_all(EventReader())
    assert len(written()) == 1


def test_a_cooldown_suppresses_and_the_next_notification_says_how_many(
    reader, scope, device, make_channel, make_rule, box
):
    rule = make_rule(make_channel(), cooldown_seconds=60, text="{suppressed} more")
    other = make_device(scope, box)
    for _ in range(3):
        detect(scope, device)
    detect(scope, other)
    read_all(reader)
    assert [delivery.device_name for delivery in written()] == ["Gate", other.name]
    with database.transaction():
        EVERY_TENANT.update(Match, at_ms=Match.at_ms - 61_000).execute()
    detect(scope, device)
    read_all(reader)
    assert written()[-1].text == "2 more"
    assert count_outcomes(scope, [rule.id], 0) == {rule.id: {"sent": 3, "cooldown": 2, "quiet": 0, "late": 0}}


def test_quiet_hours_and_events_of_long_ago_are_counted_and_not_sent(reader, scope, device, make_channel, make_rule):
    quiet = {day: [["00:00", "24:00"]] for day in ("monday", "tuesday", "wednesday", "thursday", "friday")}
    quiet |= {day: [["00:00", "24:00"]] for day in ("saturday", "sunday")}
    rule = make_rule(make_channel(), quiet_hours=quiet)
    detect(scope, device)
    detect(scope, device, at=utc_now() - timedelta(hours=25))
    read_all(reader)
    assert written() == []
    assert count_outcomes(scope, [rule.id], 0)[rule.id] == {"sent": 0, "cooldown": 0, "quiet": 1, "late": 1}


def test_each_channel_of_a_rule_gets_its_own_delivery_and_mail_waits_for_more(
    reader, scope, device, make_channel, make_rule
):
    webhook, mail = make_channel(), make_channel("mail")
    make_rule(webhook, channel_ids=[webhook.id, mail.id, "00000000-0000-4000-8000-0000000000cc"])
    detect(scope, device)
    read_all(reader)
    first, second = written()
    assert (first.kind, second.kind) == ("webhook", "mail")
    assert second.next_try_at - first.next_try_at == timedelta(seconds=30)


def test_a_rule_with_pictures_waits_a_moment_for_one(reader, scope, device, make_channel, make_rule):
    make_rule(make_channel(), picture=True)
    detect(scope, device)
    read_all(reader)
    (delivery,) = written()
    assert (delivery.next_try_at - delivery.created_at).total_seconds() == engine.PICTURE_WAIT_SECONDS


def test_events_without_a_device_are_reported(reader, scope, make_channel, make_rule):
    make_rule(make_channel(), conditions={"kinds": ["health"]})
    record_event(scope.tenant_id, None, "health", "disk is full", to_state="down")
    read_all(reader)
    (delivery,) = written()
    assert (delivery.title, delivery.device_id) == ("health down", None)


def test_rules_of_another_tenant_see_nothing(reader, scope, device, make_channel, make_rule):
    rule = make_rule(make_channel())
    other = "00000000-0000-4000-8000-0000000000aa"
    with database.transaction() as db:
        mark = db.param
        db.execute_sql(f"INSERT INTO tenants SELECT {mark}, 'other', created_at FROM tenants LIMIT 1", (other,))
        db.execute_sql(f"UPDATE notifications_rules SET tenant_id = {mark} WHERE id = {mark}", (other, rule.id))
    detect(scope, device)
    read_all(reader)
    assert written() == []


def test_matches_are_pruned_once_no_cooldown_needs_them(reader, scope, device, make_channel, make_rule):
    make_rule(make_channel())
    detect(scope, device)
    read_all(reader)
    assert engine.prune_matches(utc_now()) == 0
    assert engine.prune_matches(utc_now() + timedelta(days=4)) == 1
