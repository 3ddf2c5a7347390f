"""Counting cameras whose key frames and parameter sets come in the ways of real ones."""

from __future__ import annotations

import asyncio
import base64
import functools
import random
import time

import av
import numpy

from .counter import PICTURE, CounterCamera, draw_counter, encode_group
from .encoded import AccessUnit, EncodedLoop, LoopSettings
from .rtp import MAX_PAYLOAD, VIDEO_CLOCK, VIDEO_PAYLOAD_TYPE, PacketTemplate
from .rtsp import Connection, Reply, Request

_VPS, _SPS, _PPS = 32, 33, 34
_FIRST_KEY, _LAST_KEY = 16, 21
_GHOST_GROUP = 7_000


class ChangingSetsCamera(CounterCamera):
    """Its groups of pictures have these `parameters` of x264 in turn: another VUI, say, or another number of the set.

    `described`: those of the SDP; None: those of the first group. `described_size`: the size that the SDP tells.
    """

    def __init__(
        self,
        *parameters: str,
        described: str | None = None,
        described_size: tuple[int, int] | None = None,
        port: int = 0,
    ) -> None:
        super().__init__(port=port)
        self.parameters = parameters
        self.described, self.described_size = described, described_size

    def encode(self, group: int) -> EncodedLoop:
        """See CounterCamera."""
        return encode_group(self.settings, group, self.parameters[group % len(self.parameters)])

    def encode_described(self) -> EncodedLoop:
        """See CounterCamera."""
        width, height = self.described_size or (self.settings.width, self.settings.height)
        settings = LoopSettings(**{**vars(self.settings), "width": width, "height": height})
        return encode_group(settings, 0, self.described if self.described is not None else self.parameters[0])


class LateKeyFrameCamera(CounterCamera):
    """A key frame each `gop_seconds`; the next one comes `left_seconds` after the start."""

    def __init__(self, gop_seconds: float, left_seconds: float, *, parameters: str = "", port: int = 0) -> None:
        super().__init__(LoopSettings(**{**vars(PICTURE), "fps": 5, "gop_seconds": gop_seconds}), port=port)
        self.left_seconds, self.parameters = left_seconds, parameters

    def start(self) -> None:
        """Encode everything, then start, having counted for most of a group."""
        self.encode(0)
        super().start()
        age = self.settings.gop_seconds - self.left_seconds
        self.started_at -= age
        self._epoch -= age

    def encode(self, group: int) -> EncodedLoop:
        """See CounterCamera."""
        return encode_group(self.settings, group, self.parameters)


class GhostCamera(CounterCamera):
    """Sends the pictures of a dead session between its own, with that session's SSRC.

    With `is_known` the dead session is the one before on this camera, and its packets come from PLAY on; otherwise it
    is somebody else's, and they come from the beginning of the connection on.
    """

    def __init__(self, *, is_known: bool, port: int = 0) -> None:
        super().__init__(port=port)
        self.is_known = is_known
        self.ghosts = 0
        self._haunting: set[asyncio.Task] = set()

    def start(self) -> None:
        """Have everything ready, then start."""
        encode_group(self.settings, _GHOST_GROUP)
        super().start()

    def close(self) -> None:
        """See RtspServer."""
        if not self._is_closed:
            self._call(self._calm())
        super().close()

    async def _calm(self) -> None:
        for task in self._haunting:
            task.cancel()
        await asyncio.gather(*self._haunting, return_exceptions=True)

    async def greet(self, connection: Connection) -> bool:
        """Begin to send with the connection."""
        if not self.is_known:
            self._haunting.add(asyncio.create_task(self._haunt(connection, 0x6057)))
        return True

    async def send_media(self, connection: Connection) -> None:
        """Send the own pictures, and begin to send the others."""
        if self.is_known and self.ssrc:
            self._haunting.add(asyncio.create_task(self._haunt(connection, self.ssrc)))
        await super().send_media(connection)

    async def _haunt(self, connection: Connection, ssrc: int) -> None:
        video = await asyncio.to_thread(encode_group, self.settings, _GHOST_GROUP)
        payloads = [nal for unit in video.access_units for nal in (video.sps, video.pps, *unit.nals)]
        transport, sequence = connection.writer.transport, 40_000
        while True:
            for nal in payloads:
                if transport.is_closing():
                    return
                template = PacketTemplate([nal[:MAX_PAYLOAD]], connection.channels.get("video", 0), VIDEO_PAYLOAD_TYPE)
                transport.write(template.fill(sequence, sequence * 3_000, ssrc))
                sequence += 1
                self.ghosts += 1
                await asyncio.sleep(0.02)


class HevcCamera(CounterCamera):
    """H.265. `described`: the sets that the SDP names, of "vps", "sps" and "pps"; `first_in_band`: the number of the
    key frame, counted from PLAY, from which on they are in band too; None: never.
    """

    def __init__(self, described: tuple[str, ...], first_in_band: int | None, *, port: int = 0) -> None:
        super().__init__(port=port)
        self.described, self.first_in_band = described, first_in_band

    async def describe(self, request: Request) -> Reply:
        """The SDP with the sets that it is to name."""
        sets, _ = await asyncio.to_thread(encode_hevc_group, self.settings, 0)
        named = dict(zip(("vps", "sps", "pps"), sets, strict=True))
        sprop = ";".join(f"sprop-{name}={base64.b64encode(named[name]).decode()}" for name in self.described)
        lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=camera", "t=0 0", "a=control:*"]
        lines += ["m=video 0 RTP/AVP 96", "a=rtpmap:96 H265/90000", f"a=fmtp:96 {sprop}", "a=control:track=video", ""]
        headers = {"Content-Type": "application/sdp", "Content-Base": request.url.rstrip("/") + "/"}
        return Reply(headers=headers, body="\r\n".join(lines))

    async def _send_video(self, connection: Connection) -> None:
        transport, channel = connection.writer.transport, connection.channels["video"]
        sequence, gop_frames = random.randrange(1 << 16), self.settings.gop_frames
        begin = self.first_counter() // gop_frames + 1
        group = begin
        while not transport.is_closing():
            sets, units = await asyncio.to_thread(encode_hevc_group, self.settings, group)
            is_in_band = self.first_in_band is not None and group - begin >= self.first_in_band
            for number, unit in enumerate(units, group * gop_frames):
                await asyncio.sleep(self._epoch + self.due_seconds(number) - time.monotonic())
                nals = (*sets, *unit.nals) if unit.is_key and is_in_band else unit.nals
                payloads = [payload for nal in nals for payload in split_hevc_nal(nal)]
                template = PacketTemplate(payloads, channel, VIDEO_PAYLOAD_TYPE)
                transport.write(template.fill(sequence, number * VIDEO_CLOCK // self.settings.fps, 0x265))
                sequence += len(template)
            group += 1


def split_hevc_nal(nal: bytes) -> list[bytes]:
    """A NAL as RTP payloads (RFC 7798, 4.4.3)."""
    if len(nal) <= MAX_PAYLOAD:
        return [nal]
    head, kind, size = bytes([nal[0] & 0x81 | 49 << 1, nal[1]]), nal[0] >> 1 & 0x3F, MAX_PAYLOAD - 3
    pieces = [nal[at : at + size] for at in range(2, len(nal), size)]
    last = len(pieces) - 1
    return [
        head + bytes([(0x80 if number == 0 else 0) | (0x40 if number == last else 0) | kind]) + piece
        for number, piece in enumerate(pieces)
    ]


@functools.lru_cache(maxsize=16)
def encode_hevc_group(settings: LoopSettings, group: int) -> tuple[tuple[bytes, ...], tuple[AccessUnit, ...]]:
    """The parameter sets, and the pictures of a group as in `encode_group`."""
    encoder = av.CodecContext.create("libx265", "w")
    encoder.width, encoder.height, encoder.pix_fmt = settings.width, settings.height, "yuv420p"
    encoder.framerate, encoder.bit_rate = settings.fps, settings.bitrate_kbps * 1000
    gop = settings.gop_frames
    encoder.options = {
        "preset": "ultrafast", "tune": "zerolatency",
        "x265-params": f"log-level=none:scenecut=0:keyint={gop}:min-keyint={gop}:repeat-headers=1:pools=1",
    }  # fmt: skip
    packets = []
    for counter in range(group * gop, (group + 1) * gop):
        planes = numpy.full((settings.height * 3 // 2, settings.width), 128, numpy.uint8)
        planes[: settings.height] = draw_counter(settings.width, settings.height, counter)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts = counter - group * gop
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    sets: dict[int, bytes] = {}
    units = []
    for packet in packets:
        nals = [nal.rstrip(b"\0") for nal in bytes(packet).split(b"\0\0\1") if nal.rstrip(b"\0")]
        kinds = [nal[0] >> 1 & 0x3F for nal in nals]
        sets |= {kind: nal for kind, nal in zip(kinds, nals, strict=True) if kind in (_VPS, _SPS, _PPS)}
        slices = tuple(nal for kind, nal in zip(kinds, nals, strict=True) if kind < _VPS)
        units.append(AccessUnit(slices, any(_FIRST_KEY <= kind <= _LAST_KEY for kind in kinds)))
    return (sets[_VPS], sets[_SPS], sets[_PPS]), tuple(units)
