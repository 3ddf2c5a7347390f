"""The health of notifications: channels that fail, that were disabled, and deliveries that nobody sends."""

from datetime import timedelta

from gateway.plugin_api import EVERY_TENANT, ComponentHealth, HealthCheck, database, utc_now
from plugins.notifications.channels.model import list_channels
from plugins.notifications.deliveries.model import count_pending, has_overdue

#: A first attempt that is due for longer than this shows that nothing sends.
_OVERDUE = timedelta(minutes=2)


def build_check() -> HealthCheck:
    """The check, named `notifications`."""
    return HealthCheck("notifications", check)


def check() -> ComponentHealth:
    """Degraded while a channel fails, was disabled by the service, or deliveries wait that are due."""
    now = utc_now()
    with database.session():
        channels = list_channels(EVERY_TENANT)
        pending = sum(count_pending(EVERY_TENANT).values())
        overdue = has_overdue(now - _OVERDUE)
    detail = {"channels": len(channels), "pending": pending}
    disabled = [channel for channel in channels if not channel.enabled and channel.disabled_reason]
    failing = [channel for channel in channels if channel.enabled and channel.failing_since]
    if overdue:
        return ComponentHealth(
            "degraded",
            "notifications wait, and nothing sends them",
            "start the plugins process: python -m workers plugins",
            detail,
        )
    if disabled:
        return ComponentHealth(
            "degraded",
            f"channel '{disabled[0].name}' was disabled after failures: {disabled[0].last_error}",
            "mend its settings or its receiver, then enable it; failed deliveries can be sent again",
            detail,
        )
    if failing:
        names = ", ".join(f"'{channel.name}'" for channel in failing[:5])
        return ComponentHealth(
            "degraded",
            f"notifications do not arrive by {names}: {failing[0].last_error}",
            "send a test on the page Notifications, and check the receiver",
            detail,
        )
    return ComponentHealth("ok", detail=detail)
