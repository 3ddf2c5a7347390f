"""The outbox: what is taken, finished, tried again and given up."""

from datetime import timedelta

import pytest

from gateway import database
from gateway.clock import utc_now
from gateway.errors import Conflict, NotFound
from gateway.tenancy.scopes import EVERY_TENANT, TenantScope
from plugins.notifications.channels.model import Channel, find_channel, note_failure
from plugins.notifications.deliveries import model
from plugins.notifications.deliveries.model import Delivery, add_delivery, find_delivery, finish, take
from plugins.notifications.retries import MAX_ATTEMPTS, PAUSES
from plugins.notifications.senders.outcome import Outcome

NOW = utc_now()
BAD = Outcome(ok=False, status=500, reason="refused", error="the receiver answered 500")
GOOD = Outcome(ok=True, status=200)


def add(scope: TenantScope, channel: Channel, **values) -> int:
    with database.transaction():
        return add_delivery(scope, channel, type="test", title="a", text="b", data={}, at=NOW, **values)


def attempt(delivery: Delivery, outcome: Outcome, now, owner="me") -> str | None:
    with database.transaction():
        return finish(delivery, owner, outcome, now, 0.0)


def test_a_delivery_is_taken_once_until_its_time_is_over(scope, make_channel):
    channel = make_channel()
    add(scope, channel)
    assert [one.id for one in model.due_channels(["webhook"], NOW)] == [channel.id]
    assert len(take(channel.id, "me", NOW, 5)) == 1
    assert take(channel.id, "other", NOW, 5) == []
    assert model.due_channels(["webhook"], NOW) == []
    later = NOW + timedelta(seconds=model.TAKEN_SECONDS + 1)
    assert len(take(channel.id, "other", later, 5)) == 1


def test_who_was_suspended_while_another_took_over_writes_nothing(scope, make_channel):
    channel = make_channel()
    delivery_id = add(scope, channel)
    (first,) = take(channel.id, "me", NOW, 1)
    later = NOW + timedelta(seconds=model.TAKEN_SECONDS + 1)
    (second,) = take(channel.id, "other", later, 1)
    assert first.message_id == second.message_id
    assert attempt(first, BAD, later) is None
    assert attempt(second, GOOD, later, "other") == "delivered"
    assert find_delivery(scope, delivery_id).state == "delivered"


def test_failures_are_tried_again_over_a_day_and_then_given_up(scope, make_channel):
    channel = make_channel()
    delivery_id = add(scope, channel)
    now, states = NOW, []
    for pause in (*PAUSES, None):
        assert take(channel.id, "me", now - timedelta(seconds=1), 1) == [] or now == NOW
        (delivery,) = take(channel.id, "me", now, 1) or [find_delivery(scope, delivery_id)]
        states.append(attempt(delivery, BAD, now))
        now += timedelta(seconds=pause or 0)
    assert states == ["pending"] * (MAX_ATTEMPTS - 1) + ["failed"]
    assert now - NOW == timedelta(hours=24)
    failed = find_delivery(scope, delivery_id)
    assert (failed.attempts, failed.status, failed.error) == (MAX_ATTEMPTS, 500, "the receiver answered 500")
    assert failed.next_try_at is None


def test_a_failed_delivery_can_be_sent_again_with_the_same_id(scope, make_channel):
    channel = make_channel()
    delivery_id = add(scope, channel)
    (delivery,) = take(channel.id, "me", NOW, 1)
    assert attempt(delivery, Outcome(ok=False, is_final=True, error="x"), NOW) == "failed"
    again = model.retry(scope, delivery_id, NOW)
    assert (again.state, again.attempts, again.message_id) == ("pending", 0, delivery.message_id)
    assert len(take(channel.id, "me", NOW, 1)) == 1


def test_a_disabled_channel_keeps_what_waits_and_is_sent_nothing(scope, make_channel):
    channel = make_channel()
    delivery_id = add(scope, channel)
    with database.transaction():
        assert note_failure(scope, channel.id, "gone", NOW, is_gone=True, give_up_days=5)
    assert find_channel(scope, channel.id).disabled_reason == "gone"
    assert model.due_channels(["webhook"], NOW) == []
    with pytest.raises(Conflict, match="disabled"):
        model.retry(scope, delivery_id, NOW)
    assert model.give_up_old(NOW + timedelta(hours=24)) == 0
    assert model.give_up_old(NOW + timedelta(hours=26)) == 1
    assert find_delivery(scope, delivery_id).reason == "too_late"


def test_a_channel_is_disabled_after_days_of_failure_and_not_before(scope, make_channel):
    channel = make_channel()
    with database.transaction():
        assert not note_failure(scope, channel.id, "x", NOW, is_gone=False, give_up_days=5)
        assert not note_failure(scope, channel.id, "x", NOW + timedelta(days=4.9), is_gone=False, give_up_days=5)
        assert note_failure(scope, channel.id, "x", NOW + timedelta(days=5), is_gone=False, give_up_days=5)
    assert not find_channel(scope, channel.id).enabled


def test_mail_takes_what_waits_for_its_first_attempt_with_what_is_due(scope, make_channel):
    channel = make_channel("mail")
    add(scope, channel, delay_seconds=30)
    assert take(channel.id, "me", NOW, 20, with_waiting=True) == []
    add(scope, channel, delay_seconds=50)
    due = NOW + timedelta(seconds=31)
    assert len(take(channel.id, "me", due, 20, with_waiting=True)) == 2


def test_an_orderly_end_gives_back_what_was_taken(scope, make_channel):
    channel = make_channel()
    add(scope, channel)
    take(channel.id, "me", NOW, 1)
    model.let_go("me")
    assert len(take(channel.id, "other", NOW, 1)) == 1


def test_what_waits_for_a_deleted_channel_is_cancelled(scope, make_channel):
    channel = make_channel()
    delivery_id = add(scope, channel)
    with database.transaction():
        model.cancel_pending(scope, channel.id, NOW)
    assert find_delivery(scope, delivery_id).state == "cancelled"


def test_finished_deliveries_are_pruned_and_waiting_ones_are_not(scope, make_channel):
    channel = make_channel()
    add(scope, channel)
    add(scope, channel)
    (delivery,) = take(channel.id, "me", NOW, 1)
    attempt(delivery, GOOD, NOW)
    assert model.prune(NOW + timedelta(seconds=1)) == 1
    assert model.count_pending(EVERY_TENANT) == {channel.id: 1}


def test_deliveries_of_another_tenant_do_not_exist(scope, make_channel):
    other = TenantScope("00000000-0000-4000-8000-0000000000aa")
    delivery_id = add(scope, make_channel())
    with pytest.raises(NotFound):
        find_delivery(other, delivery_id)
    assert model.list_deliveries(other) == ([], 0)


def test_overdue_deliveries_show_that_nobody_sends(scope, make_channel):
    add(scope, make_channel())
    assert not model.has_overdue(NOW - timedelta(seconds=1))
    assert model.has_overdue(NOW + timedelta(seconds=1))
