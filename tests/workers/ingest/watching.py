"""An ingest of a real camera on loopback, by a real session and a real FFmpeg, and what it has reported and made."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from gateway.devices.login_budget import LoginBudget
from gateway.devices.sources import SourcePolicy, parse_source
from gateway.mp4.fragments import AUDIO, VIDEO
from gateway.sources.registry import SourceRegistry
from gateway.sources.source import SourceSession
from tests.cameras.counter import CounterCamera
from tests.cameras.footage import read_frames
from tests.cameras.rtsp import RtspServer
from tests.factories import make_config
from workers.ffmpeg.fmp4 import Fragment, InitSegment
from workers.ffmpeg.launch import Launcher
from workers.ffmpeg.process import Arrived
from workers.ingest.events import PartsEnded, PartsRestarted, SessionEnded, SourceKnown, Waiting
from workers.ingest.ingest import Ingest, IngestSettings
from workers.rtsp.session import Pace, RtspSession, RtspTarget
from workers.streams.sources import SessionOpener

SETTINGS = IngestSettings("ffmpeg", part_seconds=0.5, stall_seconds=10.0)
CONFIG = make_config(connect_timeout_seconds=5.0)
POLICY = SourcePolicy(allow_loopback=True)


class Watched:
    """Begins at once. `stop` ends it."""

    def __init__(
        self,
        url: str,
        *,
        settings: IngestSettings = SETTINGS,
        pace: Pace | None = None,
        logins: LoginBudget | None = None,
    ) -> None:
        self.events: list[Any] = []
        self._changed = asyncio.Event()
        self.ingest = Ingest(
            "d1",
            settings,
            open_session=partial(_open_paced, url, pace) if pace is not None else partial(_open, url, logins),
            open_sub_session=None,
            emit=self._take,
            launcher=Launcher(),
        )

    def _take(self, arrived: Arrived) -> None:
        self.events.append(arrived.event)
        self._changed.set()

    def of(self, kind: type) -> list[Any]:
        """The events of a kind so far."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def frames(self) -> int:
        """The pictures of all parts so far."""
        return sum(part.frames for part in self.of(Fragment))

    @property
    def reason(self) -> Any:
        """Why the session has ended; None while it has not."""
        return next((event.reason for event in self.of(SessionEnded)), None)

    @property
    def source(self) -> Any:
        """The stream as it was reported last."""
        return self.of(SourceKnown)[-1].source

    @property
    def waits(self) -> list[str | None]:
        """The codes of what was waited for, None for the end of it."""
        return [event.reason and event.reason.code for event in self.of(Waiting)]

    async def until(self, condition: Callable[[], Any], what: str, seconds: float = 40) -> None:
        """Wait for a condition; fails if the session ends first."""
        end = time.monotonic() + seconds
        while not condition():
            assert self.reason is None, f"ended by {self.reason} before: {what}"
            assert time.monotonic() < end, f"not in time: {what}; {self.frames} frames, {self.events[-3:]}"
            await self._wait()

    async def _wait(self) -> None:
        self._changed.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), 0.1)

    async def until_frames(self, count: int, seconds: float = 40) -> None:
        """Wait for so many pictures in parts."""
        await self.until(lambda: self.frames >= count, f"{count} pictures", seconds)

    async def until_ended(self, seconds: float = 40) -> Any:
        """Wait for the end of the session, and return its reason."""
        await self.until_either(lambda: False, seconds)
        return self.reason

    async def until_either(self, condition: Callable[[], Any], seconds: float = 40) -> None:
        """Wait for a condition or the end of the session."""
        end = time.monotonic() + seconds
        while self.reason is None and not condition():
            assert time.monotonic() < end, f"nothing of both; {self.frames} frames, {self.events[-3:]}"
            await self._wait()

    async def stop(self) -> None:
        await self.ingest.stop()

    # ---- what was made -----------------------------------------------------------------------------------------

    def runs(self) -> list[bytes]:
        """The bytes of each init segment with the parts that follow it, as a player reads them."""
        runs: list[bytes] = []
        for event in self.events:
            if isinstance(event, InitSegment):
                runs.append(event.data)
            elif isinstance(event, Fragment):
                runs[-1] += event.data
        return runs

    def pictures(self) -> list[tuple[int, float]]:
        """Number and capture time of each picture of a CounterCamera. Raises FootageError for a damaged one."""
        return [(number, self.ingest.epoch + at) for run in self.runs() for number, at in read_frames(run)]

    def assert_undisturbed(self, *, inits: int = 1) -> None:
        """One session, the same FFmpeg all the time, and no other init segments than expected."""
        assert self.reason is None
        assert not self.of(PartsRestarted)
        assert not self.of(PartsEnded)
        assert len({event.data for event in self.of(InitSegment)}) == inits

    def assert_playable(self) -> None:
        """Each init segment has what players need: complete parameter sets, and the configuration of the sound."""
        for init in self.of(InitSegment):
            kinds = {track.kind: track.codec for track in init.tracks}
            if kinds[VIDEO].startswith("avc"):
                assert _sets_of_avcc(init.data) == (1, 1), "SPS and PPS"
            elif kinds[VIDEO].startswith(("hvc", "hev")):
                assert _kinds_of_hvcc(init.data) == [32, 33, 34], "VPS, SPS and PPS"
            if AUDIO in kinds:
                assert _audio_config(init.data), "the sound has no AudioSpecificConfig"


def _box(init: bytes, name: bytes) -> bytes:
    at = init.find(name)
    return init[at + 4 : at - 4 + int.from_bytes(init[at - 4 : at], "big")] if at >= 4 else b""


def _sets_of_avcc(init: bytes) -> tuple[int, int]:
    """The numbers of SPS and of PPS, 1 for any (ISO/IEC 14496-15, 5.3.3.1)."""
    box, at = _box(init, b"avcC"), 6
    if len(box) < 7:
        return 0, 0
    sequence_sets = box[5] & 0x1F
    for _ in range(sequence_sets):
        at += 2 + int.from_bytes(box[at : at + 2], "big")
    return min(sequence_sets, 1), min(box[at], 1)


def _kinds_of_hvcc(init: bytes) -> list[int]:
    """The kinds of NAL units that have at least one (ISO/IEC 14496-15, 8.3.3.1)."""
    box, at, kinds = _box(init, b"hvcC"), 23, set()
    for _ in range(box[22] if len(box) > 22 else 0):
        kind, count, at = box[at] & 0x3F, int.from_bytes(box[at + 1 : at + 3], "big"), at + 3
        kinds |= {kind} if count else set()
        for _ in range(count):
            at += 2 + int.from_bytes(box[at : at + 2], "big")
    return sorted(kinds & {32, 33, 34})


def _audio_config(init: bytes) -> bytes:
    """The AudioSpecificConfig of the esds box, or the box of Opus; empty without one (ISO/IEC 14496-1, 7.2.6.7)."""
    box = _box(init, b"esds")
    if not box:
        return _box(init, b"dOps")
    at = box.find(b"\x05\x80\x80\x80")
    return box[at + 5 : at + 5 + box[at + 4]] if at >= 0 else b""


@contextlib.asynccontextmanager
async def watch(url: str, **options: Any) -> AsyncIterator[Watched]:
    """An ingest that is stopped at the end."""
    watched = Watched(url, **options)
    try:
        yield watched
    finally:
        await watched.stop()


async def see(url: str, frames: int, **options: Any) -> Watched:
    """Watch until there are so many pictures."""
    async with watch(url, **options) as watched:
        await watched.until_frames(frames)
    return watched


@contextlib.contextmanager
def started(cameras: Iterable[RtspServer]) -> Iterator[None]:
    """Cameras that listen."""
    with contextlib.ExitStack() as stack:
        for camera in cameras:
            stack.enter_context(camera)
        yield


def see_all(cameras: Sequence[CounterCamera], frames: int, **options: Any) -> list[Watched]:
    """Watch several cameras at the same time, each until it has so many pictures over its only connection."""

    async def main() -> list[Watched]:
        return await asyncio.gather(*(see(camera.url, frames, **options) for camera in cameras))

    with started(cameras):
        found = asyncio.run(main())
        for camera in cameras:
            assert (camera.connections, camera.requests.count("PLAY")) == (1, 1)
            assert camera.requests.count("TEARDOWN") == 1
            assert camera.dropped == 0
    return found


async def _open(url: str, logins: LoginBudget | None) -> SourceSession:
    return await SessionOpener(SourceRegistry(()), CONFIG, logins, policy=POLICY).open(url)


async def _open_paced(url: str, pace: Pace) -> SourceSession:
    return RtspSession(RtspTarget(parse_source(url), ("127.0.0.1",)), pace=pace)
