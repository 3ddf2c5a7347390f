"""What all parts of a trial stand on: the loaded plugin, the clock, and the video of each device."""

from typing import Any

from gateway.clock import FakeClock
from gateway.config import Config
from gateway.errors import PluginError
from gateway.outputs import DeviceContext
from gateway.plugin_context import PluginContext
from gateway.plugin_loading import build_parts
from gateway.plugin_manager import PluginManager
from gateway.testing.clip import Film


class TrialGround:
    """One plugin, loaded as the product does it. Its exceptions reach the test."""

    def __init__(self, entry_point: Any, config: Config) -> None:
        """Raises PluginError if the plugin cannot be loaded."""
        self.config = config
        self.clock = FakeClock()
        self.name = entry_point.name
        self._films: dict[str, Film] = {}
        self.manager = PluginManager(config, lambda context: build_parts(context, self.manager))
        self.manager.load(entry_point)
        self.require_running()
        self.context: PluginContext = self.manager.context_of(self.name)

    def require_running(self) -> None:
        """Raise PluginError if the plugin was set aside."""
        for found in self.manager.faulty:
            raise PluginError(f"plugin '{found.name}': {found.reason}" + (f" ({found.remedy})" if found.remedy else ""))

    def call(self, hook: str, *, is_optional: bool = False, **values: Any) -> None:
        """Call an `on_*` hook. Fails if the plugin does not implement it, unless that `is_optional`."""
        implementations = getattr(self.manager.hook, hook).get_hookimpls()
        assert implementations or is_optional, f"the plugin does not implement '{hook}'"
        for implementation in implementations:
            self.manager.call(implementation, values)

    def find_device(self, device_id: str) -> DeviceContext:
        """An enabled device. Fails for another one."""
        found = [one for one in self.context.devices() if one.id == device_id]
        assert found, f"the trial has no device with id '{device_id}'"
        return found[0]

    def film(self, device_id: str) -> Film:
        """The video of a device, which goes on wherever it is used."""
        if device_id not in self._films:
            self._films[device_id] = Film(device_id, self.clock.wall(), run=len(self._films) + 1)
        found = self._films[device_id]
        found.now = max(found.now, self.clock.wall())
        return found
