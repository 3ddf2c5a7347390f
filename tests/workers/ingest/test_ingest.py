"""An ingest with a real FFmpeg: whatever happens to FFmpeg or to outputs, each picture is in the parts exactly once."""

import asyncio
import io
import itertools
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import av
import pytest

from gateway.mp4.merging import merge_sound
from gateway.outputs import Demand, OutputArguments, PacketTaker
from tests.workers.ingest.fake_session import ALAW_TRACK, PICTURE, SMALL, VIDEO_TRACK, FakeSession
from workers.ffmpeg.fmp4 import Fragment, InitSegment
from workers.ffmpeg.launch import Launcher
from workers.ffmpeg.process import Arrived
from workers.ingest.events import PartsRestarted, SessionEnded, SourceKnown, SubBatch
from workers.ingest.ingest import Ingest, IngestSettings

pytestmark = pytest.mark.integration

SETTINGS = IngestSettings("ffmpeg", part_seconds=0.5, stall_seconds=10.0)
GOP = PICTURE.fps
#: The pictures that FFmpeg still holds when nothing more comes: those of the part that has not ended.
HELD = 9


class Running:
    """An ingest whose session is a test's, and what it has reported."""

    def __init__(
        self,
        session: FakeSession,
        settings: IngestSettings = SETTINGS,
        launcher: Launcher | None = None,
        sub_session: FakeSession | None = None,
    ):
        self.session = session
        self.events: list[Any] = []

        async def open_session() -> FakeSession:
            return session

        async def open_sub_session() -> FakeSession:
            return sub_session

        self.ingest = Ingest(
            "d1",
            settings,
            open_session=open_session,
            open_sub_session=open_sub_session if sub_session is not None else None,
            emit=self._take,
            launcher=launcher or Launcher(),
        )
        self._changed = asyncio.Event()

    def _take(self, arrived: Arrived) -> None:
        self.events.append(arrived.event)
        self._changed.set()

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def parts(self) -> list[Fragment]:
        return [part for part in self.of(Fragment) if part.frames]

    @property
    def frames(self) -> int:
        return sum(part.frames for part in self.parts)

    async def until(self, condition: Callable[[], Any], what: str, seconds: float = 15) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"not in time: {what}; {self.events[-3:]}"
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), 0.1)
            except TimeoutError:
                continue

    async def send(self, count: int) -> None:
        """Pass on pictures, and wait until FFmpeg has made parts of nearly all."""
        self.session.send_pictures(count)
        await self.until(lambda: self.frames >= self.session.pictures - HELD, "the parts of what was sent")


def run(test: Callable[[Running], Awaitable[None]], session: FakeSession | None = None, **values: Any) -> Running:
    """Run a test with an ingest that plays."""

    async def main() -> Running:
        running = Running(session or FakeSession(begins_at=time.monotonic() - 90), **values)
        try:
            await running.session.is_playing.wait()
            await test(running)
        finally:
            await running.ingest.stop()
        assert running.session.is_closed
        return running

    return asyncio.run(main())


def decode(running: Running) -> list[float]:
    """The times of all pictures of the first init segment's parts, decoded."""
    init = running.of(InitSegment)[0]
    data = init.data + b"".join(part.data for part in running.of(Fragment))
    with av.open(io.BytesIO(data), format="mp4") as file:
        return [frame.time for frame in file.decode(video=0)]


def assert_exact(running: Running) -> None:
    """Each picture once, at its own time, and all decode."""
    parts = running.parts
    for earlier, later in itertools.pairwise(parts):
        assert later.start == pytest.approx(earlier.end, abs=0.002)
    times = decode(running)
    assert len(times) == running.frames
    steps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert max(steps) < 1.5 / PICTURE.fps
    assert min(steps) > 0.5 / PICTURE.fps


def test_each_picture_is_in_the_parts_once_with_its_capture_time():
    async def watch(running: Running) -> None:
        await running.send(5 * GOP)

    running = run(watch)
    assert running.frames >= 5 * GOP - HELD
    first = running.ingest.epoch + running.parts[0].start
    assert first == pytest.approx(running.session.begins_at, abs=0.05)
    assert running.parts[0].is_key
    assert_exact(running)
    source = running.of(SourceKnown)[0].source
    assert (source.video.codec, source.video.width, source.video.height, source.audio) == ("h264", 320, 192, None)


@pytest.mark.parametrize("seed", range(3))
def test_an_ffmpeg_that_is_killed_costs_no_picture_and_no_connection(seed):
    dice = random.Random(seed)
    kills = 5

    async def kill(running: Running) -> None:
        await running.send(GOP)
        for _ in range(kills):
            running.session.send_pictures(dice.randrange(1, 2 * GOP))
            killed = len(running.of(PartsRestarted))
            await running.until(lambda: running.ingest.parts_pid is not None, "ffmpeg runs")
            if dice.random() < 0.5:
                await running.until(lambda: running.frames >= running.session.pictures - HELD, "parts")
            os.kill(running.ingest.parts_pid, signal.SIGKILL)
            running.session.send_pictures(dice.randrange(0, GOP))
            await running.until(
                lambda killed=killed: len(running.of(PartsRestarted)) > killed, "ffmpeg is started again"
            )
        await running.send(2 * GOP)

    running = run(kill)
    assert running.frames >= running.session.pictures - HELD
    assert {event.data for event in running.of(InitSegment)} == {running.of(InitSegment)[0].data}
    assert_exact(running)
    assert not running.of(SessionEnded)


def test_an_ffmpeg_that_stands_still_is_replaced_without_a_loss():
    async def stop(running: Running) -> None:
        await running.send(GOP)
        os.kill(running.ingest.parts_pid, signal.SIGSTOP)
        end = time.monotonic() + 12
        while not running.of(PartsRestarted):
            running.session.send_pictures(3)
            assert time.monotonic() < end
            await asyncio.sleep(0.2)
        await running.send(GOP)

    running = run(stop)
    assert running.frames >= running.session.pictures - HELD
    assert_exact(running)


def test_sound_that_begins_late_joins_with_the_next_key_frame():
    session = FakeSession(VIDEO_TRACK, ALAW_TRACK, begins_at=time.monotonic() - 90)

    async def speak(running: Running) -> None:
        session.send_pictures(GOP)
        await running.until(lambda: running.of(InitSegment), "parts without sound")
        for second in range(1, 6):
            session.send_pictures(GOP)
            session.send_sound(second + 1.0)
        await running.until(lambda: len(running.of(InitSegment)) == 2, "parts with sound")
        await running.until(lambda: running.frames >= session.pictures - HELD, "all parts")

    running = run(speak, session)
    first, second = running.of(InitSegment)
    assert [len(first.tracks), len(second.tracks)] == [1, 2]
    assert [event.source.audio is not None for event in running.of(SourceKnown)][:2] == [False, True]
    at = running.events.index(second)
    later = [part for part in running.events[at:] if isinstance(part, Fragment)]
    assert later[0].is_key, "a run begins with a key frame"
    assert any(part.has_audio for part in later)
    for earlier, after in zip(running.parts, running.parts[1:], strict=False):
        assert after.start == pytest.approx(earlier.end, abs=0.002)


def test_sound_from_the_beginning_is_in_the_first_parts_and_survives_a_killed_ffmpeg():
    session = FakeSession(VIDEO_TRACK, ALAW_TRACK, begins_at=time.monotonic() - 90)

    async def speak(running: Running) -> None:
        for second in range(8):
            for number in range(GOP):
                session.send_sound(second + number / GOP + 0.1)
                session.send_pictures(1)
            if second in (2, 4):
                await running.until(lambda: running.frames >= session.pictures - 2 * HELD, "parts")
                os.kill(running.ingest.parts_pid, signal.SIGKILL)
        await running.until(lambda: running.frames >= session.pictures - 2 * HELD, "all parts")

    running = run(speak, session)
    assert running.of(SourceKnown)[0].source.audio.codec == "pcm_alaw"
    assert_exact(running)
    sound = [part for part in running.of(Fragment) if part.has_audio]
    assert sound[-1].audio_end - sound[0].audio_start > 6.0
    for earlier, later in itertools.pairwise(sound):
        # Another encoder has another grid: less than one frame of 1,024 samples is missing.
        assert -0.001 < later.audio_start - earlier.audio_end < 1024 / 8000, "neither repeated nor lost"
    assert merge_sound([], sound[0].data, running.of(InitSegment)[0].tracks) == sound[0].data


def test_another_picture_size_begins_with_another_init_segment_and_loses_nothing():
    async def resize(running: Running) -> None:
        await running.send(2 * GOP)
        running.session.settings = SMALL
        running.session.send_pictures(3 * GOP)
        await running.until(lambda: running.frames >= running.session.pictures - HELD, "all parts")

    running = run(resize)
    first, second = running.of(InitSegment)
    assert first.data != second.data
    at = running.events.index(second)
    before = sum(part.frames for part in running.events[:at] if isinstance(part, Fragment))
    assert before == 2 * GOP, "the end of the old format is complete"
    assert running.of(SourceKnown)[-1].source.video.width == 192
    assert next(part for part in running.events[at:] if isinstance(part, Fragment)).is_key


def test_the_end_of_the_session_is_the_last_event():
    async def end(running: Running) -> None:
        await running.send(GOP)
        running.session.end("closed_by_camera")
        await running.until(lambda: running.of(SessionEnded), "the end")

    running = run(end)
    assert running.of(SessionEnded)[0].reason.code == "closed_by_camera"
    assert running.events[-1] is running.of(SessionEnded)[0]
    assert running.frames == running.session.pictures, "what FFmpeg held is not lost"


def test_a_camera_that_stops_sending_is_stalled():
    async def wait(running: Running) -> None:
        await running.send(GOP)
        await running.until(lambda: running.of(SessionEnded), "the stall")

    running = run(wait, settings=IngestSettings("ffmpeg", part_seconds=0.5, stall_seconds=0.5))
    assert running.of(SessionEnded)[0].reason.code == "stalled"


def test_an_output_has_a_process_of_its_own_while_it_is_wanted(tmp_path: Path):
    file, demand = tmp_path / "out.ts", Demand()
    words = ("-map", "0:v:0", "-c:v", "copy", "-f", "mpegts", "-flush_packets", "1", "-y", str(file))
    arguments = OutputArguments(words, folders=(str(tmp_path),), demand=demand)

    async def watch(running: Running) -> None:
        running.ingest.set_output("file", arguments)
        await running.send(2 * GOP)
        assert not file.exists(), "nobody asks for it"
        demand.set(True)
        running.session.send_pictures(GOP)
        await running.until(lambda: file.exists() and file.stat().st_size > 10_000, "the output is written")
        parts_pid = running.ingest.parts_pid
        demand.set(False)
        await running.send(GOP)
        assert running.ingest.parts_pid == parts_pid

    running = run(watch)
    assert not running.of(PartsRestarted)
    with av.open(str(file)) as found:
        assert next(found.decode(video=0)).key_frame


def test_an_output_that_fails_is_named_and_tried_again_while_the_parts_go_on():
    arguments = OutputArguments(("-map", "0:v:0", "-c:v", "no_such_codec", "-f", "null", "-"))

    async def fail(running: Running) -> None:
        running.ingest.set_output("bad", arguments)
        await running.send(GOP)
        await running.until(lambda: running.ingest.facts.output_problems.get("bad"), "the problem is named")
        await running.send(GOP)

    running = run(fail)
    assert not running.of(PartsRestarted)
    assert_exact(running)


class Broken(PacketTaker):
    on_loop = True
    is_wanted = True

    def take(self, kind, payload, time, *, ends_unit):
        raise ValueError("a mistake")


class Counting(PacketTaker):
    on_loop = True
    is_wanted = True
    units = 0

    def take(self, kind, payload, time, *, ends_unit):
        self.units += ends_unit


def test_packets_go_to_an_output_and_a_broken_one_hurts_nobody():
    counting = Counting()

    async def take(running: Running) -> None:
        running.ingest.set_output("broken", OutputArguments(packets=Broken()))
        running.ingest.set_output("counting", OutputArguments(packets=counting))
        await running.send(2 * GOP)
        await running.until(lambda: running.ingest.facts.output_problems.get("broken"), "the problem is named")

    running = run(take)
    assert counting.units == running.session.pictures
    assert_exact(running)


def test_a_camera_that_begins_with_its_past_is_placed_in_the_past():
    past = 4.9
    session = FakeSession(begins_at=time.monotonic() - past)

    async def burst(running: Running) -> None:
        # All that was captured before now comes at once, then each picture when it is captured.
        now = time.monotonic()
        for number in range(round((past + 4) * PICTURE.fps)):
            due = session.begins_at + number / PICTURE.fps
            while time.monotonic() < due:
                await asyncio.sleep(0.005)
            session.send_pictures(1, arrived=max(now, due))
        await running.until(lambda: running.frames >= session.pictures - HELD, "the parts")

    running = run(burst, session)
    first = running.ingest.epoch + running.parts[0].start
    assert first == pytest.approx(session.begins_at, abs=0.1)
    last = running.ingest.epoch + running.parts[-1].end
    assert last == pytest.approx(session.begins_at + running.frames / PICTURE.fps, abs=0.1)
    assert_exact(running)


def test_packets_come_together_while_nobody_watches_and_at_once_when_somebody_does(monkeypatch):
    monkeypatch.setattr("workers.ingest.ingest._LEARN_SECONDS", 0.0)
    counting = Counting()
    counting.is_wanted = False

    async def watch(running: Running) -> None:
        session = running.session
        running.ingest.set_output("counting", OutputArguments(packets=counting))
        await running.until(lambda: not session.is_hurried, "nobody watches")
        counting.is_wanted = True
        counting.ask()
        assert session.is_hurried
        demand = Demand()
        counting.is_wanted = False
        running.ingest.set_output("null", OutputArguments(("-map", "0:v:0", "-f", "null", "-"), demand=demand))
        assert not session.is_hurried
        running.session.send_pictures(GOP)
        await running.until(lambda: running.of(InitSegment), "the format is known")
        demand.set(True)
        assert session.is_hurried, "an encoder for viewers runs"
        demand.set(False)
        assert not session.is_hurried

    run(watch)


def test_the_sub_stream_is_open_while_it_is_asked_for_and_gives_its_pictures():
    sub = FakeSession(begins_at=time.monotonic() - 90)
    sub.settings = SMALL

    async def watch(running: Running) -> None:
        await running.send(GOP)
        assert not sub.is_playing.is_set()
        running.ingest.ask_sub(True)
        running.ingest.ask_sub(True)
        await asyncio.wait_for(sub.is_playing.wait(), 5)
        sub.send_pictures(5)
        await running.until(lambda: running.of(SubBatch), "pictures of the sub-stream")
        assert running.ingest._sub.is_open
        running.ingest.ask_sub(False)
        await running.until(lambda: sub.is_closed, "the end of the session with the sub-stream")
        sub.send_pictures(5)
        await running.send(GOP)

    running = run(watch, sub_session=sub)
    (batch,) = running.of(SubBatch)
    assert (batch.codec.width, batch.codec.height) == (192, 128)
    assert batch.units[0].is_key
    assert 4 <= len(batch.units) <= 5
    assert batch.units[0].time == pytest.approx(sub.begins_at, abs=0.05)
