"""Outputs that plugins attach to the pipeline of a device, and the contexts that they are given."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gateway.clock import Clock
from gateway.config import Config
from gateway.media import Part, Position, SourceInfo, SubPictures

#: The number of the input of an output's FFmpeg process, for `-map`.
MAIN_INPUT = 0

#: The role of the consumer output that writes footage.
RECORDER = "recorder"

#: The process of consumer outputs that ask for none of their own.
OUTPUTS = "outputs"


class OutputMode(StrEnum):
    """The source of an output's video."""

    COPY = "copy"
    SUB_STREAM = "sub_stream"
    TRANSCODE = "transcode"


@dataclass(frozen=True, slots=True)
class DeviceContext:
    """The properties of a device that an output may see: no address, no credentials."""

    id: str
    tenant_id: str
    name: str


@dataclass(frozen=True, slots=True)
class PipelineInputs:
    """The inputs of the ingest FFmpeg.

    `main` describes the stream of the camera. `find_sub` probes the sub-stream, which may take seconds at the first
    call, and returns None if there is none or it cannot be read.
    """

    main: SourceInfo
    find_sub: Callable[[], SourceInfo | None] = lambda: None


class Demand:
    """Whether an output needs its FFmpeg process now. Use it on the worker's loop only."""

    is_set: bool

    def __init__(self, *, is_set: bool = False) -> None:
        self.is_set = is_set
        self._listeners: list[Callable[[], None]] = []

    def set(self, is_set: bool) -> None:
        """Ask for the process, or give it up; does nothing if that is already so."""
        if self.is_set != is_set:
            self.is_set = is_set
            for listener in tuple(self._listeners):
                listener()

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after each change; returns a function that ends this."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None


class PacketTaker(ABC):
    """Takes the packets of a camera as they arrive, for outputs that re-encode nothing.

    A source without `has_packets` (SourceInfo) gives none.

    All methods are called in a thread of this output and device. While `is_wanted` is False the camera's packets are
    not passed; call `ask` when it becomes True, so that they come at once. After an exception the output gets no more
    packets until it is attached again. A taker that is too slow loses packets, and is told so (`lost`).

    With `on_loop` all methods are called on the worker's loop, which saves a millisecond, and a taker that does not
    return at once delays all cameras: after several calls of more than 50 ms it gets no more packets.
    """

    is_wanted: bool = False
    on_loop: bool = False
    #: Set by the stream worker.
    plugin: str = ""
    on_asked: Callable[[], None] | None = None

    def ask(self) -> None:
        """Ask for the packets that come now. Without, they come a little later."""
        if self.on_asked is not None:
            self.on_asked()

    def begin(self, kind: str, codec: str, parameter_sets: tuple[bytes, ...]) -> None:
        """A track ("video" or "audio") begins or has changed its parameter sets (NAL units; empty for other codecs)."""

    @abstractmethod
    def take(self, kind: str, payload: bytes, time: float, *, ends_unit: bool) -> None:
        """One RTP payload in order. `time`: capture time of its access unit, in seconds of the monotonic clock."""

    def lost(self, kind: str, packets: int) -> None:
        """Packets of the camera were lost before the next one."""

    def flush(self) -> None:
        """All packets that had arrived together have been passed."""


@dataclass(frozen=True, slots=True)
class OutputArguments:
    """What a direct output needs: packets, an FFmpeg process of its own, or both.

    `packets` takes the camera's packets; `packet_kinds` names the tracks it wants. With `mode` SUB_STREAM its video
    comes from the sub-stream. `arguments` are those of an FFmpeg process of its own, from its first `-map` to its
    address, and map from MAIN_INPUT; empty: none is started. It runs only while `demand` is set; without `demand`,
    always. `reason` is a text for users: why the video of the camera is not copied; None if it is. `folders` are those
    in which the output writes files: FFmpeg has access to no others (setting FFMPEG_SANDBOX).
    """

    arguments: tuple[str, ...] = ()
    mode: OutputMode = OutputMode.COPY
    reason: str | None = None
    folders: tuple[str, ...] = ()
    packets: PacketTaker | None = None
    packet_kinds: tuple[str, ...] = ("video",)
    demand: Demand | None = None


@dataclass(frozen=True, slots=True)
class OutputContext:
    """The stream worker process of an output.

    `loop` is the asyncio loop of the worker, which runs in a thread of its own: start coroutines with
    `asyncio.run_coroutine_threadsafe`. The methods of an output are called from other threads.
    """

    config: Config
    loop: asyncio.AbstractEventLoop
    worker: str


class DirectOutput(ABC):
    """An output of the stream worker, for low latency, such as RTP to the SFU.

    One object serves all devices of a worker process. An exception, or the end of its FFmpeg process, never affects the
    stream or another output: the output is named in the state, and attached again after a pause that grows.
    """

    #: Unique among all outputs; shown in the API.
    name: str
    #: The name of its plugin; set by the gateway.
    plugin: str = ""

    @abstractmethod
    def attach(self, device: DeviceContext, inputs: PipelineInputs) -> OutputArguments:
        """Return what the output of a device needs; may block for a few seconds. Called again after each failure."""

    def check(self, device_id: str) -> str | None:
        """Called each second while the stream runs: returns None, or a reason code if it must be attached again."""
        return None

    def figures(self, device_id: str) -> dict[str, Any]:
        """Return live statistics to show with those of the stream, such as `{"viewers": 2}`; must not block."""
        return {}

    def release(self, device_id: str) -> None:
        """The worker gives up the device, to another worker or finally. May be called twice."""

    def close(self) -> None:
        """The worker process ends. May be called twice."""


@dataclass(frozen=True, slots=True)
class ConsumerContext:
    """The process of a consumer output.

    `worker` is the name of the process; `notify("on_…", **facts)` calls the implementations of a hook.
    """

    config: Config
    worker: str
    clock: Clock
    notify: Callable[..., None]


def worker_kind(output: "ConsumerOutput") -> str:
    """The kind of worker that runs an output: `record`, `outputs`, or `outputs.NAME` for a process of its own."""
    if getattr(output, "role", None) == RECORDER:
        return "record"
    name = getattr(output, "process", None) or OUTPUTS
    return OUTPUTS if name == OUTPUTS else f"{OUTPUTS}.{name}"


class Consumption(ABC):
    """The consumption of one device's parts by a consumer output, from `attach` to `close`; used by one thread.

    An exception never affects the stream: the consumption is closed and the output is attached again, while parts wait
    on the bus. After `gateway.errors.Unavailable` (a disk, a database or a server is away) this is repeated without
    limit. After any other error, a part that fails three times is skipped.
    """

    #: Whether it takes the pictures of the sub-stream (`take_sub`) in place of the parts. Parts are taken, from the
    #: newest on, while the device has no sub-stream that can be read.
    uses_sub_stream: bool = False

    @property
    @abstractmethod
    def position(self) -> Position | None:
        """The part after which to continue; None for the oldest part on the bus. Read once, before the first part."""

    @abstractmethod
    def take(self, part: Part, init_segment: bytes) -> None:
        """Take the next part, with the init segment of its run. May block: the bus buffers BUS_WINDOW_SECONDS."""

    def take_sub(self, batch: SubPictures) -> None:
        """Take the next pictures of the sub-stream. May block: the bus holds the last ten seconds of them."""

    def tick(self) -> str | None:
        """Called about twice a second, also without new parts: returns None, or a reason code to end."""
        return None

    def close(self, reason: str) -> None:
        """End the consumption, for a code of gateway.states.REASONS: make all data durable. May be called twice."""


class ConsumerOutput(ABC):
    """An output that reads parts from the media bus: a recorder, an archiver, an analyser.

    One object serves all devices of a process. The clock process has one too, to call `wanted`: open nothing before
    `attach`. For each device, one process holds the lease `output:NAME`.
    """

    #: Unique among all outputs; shown in the API.
    name: str
    #: The name of its plugin; set by the gateway.
    plugin: str = ""
    #: The kind of process that runs it: `python -m workers outputs`, or with another name one that is started as
    #: `python -m workers outputs NAME`. The output with the role RECORDER runs in the record workers, alone.
    process: str = OUTPUTS
    #: What the product uses the output for, such as RECORDER; None: nothing. At most one output has a role.
    role: str | None = None

    @abstractmethod
    def wanted(self) -> list[str]:
        """Return the ids of the devices to attach to now; called every few seconds, so it must be one cheap query.

        A device that is left out twice in a row is detached. The output with the role RECORDER ends by itself.
        """

    @abstractmethod
    def attach(self, device: DeviceContext) -> Consumption:
        """Start or continue with a device; may block for seconds. An exception is logged, and `attach` is retried."""

    def close(self) -> None:
        """The process ends. May be called twice."""
