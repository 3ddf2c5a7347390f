"""Calls and posts between two processes: replies find their calls, errors keep their kinds, and the end ends all."""

import asyncio
import contextlib
import socket

import pytest

from gateway.errors import PluginError
from gateway.sources.tracks import SourceError
from workers.streams.apart import channel as module
from workers.streams.apart.channel import Channel, ChannelClosed


def talk(test, **handlers):
    """Run `test(near, far)` with both sides of a connection; `handlers` are those of the far side."""

    async def run():
        one, two = socket.socketpair()
        near, far = await Channel.open(one, {}), await Channel.open(two, handlers)
        serving = [asyncio.ensure_future(side.serve()) for side in (near, far)]
        try:
            async with asyncio.timeout(20):
                await test(near, far)
        finally:
            near.close()
            far.close()
            await asyncio.wait(serving, timeout=5)
            assert all(task.done() for task in serving)

    asyncio.run(run())


def test_replies_find_their_calls_in_any_order():
    waits = {"slow": asyncio.Event(), "fast": asyncio.Event()}

    async def wait(name):
        await waits[name].wait()
        return name

    async def test(near, _far):
        slow, fast = (asyncio.ensure_future(near.call("wait", name)) for name in waits)
        waits["fast"].set()
        assert await fast == "fast"
        assert not slow.done()
        waits["slow"].set()
        assert await slow == "slow"

    talk(test, wait=wait)


def test_posts_arrive_in_order_with_their_bytes():
    seen, arrived = [], asyncio.Event()

    def take(number, body=b""):
        seen.append((number, body))
        if number == 3:
            arrived.set()

    async def test(near, _far):
        for number, body in ((1, b"a" * 100_000), (2, b""), (3, b"c")):
            near.post("take", number, body=body)
        await arrived.wait()
        assert [(number, len(body)) for number, body in seen] == [(1, 100_000), (2, 0), (3, 1)]

    talk(test, take=take)


def test_errors_keep_their_reasons_and_tell_no_tracebacks():
    async def fail(kind):
        if kind == "source":
            raise SourceError("timed_out", "the camera is away")
        if kind == "plugin":
            raise PluginError("it is set aside")
        return {"a": object()} if kind == "unfit" else {}[kind]

    async def test(near, _far):
        with pytest.raises(SourceError, match="the camera is away") as caught:
            await near.call("fail", "source")
        assert caught.value.reason == "timed_out"
        for kind, text in (
            ("plugin", "it is set aside"), ("other", "KeyError: 'other'"), ("unfit", "cannot be passed")
        ):  # fmt: skip
            with pytest.raises(PluginError, match=text):
                await near.call("fail", kind)
        with pytest.raises(PluginError, match="KeyError"):
            await near.call("unknown")

    talk(test, fail=fail)


def test_a_call_has_a_limit_and_its_late_reply_is_nothing():
    release = asyncio.Event()

    async def wait():
        await release.wait()

    async def echo(value):
        return value

    async def test(near, _far):
        with pytest.raises(TimeoutError):
            await near.call("wait", seconds=0.01)
        release.set()
        assert await near.call("echo", 5) == 5

    talk(test, wait=wait, echo=echo)


def test_the_end_of_the_other_side_fails_what_waits_and_all_later_calls():
    entered = asyncio.Event()

    async def wait():
        entered.set()
        await asyncio.Event().wait()

    async def test(near, far):
        waiting = asyncio.ensure_future(near.call("wait"))
        await entered.wait()
        far.close()
        with pytest.raises(ChannelClosed):
            await waiting
        with pytest.raises(ChannelClosed):
            await near.call("wait")
        assert near.post("anything") is False

    talk(test, wait=wait)


@pytest.mark.parametrize(
    "sent",
    [
        b"\xff" * 64, b"\x05\0\0\0\0\0\0\0hello", b"\x02\0\0\0\0\0\0\0[]", b"\x02\0\0\0\0\0\0\0{}",
        b'\x1d\0\0\0\0\0\0\0{"post":"x","arguments":[{}]}',
        b'\x1b\0\0\0\0\0\0\0{"post":"?","arguments":[]}',
    ],
)  # fmt: skip
def test_what_cannot_be_ends_the_connection(sent):
    async def test():
        one, two = socket.socketpair()
        near = await Channel.open(one, {"x": lambda *_: None})
        two.sendall(sent)
        async with asyncio.timeout(10):
            await near.serve()
        assert near.is_closed
        with contextlib.suppress(OSError):
            two.close()

    asyncio.run(test())


def test_media_that_the_other_side_does_not_take_are_dropped(monkeypatch):
    monkeypatch.setattr(module, "_MAX_WAITING_BYTES", 100_000)

    async def test():
        one, two = socket.socketpair()
        near = await Channel.open(one, {})
        sent = [near.post("take", body=bytes(50_000), may_drop=True) for _ in range(100)]
        assert sent[0]
        assert not sent[-1]
        assert near.post("important"), "what is no media is never dropped"
        near.close()
        two.close()

    asyncio.run(test())
