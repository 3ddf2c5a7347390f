"""Connections that nobody waits for are read together; one that is hurried is read at once."""

import asyncio

from workers.rtsp.shared_reads import READ_SECONDS, SharedReads, shared_reads


class Reader:
    def __init__(self) -> None:
        self.resumed: list[float] = []

    def resume(self) -> None:
        self.resumed.append(asyncio.get_running_loop().time())


def test_all_that_wait_are_read_in_one_go_and_once():
    async def test() -> None:
        reads = SharedReads(asyncio.get_running_loop())
        readers = [Reader() for _ in range(5)]
        for reader in readers:
            reads.wait(reader)
        await asyncio.sleep(3 * READ_SECONDS)
        moments = [moment for reader in readers for moment in reader.resumed]
        assert len(moments) == 5
        assert max(moments) - min(moments) < READ_SECONDS

    asyncio.run(test())


def test_one_that_leaves_is_not_read():
    async def test() -> None:
        reads, leaving, staying = SharedReads(asyncio.get_running_loop()), Reader(), Reader()
        reads.wait(leaving)
        reads.wait(staying)
        reads.leave(leaving)
        reads.leave(leaving)
        await asyncio.sleep(3 * READ_SECONDS)
        assert (len(leaving.resumed), len(staying.resumed)) == (0, 1)

    asyncio.run(test())


def test_each_loop_has_its_own():
    async def find() -> SharedReads:
        assert shared_reads() is shared_reads()
        return shared_reads()

    assert asyncio.run(find()) is not asyncio.run(find())
