"""Plugins' sources that raise, hang, block and give garbage: their device alone has a reason for it."""

import asyncio
import threading
import time

import pytest

from gateway.devices.sources import SourcePolicy
from gateway.sources.registry import SourceRegistry
from gateway.sources.source import AddressSource, SessionSource, SourceSession
from gateway.sources.tracks import VIDEO, CodecData, Description, SourceError, TrackDescription
from tests.cameras.http_pictures import make_picture
from tests.conftest import wait_until
from tests.factories import make_config
from workers.ingest.camera import Camera
from workers.streams.sources import SessionOpener

TRACK = TrackDescription(0, VIDEO, "mjpeg", 26, 90_000)
UNITS = Description((TRACK,), gives_units=True)


class FaultySession(SourceSession):
    """Does what its source says in each step: a value to return, an exception to raise, or a function to call."""

    def __init__(self, source: "FaultySource") -> None:
        self.source = source

    async def step(self, name: str, otherwise=None):
        self.source.calls.append(name)
        what = self.source.steps.get(name, otherwise)
        if isinstance(what, BaseException):
            raise what
        if callable(what):
            what = what(self)
        return await what if asyncio.iscoroutine(what) else what

    async def describe(self):
        return await self.step("describe", UNITS)

    async def play(self, tracks, receiver):
        self.receiver = receiver
        await self.step("play")

    async def wait_ended(self):
        await self.step("wait_ended", lambda _: asyncio.sleep(60))

    async def close(self):
        await self.step("close")


class FaultySource(SessionSource):
    schemes = ("faulty",)
    default_ports = {"faulty": 7}  # noqa: RUF012 - it is read only

    def __init__(self, **steps) -> None:
        self.steps = steps
        self.calls: list[str] = []
        self.targets = []

    def open(self, target, follow):
        self.targets.append(target)
        if "open" in self.steps:
            raise self.steps["open"]
        return FaultySession(self)


class CloudSource(AddressSource):
    schemes = ("faulty",)
    default_ports = {"faulty": 7}  # noqa: RUF012 - it is read only

    def __init__(self, answer) -> None:
        self.answer = answer
        self.targets = []

    async def resolve(self, target):
        self.targets.append(target)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer() if callable(self.answer) else self.answer


def opener_of(source, plugin: str = "odd", seconds: float = 0.1, **policy) -> SessionOpener:
    registry = SourceRegistry([(plugin, source)])
    config = make_config(connect_timeout_seconds=max(seconds, 1.0))
    opener = SessionOpener(registry, config, None, policy=SourcePolicy(ports=registry.ports, **policy))
    opener._step_seconds = seconds
    return opener


async def follow(opener: SessionOpener, units: list, url: str = "faulty://u:p%20w@10.0.0.1/x?y") -> None:
    """A session from its start to its end, as an ingest has it."""
    camera = Camera(await opener.open(url), units.append)
    try:
        await camera.open()
        await camera.wait_ended()
    finally:
        await camera.close()
        await camera.close()


def reason_of(source, *, seconds: float = 0.3, units: list | None = None) -> SourceError:
    with pytest.raises(SourceError) as caught:
        asyncio.run(follow(opener_of(source, seconds=seconds), [] if units is None else units))
    return caught.value


def hang(_session=None):
    return asyncio.sleep(60)


FAULTS = {
    "open raises": ({"open": ZeroDivisionError()}, "source_failed"),
    "describe raises": ({"describe": KeyError("x")}, "source_failed"),
    "describe exits": ({"describe": SystemExit(1)}, "source_failed"),
    "describe interrupts": ({"describe": KeyboardInterrupt()}, "source_failed"),
    "describe cancels": ({"describe": asyncio.CancelledError()}, "source_failed"),
    "describe hangs": ({"describe": hang}, "timed_out"),
    "describe gives nothing": ({"describe": lambda _: None}, "source_failed"),
    "describe gives tracks that are none": ({"describe": Description(("x",))}, "source_failed"),
    "describe gives a list": ({"describe": Description([TRACK])}, "source_failed"),
    "describe gives many": ({"describe": Description((TRACK,) * 1000)}, "source_failed"),
    "a clock rate of 0": ({"describe": Description((TrackDescription(0, VIDEO, "mjpeg", 26, 0),))}, "source_failed"),
    "no tracks": ({"describe": Description(())}, "no_video"),
    "an odd codec": (
        {"describe": Description((TrackDescription(0, VIDEO, "x", 1, 9),))},
        "unsupported_codec",
    ),
    "a reason of the plugin": ({"describe": SourceError("forbidden")}, "forbidden"),
    "a reason that is none": ({"describe": SourceError("my_reason")}, "source_failed"),
    "play raises": ({"play": ValueError()}, "source_failed"),
    "play hangs": ({"play": hang}, "timed_out"),
    "it ends": ({"wait_ended": lambda _: None}, "closed_by_camera"),
    "the end raises": ({"wait_ended": OSError("gone")}, "source_failed"),
    "close raises": ({"wait_ended": SourceError("stalled"), "close": ZeroDivisionError()}, "stalled"),
}


@pytest.mark.parametrize(("steps", "reason"), FAULTS.values(), ids=FAULTS)
def test_whatever_a_plugin_does_is_a_reason(steps, reason):
    source = FaultySource(**steps)
    assert reason_of(source).reason == reason


def test_a_plugin_that_hangs_when_it_closes_is_left_behind(monkeypatch):
    monkeypatch.setattr("workers.streams.plugin_session._CLOSE_SECONDS", 0.1)
    assert reason_of(FaultySource(wait_ended=SourceError("stalled"), close=hang)).reason == "stalled"


def test_a_plugin_that_blocks_stops_neither_the_loop_nor_other_plugins():
    released = threading.Event()

    async def scenario():
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.005)

        ticking = asyncio.ensure_future(tick())
        blocking = FaultySource(describe=lambda _: released.wait(30))
        with pytest.raises(SourceError) as caught:
            await follow(opener_of(blocking, "blocking", 0.3), [])
        assert caught.value.reason == "timed_out"
        assert "'blocking'" in caught.value.message
        assert ticks > 10
        with pytest.raises(SourceError) as caught:
            await follow(opener_of(FaultySource(describe=SourceError("forbidden")), "other", 5), [])
        assert caught.value.reason == "forbidden"
        ticking.cancel()

    try:
        asyncio.run(scenario())
    finally:
        released.set()


def test_a_task_that_exits_ends_no_other_session():
    async def leave() -> None:
        raise SystemExit(3)

    def start(_session) -> None:
        asyncio.get_running_loop().create_task(leave())

    assert reason_of(FaultySource(describe=start)).reason == "source_failed"
    assert reason_of(FaultySource(describe=SourceError("forbidden"))).reason == "forbidden"


def test_the_plugin_gets_the_checked_address_and_the_login():
    source = FaultySource(describe=SourceError("stalled"))
    reason_of(source)
    (target,) = source.targets
    assert (target.scheme, target.host, target.port, target.path) == ("faulty", "10.0.0.1", 7, "/x?y")
    assert (target.addresses, target.credentials) == (("10.0.0.1",), ("u", "p w"))
    assert "p w" not in repr(target)
    assert "/x" not in repr(target)


def test_an_address_that_the_policy_refuses_is_never_given_to_a_plugin():
    source = FaultySource()
    with pytest.raises(SourceError) as caught:
        asyncio.run(follow(opener_of(source), [], "faulty://127.0.0.1/x"))
    assert caught.value.reason == "address_not_allowed"
    assert not source.targets


def test_a_scheme_whose_plugin_is_gone_has_a_reason():
    with pytest.raises(SourceError) as caught:
        asyncio.run(follow(opener_of(FaultySource()), [], "cloudcam://door/1"))
    assert caught.value.reason == "source_unknown"


def give(session: FaultySession) -> None:
    for number in range(5):
        session.receiver.unit(VIDEO, number * 9000, make_picture(number), True)


def test_units_become_pictures_with_rising_times():
    units = []
    assert reason_of(FaultySource(play=give, wait_ended=SourceError("stalled")), units=units).reason == "stalled"
    assert len(units) == 5
    assert units[0].codec_data == CodecData("mjpeg", width=320, height=192, profile="Baseline", pixel_format="yuvj420p")
    times = [unit.time for unit in units]
    assert times == sorted(set(times))


GARBAGE = {
    "no bytes": lambda session: session.receiver.unit(VIDEO, 0, "text", True),
    "no stamp": lambda session: session.receiver.unit(VIDEO, 0.5, b"x", True),
    "no track": lambda session: session.receiver.unit("smell", 0, b"x", True),
    "no codec data": lambda session: session.receiver.unit(VIDEO, 0, b"x", True, codec_data="x"),
    "no packet": lambda session: session.receiver.packet(0, None, 0.0),
}


@pytest.mark.parametrize("give_garbage", GARBAGE.values(), ids=GARBAGE)
def test_what_is_no_unit_is_the_plugins_own_error(give_garbage):
    units = []
    assert reason_of(FaultySource(play=give_garbage), units=units).reason == "source_failed"
    assert not units


def test_units_that_cannot_be_read_are_counted_and_skipped():
    def give_bad(session: FaultySession) -> None:
        for data in (b"", b"x" * 999, make_picture()[:20], b"\xff\xd8\xff\xc0\0\0"):
            session.receiver.unit(VIDEO, 0, data, True)
        session.receiver.unit(VIDEO, 1 << 200, make_picture(), True)
        session.receiver.unit(VIDEO, 0, make_picture(), True, arrived=float("inf"))

    units = []
    reason_of(FaultySource(play=give_bad, wait_ended=SourceError("stalled")), units=units)
    assert len(units) == 1
    assert units[0].arrived <= time.monotonic()


def test_a_plugin_that_floods_a_slow_worker_is_bounded(monkeypatch):
    monkeypatch.setattr("workers.streams.plugin_session._MAX_WAITING_BYTES", 100_000)
    picture, units, given = make_picture(), [], threading.Event()

    def flood(session: FaultySession) -> None:
        for number in range(1000):
            session.receiver.unit(VIDEO, number * 90, picture, True)
        given.set()

    async def scenario():
        camera = Camera(await opener_of(FaultySource(play=flood), seconds=20).open("faulty://10.0.0.1/"), units.append)
        opening = asyncio.ensure_future(camera.open())
        while camera.description is None:
            await asyncio.sleep(0)
        # The worker's loop stands still meanwhile.
        given.wait(20)
        await opening
        await camera.close()

    asyncio.run(scenario())
    assert 0 < len(units) <= 100_000 // len(picture) + 5


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (ZeroDivisionError(), "source_failed"),
        (SourceError("unauthorized"), "unauthorized"),
        (None, "source_failed"),
        ("", "source_failed"),
        ("not a url", "source_failed"),
        ("file:///etc/passwd", "source_failed"),
        ("faulty://10.0.0.1/again", "redirected"),
        ("rtsp://127.0.0.1/x", "address_not_allowed"),
        ("rtsp://169.254.169.254/x", "address_not_allowed"),
        (lambda: time.sleep(0.5) or "rtsp://10.0.0.1/", "timed_out"),
    ],
)
def test_an_address_of_a_plugin_passes_the_policy_like_any_other(answer, reason):
    assert reason_of(CloudSource(answer), seconds=0.2).reason == reason


def test_a_plugin_says_where_rtsp_connects_to_each_time():
    source = CloudSource("rtsp://viewer:secret@10.0.0.9:8554/live")

    async def scenario():
        session = await opener_of(source, seconds=5).open("faulty://serial-5.invalid/main")
        await session.close()
        return session

    session = asyncio.run(scenario())
    assert session._target.addresses == ("10.0.0.9",)
    assert session._target.source.credentials == ("viewer", "secret")
    assert source.targets[0].addresses == ()
    wait_until(lambda: len(source.targets) == 1, "it was asked once")
