"""The services have work only with rules, deliveries or brokers; nothing is lost while they have no process."""

from gateway import database
from gateway.clock import utc_now
from gateway.tenancy.scopes import EVERY_TENANT
from plugins.notifications.channels.model import Channel
from plugins.notifications.deliveries.model import Delivery
from plugins.notifications.needs import has_brokers, has_work
from plugins.notifications.rules.model import delete_rule
from plugins.notifications.services import EventReader
from tests.factories import make_device
from tests.plugins.notifications.test_engine import OPTIONS, detect, make_rule, written

__all__ = ["make_rule"]


def test_rules_and_what_is_left_of_them_are_work(scope, box, make_channel, make_rule):
    channel = make_channel()
    assert not has_work(), "a channel alone has nothing to send"
    rule = make_rule(channel)
    assert has_work()
    device = make_device(scope, box)
    detect(scope, device)
    EventReader().handle_next(OPTIONS)
    delete_rule(scope, rule.id)
    assert has_work(), "a delivery is to be sent, or to be deleted when it is old"
    with database.transaction():
        EVERY_TENANT.delete(Delivery).execute()
    assert not has_work()


def test_only_an_enabled_broker_is_connected(scope, make_channel):
    make_channel("webhook")
    assert not has_brokers()
    broker = make_channel("mqtt")
    assert has_brokers()
    with database.transaction():
        scope.update(Channel, enabled=False, updated_at=utc_now()).where(Channel.id == broker.id).execute()
    assert not has_brokers()


def test_events_between_the_first_rule_and_the_start_of_the_service_are_reported_and_older_ones_are_not(
    scope, box, make_channel, make_rule
):
    device = make_device(scope, box)
    detect(scope, device)
    rule = make_rule(make_channel())
    event_id = detect(scope, device)
    EventReader().handle_next(OPTIONS)
    assert [delivery.event_id for delivery in written()] == [event_id]
    delete_rule(scope, rule.id)
    detect(scope, device)
    make_rule(make_channel(name="Other"))
    EventReader().handle_next(OPTIONS)
    assert len(written()) == 1, "nobody wanted to know what happened without a rule"
