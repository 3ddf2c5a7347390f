"""A session without a network: a test hands out the packets of an encoded loop, at the times that it says."""

import asyncio
from collections.abc import Sequence

from gateway.sources.source import SourceReceiver
from gateway.sources.tracks import Description
from tests.cameras.encoded import LoopSettings, load_loop
from tests.cameras.rtp import VIDEO_CLOCK, VIDEO_PAYLOAD_TYPE, PacketTemplate, split_nal
from workers.rtp.units import AUDIO, VIDEO, SourceError, TrackDescription

PICTURE = LoopSettings(width=320, height=192, fps=15, bitrate_kbps=200, gop_seconds=1)
SMALL = LoopSettings(width=192, height=128, fps=15, bitrate_kbps=100, gop_seconds=1)
ALAW_TRACK = TrackDescription(1, AUDIO, "pcm_alaw", 8, 8000)
VIDEO_TRACK = TrackDescription(0, VIDEO, "h264", VIDEO_PAYLOAD_TYPE, VIDEO_CLOCK)
_FRAMING = 4


class FakeSession:
    """Announces `tracks`; `send_pictures` and `send_sound` pass packets on, each `arrived` its own time later."""

    def __init__(self, *tracks: TrackDescription, begins_at: float) -> None:
        self.tracks = tracks or (VIDEO_TRACK,)
        self.answered_at: float | None = None
        self.transport = "tcp"
        self.settings = PICTURE
        self.begins_at = begins_at
        self.pictures = 0
        self.sounds = 0
        self.is_closed = False
        self.is_hurried = True
        self._sequence = {VIDEO: 0, AUDIO: 0}
        self._end: asyncio.Future | None = None
        self._receiver: SourceReceiver | None = None
        self.is_playing = asyncio.Event()

    async def describe(self) -> Description:
        return Description(tuple(self.tracks), server="fake")

    async def play(self, tracks: Sequence[TrackDescription], receiver: SourceReceiver) -> None:
        self._receiver = receiver
        self._end = asyncio.get_running_loop().create_future()
        self.is_playing.set()

    def hasten(self, is_hurried: bool) -> None:
        self.is_hurried = is_hurried

    async def wait_ended(self) -> None:
        await self._end

    async def close(self) -> None:
        self.is_closed = True

    def end(self, code: str) -> None:
        """The camera ends the session."""
        self._end.set_exception(SourceError(code))

    def send_pictures(self, count: int, *, is_damaged: bool = False, arrived: float | None = None) -> None:
        """Pass on so many pictures; `is_damaged`: each loses a packet on the way. `arrived`: not at their own times."""
        loop = load_loop(self.settings)
        for _ in range(count):
            unit = loop.access_units[self.pictures % len(loop.access_units)]
            head = (loop.sps, loop.pps) if unit.is_key else ()
            payloads = [payload for nal in (*head, *unit.nals) for payload in split_nal(nal)]
            stamp = self.pictures * VIDEO_CLOCK // self.settings.fps
            at = self.begins_at + self.pictures / self.settings.fps if arrived is None else arrived
            self._send(VIDEO, payloads[:-1] if is_damaged else payloads, stamp, at, VIDEO_PAYLOAD_TYPE)
            if is_damaged:
                self._sequence[VIDEO] += 1
            self.pictures += 1

    def send_sound(self, until: float) -> None:
        """Pass on sound, 20 ms a packet, until `until` seconds after the beginning."""
        while self.sounds * 0.02 < until:
            self._send(AUDIO, [bytes([0xD5]) * 160], self.sounds * 160, self.begins_at + self.sounds * 0.02, 8)
            self.sounds += 1

    def _send(self, kind: str, payloads: list[bytes], stamp: int, arrived: float, payload_type: int) -> None:
        template = PacketTemplate(payloads, 0, payload_type)
        data = template.fill(self._sequence[kind], stamp, 0x11 if kind == VIDEO else 0x22)
        self._sequence[kind] += len(template)
        at = 0
        while at < len(data):
            size = int.from_bytes(data[at + 2 : at + _FRAMING], "big")
            self._receiver.packet(0 if kind == VIDEO else 1, data[at + _FRAMING : at + _FRAMING + size], arrived)
            at += _FRAMING + size
        self._receiver.flush()
