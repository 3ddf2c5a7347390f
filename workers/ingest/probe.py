"""Probes a source for a person who adds a camera: one session, watched until its second key frame."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from gateway.config import Config
from gateway.media import SourceInfo
from gateway.sources.source import SourceSession
from gateway.states import Reason, reason_for
from workers.ingest.camera import Camera
from workers.ingest.picture import take_picture
from workers.rtp.units import VIDEO, MediaUnit, SourceError

#: The video is watched until its second key frame, but no longer than this after the first packet.
WATCH_SECONDS = 6.0
#: … and no shorter than this: a camera whose pictures are all key frames may send the first ones in a burst.
LEAST_SECONDS = 1.0
#: Time for the first picture; a camera may be slow to begin.
FIRST_SECONDS = 12.0
_STEP_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The `source` that was found, or the `reason` why nothing or no video was found.

    `picture`: a small JPEG of the first key frame, as base64; None if it cannot be decoded. `notes`: sentences on what
    is unusual: tracks that are left out, and how the camera departs from the standards. `rate`: how fast its stamps
    run, in media seconds per real second.
    """

    source: SourceInfo | None
    reason: Reason | None
    elapsed_ms: int
    picture: str | None = field(repr=False, default=None)
    server: str | None = None
    login: str | None = None
    transport: str | None = None
    notes: tuple[str, ...] = ()
    rate: float | None = None


async def probe(config: Config, open_session: Callable[[], Awaitable[SourceSession]]) -> ProbeResult:
    """Probe a source; takes as long as its second key frame does, at most some seconds."""
    return await _Probe(config, open_session).run()


class _Probe:
    def __init__(self, config: Config, open_session: Callable[[], Awaitable[SourceSession]]) -> None:
        self._config = config
        self._open_session = open_session
        self._started = time.monotonic()
        self._first_at: float | None = None
        self._keys: list[float] = []
        self._bytes = 0
        self._pictures = 0
        self._first: MediaUnit | None = None
        self._last: MediaUnit | None = None
        self._group: list[MediaUnit] = []
        self._has_sound = False

    async def run(self) -> ProbeResult:
        camera = None
        try:
            camera = Camera(await self._open_session(), self._take)
            try:
                await camera.open()
                await self._watch(camera)
            finally:
                await camera.close()
        except SourceError as error:
            reason = reason_for(error.reason, error.message)
            if camera is None or self._first_at is None:
                return self._result(camera, reason)
        if camera.is_garbage:
            return self._result(camera, reason_for("invalid_data"))
        if self._first_at is None:
            return self._result(camera, reason_for("no_video" if self._has_sound else "stalled"))
        return await self._describe(camera)

    async def _watch(self, camera: Camera) -> None:
        ended = asyncio.ensure_future(camera.wait_ended())
        try:
            while not ended.done():
                now = time.monotonic()
                if self._first_at is None and now - self._started > FIRST_SECONDS:
                    return
                watched = now - self._first_at if self._first_at is not None else 0.0
                if watched > WATCH_SECONDS or (len(self._keys) > 1 and watched > LEAST_SECONDS):
                    return
                await asyncio.wait([ended], timeout=_STEP_SECONDS)
            ended.result()
        finally:
            ended.cancel()

    def _take(self, unit: MediaUnit) -> None:
        if unit.kind != VIDEO:
            self._has_sound = True
            return
        if self._first_at is None:
            self._first_at = time.monotonic()
            self._first = unit
        self._last = unit
        self._pictures += 1
        self._bytes += len(unit.data)
        if unit.is_key:
            self._keys.append(unit.time)
        if len(self._keys) == 1:
            self._group.append(unit)

    async def _describe(self, camera: Camera) -> ProbeResult:
        source = camera.describe(has_sound=self._has_sound)
        data = camera.video.codec_data
        if source.video is None or data is None:
            return self._result(camera, reason_for("waits_for_key_frame"))
        # Pictures that are shown earlier than they are sent do not matter over so many.
        span = camera.seconds_between(self._first, self._last)
        kbps = round(self._bytes * 8 / span / 1000, 1) if span > 0.5 else None
        measured = round((self._pictures - 1) / span, 2) if span > 0.5 else None
        source = replace(
            source,
            video=replace(source.video, bitrate_kbps=kbps, fps=data.fps or measured or source.video.fps),
            time_to_first_frame_ms=int((self._first_at - self._started) * 1000),
        )
        picture = await take_picture(self._config, data, self._group)
        return replace(self._result(camera, None), source=source, picture=picture)

    def _result(self, camera: Camera | None, reason: Reason | None) -> ProbeResult:
        elapsed_ms = int((time.monotonic() - self._started) * 1000)
        description = camera.description if camera is not None else None
        if description is None:
            return ProbeResult(None, reason, elapsed_ms)
        return ProbeResult(
            camera.describe(has_sound=False),
            reason,
            elapsed_ms,
            server=description.server,
            login=description.login,
            transport=description.transport,
            notes=(*camera.left_out, *description.quirks),
            rate=round(camera.rate, 3) if self._first_at is not None else None,
        )
