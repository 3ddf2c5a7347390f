"""The consumer output: analyses the devices that are switched on, in processes of its own."""

import threading
from typing import TYPE_CHECKING

from gateway.plugin_api import ConsumerContext, ConsumerOutput, Consumption, DeviceContext, PluginContext
from plugins.ai_analytics.kinds import PLUGIN

if TYPE_CHECKING:
    from plugins.ai_analytics.analysis import Analysis


class AnalyticsOutput(ConsumerOutput):
    """Motion and objects of each device. Decoders and arrays are imported with the first device."""

    name = PLUGIN
    process = "analytics"

    def __init__(self, context: ConsumerContext, plugin: PluginContext) -> None:
        self._context = context
        self._plugin = plugin
        self._lock = threading.Lock()
        self._analysis: Analysis | None = None

    def wanted(self) -> list[str]:
        """The devices whose analysis is switched on."""
        return [device_id for device_id, values in self._plugin.options.devices().items() if values.get("is_on")]

    def attach(self, device: DeviceContext) -> Consumption:
        """Begin with the present pictures. Raises Unavailable."""
        with self._lock:
            if self._analysis is None:
                from plugins.ai_analytics.analysis import Analysis

                self._analysis = Analysis(self._context, self._plugin)
        return self._analysis.attach(device)

    def close(self) -> None:
        if self._analysis is not None:
            self._analysis.close()
