"""Cameras that show a film or a still scene: `python -m bench.film_server --film vtest.avi`.

Serves rtsp://127.0.0.1:PORT/film/N and /still/N, each with a sub-stream at …/N/sub. All of one kind show the same at
the same moment: the place in the film follows from the wall clock. Prints one JSON line when it listens, and ends with
its standard input.
"""

import argparse
import asyncio
import dataclasses
import functools
import json
import random
import re
import subprocess
import sys
import time
from pathlib import Path

from tests.cameras.encoded import EncodedLoop, LoopSettings, find_cache_folder, parse_loop
from tests.cameras.faulty import build_sdp
from tests.cameras.load_server import MAX_WAITING_BYTES
from tests.cameras.rtp import VIDEO_CLOCK, build_video_templates
from tests.cameras.rtsp import Connection, Reply, Request, RtspServer

#: Seconds of the film that are shown, a whole number of groups of both streams.
FILM_SECONDS, STILL_SECONDS = 78, 20
MAIN = LoopSettings(768, 576, 10, 1500, 2.0)
SUB = LoopSettings(640, 360, 5, 300, 2.0)
_PATH = re.compile(r"/(film|still)/\d+(/sub)?/?$")


class FilmServer(RtspServer):
    """Any number of cameras of both kinds."""

    def __init__(self, film: Path, port: int = 0) -> None:
        super().__init__(port)
        self._loops = {
            (kind, settings): encode(film, kind, settings) for kind in ("film", "still") for settings in (MAIN, SUB)
        }
        self.late = 0
        self._build_templates = functools.lru_cache(
            lambda key, channel: build_video_templates(self._loops[key], channel, is_in_band=True)
        )

    async def describe(self, request: Request) -> Reply:
        """The SDP of a camera or its sub-stream."""
        key = self._find(request.path)
        if key is None:
            return Reply(404)
        headers = {"Content-Type": "application/sdp", "Content-Base": request.url.rstrip("/") + "/"}
        return Reply(headers=headers, body=build_sdp(self._loops[key], ["video"]))

    async def send_media(self, connection: Connection) -> None:
        """Send pictures at their place in the film, beginning with the next key frame."""
        key = self._find(connection.path)
        settings = key[1]
        templates = self._build_templates(key, connection.channels["video"])
        clock, transport, ssrc = asyncio.get_running_loop(), connection.writer.transport, random.getrandbits(32)
        now = time.time() * settings.fps
        frame = int(now // settings.gop_frames + 1) * settings.gop_frames
        due = clock.time() + (frame - now) / settings.fps
        sequence = 0
        while not transport.is_closing():
            await asyncio.sleep(due - clock.time())
            template = templates[frame % len(templates)]
            if transport.get_write_buffer_size() > MAX_WAITING_BYTES:
                self.late += 1
            else:
                transport.write(template.fill(sequence, frame * (VIDEO_CLOCK // settings.fps), ssrc))
                sequence += len(template)
            frame += 1
            due += 1 / settings.fps

    @staticmethod
    def _find(path: str) -> tuple[str, LoopSettings] | None:
        match = _PATH.search(path)
        return (match[1], SUB if match[2] else MAIN) if match else None


def encode(film: Path, kind: str, settings: LoopSettings) -> EncodedLoop:
    """Encode the film, or its first picture with the noise of a camera; kept in the cache of the tests' cameras."""
    folder = find_cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    name = "_".join(str(value) for value in dataclasses.astuple(settings))
    file = folder / f"film1_{kind}_{film.stat().st_size}_{name}.h264"
    if not file.exists():
        still = "loop=loop=-1:size=1:start=0,setpts=N/FRAME_RATE/TB,noise=alls=5:allf=t,"
        filters = f"{still if kind == 'still' else ''}scale={settings.width}:{settings.height},fps={settings.fps}"
        seconds = FILM_SECONDS if kind == "film" else STILL_SECONDS
        gop, rate = settings.gop_frames, f"{settings.bitrate_kbps}k"
        part = file.with_suffix(".part")
        command = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", str(film), "-vf", filters]
        command += ["-frames:v", str(seconds * settings.fps), "-pix_fmt", "yuv420p", "-c:v", "libx264"]
        command += ["-preset", "superfast", "-bf", "0", "-b:v", rate, "-maxrate", rate, "-bufsize", rate]
        command += ["-x264-params", f"aud=1:scenecut=0:keyint={gop}:min-keyint={gop}", "-f", "h264", str(part)]
        subprocess.run(command, check=True, timeout=300)
        part.replace(file)
    return parse_loop(file.read_bytes(), settings)


def main() -> None:
    """Serve until stdin ends."""
    parser = argparse.ArgumentParser(description="RTSP cameras that show a film")
    parser.add_argument("--film", type=Path, required=True)
    options = parser.parse_args()
    with FilmServer(options.film) as server:
        print(json.dumps({"event": "ready", "url": f"rtsp://127.0.0.1:{server.port}"}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
