"""Takes the RTP of FFmpeg processes on this machine, and sends it on with numbers and times that outlive them.

Each FFmpeg begins with a sequence number and a time of its own choice, at which mediasoup and SRTP would drop packets.
"""

import asyncio
import contextlib
import secrets
import socket
import struct
import time
from collections.abc import Callable

from plugins.mediasoup_webrtc.rtp import build_destination
from plugins.mediasoup_webrtc.rtp_track import HEADER_BYTES, RtpTrack

_PAYLOAD_TYPE = 96
_RECEIVE_BUFFER_BYTES = 1 << 20
_PACKETS_AT_ONCE = 64
#: An encoder begins with the pictures since the last key frame, all at once. Shown as fast as they come they are over
#: soon; with their own times, players would show everything later by as much. Sound of the past is left out instead.
_MAX_VIDEO_AHEAD_SECONDS = 0.04
_MAX_SOUND_AHEAD_SECONDS = 0.25
#: A step of FFmpeg's time stamps by more than this is no pause of the camera.
_MAX_STEP_SECONDS = 3600
_HEADER = struct.Struct(">BBHII")


class RtpRelay:
    """The port for one track of FFmpeg, until `close`. Use it on the loop only.

    `find_track` returns where to send to, or None. `offset_seconds` makes its times those of RtpSender.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        find_track: Callable[[], RtpTrack | None],
        rate: int,
        offset_seconds: float,
        *,
        is_sound: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._loop, self._find_track, self._rate, self._clock = loop, find_track, rate, clock
        self._offset = round(offset_seconds * rate)
        self._is_sound = is_sound
        self._max_ahead = round(rate * (_MAX_SOUND_AHEAD_SECONDS if is_sound else _MAX_VIDEO_AHEAD_SECONDS))
        #: Only packets with this number are taken: other programs of this machine can send to the port too.
        self._ssrc = secrets.randbelow(0x7FFFFFFE) + 1
        self._address: tuple[str, int] | None = None
        self._sequence = self._timestamp = 0
        #: Our time stamp of the last packet, unwrapped.
        self._ticks = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
        self._socket.bind(("127.0.0.1", 0))
        loop.add_reader(self._socket, self._read)

    @property
    def destination(self) -> list[str]:
        """FFmpeg's output options and address."""
        return build_destination(self._socket.getsockname()[1], self._ssrc, _PAYLOAD_TYPE)

    def close(self) -> None:
        """May be called twice."""
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._socket.close()

    def _read(self) -> None:
        track = self._find_track()
        for _ in range(_PACKETS_AT_ONCE):
            try:
                packet, address = self._socket.recvfrom(2048)
            except OSError:
                break
            if track is not None:
                self._pass(track, packet, address)
        if track is not None:
            track.flush()

    def _pass(self, track: RtpTrack, packet: bytes, address: tuple[str, int]) -> None:
        # The same port gets FFmpeg's sender reports, whose type differs.
        if len(packet) <= HEADER_BYTES or packet[0] != 0x80 or packet[1] & 0x7F != _PAYLOAD_TYPE:
            return
        _, kind, sequence, timestamp, ssrc = _HEADER.unpack_from(packet)
        if ssrc != self._ssrc:
            return
        now = int(self._clock() * self._rate) + self._offset
        step = (timestamp - self._timestamp + 0x80000000 & 0xFFFFFFFF) - 0x80000000
        if address != self._address or abs(step) > _MAX_STEP_SECONDS * self._rate:
            # Another process: it goes on now, and never before the last picture of the one before.
            self._address = address
            self._ticks = max(now, self._ticks + self._rate // 50)
        else:
            missing = (sequence - self._sequence - 1) & 0xFFFF
            if missing >= 0x8000:
                return
            track.skip(missing)
            is_ahead = step > 0 and self._ticks + step > now + self._max_ahead
            if is_ahead and self._is_sound:
                self._sequence, self._timestamp = sequence, timestamp
                return
            self._ticks = max(now, self._ticks + 1) if is_ahead else self._ticks + step
        self._sequence, self._timestamp = sequence, timestamp
        track.add(packet[HEADER_BYTES:], self._ticks & 0xFFFFFFFF, is_marked=kind >= 0x80)
