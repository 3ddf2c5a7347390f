"""The feed of this web process and the places of its listeners, created with the first use."""

import threading
from dataclasses import dataclass

from flask import current_app

from gateway.api.base import services
from gateway.api.events.stream import ListenerPlaces
from gateway.api.events.views import encode_event, encode_passing
from gateway.events.feed import EventFeed
from gateway.redis_client import connect_redis

_EXTENSION = "vas_events"
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Listening:
    """What the routes of events share."""

    feed: EventFeed
    places: ListenerPlaces


def listening() -> Listening:
    """The feed and the places of the current application."""
    with _lock:
        found = current_app.extensions.get(_EXTENSION)
        if found is None:
            config = services().config
            found = current_app.extensions[_EXTENSION] = Listening(
                EventFeed(connect_redis(config.redis_url), encode_event, encode_passing),
                ListenerPlaces(config.web_listeners, config.web_listeners_per_client),
            )
        return found
