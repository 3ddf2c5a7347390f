"""The direct outputs of a plugin in its process: asked by the stream worker, each call in a thread of the plugin's."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

from gateway.errors import PluginError
from gateway.media import SourceInfo
from gateway.outputs import DeviceContext, DirectOutput, OutputArguments, PacketTaker, PipelineInputs
from workers.ingest.taker_thread import ThreadedTaker
from workers.streams.apart.channel import Channel, Handler
from workers.streams.output_calls import ATTACH, OutputThreads

_SUB_SECONDS = 15.0


class HostedOutputs:
    """All methods but `close` are called on the loop of the connection."""

    def __init__(self, outputs: list[DirectOutput]) -> None:
        self.channel: Channel | None = None
        self._outputs = {output.name: output for output in outputs}
        self._calls = OutputThreads()
        self._attached: dict[tuple[str, str], _Attached] = {}
        self._by_key: dict[int, _Attached] = {}
        self._keys = itertools.count(1)

    @property
    def names(self) -> list[str]:
        """The names of the outputs."""
        return list(self._outputs)

    def handlers(self) -> dict[str, Handler]:
        """The calls and posts of the stream worker."""
        return {
            "attach": self._attach,
            "check": self._check,
            "figures": self._figures,
            "release": self._release,
            "begin": self._begin,
            "take": self._take,
            "lost": self._lost,
            "flush": self._flush,
        }

    def look(self) -> None:
        """Report which takers want packets; to be called each second."""
        for attached in self._by_key.values():
            attached.look()

    def close(self) -> None:
        """Close the outputs, each within two seconds."""
        for attached in self._by_key.values():
            attached.close()
        self._calls.close(list(self._outputs.values()))

    async def _attach(self, name: str, device: DeviceContext, main: SourceInfo, probe: int) -> dict[str, Any]:
        output, loop = self._outputs[name], asyncio.get_running_loop()

        def find_sub() -> SourceInfo | None:
            asked = asyncio.run_coroutine_threadsafe(self.channel.call("find_sub", probe, seconds=_SUB_SECONDS), loop)
            try:
                return asked.result()
            except (PluginError, TimeoutError):
                return None

        found = await self._call(output, ATTACH, output.attach, device, PipelineInputs(main, find_sub))
        if not isinstance(found, OutputArguments):
            raise PluginError(f"attach returned {type(found).__name__} instead of OutputArguments")
        self._forget(name, device.id)
        key = next(self._keys)
        attached = self._by_key[key] = self._attached[name, device.id] = _Attached(
            key, found, f"{name} {device.id[:8]}", output.plugin, self.channel
        )
        values = {field: getattr(found, field) for field in ("arguments", "mode", "reason", "folders", "packet_kinds")}
        return values | {
            "key": key,
            "has_packets": found.packets is not None,
            "is_wanted": attached.is_wanted,
            "demand": None if found.demand is None else found.demand.is_set,
        }

    async def _check(self, name: str, device_id: str) -> str | None:
        code = await self._call(self._outputs[name], "check", self._outputs[name].check, device_id)
        return None if code is None else str(code)[:100]

    async def _figures(self, name: str, device_id: str) -> Any:
        return await self._call(self._outputs[name], "figures", self._outputs[name].figures, device_id)

    async def _release(self, name: str, device_id: str) -> None:
        self._forget(name, device_id)
        await self._call(self._outputs[name], "release", self._outputs[name].release, device_id)

    async def _call(self, output: DirectOutput, step: str, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.wrap_future(self._calls.submit(output, step, function, *arguments))

    def _forget(self, name: str, device_id: str) -> None:
        attached = self._attached.pop((name, device_id), None)
        if attached is not None:
            del self._by_key[attached.key]
            attached.close()
            self.channel.post("gone", attached.key)

    # Packets.

    def _taker(self, key: int) -> PacketTaker | None:
        attached = self._by_key.get(key)
        return attached.taker if attached is not None else None

    def _begin(self, key: int, kind: str, codec: str, parameter_sets: tuple[bytes, ...]) -> None:
        if (taker := self._taker(key)) is not None:
            taker.begin(kind, codec, parameter_sets)

    def _take(self, key: int, kind: str, time: float, ends_unit: bool, body: bytes = b"") -> None:
        if (taker := self._taker(key)) is not None:
            taker.take(kind, body, time, ends_unit=ends_unit)

    def _lost(self, key: int, kind: str, packets: int) -> None:
        if (taker := self._taker(key)) is not None:
            taker.lost(kind, packets)

    def _flush(self, key: int) -> None:
        if (taker := self._taker(key)) is not None:
            taker.flush()


class _Attached:
    """An output that is attached to a device: its taker and its demand."""

    def __init__(self, key: int, found: OutputArguments, name: str, plugin: str, channel: Channel) -> None:
        self.key = key
        self._channel = channel
        self.taker: ThreadedTaker | None = None
        self.is_wanted = False
        if found.packets is not None:
            found.packets.plugin = plugin
            self.taker = ThreadedTaker(found.packets, name, asyncio.get_running_loop(), self._failed)
            # As asked for from now on, and once a second for one that does not ask.
            self.taker.on_asked = self.look
            self.is_wanted = bool(found.packets.is_wanted)
        if found.demand is not None:
            demand = found.demand
            demand.listen(lambda: channel.post_from_thread("demand", key, demand.is_set))

    def look(self) -> None:
        if self.taker is not None and self.taker.is_wanted != self.is_wanted:
            self.is_wanted = self.taker.is_wanted
            self._channel.post("wanted", self.key, self.is_wanted)

    def close(self) -> None:
        if self.taker is not None:
            self.taker.close()

    def _failed(self, error: BaseException) -> None:
        self._channel.post("failed", self.key, f"{type(error).__name__}: {error}"[:300])
