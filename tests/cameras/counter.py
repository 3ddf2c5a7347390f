"""CounterCamera: each frame carries a number that counts on whether somebody watches or not.

A recording of it shows by its pictures alone which frames are missing, duplicated, or out of order.
"""

from __future__ import annotations

import asyncio
import functools
import importlib.util
import random
import time
from pathlib import Path
from types import ModuleType

import av
import numpy

from .clock import ClockReading, read_clock, read_clock_of_file
from .encoded import EncodedLoop, LoopSettings, parse_loop
from .faulty import SILENT_ALAW, build_sdp
from .rtp import VIDEO_CLOCK, PacketTemplate, build_video_templates
from .rtsp import Connection, Reply, Request, RtspServer

#: Small, so that encoding and decoding cost almost nothing; blocks of the strip are 12 by 6 pixels.
PICTURE = LoopSettings(width=384, height=216, fps=25, bitrate_kbps=200, gop_seconds=1)
_GREY, _LIGHT, _DARK = 112, 230, 18
_MAX_WAITING_BYTES = 4_000_000
_AUDIO_SECONDS = 0.02


class CounterCamera(RtspServer):
    """H.264 whose frame `n` is due `n / fps` seconds after the camera's start, sent by a thread of this process.

        with CounterCamera() as camera:
            ...                                   # camera.url; read_counter(picture) returns a frame's number
            camera.change(audio=True); camera.cut()

    A camera that was cut or away counts on meanwhile, so that the numbers show how much was missed. It never omits a
    frame, however late it is; only for a client that reads nothing for a long time does it drop some (`dropped`).
    """

    def __init__(self, settings: LoopSettings = PICTURE, *, audio: bool = False, port: int = 0) -> None:
        """`audio` adds silence as PCMA."""
        super().__init__(port)
        self.settings = settings
        self.audio = audio
        self.audio_after_seconds = 0.0
        #: Whether the parameter sets come before each key frame.
        self.is_in_band = True
        self.dropped = 0
        #: Of the video of the last session.
        self.ssrc = 0
        self.started_at = 0.0
        self._epoch = 0.0

    @property
    def url(self) -> str:
        """The camera's URL."""
        return f"rtsp://127.0.0.1:{self.port}/counter"

    @property
    def counter(self) -> int:
        """The number of the newest frame that is due now."""
        return self.counter_at(time.monotonic() - self._epoch)

    def wall_clock(self, counter: int) -> float:
        """The time at which a frame was due, in seconds since 1970."""
        return self.started_at + self.due_seconds(counter)

    def due_seconds(self, counter: int) -> float:
        """The seconds after the start at which a frame is taken and due."""
        return counter / self.settings.fps

    def counter_at(self, seconds: float) -> int:
        """The number of the newest frame that is due so long after the start: the inverse of `due_seconds`."""
        return int(seconds * self.settings.fps)

    def stamp(self, counter: int) -> int:
        """The RTP time of a frame."""
        return counter * (VIDEO_CLOCK // self.settings.fps)

    def encode(self, group: int) -> EncodedLoop:
        """The pictures of a group, which begins with a key frame."""
        return encode_group(self.settings, group)

    def encode_described(self) -> EncodedLoop:
        """The pictures whose parameter sets are in the SDP."""
        return self.encode(0)

    def first_counter(self) -> int:
        """The first frame that a client gets which says PLAY now; those that are due already come at once."""
        return self.counter + 1

    def start(self) -> None:
        """Start listening and counting."""
        self.started_at, self._epoch = time.time(), time.monotonic()
        super().start()

    def change(
        self, *, size: tuple[int, int] | None = None, audio: bool | None = None, audio_after_seconds: float = 0.0
    ) -> None:
        """Change picture or sound. Open connections get a new size at their next key frame; sound needs a `cut()`.

        The sound is announced at once, and starts `audio_after_seconds` after a client's PLAY.
        """
        if size is not None:
            self.settings = LoopSettings(**{**vars(self.settings), "width": size[0], "height": size[1]})
        if audio is not None:
            self.audio, self.audio_after_seconds = audio, audio_after_seconds

    def set_away(self, is_away: bool) -> None:
        """Go away: viewers are cut and nothing listens on the port until the camera is back."""
        self._call(self._stop_listening() if is_away else self._listen())
        if is_away:
            self.cut()

    async def describe(self, request: Request) -> Reply:
        """The SDP with the parameter sets of the present picture."""
        tracks = ["video", "audio"] if self.audio else ["video"]
        video = await asyncio.to_thread(self.encode_described)
        headers = {"Content-Type": "application/sdp", "Content-Base": request.url.rstrip("/") + "/"}
        return Reply(headers=headers, body=build_sdp(video, tracks))

    async def send_media(self, connection: Connection) -> None:
        """Send the tracks that were set up, starting at the frame that is due now, key frame or not."""
        senders = [self._send_video(connection)]
        if "audio" in connection.channels:
            senders.append(self._send_audio(connection))
        await asyncio.gather(*senders)

    async def _send_video(self, connection: Connection) -> None:
        transport, channel = connection.writer.transport, connection.channels["video"]
        self.ssrc, sequence, is_late = random.getrandbits(32), random.randrange(1 << 16), False
        ssrc = self.ssrc
        first = self.first_counter()
        group = first // self.settings.gop_frames
        while not transport.is_closing():
            video = await asyncio.to_thread(self.encode, group)
            gop_frames = video.settings.gop_frames
            for number, template in enumerate(
                build_video_templates(video, channel, is_in_band=self.is_in_band), group * gop_frames
            ):
                if number < first:
                    continue
                await asyncio.sleep(self._epoch + self.due_seconds(number) - time.monotonic())
                is_key = number % gop_frames == 0
                is_late = (is_late and not is_key) or transport.get_write_buffer_size() > _MAX_WAITING_BYTES
                if is_late:
                    self.dropped += 1
                    continue
                transport.write(template.fill(sequence, self.stamp(number), ssrc))
                sequence += len(template)
            group += 1

    async def _send_audio(self, connection: Connection) -> None:
        template = PacketTemplate([SILENT_ALAW], connection.channels["audio"], 8)
        transport, ssrc = connection.writer.transport, random.getrandbits(32)
        await asyncio.sleep(self.audio_after_seconds)
        number = int((time.monotonic() - self._epoch) / _AUDIO_SECONDS) + 1
        while not transport.is_closing():
            await asyncio.sleep(self._epoch + number * _AUDIO_SECONDS - time.monotonic())
            if transport.get_write_buffer_size() <= _MAX_WAITING_BYTES:
                transport.write(template.fill(number, number * len(SILENT_ALAW), ssrc))
            number += 1


def read_counter(picture: numpy.ndarray) -> int | None:
    """Read the number in a picture of 8-bit grey, of shape (height, width); None if it is not certain."""
    return _number_of(read_clock(picture))


def read_counter_of_file(picture: bytes) -> int | None:
    """Read the number in an encoded picture: JPEG, PNG, WebP."""
    return _number_of(read_clock_of_file(picture))


def _number_of(reading: ClockReading | None) -> int | None:
    return None if reading is None or reading.frame != reading.time_ms % 16384 else reading.time_ms


@functools.lru_cache(maxsize=16)
def encode_group(settings: LoopSettings, group: int, parameters: str = "") -> EncodedLoop:
    """Encode one group of pictures, from a key frame to the next: `gop_frames` frames from `group * gop_frames`.

    `parameters` are further ones of x264, each after a colon.
    """
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = settings.width, settings.height, "yuv420p"
    encoder.framerate, encoder.bit_rate = settings.fps, settings.bitrate_kbps * 1000
    encoder.thread_count = 1
    encoder.options = {
        "preset": "superfast", "tune": "zerolatency",
        "x264-params": f"aud=1:scenecut=0:keyint={settings.gop_frames}:min-keyint={settings.gop_frames}{parameters}",
    }  # fmt: skip
    first = group * settings.gop_frames
    packets = []
    for counter in range(first, first + settings.gop_frames):
        planes = numpy.full((settings.height * 3 // 2, settings.width), 128, numpy.uint8)
        planes[: settings.height] = draw_counter(settings.width, settings.height, counter)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts = counter - first
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    return parse_loop(b"".join(bytes(packet) for packet in packets), settings)


def draw_counter(width: int, height: int, counter: int) -> numpy.ndarray:
    """A grey picture of shape (height, width) with a moving bar, and the number in a strip as in
    `clock_strip.py`."""
    picture = numpy.full((height, width), _GREY, numpy.uint8)
    left = counter * 4 % width
    picture[height // 4 : height // 2, left : left + width // 16] = _LIGHT
    strip = _load_clock_strip()
    bits = strip.build_bits(counter, counter)
    for bit, (x, y, wide, tall) in zip(bits, strip.build_blocks(width, height), strict=True):
        picture[y : y + tall, x : x + wide] = _LIGHT if bit else _DARK
    return picture


@functools.cache
def _load_clock_strip() -> ModuleType:
    # The demo's folder is not a package: its programs run with another Python.
    path = Path(__file__).parents[2] / "deploy/demo/clock_strip.py"
    spec = importlib.util.spec_from_file_location("clock_strip", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
