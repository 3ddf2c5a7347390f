"""A plugin that uses everything that a trial offers, for tests of the trial."""

import threading
import time

import marshmallow as ma

from gateway.plugin_api import (
    ComponentHealth,
    ConsumerOutput,
    Consumption,
    Count,
    DirectOutput,
    Flag,
    HealthCheck,
    JobFailed,
    OptionSchemas,
    OutputArguments,
    PluginJob,
    PluginMigration,
    PluginSchedule,
    PluginService,
    Secret,
    Text,
    hookimpl,
)

#: What happened, in order; a test empties it.
seen = []
ready = threading.Event()


class InstallationOptions(ma.Schema):
    key = Secret()
    server = Text(load_default="none")


class DeviceOptions(ma.Schema):
    enabled = Flag(load_default=True)
    most = Count(low=1, high=100, load_default=100)


@hookimpl
def register_options():
    return [OptionSchemas(installation=InstallationOptions, device=DeviceOptions)]


@hookimpl
def on_options(device_id, plugin):
    seen.append(("options", device_id, plugin.options.installation()["server"]))


class Taking(Consumption):
    position = None

    def __init__(self, device, context, plugin, uses_sub_stream):
        self.device, self.context, self.plugin = device, context, plugin
        self.uses_sub_stream = uses_sub_stream
        self.parts, self.batches = [], []

    def take(self, part, init_segment):
        self.parts.append((part, init_segment))
        if part.is_key:
            start_ms = round(part.start * 1000)
            self.plugin.events.record(self.device.id, "key_frame", start_ms=start_ms, end_ms=start_ms)

    def take_sub(self, batch):
        self.batches.append(batch)

    def tick(self):
        return "not_wanted" if len(self.parts) >= self.plugin.options.device(self.device.id)["most"] else None

    def close(self, reason):
        seen.append(("closed", self.device.name, reason))
        self.context.notify("on_stream_state", device_id=self.device.id, state="stopped", reason=None)


class Output(ConsumerOutput):
    def __init__(self, name, context, plugin):
        self.name, self.context, self.plugin_context = name, context, plugin

    def wanted(self):
        return [key for key, options in self.plugin_context.options.devices().items() if options["enabled"]]

    def attach(self, device):
        return Taking(device, self.context, self.plugin_context, self.name == "sample_sub")


@hookimpl
def register_consumer_outputs(context, plugin):
    return [Output("sample", context, plugin), Output("sample_sub", context, plugin)]


class Direct(DirectOutput):
    name = "sample_direct"

    def attach(self, device, inputs):
        return OutputArguments(arguments=("-map", "0:v", "-c", "copy", "-f", "null", f"{inputs.main.video.width}"))

    def release(self, device_id):
        seen.append(("released", device_id))


@hookimpl
def register_direct_outputs(context):
    return [Direct()]


def double(attempt, context):
    context.report(0.5, "doubling")
    context.check()
    if "number" not in attempt.parameters:
        raise JobFailed("plugin_failed", "there is no number")
    return {"number": attempt.parameters["number"] * 2, "device_id": attempt.device_id}


@hookimpl
def register_jobs():
    return [PluginJob("sample.double", double, "Double a number")]


@hookimpl
def register_schedules():
    return [PluginSchedule("hourly", 3600, lambda: seen.append(("hourly",)))]


def serve(stop):
    while not stop.wait(0.01):
        ready.set()
    ready.clear()


def never_return(stop):
    while seen is not None:
        time.sleep(0.01)
        if stop.is_set():
            raise RuntimeError("it cannot stop")


@hookimpl
def register_services():
    return [PluginService("serve", serve), PluginService("bad", never_return)]


def create_notes(run, types):
    run(f"CREATE TABLE sample_notes (id {types.big_serial}, tenant_id {types.id})")


@hookimpl
def register_migrations():
    return [PluginMigration(1, "notes", create_notes)]


@hookimpl
def register_health_checks():
    return [HealthCheck("sample", lambda: ComponentHealth("degraded", "it is a sample", "use another one"))]


@hookimpl
def on_bookmark(device_id, bookmark, plugin):
    seen.append(("bookmark", bookmark.title))
    plugin.jobs.create("sample.double", {"number": 4}, device_id=device_id)


@hookimpl
def on_segment(device_id, segment):
    seen.append(("segment", segment.duration_ms))


@hookimpl
def on_event(event):
    if event.kind == "bad":
        raise RuntimeError("a bad event")
    seen.append(("event", event.kind, event.label))
