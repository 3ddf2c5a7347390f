"""A stranger's plugin with a direct output and two sources, which does as a file says."""

import asyncio
import ctypes
import os
import threading
from pathlib import Path

from gateway.hookspecs import hookimpl
from gateway.outputs import Demand, DirectOutput, OutputArguments, OutputMode, PacketTaker
from gateway.sources.source import AddressSource, SessionSource, SourceSession
from gateway.sources.tracks import CodecData, Description, SourceError, TrackDescription

FOLDER = Path(os.environ.get("APART_TRIAL", "."))


def note(text: str) -> None:
    """Append a line that the test reads."""
    with (FOLDER / "notes").open("a") as file:
        file.write(f"{text}\n")


def obey(step: str) -> None:
    """Do what is ordered for a step."""
    order = FOLDER / step
    if not order.exists():
        return
    match order.read_text():
        case "segfault":
            ctypes.string_at(0)
        case "raise":
            raise RuntimeError("ordered")
        case "hold":
            ctypes.PyDLL(None).sleep(1000)


class Taker(PacketTaker):
    """Takes packets and notes them."""

    is_wanted = False

    def begin(self, kind, codec, parameter_sets):
        note(f"begin {kind} {codec} {len(parameter_sets)}")
        self.is_wanted = True
        self.ask()

    def take(self, kind, payload, time, *, ends_unit):
        obey("take")
        note(f"take {kind} {payload.decode()} {time} {ends_unit}")

    def lost(self, kind, packets):
        note(f"lost {kind} {packets}")

    def flush(self):
        note("flush")


class Output(DirectOutput):
    """A direct output."""

    name = "trial_output"

    def __init__(self, context):
        self.context = context
        self.demand = Demand()

    def attach(self, device, inputs):
        note(f"attach {device.name} in {os.getpid()} {threading.current_thread() is threading.main_thread()}")
        obey("attach")
        if (FOLDER / "plain").exists():
            return OutputArguments(arguments=("-map", "0:v"))
        sub = inputs.find_sub()
        self.context.loop.call_soon_threadsafe(self.demand.set, False)
        return OutputArguments(
            ("-map", "0:v", sub.video.codec if sub else inputs.main.video.codec),
            OutputMode.COPY,
            packets=Taker(),
            demand=self.demand,
        )

    def check(self, device_id):
        obey("check")
        self.context.loop.call_soon_threadsafe(self.demand.set, True)

    def figures(self, device_id):
        return {"process": os.getpid()}

    def release(self, device_id):
        note("release")

    def close(self):
        note("close")


class Addresses(AddressSource):
    """Gives addresses."""

    schemes = ("trial",)
    default_ports = {"trial": 99}  # noqa: RUF012

    async def resolve(self, target):
        obey("resolve")
        if target.path == "/away":
            raise SourceError("unreachable", "the cloud is away")
        return f"rtsp://{target.host}{target.path}"


class Session(SourceSession):
    """Plays two units and a packet."""

    def __init__(self, target, follow):
        self.target, self.follow = target, follow
        self.ended = asyncio.Event()

    @property
    def answered_at(self):
        return 12.5

    async def describe(self):
        other = await self.follow("trials://elsewhere/")
        return Description((TrackDescription(0, "video", "mjpeg", 26, 90000),), server=other.host, gives_units=True)

    async def play(self, tracks, receiver):
        receiver.unit("video", 0, b"picture", codec_data=CodecData("mjpeg", width=4), arrived=1.0)
        receiver.unit("video", 3000, bytes(200_000), False, arrived=2.0)
        receiver.packet(0, b"packet", 3.0)
        receiver.rtcp(0, b"report", 4.0)
        receiver.flush()

    async def wait_ended(self):
        obey("wait_ended")
        await self.ended.wait()

    async def close(self):
        note("session closed")
        self.ended.set()


class Sessions(SessionSource):
    """Reads cameras by itself."""

    schemes = ("trials", "trialx")
    default_ports = {"trials": 98, "trialx": 97}  # noqa: RUF012

    def open(self, target, follow):
        return Session(target, follow)


@hookimpl
def register_direct_outputs(context):
    obey("register")
    return [Output(context)]


@hookimpl
def register_sources(context):
    return [Addresses(), Sessions()]
