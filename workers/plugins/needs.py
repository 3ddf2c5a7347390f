"""Asks the plugins whether their services are needed now (`PluginService.is_needed`), in the process of their work."""

import logging
from collections.abc import Collection, Mapping
from concurrent.futures import Future

from gateway.clock import Clock
from gateway.isolation.threads import PluginThread
from gateway.plugin_work.registrations import Registered
from workers.plugins.child_side import describe_error

log = logging.getLogger(__name__)

#: Seconds between two questions, and the time for which an answer holds. Without one a service counts as needed.
ASK_SECONDS, HOLD_SECONDS = 2.0, 15.0


class ServiceNeeds:
    """One thread for each plugin with such services, which may hang: its services count as needed meanwhile."""

    def __init__(self, registered: Mapping[str, Registered], clock: Clock) -> None:
        self._asked = {
            (name, service.name): service.is_needed
            for name, plugin in registered.items()
            for service in plugin.services.values()
            if service.is_needed is not None
        }
        self._clock = clock
        self._threads = {name: PluginThread(name, f"{name} needs") for name, _ in self._asked}
        self._waiting: dict[tuple[str, str], Future] = {}
        self._failed: dict[tuple[str, str], str] = {}
        self._next_at = 0.0

    def turn(self, plugins: Collection[str]) -> dict[tuple[str, str], bool]:
        """Ask these plugins if it is time; returns the answers that have arrived since the last call."""
        now = self._clock.monotonic()
        if now >= self._next_at:
            self._next_at = now + ASK_SECONDS
            for key, is_needed in self._asked.items():
                if key[0] in plugins and key not in self._waiting:
                    self._waiting[key] = self._threads[key[0]].submit("is_needed", is_needed)
        arrived = [key for key, future in self._waiting.items() if future.done()]
        return {key: self._read(key, self._waiting.pop(key)) for key in arrived}

    def close(self) -> None:
        """End the threads, once their plugins have answered. May be called twice."""
        for thread in self._threads.values():
            thread.close()

    def _read(self, key: tuple[str, str], future: Future) -> bool:
        error = future.exception()
        if error is None:
            self._failed.pop(key, None)
            return bool(future.result())
        text = describe_error(error)
        if self._failed.get(key) != text:
            log.warning("%s/%s counts as needed: %s", *key, text)
        self._failed[key] = text
        return True
