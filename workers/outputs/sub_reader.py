"""Reads the sub-stream of a device for a consumer output, and tells when there is none to read."""

from typing import Protocol

from gateway.clock import Clock
from gateway.errors import BusUnavailable
from gateway.media import Position, SubPictures
from gateway.streams.sub_bus import ASK_SECONDS, SubBus
from workers.outputs.bus_feed import BusFeed

#: Without a picture for so long, the sub-stream cannot be read; opening it takes a camera some seconds.
PATIENCE_SECONDS = 6.0
#: Interval at which a sub-stream that cannot be read is looked for.
_LOOK_SECONDS = 2.0


class Services(Protocol):
    """What of ConsumerServices is needed."""

    sub_bus: SubBus
    sub_feed: BusFeed
    clock: Clock


class SubReader:
    """Asks for the sub-stream as long as `read` is called. `is_live`: it is read; False: the parts are to be used."""

    def __init__(self, device_id: str, services: Services) -> None:
        self._device_id = device_id
        self._services = services
        self._after: Position | None = None
        self._asked_at = self._looked_at = float("-inf")
        self._seen_at = services.clock.monotonic()
        self.is_live = True

    def read(self, wait_seconds: float) -> list[SubPictures]:
        """The next pictures. Waits for them only while the sub-stream is live."""
        now = self._services.clock.monotonic()
        batches: list[SubPictures] = []
        try:
            if now - self._asked_at > ASK_SECONDS / 4:
                self._services.sub_bus.ask(self._device_id)
                self._asked_at = now
            if self.is_live:
                batches = self._services.sub_feed.read(self._device_id, self._after, wait_seconds=wait_seconds)
            elif now - self._looked_at > _LOOK_SECONDS:
                self._looked_at = now
                batches = self._services.sub_bus.read(self._device_id, self._after)
        except BusUnavailable:
            # Reading the parts waits, and tells people.
            self.is_live = False
            return []
        if batches:
            self._after = batches[-1].position
            self._seen_at = now
        self.is_live = now - self._seen_at < PATIENCE_SECONDS
        return batches
