"""Counting cameras whose tracks of sound are those of real ones: described wrongly, silent, late, for talking back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from .counter import CounterCamera
from .rtp import PacketTemplate
from .rtsp import Connection, Reply, Request


@dataclass(frozen=True)
class SoundTrack:
    """A track of an SDP beside the video. `lines`: those after `m=`, without the control.

    `packets`: RTP time since the first, and payload; they are sent again and again, each `period` ticks. Without them
    the track is silent. `after_seconds`: since PLAY, until the first is sent.
    """

    name: str
    media: str
    lines: tuple[str, ...] = ()
    payload_type: int = 0
    clock_rate: int = 8_000
    packets: Sequence[tuple[int, bytes]] = field(default=(), repr=False)
    period: int = 0
    after_seconds: float = 0.0


class TracksCamera(CounterCamera):
    """Describes these tracks in this order; None stands for the video."""

    def __init__(self, *tracks: SoundTrack | None, port: int = 0) -> None:
        super().__init__(port=port)
        self.tracks = tracks
        self.set_up: list[str] = []

    async def describe(self, request: Request) -> Reply:
        """The SDP of CounterCamera, with the tracks."""
        reply = await super().describe(request)
        head, _, video = reply.body.partition("m=video")
        sections = [
            f"m=video{video.rstrip()}"
            if track is None
            else "\r\n".join([f"m={track.media}", *track.lines, f"a=control:track={track.name}"])
            for track in self.tracks
        ]
        reply.body = head + "\r\n".join([*sections, ""])
        return reply

    async def send_media(self, connection: Connection) -> None:
        """Send what was set up and is not silent."""
        self.set_up += connection.channels
        sending = [
            self._send_track(connection, track)
            for track in self.tracks
            if track is not None and track.packets and track.name in connection.channels
        ]
        await asyncio.gather(self._send_video(connection), *sending)

    async def _send_track(self, connection: Connection, track: SoundTrack) -> None:
        transport, channel = connection.writer.transport, connection.channels[track.name]
        begin, sequence, turn = time.monotonic() + track.after_seconds, 0, 0
        while not transport.is_closing():
            for stamp, payload in track.packets:
                at = stamp + turn * track.period
                await asyncio.sleep(begin + at / track.clock_rate - time.monotonic())
                template = PacketTemplate([payload], channel, track.payload_type)
                transport.write(template.fill(sequence, at, 0x50D))
                sequence += 1
            turn += 1
