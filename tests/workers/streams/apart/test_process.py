"""A stranger's outputs and sources run in a process of their own: whatever happens to it, the stream worker goes on."""

import asyncio
import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.config import Config
from gateway.errors import PluginError
from gateway.isolation.guard import GUARD
from gateway.media import SourceInfo, VideoInfo
from gateway.outputs import DeviceContext, OutputMode, PipelineInputs
from gateway.plugin_manager import create_plugin_manager
from gateway.sources.source import SourceTarget
from gateway.sources.tracks import SourceError
from tests.conftest import wait_until
from tests.contracts.repository import ROOT
from tests.factories import SECRET_KEY, SFU_SECRET
from tests.workers.streams.apart import trial_plugin
from workers.streams.apart.process import ApartProcess
from workers.streams.apart.start import Apart, start_apart
from workers.streams.plugin_session import PluginSession
from workers.streams.plugin_steps import PluginSteps
from workers.streams.source_threads import THREADS

DEVICE = DeviceContext("11111111-2222-4333-8444-555555555555", "t1", "Gate")
MAIN = SourceInfo(VideoInfo("h264", 640, 360))
SUB = SourceInfo(VideoInfo("hevc", 320, 180))
TARGET = SourceTarget("trial", "camera", 99, "/one", ("user", "secret"), ("192.0.2.1",))


class Trial:
    """The plugin's folder of orders and notes, and the stand-ins of a worker."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.apart: Apart | None = None

    def start(self) -> Apart:
        manager = create_plugin_manager(with_installed=False)
        manager.register(trial_plugin, name="trial")
        manager.strangers.add("trial")
        self.apart = start_apart(manager, f"test:{os.getpid()}", lambda function: function())
        self.faulty = manager.faulty
        return self.apart

    @property
    def process(self) -> ApartProcess:
        return self.apart.processes[0]

    @property
    def output(self):
        return self.apart.outputs["trial"][0]

    def orders(self, step: str, what: str | None) -> None:
        (self.folder / step).unlink(missing_ok=True) if what is None else (self.folder / step).write_text(what)

    def notes(self) -> list[str]:
        file = self.folder / "notes"
        return file.read_text().splitlines() if file.exists() else []

    def attach(self, find_sub=lambda: None):
        return self.output.attach(DEVICE, PipelineInputs(MAIN, find_sub))

    def pid(self) -> int:
        return self.output.figures(DEVICE.id)["process"]


@pytest.fixture
def trial(sqlite_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trial]:
    site = tmp_path / "site" / "trial_plugin-1.0.dist-info"
    site.mkdir(parents=True)
    (site / "METADATA").write_text("Metadata-Version: 2.1\nName: trial-plugin\nVersion: 1.0\n")
    (site / "entry_points.txt").write_text(f"[gateway.plugins]\ntrial = {trial_plugin.__name__}\n")
    values = {
        "PYTHONPATH": f"{site.parent}{os.pathsep}{ROOT}",
        "APART_TRIAL": str(tmp_path),
        "VAR_DIR": str(tmp_path / "var"),
        "DATABASE_URL": sqlite_url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": SECRET_KEY,
        "SFU_SECRET": SFU_SECRET,
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    GUARD.watch(Config.from_environment().var_dir)
    trial = Trial(tmp_path)
    yield trial
    if trial.apart is not None:
        trial.apart.close()


def test_an_output_without_packets_and_demand_is_attached(trial):
    trial.orders("plain", "")
    trial.start()
    found = trial.attach()
    assert (found.arguments, found.packets, found.demand) == (("-map", "0:v"), None, None)


def test_an_output_works_as_in_the_worker(trial):
    trial.start()
    found = trial.attach(lambda: SUB)
    assert found.arguments == ("-map", "0:v", "hevc")
    assert found.mode is OutputMode.COPY
    assert trial.pid() != os.getpid()
    assert f"attach Gate in {trial.pid()} False" in trial.notes()
    assert trial.output.check(DEVICE.id) is None
    wait_until(lambda: found.demand.is_set, "its process is asked for")
    taker = found.packets
    asked = threading.Event()
    taker.on_asked = asked.set
    assert not taker.is_wanted
    taker.begin("video", "h264", (b"sps", b"pps"))
    assert asked.wait(10)
    assert taker.is_wanted
    taker.take("video", b"payload", 1.5, ends_unit=True)
    taker.lost("video", 3)
    taker.flush()
    wait_until(lambda: "flush" in trial.notes(), "the packets arrive")
    assert trial.notes()[-4:] == ["begin video h264 2", "take video payload 1.5 True", "lost video 3", "flush"]
    trial.output.release(DEVICE.id)
    trial.apart.close()
    assert trial.notes()[-2:] == ["release", "close"]


def test_a_taker_that_fails_says_so_with_the_next_packet(trial):
    trial.start()
    trial.orders("take", "raise")
    taker = trial.attach().packets
    taker.begin("video", "h264", ())
    wait_until(lambda: taker.is_wanted, "it wants packets")
    taker.take("video", b"payload", 1.5, ends_unit=True)

    def has_failed() -> bool:
        try:
            taker.take("video", b"payload", 1.5, ends_unit=True)
        except RuntimeError as error:
            return "ordered" in str(error)
        return False

    wait_until(has_failed, "the failure arrives")


def test_an_output_that_raises_fails_by_its_own_words(trial):
    trial.start()
    trial.orders("attach", "raise")
    with pytest.raises(PluginError, match="RuntimeError: ordered"):
        trial.attach()
    pid = trial.pid()
    trial.orders("attach", None)
    assert trial.attach()
    assert trial.pid() == pid, "the process goes on"


def test_a_crash_fails_what_waits_and_the_output_is_attached_again(trial):
    trial.start()
    trial.attach()
    pid = trial.pid()
    trial.orders("check", "segfault")
    with pytest.raises(PluginError, match="SIGSEGV"):
        trial.output.check(DEVICE.id)
    trial.orders("check", None)

    def is_told() -> bool:
        with contextlib.suppress(PluginError):
            return trial.output.check(DEVICE.id) == "process_restarted" and trial.pid() != pid
        return False

    wait_until(is_told, "it runs again", 30)
    assert trial.attach()
    assert trial.output.check(DEVICE.id) is None
    (problem,) = GUARD.problems.list()
    assert (problem.plugin, "SIGSEGV" in problem.reason) == ("trial", True)


def test_three_crashes_set_the_plugin_aside(trial):
    trial.start()
    trial.orders("attach", "segfault")

    def is_aside() -> bool:
        try:
            trial.attach()
        except PluginError as error:
            return "set aside" in str(error)
        return False

    wait_until(is_aside, "it is set aside", 60)
    assert GUARD.aside("trial").step == "attach"


def test_a_plugin_that_cannot_register_costs_the_worker_nothing_else(trial):
    trial.orders("register", "raise")
    apart = trial.start()
    assert (apart.outputs, apart.sources) == ({"trial": []}, {"trial": []})
    (faulty,) = trial.faulty
    assert "ordered" in faulty.reason


def test_the_process_ends_with_its_worker(trial):
    trial.start()
    pid = trial.pid()
    channel = trial.process._channel
    THREADS.get("trial").loop.call_soon_threadsafe(channel.close)
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), "it ends when the connection does", 20)


def test_a_process_that_holds_the_lock_is_ended_with_its_worker(trial):
    trial.start()
    pid = trial.pid()
    trial.orders("check", "hold")
    with pytest.raises(TimeoutError):
        trial.process.ask("check", "trial_output", DEVICE.id, seconds=1)
    began = time.monotonic()
    trial.apart.close()
    assert time.monotonic() - began < 15
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), "it is killed", 10)


def test_a_suspended_process_holds_nobody(trial):
    trial.start()
    pid = trial.pid()
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(TimeoutError):
        trial.process.ask("check", "trial_output", DEVICE.id, seconds=0.5)
    os.kill(pid, signal.SIGCONT)
    assert trial.pid() == pid


def run_in_thread(coroutine):
    return THREADS.get("trial").run(coroutine).result(30)


def test_a_source_of_addresses_is_asked(trial):
    addresses, sessions = trial.start().sources["trial"]
    assert (addresses.schemes, dict(addresses.default_ports)) == (("trial",), {"trial": 99})
    assert (sessions.schemes, sessions.default_ports["trialx"]) == (("trials", "trialx"), 97)
    assert run_in_thread(addresses.resolve(TARGET)) == "rtsp://camera/one"
    away = SourceTarget("trial", "camera", 99, "/away")
    with pytest.raises(SourceError, match="the cloud is away") as caught:
        run_in_thread(addresses.resolve(away))
    assert caught.value.reason == "unreachable"


class Receiver:
    """Notes what a session plays."""

    def __init__(self) -> None:
        self.seen: list[tuple] = []

    def unit(self, kind, timestamp, data, is_key=True, *, arrived=None, codec_data=None):
        self.seen.append(("unit", kind, timestamp, len(data), is_key, arrived, codec_data and codec_data.width))

    def packet(self, index, packet, arrived):
        self.seen.append(("packet", index, packet, arrived))

    def rtcp(self, index, packet, arrived):
        self.seen.append(("rtcp", index, packet, arrived))

    def flush(self):
        self.seen.append(("flush",))


def test_a_session_plays_in_the_worker(trial):
    source = trial.start().sources["trial"][1]
    receiver = Receiver()

    async def follow(url):
        return SourceTarget("trials", url.split("/")[2], 98, "/")

    async def test():
        steps = PluginSteps("trial", THREADS.get("trial"))
        session = PluginSession(source, TARGET, follow, steps, seconds=20)
        description = await session.describe()
        assert (description.server, description.gives_units) == ("elsewhere", True)
        await session.play(description.tracks, receiver)
        async with asyncio.timeout(20):
            while len(receiver.seen) < 5 or session.answered_at is None:
                await asyncio.sleep(0.05)
        await session.close()
        return session.answered_at

    assert asyncio.run(test()) == 12.5
    assert receiver.seen == [
        ("unit", "video", 0, 7, True, 1.0, 4),
        ("unit", "video", 3000, 200_000, False, 2.0, None),
        ("packet", 0, b"packet", 3.0),
        ("rtcp", 0, b"report", 4.0),
        ("flush",),
    ]
    assert "session closed" in trial.notes()


def test_a_crash_ends_the_session_with_a_reason(trial):
    source = trial.start().sources["trial"][1]

    async def follow(url):
        return TARGET

    async def test():
        steps = PluginSteps("trial", THREADS.get("trial"))
        session = PluginSession(source, TARGET, follow, steps, seconds=20)
        description = await session.describe()
        await session.play(description.tracks, Receiver())
        trial.orders("wait_ended", "segfault")
        with pytest.raises(SourceError) as caught:
            await session.wait_ended()
        await session.close()
        return caught.value

    error = asyncio.run(test())
    assert error.reason == "source_failed"
