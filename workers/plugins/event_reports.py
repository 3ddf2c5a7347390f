"""Reports events to the plugins that implement `on_event`, as any other fact: nothing here waits for a plugin."""

from gateway.events.following import BATCH, Follower
from gateway.plugin_manager import PluginManager, notify


class EventReports:
    """Follows the events; `turn` reports what is new."""

    def __init__(self, manager: PluginManager) -> None:
        self._manager = manager
        self._is_heard = bool(manager.hook.on_event.get_hookimpls())
        self._follower: Follower | None = None

    def turn(self) -> None:
        """Report new events. Raises DatabaseUnavailable."""
        if not self._is_heard:
            return
        if self._follower is None:
            self._follower = Follower.from_now()
        while rows := self._follower.read():
            for row in rows:
                notify(self._manager, "on_event", event=row.to_fact())
            if len(rows) < BATCH:
                break
