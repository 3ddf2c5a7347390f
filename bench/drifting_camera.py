"""DriftingCamera: a CounterCamera whose time stamps are wrong, with a beep that marks the true time in its sound."""

import array
import asyncio
import math
import random
import time

from tests.cameras import CounterCamera
from tests.cameras.counter import PICTURE, encode_group
from tests.cameras.encoded import LoopSettings
from tests.cameras.rtp import VIDEO_CLOCK, PacketTemplate, build_video_templates
from tests.cameras.rtsp import Connection

#: A beep begins each time that so many seconds have passed since the camera's start; the sound is silent otherwise.
BEEP_EVERY_SECONDS, BEEP_SECONDS, BEEP_HZ = 8.0, 0.2, 1000.0
_RATE, _PACKET_SAMPLES, _PCMA = 8000, 160, 8
_AMPLITUDE = 12_000


class DriftingCamera(CounterCamera):
    """H.264 at `fps` pictures a second whose stamps say `stamped_fps`, and PCMA whose clock runs at `sound_rate`.

    At a `sound_rate` of 0.99 the camera makes 7,920 samples in a second and stamps them as 8,000 a second. It sends no
    sender reports.
    """

    def __init__(self, *, fps: int = 25, stamped_fps: float = 25.0, sound_rate: float = 1.0) -> None:
        super().__init__(LoopSettings(**{**vars(PICTURE), "fps": fps}), audio=True)
        self._ticks = round(VIDEO_CLOCK / stamped_fps)
        self._sound_rate = sound_rate

    async def send_media(self, connection: Connection) -> None:
        """Send the tracks that were set up, beginning at a key frame."""
        began = time.monotonic()
        senders = [self._play_video(connection, began)]
        if "audio" in connection.channels:
            senders.append(self._play_sound(connection, began))
        await asyncio.gather(*senders)

    async def _play_video(self, connection: Connection, began: float) -> None:
        transport, channel = connection.writer.transport, connection.channels["video"]
        ssrc, sequence, settings = random.getrandbits(32), random.randrange(1 << 16), self.settings
        group = math.ceil((began - self._epoch) * settings.fps / settings.gop_frames)
        while not transport.is_closing():
            video = await asyncio.to_thread(encode_group, settings, group)
            templates = build_video_templates(video, channel, is_in_band=True)
            for number, template in enumerate(templates, group * settings.gop_frames):
                await asyncio.sleep(self._epoch + number / settings.fps - time.monotonic())
                transport.write(template.fill(sequence, number * self._ticks, ssrc))
                sequence += len(template)
            group += 1

    async def _play_sound(self, connection: Connection, began: float) -> None:
        transport, channel, ssrc = connection.writer.transport, connection.channels["audio"], random.getrandbits(32)
        number, seconds = 0, _PACKET_SAMPLES / _RATE / self._sound_rate
        while not transport.is_closing():
            # As from a sound card: a packet is sent when its last sample has been taken.
            await asyncio.sleep(began + (number + 1) * seconds - time.monotonic())
            samples = build_sound(began - self._epoch + number * seconds, _RATE * self._sound_rate, _PACKET_SAMPLES)
            template = PacketTemplate([encode_alaw(samples)], channel, _PCMA)
            transport.write(template.fill(number, number * _PACKET_SAMPLES, ssrc))
            number += 1


def build_sound(start: float, rate: float, count: int) -> list[int]:
    """Build `count` samples of 16 bits from a time on: silence, and the beeps."""
    samples = []
    for number in range(count):
        moment = (start + number / rate) % BEEP_EVERY_SECONDS
        is_loud = moment < BEEP_SECONDS
        samples.append(round(_AMPLITUDE * math.sin(2 * math.pi * BEEP_HZ * moment)) if is_loud else 0)
    return samples


def encode_alaw(samples: list[int]) -> bytes:
    """Encode samples of 16 bits as G.711 A-law."""
    return bytes(_ALAW[sample + 32_768 >> 4] for sample in samples)


def _encode_alaw(sample: int) -> int:
    """Encode one sample (ITU-T G.711, table 1a)."""
    level = (sample if sample >= 0 else ~sample) >> 4
    exponent = max(0, level.bit_length() - 4)
    coded = exponent << 4 | level >> max(0, exponent - 1) & 0x0F
    return (coded | (0x80 if sample >= 0 else 0)) ^ 0x55


_ALAW = array.array("B", [_encode_alaw((number << 4) - 32_768) for number in range(4096)])
