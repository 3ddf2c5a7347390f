"""The RTCP of a receiver (RFC 3550, section 6): what a camera's reports say, and the reports that it gets."""

import struct
from collections.abc import Iterator

SENDER_REPORT = 200
RECEIVER_REPORT = 201
_SOURCE_DESCRIPTION = 202
BYE = 203
#: Packet types of RTCP, as the second byte of a packet; no RTP packet of a camera has such a one.
FIRST_TYPE = 192
LAST_TYPE = 223


def is_rtcp(packet: bytes) -> bool:
    """Whether a packet is (compound) RTCP rather than RTP."""
    return len(packet) >= 8 and packet[0] >> 6 == 2 and FIRST_TYPE <= packet[1] <= LAST_TYPE


def split_compound(packet: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and bytes of each packet of a compound; ends where a length lies."""
    position = 0
    while position + 8 <= len(packet) and packet[position] >> 6 == 2:
        length = 4 * (1 + (packet[position + 2] << 8 | packet[position + 3]))
        if length < 8 or position + length > len(packet):
            return
        yield packet[position + 1], packet[position : position + length]
        position += length


def build_report(
    own: int, source: bytes, *, highest: int, lost: int, fraction: int, last_report: int, since_report: float
) -> bytes:
    """A receiver report about one source, with our name (CNAME).

    `highest`: extended sequence number; `fraction`: share of lost packets since the last report in 1/256;
    `last_report`: the middle 32 bits of the NTP time of the source's last report, 0 without one; `since_report`:
    seconds since it arrived. The jitter is reported as 0: nobody adapts to it.
    """
    report = struct.pack(
        ">BBHI4sIIIII",
        0x81,
        RECEIVER_REPORT,
        7,
        own,
        source,
        (fraction & 0xFF) << 24 | max(0, min(lost, 0x7FFFFF)),
        highest & 0xFFFFFFFF,
        0,
        last_report,
        min(int(since_report * 65536), 0xFFFFFFFF) if last_report else 0,
    )
    # CNAME of 3 bytes, then the end of the list and padding to 32 bits.
    return report + struct.pack(">BBHIBB3sxxx", 0x81, _SOURCE_DESCRIPTION, 3, own, 1, 3, b"vas")
