"""Whether the services of this plugin have anything to do. Without rules and channels they need no process."""

from gateway.plugin_api import EVERY_TENANT, database
from plugins.notifications.channels.model import MQTT, Channel
from plugins.notifications.deliveries.model import Delivery
from plugins.notifications.rules.model import Match, Rule


def has_work() -> bool:
    """Whether there are rules, or deliveries to send or to delete when they are old. Raises DatabaseUnavailable."""
    with database.session():
        return any(EVERY_TENANT.select(table).exists() for table in (Rule, Delivery, Match))


def has_brokers() -> bool:
    """Whether a broker is to be connected. Raises DatabaseUnavailable."""
    with database.session():
        return EVERY_TENANT.select(Channel).where(Channel.kind == MQTT, Channel.enabled == True).exists()  # noqa: E712 (SQL)
