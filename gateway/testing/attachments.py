"""Attaches the outputs of the plugin under test to devices, and feeds them as the workers do."""

import asyncio
import threading
from typing import Any

from gateway.media import Part, SourceInfo
from gateway.outputs import (
    ConsumerContext,
    ConsumerOutput,
    Consumption,
    DeviceContext,
    DirectOutput,
    OutputArguments,
    OutputContext,
    PipelineInputs,
)
from gateway.plugin_manager import collect_consumer_outputs, collect_direct_outputs
from gateway.testing.clip import init_segment, to_sub_pictures
from gateway.testing.ground import TrialGround

WORKER = "trial"


class Attachment:
    """A consumer output that is attached to a device. `ended`: the reason why it has ended, otherwise None."""

    def __init__(self, output: ConsumerOutput, device: DeviceContext) -> None:
        self.output, self.device = output, device
        self.ended: str | None = None
        self.consumption: Consumption = output.attach(device)
        assert self.consumption is not None, "'attach' must return a Consumption"
        # Read once, as a worker does; what is fed is newer in any case.
        _ = self.consumption.position
        self._uses_sub_stream = bool(self.consumption.uses_sub_stream)

    def take(self, part: Part) -> None:
        """Call `tick`, then pass the part, or its pictures to an output that uses the sub-stream."""
        if self.tick() is not None:
            return
        if self._uses_sub_stream:
            self.consumption.take_sub(to_sub_pictures(part))
        else:
            self.consumption.take(part, init_segment())

    def tick(self) -> str | None:
        """Call `tick` once, as without new parts; returns the reason why the attachment has ended, otherwise None."""
        if self.ended is None and (reason := self.consumption.tick()) is not None:
            self.detach(reason)
        return self.ended

    def detach(self, reason: str = "worker_stopped") -> None:
        """End it. May be called twice."""
        if self.ended is None:
            self.ended = reason
            self.consumption.close(reason)


class TrialOutputs:
    """The outputs of a trial, each created once, and their attachments."""

    def __init__(self, ground: TrialGround) -> None:
        self._ground = ground
        self.notified: list[tuple[str, dict[str, Any]]] = []
        self._consumers: list[ConsumerOutput] | None = None
        self._directs: list[DirectOutput] | None = None
        self._attachments: list[Attachment] = []
        self._direct_devices: list[tuple[DirectOutput, str]] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    def consumers(self) -> list[ConsumerOutput]:
        if self._consumers is None:
            ground = self._ground
            context = ConsumerContext(ground.config, WORKER, ground.clock, self._notify)
            self._consumers = collect_consumer_outputs(ground.manager, context)
            ground.require_running()
        return self._consumers

    def directs(self) -> list[DirectOutput]:
        if self._directs is None:
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="trial loop", daemon=True).start()
            self._loop = loop
            context = OutputContext(self._ground.config, loop, WORKER)
            self._directs = collect_direct_outputs(self._ground.manager, context=context)
            self._ground.require_running()
        return self._directs

    def attach(self, device: DeviceContext, name: str | None) -> Attachment:
        output = _choose(self.consumers(), name, "consumer output")
        wanted = output.wanted()
        assert device.id in wanted, (
            f"the output '{output.name}' does not want the device '{device.name}': 'wanted' returned {wanted}"
        )
        self._attachments.append(Attachment(output, device))
        return self._attachments[-1]

    def attach_direct(self, device: DeviceContext, name: str | None, source: SourceInfo) -> OutputArguments:
        output = _choose(self.directs(), name, "direct output")
        arguments = output.attach(device, PipelineInputs(source))
        assert isinstance(arguments, OutputArguments), "'attach' must return OutputArguments"
        self._direct_devices.append((output, device.id))
        return arguments

    def feed(self, seconds: float, *, moving: bool) -> None:
        living = [one for one in self._attachments if one.ended is None]
        assert living, "nothing is attached: call 'attach' first"
        for one in living:
            if one.device.id not in one.output.wanted():
                one.detach("requested")
        living = [one for one in living if one.ended is None]
        # Outputs of the same device get the same parts.
        films = {one.device.id: self._ground.film(one.device.id) for one in living}
        for film in films.values():
            for part in film.take_many(seconds, moving=moving):
                for one in living:
                    if one.device.id == part.device_id:
                        one.take(part)
        self._ground.clock.advance(seconds)

    def detach(self, reason: str) -> None:
        for one in self._attachments:
            one.detach(reason)
        self._attachments.clear()
        for output, device_id in self._direct_devices:
            output.release(device_id)
        self._direct_devices.clear()

    def close(self) -> None:
        """Detach everything and close the outputs. May be called twice."""
        self.detach("worker_stopped")
        for output in (*(self._consumers or ()), *(self._directs or ())):
            output.close()
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._loop = None

    def _notify(self, hook: str, **facts: Any) -> None:
        self.notified.append((hook, facts))


def _choose(outputs: list[Any], name: str | None, label: str) -> Any:
    found = [one for one in outputs if name in (None, one.name)]
    assert found, f"the plugin has no {label} {f'{name!r}' if name else ''}; it has {[one.name for one in outputs]}"
    assert len(found) == 1, f"the plugin has several {label}s: 'output' must be one of {[one.name for one in found]}"
    return found[0]
