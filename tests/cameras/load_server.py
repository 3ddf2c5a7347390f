"""The program behind LoadCameras: `python -m tests.cameras.load_server --count 30`.

It serves rtsp://127.0.0.1:PORT/camera/1 and so on, prints one JSON line when it listens, and ends with its stdin.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import json
import random
import sys
import time

from .encoded import LoopSettings, load_loop
from .faulty import build_sdp
from .rtp import VIDEO_CLOCK, PacketTemplate, build_video_templates
from .rtsp import Connection, Reply, Request, RtspServer

MAX_WAITING_BYTES = 2_000_000


class LoopServer(RtspServer):
    """Plays the loop at `/camera/1` to `/camera/COUNT` for any client."""

    def __init__(self, settings: LoopSettings, count: int, port: int = 0) -> None:
        """Encode the loop if the cache has none; that takes some seconds."""
        super().__init__(port)
        self.dropped = 0
        self._count = count
        self._video = load_loop(settings)
        self._build_templates = functools.lru_cache(
            functools.partial(build_video_templates, self._video, is_in_band=True)
        )

    @property
    def urls(self) -> list[str]:
        """The cameras' URLs."""
        return [f"rtsp://127.0.0.1:{self.port}/camera/{number}" for number in range(1, self._count + 1)]

    async def describe(self, request: Request) -> Reply:
        """The loop's SDP, or 404 for a camera that does not exist."""
        if self._find_number(request.path) is None:
            return Reply(404)
        headers = {"Content-Type": "application/sdp", "Content-Base": request.url.rstrip("/") + "/"}
        return Reply(headers=headers, body=build_sdp(self._video, ["video"]))

    async def send_media(self, connection: Connection) -> None:
        """Send the camera's pictures at its own phase of the loop, starting at its next key frame."""
        settings = self._video.settings
        number = self._find_number(connection.path) or 1
        templates = self._build_templates(connection.channels["video"])
        # The golden ratio spreads any number of cameras evenly, over the GOP and over the frame interval.
        phase = number * 0.618034 % 1 * settings.gop_frames
        start = time.time() * settings.fps + phase
        frame = int(start // settings.gop_frames + 1) * settings.gop_frames
        due = asyncio.get_running_loop().time() + (frame - start) / settings.fps
        await self._play(connection, templates, frame, due)

    async def _play(self, connection: Connection, templates: list[PacketTemplate], frame: int, due: float) -> None:
        fps, clock = self._video.settings.fps, asyncio.get_running_loop()
        transport, ssrc = connection.writer.transport, random.getrandbits(32)
        sequence, is_late = 0, False
        while not transport.is_closing():
            await asyncio.sleep(due - clock.time())
            position = frame % len(templates)
            is_key = self._video.access_units[position].is_key
            # A client that does not read loses pictures up to a key frame, as with a camera.
            is_late = (is_late and not is_key) or transport.get_write_buffer_size() > MAX_WAITING_BYTES
            if is_late:
                self.dropped += 1
            else:
                template = templates[position]
                transport.write(template.fill(sequence, frame * (VIDEO_CLOCK // fps), ssrc))
                sequence += len(template)
            frame += 1
            due += 1 / fps

    def _find_number(self, path: str) -> int | None:
        name = path.rstrip("/").rpartition("/camera/")[2]
        return int(name) if name.isdigit() and 1 <= int(name) <= self._count else None


def main() -> None:
    """Serve until stdin ends."""
    parser = argparse.ArgumentParser(description="many RTSP cameras that play one encoded loop")
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--gop-seconds", type=float, default=2.0)
    parser.add_argument("--bitrate-kbps", type=int, default=4000)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    settings = LoopSettings(gop_seconds=options.gop_seconds, bitrate_kbps=options.bitrate_kbps)
    with LoopServer(settings, options.count, options.port) as server:
        print(json.dumps({"event": "ready", "urls": server.urls}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
