"""A plugin that writes down each call with the types of its arguments: the same in a trial and in a product."""

import dataclasses
import json
import threading

import marshmallow as ma

from gateway.plugin_api import (
    ConsumerOutput,
    Consumption,
    DirectOutput,
    Flag,
    OptionSchemas,
    OutputArguments,
    PluginJob,
    PluginService,
    Secret,
    Text,
    hookimpl,
)

_lock = threading.Lock()


def note(plugin, call, **values):
    """Append a call to `calls.jsonl` in the plugin's folder."""
    line = json.dumps({"call": call, "values": {name: describe(value) for name, value in values.items()}})
    with _lock, (plugin.folder / "calls.jsonl").open("a") as file:
        file.write(line + "\n")


def describe(value):
    """The type of a value, and those of its fields."""
    if dataclasses.is_dataclass(value):
        fields = {field.name: type(getattr(value, field.name)).__name__ for field in dataclasses.fields(value)}
        return {"type": type(value).__name__, **fields}
    if isinstance(value, dict) or type(value).__name__ == "mappingproxy":
        return {"type": type(value).__name__, **{name: type(one).__name__ for name, one in value.items()}}
    return type(value).__name__


class Options(ma.Schema):
    word = Text(load_default="none")
    key = Secret()


class DeviceOptions(ma.Schema):
    enabled = Flag(load_default=False)


@hookimpl
def register_options():
    return [OptionSchemas(installation=Options, device=DeviceOptions)]


class Echo(Consumption):
    def __init__(self, device, plugin):
        self.device, self.plugin = device, plugin

    @property
    def position(self):
        note(self.plugin, "position")
        return None

    def take(self, part, init_segment):
        note(self.plugin, "take", part=part, init_segment=init_segment)
        assert part.data[4:8] == b"moof"
        assert init_segment[4:8] == b"ftyp"

    def tick(self):
        note(self.plugin, "tick")

    def close(self, reason):
        note(self.plugin, "close", reason=reason)


class Output(ConsumerOutput):
    name = "echo"

    def __init__(self, context, plugin):
        self.context, self.plugin_context = context, plugin

    def wanted(self):
        return [key for key, options in self.plugin_context.options.devices().items() if options["enabled"]]

    def attach(self, device):
        context = {field.name: getattr(self.context, field.name) for field in dataclasses.fields(self.context)}
        note(self.plugin_context, "attach", device=device, config=context["config"].__class__, worker=context["worker"])
        return Echo(device, self.plugin_context)


@hookimpl
def register_consumer_outputs(context, plugin):
    return [Output(context, plugin)]


class Direct(DirectOutput):
    name = "echo_direct"

    def __init__(self, plugin):
        self.plugin_context = plugin

    def attach(self, device, inputs):
        note(self.plugin_context, "direct", device=device, main=inputs.main, video=inputs.main.video)
        return OutputArguments()


@hookimpl
def register_direct_outputs(plugin):
    return [Direct(plugin)]


@hookimpl
def on_bookmark(device_id, bookmark, plugin):
    note(plugin, "on_bookmark", device_id=device_id, bookmark=bookmark)
    plugin.jobs.create("echo.note", {"title": bookmark.title}, device_id=device_id)


@hookimpl
def on_event(event, plugin):
    if event.kind == "echo":
        note(plugin, "on_event", event=event)


@hookimpl
def register_jobs(plugin):
    def run(attempt, context):
        names = ("id", "tenant_id", "device_id", "kind", "parameters", "attempt")
        values = {name: getattr(attempt, name) for name in names}
        note(plugin, "job", config=context.config.__class__, **values)
        context.report(0.5, "noting")
        context.check()
        plugin.events.record(attempt.device_id, "echo", start_ms=1000, end_ms=2000, data={"one": 1})
        return {"noted": True}

    return [PluginJob("echo.note", run, "Note")]


@hookimpl
def register_services(plugin):
    def run(stop):
        options, devices = plugin.options.installation(), plugin.devices()
        note(plugin, "service", **{type(options).__name__: sorted(options), type(devices).__name__: 0})
        stop.wait()
        note(plugin, "service_stopped")

    return [PluginService("noting", run)]
