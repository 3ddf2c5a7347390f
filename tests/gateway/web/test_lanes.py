"""Work takes turns by lane, no lane takes all threads, and what waits too long or is cancelled is not begun."""

import asyncio
import threading

import pytest

from gateway.web.lanes import Lanes, Overloaded


class Gate:
    """Functions that run until they are let through."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.begun: list[str] = []

    def __call__(self, name: str) -> str:
        self.begun.append(name)
        assert self.open.wait(10)
        return name


async def begin(lanes, lane, *call):
    """Start a function, and let the loop hand it to a thread."""
    task = asyncio.ensure_future(lanes.run(lane, *call))
    await asyncio.sleep(0)
    return task


@pytest.fixture
def gate():
    gate = Gate()
    yield gate
    gate.open.set()


def test_results_and_errors_come_back():
    async def scenario():
        lanes = Lanes(2, {"short": 2})
        assert await lanes.run("short", lambda a, b: a + b, 1, 2) == 3
        with pytest.raises(ZeroDivisionError):
            await lanes.run("short", lambda: 1 / 0)
        assert await lanes.run("short", threading.get_ident) != threading.get_ident()
        lanes.close()
        lanes.close()

    asyncio.run(scenario())


def test_a_full_lane_leaves_threads_to_the_others(gate):
    async def scenario():
        lanes = Lanes(3, {"short": 3, "files": 1})
        files = [await begin(lanes, "files", gate, f"file {number}") for number in range(5)]
        assert await asyncio.wait_for(lanes.run("short", lambda: "quick"), 5) == "quick"
        assert lanes.waiting() == 4
        gate.open.set()
        assert await asyncio.gather(*files) == [f"file {number}" for number in range(5)]
        lanes.close()

    asyncio.run(scenario())


def test_lanes_take_turns(gate):
    async def scenario():
        lanes = Lanes(1, {"a": 1, "b": 1})
        first = await begin(lanes, "a", gate, "first")
        rest = [await begin(lanes, lane, gate, f"{lane}{number}") for lane in "ab" for number in (1, 2, 3)]
        gate.open.set()
        await asyncio.gather(first, *rest)
        assert sorted(gate.begun[1:3]) == ["a1", "b1"]
        assert sorted(gate.begun[3:5]) == ["a2", "b2"]
        lanes.close()

    asyncio.run(scenario())


def test_cancelled_work_is_not_begun(gate):
    async def scenario():
        lanes = Lanes(1, {"a": 1})
        first = await begin(lanes, "a", gate, "first")
        second, third = await begin(lanes, "a", gate, "second"), await begin(lanes, "a", gate, "third")
        second.cancel()
        gate.open.set()
        assert (await first, await third) == ("first", "third")
        assert gate.begun == ["first", "third"]
        lanes.close()

    asyncio.run(scenario())


def test_cancelling_work_that_has_begun_gives_its_thread_back_when_it_ends(gate):
    async def scenario():
        lanes = Lanes(1, {"a": 1})
        first = await begin(lanes, "a", gate, "first")
        first.cancel()
        second = await begin(lanes, "a", gate, "second")
        assert gate.begun == ["first"]
        gate.open.set()
        assert await second == "second"
        lanes.close()

    asyncio.run(scenario())


def test_work_that_waited_too_long_is_refused(gate):
    now = [0.0]

    async def scenario():
        lanes = Lanes(1, {"a": 1}, clock=lambda: now[0])
        first = await begin(lanes, "a", gate, "first")
        late = await begin(lanes, "a", gate, "late")
        now[0] = 11.0
        fresh = await begin(lanes, "a", gate, "fresh")
        gate.open.set()
        assert (await first, await fresh) == ("first", "fresh")
        with pytest.raises(Overloaded):
            await late
        assert gate.begun == ["first", "fresh"]
        lanes.close()

    asyncio.run(scenario())
