"""Tells the plugins of a worker process when their options have changed (`on_options`)."""

import logging
from collections.abc import Callable

from gateway.config import Config
from gateway.plugin_manager import PluginManager, notify
from gateway.plugin_options.changes import find_changes
from gateway.plugin_options.reader import LOOK_SECONDS, OptionsCache, Snapshot, options_cache_of
from workers.periodic import PeriodicThread

log = logging.getLogger(__name__)


class OptionsWatch:
    """Looks for changes once a second, and calls `on_options` of each plugin whose options changed."""

    def __init__(self, cache: OptionsCache, tell: Callable[[str, str | None], None]) -> None:
        """`tell(plugin, device_id)` calls the hook of one plugin."""
        self._cache, self._tell = cache, tell
        self._told: Snapshot | None = None
        self._thread = PeriodicThread("plugin options", self.look)

    @classmethod
    def of(cls, manager: PluginManager, config: Config, *, only: str | None = None) -> "OptionsWatch":
        """The watch of a process's plugin manager. `only`: the one plugin that runs in this process."""

        def tell(plugin: str, device_id: str | None) -> None:
            if only in (None, plugin):
                notify(manager, "on_options", only=plugin, device_id=device_id)

        return cls(options_cache_of(manager, config), tell)

    def start(self) -> None:
        """Start the thread, unless no plugin has options."""
        if self._cache.registry.all():
            self._thread.start()

    def stop(self) -> None:
        """End the thread. May be called twice."""
        self._cache.is_watched = False
        self._thread.stop()

    def look(self) -> float:
        """Look once; returns the seconds until the next time. Raises DatabaseUnavailable."""
        new = self._cache.refresh()
        self._cache.is_watched = True
        old, self._told = self._told or self._cache.first, new
        if old is not None and old is not new:
            for forms in self._cache.registry.all():
                for device_id in find_changes(old, new, forms.plugin):
                    self._tell(forms.plugin, device_id)
        return LOOK_SECONDS
