"""A cheap reachability probe for an offline camera, run more often than full connection attempts.

One TCP connection with one unauthenticated RTSP DESCRIBE (RFC 2326, 10.2): no session, no login, no media. Only a
changed answer counts: a camera that answers as it did after the last failed attempt would fail again.
"""

import asyncio
import contextlib
import re
from urllib.parse import urlsplit, urlunsplit

from gateway.devices.sources import DEFAULT_PORTS

#: Reasons after which a camera is probed; a wrong password, for example, does not change by probing.
PROBE_AFTER = frozenset(
    {
        "refused",
        "unreachable",
        "timed_out",
        "unknown_host",
        "closed_by_camera",
        "stalled",
        "not_found",
        "no_video",
        "camera_error",
        "invalid_data",
        "redirected",
        "resolution_changed",
        "unknown",
    }
)

#: The expected answer of a camera that failed for a reason. For other reasons the first answer is the reference.
EXPECTED_ANSWERS = {
    "refused": "silent",
    "unreachable": "silent",
    "timed_out": "silent",
    "unknown_host": "silent",
    "not_found": "404",
}

_ANSWER_SECONDS = 1.5
_STATUS = re.compile(rb"RTSP/1\.\d (\d{3})")


async def probe_reachability(url: str) -> str:
    """Return the camera's present answer: `silent`, `open` (the port only), or the RTSP status as text."""
    parts = urlsplit(url)
    port = parts.port or DEFAULT_PORTS[parts.scheme]
    writer = None
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection(parts.hostname, port)
            if parts.scheme == "rtsps":
                return "open"
            host = parts.netloc.rpartition("@")[2]
            address = urlunsplit(("rtsp", host, parts.path or "/", parts.query, ""))
            writer.write(
                f"DESCRIBE {address} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n".encode("ascii", "ignore")
            )
            match = _STATUS.match(await reader.readline())
            return match[1].decode() if match else "open"
    except (OSError, TimeoutError, ValueError):
        return "silent" if writer is None else "open"
    finally:
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(0.5):
                    await writer.wait_closed()


class ReachabilityProbe:
    """Probes once a second on the loop until the answer changes, then sets `is_back`. `close` may be called twice.

    `expected` is the answer that counts as unchanged; None takes the first answer.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        url: str,
        expected: str | None = None,
        *,
        interval_seconds: float = 1.0,
    ) -> None:
        self._url = url
        self._expected = expected
        self._interval = interval_seconds
        self.is_back = False
        self._future = asyncio.run_coroutine_threadsafe(self._watch(), loop)

    async def _watch(self) -> None:
        expected = self._expected or await probe_reachability(self._url)
        while True:
            await asyncio.sleep(self._interval)
            answer = await probe_reachability(self._url)
            if answer not in (expected, "silent"):
                self.is_back = True
                return
            # The camera is silent now, further away than before: any answer means that it is back.
            expected = answer

    def close(self) -> None:
        self._future.cancel()
