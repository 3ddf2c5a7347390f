"""RTP packets for one track, framed for RTSP over TCP (RFC 2326, 10.12)."""

from __future__ import annotations

import struct

from .encoded import EncodedLoop

MAX_PAYLOAD = 1400
VIDEO_PAYLOAD_TYPE = 96
VIDEO_CLOCK = 90_000
_HEADER = struct.Struct("!BBHBBHII")  # $, channel, length; then version, marker and type, sequence, time, SSRC
_CHANGING = struct.Struct("!HII")  # sequence, time, SSRC
_CHANGING_AT = 6


class PacketTemplate:
    """The packets of one access unit, complete except for sequence number, time and SSRC, which `fill` writes."""

    def __init__(self, payloads: list[bytes], channel: int, payload_type: int) -> None:
        """`payloads` are the packets' contents; the last one bears the marker."""
        self._bytes = bytearray()
        self._starts: list[int] = []
        for number, payload in enumerate(payloads, 1):
            self._starts.append(len(self._bytes) + _CHANGING_AT)
            marker = 0x80 if number == len(payloads) else 0
            self._bytes += _HEADER.pack(0x24, channel, 12 + len(payload), 0x80, marker | payload_type, 0, 0, 0)
            self._bytes += payload

    def __len__(self) -> int:
        """Number of packets."""
        return len(self._starts)

    def fill(self, sequence: int, timestamp: int, ssrc: int) -> bytes:
        """The packets as bytes for the socket. All numbers may exceed their field: they wrap."""
        timestamp &= 0xFFFFFFFF
        for number, start in enumerate(self._starts):
            _CHANGING.pack_into(self._bytes, start, (sequence + number) & 0xFFFF, timestamp, ssrc)
        return bytes(self._bytes)


def build_video_templates(loop: EncodedLoop, channel: int, is_in_band: bool) -> list[PacketTemplate]:
    """One template for each access unit; `is_in_band` puts the parameter sets before each key frame."""
    templates = []
    for unit in loop.access_units:
        head = (loop.sps, loop.pps) if unit.is_key and is_in_band else ()
        payloads = [payload for nal in (*head, *unit.nals) for payload in split_nal(nal)]
        templates.append(PacketTemplate(payloads, channel, VIDEO_PAYLOAD_TYPE))
    return templates


def split_nal(nal: bytes) -> list[bytes]:
    """A NAL as RTP payloads: itself, or FU-A fragments when it is too long (RFC 6184, 5.8)."""
    if len(nal) <= MAX_PAYLOAD:
        return [nal]
    indicator, kind = nal[0] & 0xE0 | 28, nal[0] & 0x1F
    size = MAX_PAYLOAD - 2
    pieces = [nal[at : at + size] for at in range(1, len(nal), size)]
    last = len(pieces) - 1
    return [
        bytes([indicator, (0x80 if number == 0 else 0) | (0x40 if number == last else 0) | kind]) + piece
        for number, piece in enumerate(pieces)
    ]
