"""JPEG from RTP (RFC 2435), with the header extension of ONVIF for pictures that its header cannot describe."""

import re

from workers.rtp.jpeg_header import DQT, EOI, SOF0, JpegHeader, pack_tables, read_frame, read_segments, scale_tables
from workers.rtp.nal_units import BEGINS, CONTINUES, MAX_UNIT_BYTES, NEUTRAL
from workers.rtp.units import CodecData, TrackDescription

#: Profile of the RTP header extension that carries marker segments (ONVIF Streaming Specification, 5.2.3).
_ONVIF_JPEG = b"\xff\xd8"
_SIZE = re.compile(r"\s*(\d{1,5})\s*[,x-]\s*(\d{1,5})")
_EOI = bytes((0xFF, EOI))


class JpegAssembler:
    """Pictures of a JPEG track: each is a complete JFIF file and a key unit."""

    is_key = True
    is_b_frame = False
    has_recovery_points = False
    has_key_units = True

    def __init__(self, track: TrackDescription) -> None:
        self.codec_data: CodecData | None = None
        #: Set by the receiver: the RTP header extension of the next payload, with its profile and length.
        self.extension = b""
        self._announced_size = _read_size(track)
        self._tables: dict[int, bytes] = {}
        self.clear()

    @property
    def is_whole(self) -> bool:
        """Whether a picture has begun."""
        return self.has_picture

    @property
    def can_continue(self) -> bool:
        """Whether there is something that a payload can go on with."""
        return self.has_picture

    def clear(self) -> None:
        """Drop the picture."""
        self.has_picture = False
        self.is_damaged = False
        self._header: JpegHeader | None = None
        self._pieces: list[bytes] = []
        self._length = 0

    def append(self, payload: bytes) -> bool:
        """See NalAssembler."""
        return False

    def look(self, payload: bytes) -> int:
        """See NalAssembler."""
        if len(payload) < 8:
            return NEUTRAL
        return CONTINUES if payload[1] or payload[2] or payload[3] else BEGINS

    def push(self, payload: bytes) -> None:
        """Add a payload: a fragment of the scan behind its header."""
        extension, self.extension = self.extension, b""
        if len(payload) < 8:
            self.is_damaged = True
            return
        offset = int.from_bytes(payload[1:4], "big")
        at = 12 if payload[4] & 0x40 else 8
        if offset == 0:
            self.has_picture = True
            at = self._begin(payload, at, extension)
        if self._header is None or offset != self._length:
            self.is_damaged = True
        if self.is_damaged:
            return
        piece = payload[at:]
        self._length += len(piece)
        if self._length + 64 * len(self._pieces) > MAX_UNIT_BYTES:
            self.is_damaged = True
            self._pieces = []
        else:
            self._pieces.append(piece)

    def finish(self) -> bytes | None:
        """The picture as a file; None if it is damaged."""
        header = self._header
        if header is None or self.is_damaged or not self._length:
            return None
        scan = b"".join(self._pieces)
        if scan.startswith(b"\xff\xd8\xff"):
            # A camera that sends the whole file.
            data, segments = scan, tuple(read_segments(scan))
        else:
            segments = header.segments
            if not header.tables and all(marker != DQT for marker, _ in segments):
                return None
            data = header.build() + scan
        frame = read_frame(segments)
        if frame is None:
            frame = header.width, header.height, "yuvj422p" if header.kind & 0x3F == 0 else "yuvj420p"
        if not frame[0] or not frame[1]:
            return None
        now = self.codec_data
        if now is None or (now.width, now.height, now.pixel_format) != frame:
            self.codec_data = CodecData("mjpeg", b"", (), *frame[:2], "Baseline", frame[2])
        return data if data.endswith(_EOI) else data.rstrip(b"\0") + _EOI

    def _begin(self, payload: bytes, at: int, extension: bytes) -> int:
        """Read the header of a picture's first packet; returns where the scan begins."""
        segments = tuple(read_segments(extension, 4)) if extension.startswith(_ONVIF_JPEG) else ()
        kind, quality = payload[4], payload[5]
        interval = int.from_bytes(payload[8:10], "big") if kind & 0x40 else 0
        tables = b""
        if quality >= 128:
            size = int.from_bytes(payload[at + 2 : at + 4], "big")
            if size:
                tables = pack_tables(payload[at + 4 : at + 4 + size], payload[at + 1] if at + 1 < len(payload) else 0)
                if quality < 255:
                    self._tables[quality] = tables
            else:
                tables = self._tables.get(quality, b"")
            at += 4 + size
        elif quality:
            tables = self._tables.get(quality) or self._tables.setdefault(quality, scale_tables(quality))
        if kind & 0x3F > 1 and not any(marker == SOF0 for marker, _ in segments):
            self.is_damaged = True  # sampling factors that RFC 2435 does not define
        width, height = _correct_size((payload[6] * 8, payload[7] * 8), self._announced_size)
        self._header = JpegHeader(kind, width, height, tables, interval, segments)
        self._pieces, self._length = [], 0
        return at


def _correct_size(sent: tuple[int, int], announced: tuple[int, int]) -> tuple[int, int]:
    """The size of the packet, which is at most 2040; that of the SDP if its lower bits are those of the packet."""
    if not all(announced):
        return sent
    if all(one in (0, other + 7 & 0x7F8, other & 0x7F8) for one, other in zip(sent, announced, strict=True)):
        return announced
    return (sent[0] or announced[0], sent[1] or announced[1])


def _read_size(track: TrackDescription) -> tuple[int, int]:
    """The size that the SDP announces; zeros without one."""
    parameters = track.parameters
    for name in ("x-dimensions", "framesize", "cliprect"):
        values = str(parameters.get(name) or "")
        if name == "cliprect":  # top, left, bottom, right
            values = ",".join(reversed(values.split(",")[2:4]))
        elif name == "framesize":
            values = values.rpartition(" ")[2]
        if match := _SIZE.match(values):
            return int(match[1]), int(match[2])
    try:
        return int(str(parameters.get("width"))[:5]), int(str(parameters.get("height"))[:5])
    except ValueError:
        return 0, 0
