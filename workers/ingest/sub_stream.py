"""The sub-stream of a camera: a session of its own, opened again after each end, beside the main stream."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from gateway.media import SourceInfo
from gateway.outputs import PacketTaker
from gateway.sources.source import SourceSession
from gateway.states import Reason, reason_for
from workers.backoff import Backoff
from workers.ingest.camera import Camera
from workers.rtp.units import VIDEO, CodecData, MediaUnit, SourceError

log = logging.getLogger(__name__)

_MAX_PAUSE_SECONDS = 60.0
#: Interval at which a paused login is looked at.
_PAUSED_LOGIN_SECONDS = 5.0
#: A sub-stream without a picture for so long is opened again.
_SILENT_SECONDS = 15.0


class SubStream:
    """Keeps the session with a sub-stream, whose video packets go to `taker`."""

    def __init__(
        self, device_id: str, open_session: Callable[[], Awaitable[SourceSession]], taker: PacketTaker
    ) -> None:
        """`open_session` checks the address and gives a session; it raises SourceError."""
        self._device_id = device_id
        self._open_session = open_session
        self._taker = taker
        self._loop = asyncio.get_running_loop()
        self._camera: Camera | None = None
        self._last_video = 0.0
        #: Gets each picture, and None before the first one of a session.
        self.on_unit: Callable[[MediaUnit | None, CodecData | None], None] | None = None
        self._known = asyncio.Event()
        #: The stream as it is known; None until its first key frame.
        self.source: SourceInfo | None = None
        #: Why it cannot be used now; None while it can.
        self.problem: Reason | None = None
        self._task = self._loop.create_task(self._keep())

    @property
    def is_open(self) -> bool:
        """Whether there is a session with the camera, or one is being opened."""
        return self._camera is not None

    async def wait_known(self, seconds: float) -> SourceInfo | None:
        """The stream, once its first key frame has come; None if it does not come in time."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._known.wait(), seconds)
        return self.source

    def hasten(self, is_hurried: bool) -> None:
        """As SourceSession.hasten."""
        if self._camera is not None:
            self._camera.session.hasten(is_hurried)

    async def stop(self) -> None:
        """End the session in order. May be called twice."""
        self._task.cancel()
        await asyncio.wait([self._task], timeout=2)

    async def _keep(self) -> None:
        backoff = Backoff(max_seconds=_MAX_PAUSE_SECONDS)
        while True:
            began = self._loop.time()
            try:
                await self._run()
            except SourceError as error:
                if self.problem is None or self.problem.code != error.reason:
                    log.warning("device %s: the sub-stream was lost: %s", self._device_id, error.message)
                self.problem = reason_for(error.reason, error.message)
            except Exception:
                log.exception("device %s: the sub-stream failed", self._device_id)
                self.problem = reason_for("unknown")
            pause = backoff.after(self._loop.time() - began)
            # Nothing is sent while the login is paused: it may be tried again when a person says so.
            await asyncio.sleep(_PAUSED_LOGIN_SECONDS if self.problem.code == "login_paused" else pause)

    async def _run(self) -> None:
        camera = Camera(await self._open_session(), self._take, takers={VIDEO: self._taker}, wants_audio=False)
        self._camera = camera
        if self.on_unit is not None:
            self.on_unit(None, None)
        try:
            await camera.open()
            self._last_video = self._loop.time()
            ended = asyncio.ensure_future(camera.wait_ended())
            try:
                while not ended.done():
                    await asyncio.wait([ended], timeout=1.0)
                    if self._loop.time() - self._last_video > _SILENT_SECONDS:
                        raise SourceError("stalled", f"the sub-stream sent no picture for {_SILENT_SECONDS:.0f} s")
                ended.result()
            finally:
                ended.cancel()
        finally:
            self._camera = None
            await asyncio.shield(camera.close())

    def _take(self, unit: MediaUnit) -> None:
        self._last_video = self._loop.time()
        if (self.source is None or self.problem is not None or unit.codec_data is not None) and unit.is_key:
            self.source = self._camera.describe(has_sound=False)
            self.problem = None
            self._known.set()
        if self.on_unit is not None:
            self.on_unit(unit, self._camera.video.codec_data)
