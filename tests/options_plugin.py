"""A plugin with options of all kinds, for tests."""

import types
from typing import Any

import marshmallow as ma

from gateway.fields import Choice, Count, Flag, ShortList, Text
from gateway.hookspecs import OptionSchemas, hookimpl
from gateway.plugin_manager import PluginManager
from gateway.plugin_options.fields import Duration, Secret, TimeWindow
from tests.factories import no_plugins

NAME = "door_bell"


class InstallationSchema(ma.Schema):
    """Of the installation alone."""

    server = Text(required=True, high=100, metadata={"title": "Server", "description": "where bells ring"})
    key = Secret(metadata={"title": "Key"})


class DeviceSchema(ma.Schema):
    """Of devices."""

    enabled = Flag(load_default=True, metadata={"role": "bell"})
    volume = Count(low=0, high=100, load_default=50, metadata={"title": "Volume", "unit": "%"})
    pause = Duration(load_default=60)
    melody = Choice(("ding", "dong"), load_default="ding")
    days = ShortList(Choice(("saturday", "sunday")), load_default=list)
    names = ma.fields.List(Text(high=20), load_default=list)
    quiet = TimeWindow(load_default=None, allow_none=True)
    pin = Secret()
    places = ma.fields.List(ma.fields.Dict(), load_default=list)

    @ma.validates_schema
    def check_volume(self, data: dict[str, Any], **_options: Any) -> None:
        """Dong is quiet."""
        if data.get("melody") == "dong" and data.get("volume", 0) > 80:
            raise ma.ValidationError("'volume' must be at most 80 for 'dong'", "volume")


def options_plugin(*schemas: Any, told: list | None = None) -> types.ModuleType:
    """A plugin module that registers these schemas; it appends what `on_options` is told to `told`."""
    module = types.ModuleType("options_plugin", "Has options.")

    @hookimpl
    def register_options() -> list:
        return list(schemas)

    @hookimpl
    def on_options(device_id: str | None) -> None:
        if told is not None:
            told.append(device_id)

    module.register_options, module.on_options = register_options, on_options
    return module


def with_options(
    installation: Any = InstallationSchema, device: Any = DeviceSchema, *, name: str = NAME, told: list | None = None
) -> PluginManager:
    """A plugin manager with one plugin that has these options."""
    manager = no_plugins()
    manager.register(options_plugin(OptionSchemas(installation, device), told=told), name=name)
    return manager
