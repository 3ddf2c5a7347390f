"""Pictures of a sub-stream are passed on in batches that begin with a key frame."""

import asyncio

from workers.ingest import sub_batches
from workers.ingest.events import SubBatch
from workers.ingest.sub_batches import SubBatches
from workers.rtp.units import VIDEO, CodecData, MediaUnit

CODEC = CodecData("h264", b"avcC", width=640, height=360)
OTHER = CodecData("h264", b"other", width=320, height=180)


def unit(time: float, *, is_key: bool = False, data: bytes = b"x") -> MediaUnit:
    return MediaUnit(VIDEO, time, data, is_key=is_key)


def gather(*steps, wait: float = 0.0) -> list[SubBatch]:
    found: list[SubBatch] = []

    async def main() -> None:
        batches = SubBatches(found.append)
        for step in steps:
            step(batches)
        await asyncio.sleep(wait)
        batches.close()

    asyncio.run(main())
    return found


def add(one: MediaUnit, codec: CodecData | None = CODEC):
    return lambda batches: batches.add(one, codec)


def times(batch: SubBatch) -> list[float]:
    return [one.time for one in batch.units]


def test_a_batch_begins_with_a_key_frame_and_is_passed_on_after_a_while(monkeypatch):
    monkeypatch.setattr(sub_batches, "BATCH_SECONDS", 0.0)
    (batch,) = gather(add(unit(1)), add(unit(2, is_key=True), None), add(unit(3, is_key=True)), add(unit(4)), wait=0.01)
    assert times(batch) == [3, 4]
    assert batch.codec == CODEC


def test_a_changed_format_begins_a_batch_of_its_own():
    first, second = gather(
        add(unit(1, is_key=True)), add(unit(2)), add(unit(3, is_key=True), OTHER), lambda batches: batches.restart()
    )
    assert (times(first), first.codec) == ([1, 2], CODEC)
    assert (times(second), second.codec) == ([3], OTHER)


def test_after_missing_pictures_it_goes_on_with_a_key_frame():
    first, second = gather(
        add(unit(1, is_key=True)),
        lambda batches: batches.restart(),
        add(unit(2)),
        add(unit(3, is_key=True)),
        lambda batches: batches.restart(),
    )
    assert (times(first), times(second)) == ([1], [3])


def test_large_pictures_do_not_wait():
    (batch,) = gather(add(unit(1, is_key=True, data=b"x" * (2 << 20))))
    assert times(batch) == [1]


def test_nothing_is_passed_on_after_the_end(monkeypatch):
    monkeypatch.setattr(sub_batches, "BATCH_SECONDS", 0.0)
    assert gather(add(unit(1, is_key=True)), lambda batches: batches.close(), wait=0.01) == []
