"""Packets reach a taker in a thread of its own: it may block, raise or be slow, and the loop goes on."""

import asyncio
import threading

import pytest

from gateway.outputs import PacketTaker
from workers.ingest import taker_thread
from workers.ingest.taker_thread import ThreadedTaker


class Taker(PacketTaker):
    def __init__(self) -> None:
        self.is_wanted = True
        self.calls: list[tuple] = []
        self.proceed = threading.Event()
        self.proceed.set()
        self.error: BaseException | None = None

    def _note(self, *values: object) -> None:
        self.proceed.wait()
        if self.error is not None:
            raise self.error
        self.calls.append(values)

    def begin(self, kind, codec, parameter_sets):
        self._note("begin", codec)

    def take(self, kind, payload, time, *, ends_unit):
        self._note("take", payload)

    def lost(self, kind, packets):
        self._note("lost", packets)

    def flush(self):
        self._note("flush")


async def until(condition, seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.fixture
def run(monkeypatch):
    """Runs a coroutine function with a taker, what stands for it on the loop, and the list of its failures."""
    monkeypatch.setattr(taker_thread, "_LOOK_SECONDS", 0.01)

    def run(body) -> None:
        async def on_loop() -> None:
            taker, failures = Taker(), []
            threaded = ThreadedTaker(taker, "one", asyncio.get_running_loop(), failures.append)
            try:
                await body(taker, threaded, failures)
            finally:
                taker.proceed.set()
                threaded.close()

        asyncio.run(on_loop())

    return run


def test_calls_arrive_in_order(run):
    async def body(taker, threaded, failures):
        await until(lambda: threaded.is_wanted)
        threaded.begin("video", "h264", ())
        threaded.take("video", memoryview(b"a"), 1.0, ends_unit=True)
        threaded.lost("video", 2)
        threaded.flush()
        await until(lambda: len(taker.calls) == 4)
        assert taker.calls == [("begin", "h264"), ("take", b"a"), ("lost", 2), ("flush",)]

    run(body)


def test_a_taker_that_blocks_delays_nothing_and_is_told_what_it_lost(run, monkeypatch):
    monkeypatch.setattr(taker_thread, "_MOST_WAITING", 4)

    async def body(taker, threaded, failures):
        taker.proceed.clear()
        for number in range(50):
            threaded.take("video", b"%d" % number, 1.0, ends_unit=True)
        await until(lambda: threaded.busy is not None and threaded.busy[0] == "packets")
        taker.proceed.set()
        await until(lambda: len(taker.calls) >= 4)
        threaded.take("video", b"last", 1.0, ends_unit=True)
        await until(lambda: ("take", b"last") in taker.calls)
        lost = [call[1] for call in taker.calls if call[0] == "lost"]
        taken = [call for call in taker.calls if call[0] == "take"]
        assert sum(lost) + len(taken) == 51

    run(body)


@pytest.mark.parametrize("error", [RuntimeError("a mistake"), SystemExit(3), KeyboardInterrupt()])
def test_one_that_raises_is_reported_on_the_loop_and_gets_nothing_more(run, error):
    async def body(taker, threaded, failures):
        taker.error = error
        threaded.flush()
        await until(lambda: failures == [error])
        assert not threaded.is_wanted

    run(body)


def test_a_taker_asks_from_any_thread(run):
    async def body(taker, threaded, failures):
        asked = asyncio.Event()
        threaded.on_asked = asked.set
        taker.is_wanted = False
        await until(lambda: not threaded.is_wanted)
        taker.is_wanted = True
        await asyncio.to_thread(taker.ask)
        await asyncio.wait_for(asked.wait(), 5)
        assert threaded.is_wanted

    run(body)
