"""The header of a JPEG picture that RTP leaves out (RFC 2435, 4.2 and appendices A and B; ITU-T T.81, B.2 and K)."""

import base64
import struct
from dataclasses import dataclass

#: Marker codes.
SOF0, DHT, SOI, EOI, SOS, DQT, DRI = 0xC0, 0xC4, 0xD8, 0xD9, 0xDA, 0xDB, 0xDD

_JFIF = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
_SCAN = b"\xff\xda\x00\x0c\x03\x01\x00\x02\x11\x03\x11\x00\x3f\x00"
#: The Huffman tables of T.81, K.3.
_HUFFMAN = base64.b64decode(
    "/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKB"
    "kaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJ"
    "ipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEB"
    "AQEBAQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMz"
    "UvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaX"
    "mJmaoqOkpaanqKmqsrO0tba3uLm6wsPExcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq8vP09fb3+Pn6"
)
#: The quantisation tables of T.81, K.1 and K.2, in zigzag order.
_LUMA = (
    *(16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40),
    *(26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61, 60, 57, 51),
    *(56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87),
    *(95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99),
)
_CHROMA = (17, 18, 18, 24, 21, 24, 47, 26, 26, 47, 99, 66, 56, 66, *(99,) * 50)


@dataclass(slots=True)
class JpegHeader:
    """What an RTP packet says of its picture. `segments` are markers that are sent as they are."""

    kind: int
    width: int
    height: int
    tables: bytes = b""
    interval: int = 0
    segments: tuple[tuple[int, bytes], ...] = ()

    def build(self) -> bytes:
        """The bytes before the scan."""
        given = {marker for marker, _ in self.segments}
        pieces = [b"\xff\xd8"]
        pieces += [_JFIF] if not self.segments else []
        pieces += [bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data for marker, data in self.segments]
        if DQT not in given:
            pieces.append(self.tables)
        if DRI not in given and self.interval:
            pieces.append(struct.pack(">BBHH", 0xFF, DRI, 4, self.interval))
        if SOF0 not in given:
            factors = 0x21 if self.kind & 0x3F == 0 else 0x22
            chroma_table = 1 if len(self.tables) > 134 else 0
            frame = struct.pack(">BBHBHHB", 0xFF, SOF0, 17, 8, self.height, self.width, 3)
            pieces.append(frame + bytes((1, factors, 0, 2, 0x11, chroma_table, 3, 0x11, chroma_table)))
        if DHT not in given:
            pieces.append(_HUFFMAN)
        if SOS not in given:
            pieces.append(_SCAN)
        return b"".join(pieces)


def scale_tables(quality: int) -> bytes:
    """DQT segments for a quality of 1 to 99 (RFC 2435, appendix A)."""
    quality = min(max(quality, 1), 99)
    scale = 5000 // quality if quality < 50 else 200 - quality * 2
    tables = [bytes(min(max((value * scale + 50) // 100, 1), 255) for value in table) for table in (_LUMA, _CHROMA)]
    return pack_tables(b"".join(tables), 0)


def pack_tables(data: bytes, precision: int) -> bytes:
    """DQT segments for the tables of a packet: each of 64 values, of 16 bits where a bit of `precision` is set."""
    pieces = []
    at = 0
    for number in range(4):
        size = 128 if precision >> number & 1 else 64
        if at + size > len(data):
            break
        pieces.append(struct.pack(">BBHB", 0xFF, DQT, size + 3, (size == 128) << 4 | number) + data[at : at + size])
        at += size
    return b"".join(pieces)


def read_segments(data: bytes, at: int = 0) -> list[tuple[int, bytes]]:
    """The marker segments from a place on, up to the scan; without the markers that have no length."""
    found = []
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in (0xFF, SOI, 0x01) or 0xD0 <= marker <= 0xD7:
            at += 1 if marker == 0xFF else 2
            continue
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        if size < 2 or at + 2 + size > len(data) or marker == EOI:
            break
        found.append((marker, data[at + 4 : at + 2 + size]))
        at += 2 + size
        if marker == SOS:
            break
    return found


def read_frame(segments: list[tuple[int, bytes]] | tuple[tuple[int, bytes], ...]) -> tuple[int, int, str] | None:
    """Width, height and FFmpeg's pixel format of a frame header among these segments; None without one."""
    for marker, data in segments:
        if 0xC0 <= marker <= 0xC2 and len(data) >= 6:
            height, width, parts = struct.unpack_from(">HHB", data, 1)
            luma, chroma = (data[7], data[10]) if len(data) > 10 else (0x11, 0x11)
            ratio = ((luma >> 4) // max(1, chroma >> 4), (luma & 15) // max(1, chroma & 15))
            layout = {(1, 1): "444", (2, 1): "422", (4, 1): "411", (1, 2): "440"}.get(ratio, "420")
            if width and height:
                return width, height, "gray" if parts == 1 else f"yuvj{layout}p"
    return None
