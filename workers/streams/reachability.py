"""A cheap look whether an unreachable camera is back, between full attempts.

Only a TCP connection, which is closed at once: no request, no login. Cameras that answer are never asked behind the
back of the schedule of attempts: some bar addresses that ask too often.
"""

import asyncio
import contextlib
from urllib.parse import urlsplit

#: Reasons after which nothing accepts connections at the camera's address.
PROBE_AFTER = frozenset({"refused", "unreachable", "timed_out", "unknown_host"})

_ANSWER_SECONDS = 1.5
#: A camera that is away for long is looked for less often.
_FIRST_SECONDS, _OFTEN, _LATER_SECONDS = 1.0, 60, 2.0


async def is_reachable(url: str, port: int) -> bool:
    """Whether the camera of this URL accepts a connection at `port` now."""
    host = urlsplit(url).hostname
    writer = None
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
            return True
    except (OSError, TimeoutError, ValueError):
        return False
    finally:
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(0.5):
                    await writer.wait_closed()


class ReachabilityProbe:
    """Looks on the loop until the camera, which was away, accepts a connection; then sets `is_back`.

    A camera that accepts one at first has not been away: nothing is looked for. `close` may be called twice.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, url: str, port: int, *, interval_seconds: float = _FIRST_SECONDS
    ) -> None:
        self._url, self._port = url, port
        self._interval = interval_seconds
        self.is_back = False
        self._future = asyncio.run_coroutine_threadsafe(self._watch(), loop)

    async def _watch(self) -> None:
        if await is_reachable(self._url, self._port):
            return
        looks = 0
        while not await self._look_later(looks):
            looks += 1
        self.is_back = True

    async def _look_later(self, looks: int) -> bool:
        later = self._interval if looks < _OFTEN else self._interval * _LATER_SECONDS / _FIRST_SECONDS
        await asyncio.sleep(later)
        return await is_reachable(self._url, self._port)

    def close(self) -> None:
        self._future.cancel()
