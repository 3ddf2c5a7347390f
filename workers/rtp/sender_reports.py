"""Reads the sender reports of an RTCP packet (RFC 3550, 6.4.1)."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

_SENDER_REPORT = 200
_HEADER = struct.Struct("!BBH")
_SENDER_INFO = struct.Struct("!IIII")  # SSRC, NTP seconds and fraction, RTP time
_FRACTION = 2.0**32


class SenderReport(NamedTuple):
    """The two clocks of a sender at one moment: NTP time in seconds since 1900, and RTP time."""

    ssrc: int
    ntp_seconds: float
    rtp_time: int


def read_sender_reports(packet: bytes) -> Iterator[SenderReport]:
    """The sender reports of a compound packet; what cannot be read ends it."""
    at = 0
    while at + _HEADER.size <= len(packet):
        first, kind, words = _HEADER.unpack_from(packet, at)
        size = 4 * (words + 1)
        if first >> 6 != 2 or at + size > len(packet):
            return
        if kind == _SENDER_REPORT and size >= _HEADER.size + _SENDER_INFO.size:
            ssrc, seconds, fraction, rtp_time = _SENDER_INFO.unpack_from(packet, at + _HEADER.size)
            yield SenderReport(ssrc, seconds + fraction / _FRACTION, rtp_time)
        at += size
