"""The services of the plugin: one reads events and sends, the other keeps the connections to MQTT brokers."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

from gateway.plugin_api import DatabaseUnavailable, Follower, PluginContext, database, utc_now
from plugins.notifications import engine, feed
from plugins.notifications.channels.model import MAIL, PUSH, WEBHOOK
from plugins.notifications.deliveries import model as deliveries
from plugins.notifications.delivering import DeliveryLoop
from plugins.notifications.options import Settings, read_settings
from plugins.notifications.pictures import Pictures
from plugins.notifications.sending import ChannelSender

log = logging.getLogger(__name__)

#: Seconds between two looks at the feed, events read at once, and seconds between two clean-ups.
_LOOK_SECONDS = 0.5
_BATCH = 500
_CLEAN_SECONDS = 600.0
_RETRY_SECONDS = 2.0


def run_async(stop: threading.Event, run: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine until it ends; its event is set once `stop` is."""

    async def main() -> None:
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()

        def watch() -> None:
            stop.wait()
            if not loop.is_closed():
                loop.call_soon_threadsafe(ended.set)

        threading.Thread(target=watch, name="stop", daemon=True).start()
        await run(ended)

    asyncio.run(main())


class EventReader:
    """Handles the events of the feed, each once, from where the last process has ended."""

    def __init__(self) -> None:
        self._follower: Follower | None = None

    def handle_next(self, options: engine.EngineOptions) -> bool:
        """Handle the next events; returns whether there may be more. Raises DatabaseUnavailable.

        After a failure it begins anew at the place that is stored.
        """
        try:
            if self._follower is None:
                self._follower = self._open()
            events = [event.to_fact() for event in self._follower.read(_BATCH)]
            if not events:
                return False
            with database.transaction():
                engine.RuleEngine().handle(events, utc_now(), options)
                feed.write_place(feed.RULES, self._follower.position)
        except BaseException:
            self._follower = None
            raise
        return len(events) == _BATCH

    def _open(self) -> Follower:
        with database.session():
            place = feed.read_place(feed.RULES)
        if place is not None:
            return Follower(place)
        # The place of the first rule; without one nobody asks for what has happened.
        follower = Follower.from_now()
        with database.transaction():
            feed.write_place(feed.RULES, follower.position)
        return follower


class RuleLoop:
    """Follows the events in a thread of its own, and cleans up."""

    def __init__(self, plugin: PluginContext) -> None:
        self._plugin = plugin
        self._reader = EventReader()
        self._cleaned_at = float("-inf")

    def run(self, stop: threading.Event) -> None:
        """Run until `stop` is set."""
        while not stop.is_set():
            try:
                settings = read_settings(self._plugin)
                has_more = self._reader.handle_next(engine.EngineOptions(settings.batch_seconds))
                self._clean(settings)
                pause = 0.0 if has_more else _LOOK_SECONDS
            except DatabaseUnavailable as error:
                log.warning("events are not read: %s", error)
                pause = _RETRY_SECONDS
            except Exception:
                log.exception("events are not read")
                pause = 5 * _RETRY_SECONDS
            stop.wait(pause)

    def _clean(self, settings: Settings) -> None:
        if time.monotonic() - self._cleaned_at < _CLEAN_SECONDS:
            return
        now = utc_now()
        deliveries.give_up_old(now)
        while deliveries.prune(now - timedelta(days=settings.keep_days)):
            pass
        while engine.prune_matches(now):
            pass
        self._cleaned_at = time.monotonic()


def run_deliveries(plugin: PluginContext, stop: threading.Event) -> None:
    """The service `deliveries`: rules, webhooks, mail and web push."""
    rules = threading.Thread(target=RuleLoop(plugin).run, args=[stop], name="rules")
    rules.start()
    sender = ChannelSender(plugin.secrets, lambda: read_settings(plugin), Pictures(plugin.config))
    loop = DeliveryLoop(
        (WEBHOOK, MAIL, PUSH), sender, give_up_days=lambda: read_settings(plugin).give_up_days, now=utc_now
    )
    try:
        run_async(stop, loop.run)
    finally:
        stop.set()
        rules.join(10)
