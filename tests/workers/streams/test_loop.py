"""The media loop runs in a thread of its own, and gives other threads results, errors and time limits."""

import asyncio

import pytest

from workers.streams.loop import MediaLoop


def test_waiting_for_a_coroutine_has_a_limit(media_loop: MediaLoop):
    with pytest.raises(TimeoutError):
        media_loop.run(asyncio.sleep(60), timeout_seconds=0.5)


def test_the_result_or_error_of_a_coroutine_reaches_the_caller(media_loop: MediaLoop):
    async def give() -> int:
        return 7

    async def fail() -> None:
        raise KeyError("x")

    assert media_loop.run(give(), timeout_seconds=5) == 7
    with pytest.raises(KeyError):
        media_loop.run(fail(), timeout_seconds=5)


def test_the_loop_may_be_closed_twice():
    loop = MediaLoop()
    loop.close()
    loop.close()
    assert not loop._thread.is_alive()
