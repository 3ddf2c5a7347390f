"""What a plugin attaches to a device's pipeline."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gateway.clock import Clock
from gateway.config import Config
from gateway.media import Part, Position, SourceInfo

#: Input numbers of the ingest FFmpeg, for `-map`.
MAIN_INPUT = 0
SUB_INPUT = 1

#: The role of the consumer output that writes footage.
RECORDER = "recorder"


class OutputMode(StrEnum):
    """How an output gets its video."""

    COPY = "copy"
    SUB_STREAM = "sub_stream"
    TRANSCODE = "transcode"


@dataclass(frozen=True, slots=True)
class DeviceContext:
    """What an output may know of a device: no address, no credentials."""

    id: str
    tenant_id: str
    name: str


@dataclass(frozen=True, slots=True)
class PipelineInputs:
    """What the ingest FFmpeg can read.

    `main` is what the camera sends. `find_sub` looks at the sub-stream when asked (it may take seconds the first
    time) and answers None where there is none or it cannot be read.
    """

    main: SourceInfo
    find_sub: Callable[[], SourceInfo | None] = lambda: None


@dataclass(frozen=True, slots=True)
class OutputArguments:
    """A direct output's part of the FFmpeg command: everything from its first `-map` to its address.

    `arguments` maps from MAIN_INPUT, or from SUB_INPUT when `mode` is SUB_STREAM. `reason` says in plain words
    why the camera's own video is not simply copied; None when it is.
    """

    arguments: tuple[str, ...]
    mode: OutputMode = OutputMode.COPY
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class OutputContext:
    """What an output gets from the stream worker process that it lives in.

    `loop` is the worker's one asyncio loop, running in a thread of its own: an output's coroutines go
    there with `asyncio.run_coroutine_threadsafe`; every method of an output is called from other threads.
    """

    config: Config
    loop: asyncio.AbstractEventLoop
    worker: str


class DirectOutput(ABC):
    """An output inside the ingest FFmpeg, for what must be fast, such as RTP to the SFU.

    One object serves all devices of a worker process. The stream goes on whatever it raises: the pipeline
    then starts without this output, and `check` is asked whether it can be attached by now.
    """

    #: Unique among all outputs; shown in the API.
    name: str

    @abstractmethod
    def attach(self, device: DeviceContext, inputs: PipelineInputs) -> OutputArguments:
        """The arguments for the next run of a device's FFmpeg; may block for a few seconds."""

    def check(self, device_id: str) -> str | None:
        """Asked each second while FFmpeg runs: None, or a reason code why the run must start anew."""
        return None

    def figures(self, device_id: str) -> dict[str, Any]:
        """Live figures to show beside the stream's own, such as `{"viewers": 2}`; must not block."""
        return {}

    def release(self, device_id: str) -> None:
        """The worker gives the device up, to another worker or for good. May be called twice."""

    def close(self) -> None:
        """The worker process ends. May be called twice."""


@dataclass(frozen=True, slots=True)
class ConsumerContext:
    """What a consumer output gets from the process that it lives in.

    `worker` names the process; `notify("on_…", **facts)` tells a hook's implementations, each alone.
    """

    config: Config
    worker: str
    clock: Clock
    notify: Callable[..., None]


class Consumption(ABC):
    """One device's time with a consumer output, from `attach` to `close`; one thread uses it.

    An exception never reaches the stream. After `gateway.errors.Unavailable` (a disk, a database, a server that is
    away) it is closed and the output is attached anew, for as long as it takes, while parts wait on the bus. After any
    other error the same is done, and a part that fails three times is passed over.
    """

    @property
    @abstractmethod
    def position(self) -> Position | None:
        """The part after which it goes on; None: the oldest that the bus holds. Asked once, before the first part."""

    @abstractmethod
    def take(self, part: Part, init_segment: bytes) -> None:
        """The next part, with the init segment of its run. May block; the bus keeps what comes meanwhile for a
        while."""

    def tick(self) -> str | None:
        """Called about twice a second, also while no parts come: None, or a reason code why it is to end."""
        return None

    def close(self, reason: str) -> None:
        """The end, for a code of gateway.states.REASONS: whatever was taken is made safe. May be called twice."""


class ConsumerOutput(ABC):
    """An output that is fed with parts from the media bus, in a process of its own: a recorder, an archiver, an
    analyser.

    One object serves all devices of a process. The clock process has one too, to ask `wanted`; nothing may be
    opened before `attach`. For each device one process holds the lease `output:NAME`.
    """

    #: Unique among all outputs; shown in the API.
    name: str
    #: What the product uses the output for, such as RECORDER; None: nothing. At most one output has a role.
    role: str | None = None

    @abstractmethod
    def wanted(self) -> list[str]:
        """The ids of the devices to which it is to be attached now; asked every few seconds, so one cheap query."""

    @abstractmethod
    def attach(self, device: DeviceContext) -> Consumption:
        """Begin or go on with a device; may block for seconds. What it raises is logged, and it is tried again."""

    def close(self) -> None:
        """The process ends. May be called twice."""
