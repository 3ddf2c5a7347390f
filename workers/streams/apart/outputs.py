"""Stand-ins for the direct outputs of a plugin whose process is apart."""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gateway.media import SourceInfo
from gateway.outputs import Demand, DeviceContext, DirectOutput, OutputArguments, PacketTaker, PipelineInputs
from workers.streams.apart.process import ApartProcess

_QUESTION_SECONDS = 10.0
_RELEASE_SECONDS = 2.0


class ApartOutput(DirectOutput):
    """Asks the process of the plugin; a call that it does not answer fails as the output's own would."""

    #: The plugin's code is in another process: a death of this one is not its fault.
    is_apart = True

    def __init__(self, process: ApartProcess, name: str, links: "Links") -> None:
        self.name = name
        self.plugin = process.plugin
        self._process = process
        self._links = links
        self._generations: dict[str, int] = {}

    def attach(self, device: DeviceContext, inputs: PipelineInputs) -> OutputArguments:
        """See DirectOutput. Raises PluginError."""
        with self._links.probing(inputs.find_sub) as probe:
            found = self._process.ask("attach", self.name, device, inputs.main, probe)
        self._generations[device.id] = self._process.generation
        key = found.pop("key")
        has_packets, is_wanted = found.pop("has_packets"), found.pop("is_wanted")
        packets = RemoteTaker(self._process, key, is_wanted=is_wanted) if has_packets else None
        is_set = found.pop("demand")
        demand = None if is_set is None else Demand(is_set=is_set)
        self._links.put(key, packets, demand)
        return OutputArguments(**found, packets=packets, demand=demand)

    def check(self, device_id: str) -> str | None:
        """See DirectOutput."""
        if self._generations.get(device_id) != self._process.generation:
            return "process_restarted"
        return self._process.ask("check", self.name, device_id, seconds=_QUESTION_SECONDS)

    def figures(self, device_id: str) -> dict[str, Any]:
        """See DirectOutput."""
        return self._process.ask("figures", self.name, device_id, seconds=_QUESTION_SECONDS)

    def release(self, device_id: str) -> None:
        """See DirectOutput."""
        if self._generations.pop(device_id, None) == self._process.generation:
            self._process.ask("release", self.name, device_id, seconds=_RELEASE_SECONDS)

    def close(self) -> None:
        """End the process, which closes all outputs of the plugin."""
        self._process.close()


class RemoteTaker(PacketTaker):
    """Passes packets on. Called in a thread of its own (`ThreadedTaker`)."""

    def __init__(self, process: ApartProcess, key: int, *, is_wanted: bool) -> None:
        self.is_wanted = is_wanted
        self._process = process
        self._key = key
        self._problem: str | None = None

    def begin(self, kind: str, codec: str, parameter_sets: tuple[bytes, ...]) -> None:
        self._process.tell("begin", self._key, kind, codec, parameter_sets)

    def take(self, kind: str, payload: bytes, time: float, *, ends_unit: bool) -> None:
        """See PacketTaker. Raises RuntimeError when the taker over there has failed."""
        if self._problem is not None:
            raise RuntimeError(self._problem)
        self._process.tell("take", self._key, kind, time, ends_unit, body=payload)

    def lost(self, kind: str, packets: int) -> None:
        self._process.tell("lost", self._key, kind, packets)

    def flush(self) -> None:
        self._process.tell("flush", self._key)

    def note_wanted(self, is_wanted: bool) -> None:
        """The taker over there wants packets, or none."""
        self.is_wanted = is_wanted
        if is_wanted:
            self.ask()

    def note_failed(self, problem: str) -> None:
        """The taker over there has failed: the next packet says so."""
        self._problem = problem
        self.note_wanted(True)


class Links:
    """What the process tells of takers, demands and sub-streams, to where it belongs. Used on the loop of the process
    but for `put` and `probing`."""

    def __init__(self, process: ApartProcess, run_on_media_loop: Callable[[Callable[[], None]], None]) -> None:
        self._takers: dict[int, RemoteTaker] = {}
        self._demands: dict[int, Demand] = {}
        self._probes: dict[int, Callable[[], SourceInfo | None]] = {}
        self._numbers = itertools.count(1)
        self._run_on_media_loop = run_on_media_loop
        self._process = process
        process.handlers |= {
            "wanted": self._note_wanted,
            "failed": self._note_failed,
            "demand": self._note_demand,
            "gone": self._forget,
            "find_sub": self._find_sub,
        }

    def put(self, key: int, taker: RemoteTaker | None, demand: Demand | None) -> None:
        """An output is attached: `key` names it."""
        if taker is not None:
            self._takers[key] = taker
        if demand is not None:
            self._demands[key] = demand

    @contextmanager
    def probing(self, find_sub: Callable[[], SourceInfo | None]) -> Iterator[int]:
        """While an output is attached, it may ask for the sub-stream by the number that this gives."""
        number = next(self._numbers)
        self._probes[number] = find_sub
        try:
            yield number
        finally:
            del self._probes[number]

    def _note_wanted(self, key: int, is_wanted: bool) -> None:
        if (taker := self._takers.get(key)) is not None:
            taker.note_wanted(bool(is_wanted))

    def _note_failed(self, key: int, problem: str) -> None:
        if (taker := self._takers.get(key)) is not None:
            taker.note_failed(str(problem)[:300])

    def _note_demand(self, key: int, is_set: bool) -> None:
        if (demand := self._demands.get(key)) is not None:
            self._run_on_media_loop(lambda: demand.set(bool(is_set)))

    def _forget(self, key: int) -> None:
        self._takers.pop(key, None)
        self._demands.pop(key, None)

    async def _find_sub(self, probe: int) -> SourceInfo | None:
        find_sub = self._probes.get(probe)
        if find_sub is None:
            return None
        return await asyncio.get_running_loop().run_in_executor(None, find_sub)
