"""Counting cameras whose time stamps are wrong in the ways of real ones; their pictures tell when they were due."""

from __future__ import annotations

import asyncio
import functools
import math
import random
import struct
import time

import av
import numpy

from .counter import PICTURE, CounterCamera
from .encoded import LoopSettings
from .faulty import SILENT_ALAW
from .rtp import VIDEO_CLOCK, PacketTemplate
from .rtsp import Connection, Reply, Request

NTP_EPOCH = 2_208_988_800  # seconds from 1900 to 1970
BEEP_SECONDS = 0.1
REPORT_SECONDS = 5.0
AAC_RATE = 48_000
AAC_SAMPLES = 1024
_AAC_PAYLOAD_TYPE = 97
#: 20 ms of 1 kHz as PCMA, at about half of full scale.
TONE_ALAW = bytes([0xD5, 0x8A, 0xBA, 0x8A, 0x55, 0x0A, 0x3A, 0x0A]) * 20


class RateCamera(CounterCamera):
    """Stamps `stamped_fps` pictures a second and sends `fps`: 25 and 21, say."""

    def __init__(self, fps: float, stamped_fps: float = 25, *, audio: bool = False, port: int = 0) -> None:
        super().__init__(audio=audio, port=port)
        self.fps, self.stamped_fps = fps, stamped_fps

    def due_seconds(self, counter: int) -> float:
        """See CounterCamera."""
        return counter / self.fps

    def counter_at(self, seconds: float) -> int:
        """See CounterCamera."""
        return int(seconds * self.fps)

    def stamp(self, counter: int) -> int:
        """See CounterCamera."""
        return round(counter * VIDEO_CLOCK / self.stamped_fps)


class OutlierCamera(CounterCamera):
    """Stamps each 30th picture hours away, or (`seconds` None) as the picture before; `place`: which of the 30."""

    def __init__(
        self, seconds: float | None, *, every: int = 30, place: int = -1, audio: bool = False, port: int = 0
    ) -> None:
        super().__init__(audio=audio, port=port)
        self.seconds, self.every, self.place = seconds, every, place % every

    def stamp(self, counter: int) -> int:
        """See CounterCamera."""
        if counter % self.every != self.place:
            return super().stamp(counter)
        if self.seconds is None:
            return super().stamp(counter - 1)
        return super().stamp(counter) + int(self.seconds * VIDEO_CLOCK)


class BurstCamera(CounterCamera):
    """Begins with `seconds` of the past in one burst, with the stamps of the past, then goes on in real time.

    The camera must have run for so long; `age` it with seconds that it has been on before it listened.
    """

    def __init__(self, seconds: float, *, age: float = 60.0, audio: bool = False, port: int = 0) -> None:
        super().__init__(audio=audio, port=port)
        self.seconds, self.age = seconds, age

    def start(self) -> None:
        """Start listening, having counted for `age` seconds."""
        super().start()
        self.started_at -= self.age
        self._epoch -= self.age

    def first_counter(self) -> int:
        """See CounterCamera. Begins with a group of pictures, so that the past can be seen."""
        first = max(0, self.counter_at(time.monotonic() - self._epoch - self.seconds))
        return first - first % self.settings.gop_frames


class SteppingCamera(CounterCamera):
    """Sets its clock by `seconds` each `every_seconds`: the stamps leap, the pictures go on."""

    def __init__(self, seconds: float, *, every_seconds: float = 20.0, audio: bool = False, port: int = 0) -> None:
        super().__init__(audio=audio, port=port)
        self.seconds, self.every_seconds = seconds, every_seconds

    def stamp(self, counter: int) -> int:
        """See CounterCamera."""
        steps = int(self.due_seconds(counter) // self.every_seconds)
        return super().stamp(counter) + int(steps * self.seconds * VIDEO_CLOCK)


class RarePictureCamera(CounterCamera):
    """Sends a picture each `interval` seconds, each one a key frame; stamps are right.

    With `day_fps` it sends that many a second except in the night, `night` = (begin, end) in seconds after its start.
    """

    def __init__(
        self,
        interval: float = 12.0,
        *,
        day_fps: float | None = None,
        night: tuple[float, float] = (0.0, math.inf),
        port: int = 0,
    ) -> None:
        super().__init__(LoopSettings(**{**vars(PICTURE), "fps": 1}), port=port)
        self.interval, self.night = interval, night
        self.day_fps = day_fps or 1 / interval

    def due_seconds(self, counter: int) -> float:
        """See CounterCamera."""
        evening, morning = self._numbers()
        if counter <= evening:
            return counter / self.day_fps
        if counter <= morning:
            return evening / self.day_fps + (counter - evening) * self.interval
        return self.due_seconds(morning) + (counter - morning) / self.day_fps

    def counter_at(self, seconds: float) -> int:
        """See CounterCamera."""
        evening, morning = self._numbers()
        if seconds < self.due_seconds(evening):
            return int(seconds * self.day_fps)
        since = seconds - self.due_seconds(evening)
        if evening + since / self.interval < morning:
            return evening + int(since / self.interval)
        return int(morning + (seconds - self.due_seconds(int(morning))) * self.day_fps)

    def stamp(self, counter: int) -> int:
        """See CounterCamera."""
        return round(self.due_seconds(counter) * VIDEO_CLOCK)

    def _numbers(self) -> tuple[int, float]:
        begin, end = self.night
        evening = int(begin * self.day_fps)
        return evening, math.inf if end == math.inf else evening + int((end - begin) / self.interval)


class SoundClockCamera(CounterCamera):
    """Sends sound whose clock runs at `rate` of the true one: 0.99 makes 7,920 samples in a second and calls it 8,000.

    The sound is a beep at the begin of each second of the camera's time, `BEEP_SECONDS` long, so that sound and picture
    can be compared. `codec`: "pcm_alaw" or "aac". With `has_reports` both tracks send true sender reports each five
    seconds.
    """

    def __init__(
        self, rate: float = 0.99, *, codec: str = "pcm_alaw", has_reports: bool = False, port: int = 0
    ) -> None:
        super().__init__(audio=True, port=port)
        self.rate, self.codec, self.has_reports = rate, codec, has_reports
        self.clock_rate, self.samples = (AAC_RATE, AAC_SAMPLES) if codec == "aac" else (8_000, 160)

    def sound_due_seconds(self, packet: int) -> float:
        """The seconds after the start at which a packet of sound begins and is due."""
        return packet * self.samples / (self.clock_rate * self.rate)

    async def describe(self, request: Request) -> Reply:
        """The SDP of CounterCamera, with AAC if it is that."""
        reply = await super().describe(request)
        if self.codec == "aac":
            pcma = "m=audio 0 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000"
            assert pcma in reply.body
            config, *_ = encode_aac()
            aac = f"m=audio 0 RTP/AVP {_AAC_PAYLOAD_TYPE}\r\na=rtpmap:{_AAC_PAYLOAD_TYPE} mpeg4-generic/{AAC_RATE}/1"
            fmtp = "streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3"
            aac += f"\r\na=fmtp:{_AAC_PAYLOAD_TYPE} {fmtp};config={config.hex()}"
            reply.body = reply.body.replace(pcma, aac)
        return reply

    async def send_media(self, connection: Connection) -> None:
        """Send picture and sound, and the reports."""
        sending = [super().send_media(connection)]
        if self.has_reports:
            sending.append(self._send_reports(connection))
        await asyncio.gather(*sending)

    async def _send_audio(self, connection: Connection) -> None:
        silence, tones = self._build_sound(connection.channels["audio"])
        transport, ssrc = connection.writer.transport, random.getrandbits(32)
        number = int((time.monotonic() - self._epoch) * self.clock_rate * self.rate / self.samples) + 1
        while not transport.is_closing():
            due = self.sound_due_seconds(number)
            await asyncio.sleep(self._epoch + due - time.monotonic())
            template = tones[number % len(tones)] if due % 1.0 < BEEP_SECONDS else silence
            transport.write(template.fill(number, number * self.samples, ssrc))
            number += 1

    def _build_sound(self, channel: int) -> tuple[PacketTemplate, list[PacketTemplate]]:
        if self.codec != "aac":
            return PacketTemplate([SILENT_ALAW], channel, 8), [PacketTemplate([TONE_ALAW], channel, 8)]
        _, silence, tones = encode_aac()
        templates = [
            # The header of one unit: 16 bits of headers follow, 13 bits size, 3 bits index (RFC 3640, 3.2.1).
            PacketTemplate([struct.pack("!HH", 16, len(frame) << 3) + frame], channel, _AAC_PAYLOAD_TYPE)
            for frame in (silence, *tones)
        ]
        return templates[0], templates[1:]

    async def _send_reports(self, connection: Connection) -> None:
        transport = connection.writer.transport
        while not transport.is_closing():
            at = time.monotonic() - self._epoch
            stamps = {
                "video": round(at * VIDEO_CLOCK),
                "audio": round(at * self.clock_rate * self.rate),
            }
            for kind, channel in connection.channels.items():
                transport.write(build_report(channel + 1, self.started_at + at, stamps[kind]))
            await asyncio.sleep(REPORT_SECONDS)


def build_report(channel: int, wall: float, stamp: int) -> bytes:
    """A sender report (RFC 3550, 6.4.1), framed for RTSP over TCP."""
    seconds = int(wall)
    report = struct.pack(
        "!BBHIIIIII",
        0x80,
        200,
        6,
        0x5EED,
        (seconds + NTP_EPOCH) & 0xFFFFFFFF,
        int((wall - seconds) * 2**32),
        stamp & 0xFFFFFFFF,
        0,
        0,
    )
    return struct.pack("!BBH", 0x24, channel, len(report)) + report


@functools.cache
def encode_aac() -> tuple[bytes, bytes, tuple[bytes, ...]]:
    """The AudioSpecificConfig, a frame of silence, and three frames that make a tone of 1 kHz when they alternate."""
    silence, config = _encode_aac(0.0)
    tones, _ = _encode_aac(0.5)
    # 64 periods of 1 kHz last three frames; the first frames of an encoder are not yet steady.
    return config[:2], silence[30], tuple(tones[30:33])


def _encode_aac(level: float) -> tuple[list[bytes], bytes]:
    encoder = av.CodecContext.create("aac", "w")
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = AAC_RATE, "mono", "fltp", 64_000
    frames = []
    for number in range(40):
        at = numpy.arange(number * AAC_SAMPLES, (number + 1) * AAC_SAMPLES) / AAC_RATE
        samples = (level * numpy.sin(2 * math.pi * 1_000 * at)).astype(numpy.float32).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = AAC_RATE, number * AAC_SAMPLES
        frames += [bytes(packet) for packet in encoder.encode(frame)]
    return frames, bytes(encoder.extradata)
