"""A plugin with a consumer output that notes the options of its devices, for tests with a real worker."""

import time
from pathlib import Path

import marshmallow as ma

from gateway.hookspecs import OptionSchemas, hookimpl
from gateway.outputs import ConsumerOutput, Consumption, DeviceContext
from gateway.plugin_context import PluginContext

NAME = OUTPUT = "watching"


class DeviceSchema(ma.Schema):
    """What is noted."""

    word = ma.fields.String(load_default="first")


class Watching(Consumption):
    """Appends each new value, with the time, to `word` in the plugin's folder."""

    def __init__(self, plugin: PluginContext, device_id: str) -> None:
        self._plugin, self._device_id = plugin, device_id
        self._last = ""

    @property
    def position(self) -> None:
        return None

    def take(self, part, init_segment) -> None:
        """There are no parts."""

    def tick(self) -> str | None:
        word = self._plugin.options.device(self._device_id)["word"]
        if word != self._last:
            note(self._plugin.folder / "word", word)
            self._last = word
        return None


class WatchingOutput(ConsumerOutput):
    """One for all devices."""

    name = OUTPUT

    def __init__(self, plugin: PluginContext) -> None:
        self._plugin = plugin

    def wanted(self) -> list[str]:
        return list(self._plugin.options.devices())

    def attach(self, device: DeviceContext) -> Consumption:
        return Watching(self._plugin, device.id)


def note(file: Path, text: str) -> None:
    with file.open("a") as target:
        target.write(f"{text} {time.time()}\n")


@hookimpl
def register_options():
    """One option of devices."""
    return [OptionSchemas(device=DeviceSchema)]


@hookimpl
def register_consumer_outputs(plugin):
    """One output."""
    return [WatchingOutput(plugin)]


@hookimpl
def on_options(device_id, plugin):
    """Note it."""
    note(plugin.folder / "told", str(device_id))
