"""Finds whole JPEG pictures in bytes by the structure of JPEG itself (ITU-T T.81, annex B). Pure.

Neither boundaries nor lengths of a multipart stream are needed: cameras write them in all ways, and some write none. A
picture is complete with its last byte, without waiting for the next part.
"""

import re

#: Larger pictures are dropped; of an 8K camera they have about 10 MB.
MAX_PICTURE_BYTES = 16 << 20

_BEGIN = b"\xff\xd8\xff"
#: A marker behind which there is more than coded data: no stuffed byte, restart marker, fill byte or TEM.
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
_FIRST_SEGMENT, _SOI, _EOI = 0xC0, 0xD8, 0xD9
#: The longest text between pictures that is looked at for what the camera says of its parts.
_MAX_TEXT = 4096
_CONTENT_TYPE = re.compile(rb"content-type:[ \t]*([\w.+/-]{1,60})", re.IGNORECASE)


class PictureFinder:
    """Takes bytes as they come, and gives the pictures in them.

    `skipped`: bytes since the last picture that belong to none. `dropped`: pictures that were cut off or too large.
    `part_type`: the Content-Type before the first picture, in lower case; None if there was none.
    """

    def __init__(self) -> None:
        self.skipped = 0
        self.dropped = 0
        self.part_type: str | None = None
        self._buffer = bytearray()
        self._is_inside = False
        self._at = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The pictures that are complete with these bytes, in order."""
        self._buffer += data
        found: list[bytes] = []
        while self._step(found):
            pass
        return found

    def _step(self, found: list[bytes]) -> bool:
        """Go on by one picture, if there are enough bytes."""
        if not self._is_inside and not self._find_begin():
            return False
        end = self._find_end()
        if end is None:
            if len(self._buffer) > MAX_PICTURE_BYTES:
                self._drop(len(self._buffer))
            return False
        if end < 0:
            # Another picture begins before this one has ended.
            self._drop(-end)
            return True
        found.append(bytes(self._buffer[:end]))
        del self._buffer[:end]
        self._is_inside = False
        self.skipped = 0
        return True

    def _find_begin(self) -> bool:
        begin = self._buffer.find(_BEGIN)
        # A start may be cut in two.
        gone = begin if begin >= 0 else max(0, len(self._buffer) - len(_BEGIN) + 1)
        if self.part_type is None:
            match = _CONTENT_TYPE.search(self._buffer, 0, min(gone, _MAX_TEXT))
            self.part_type = match[1].decode("ascii", "replace").lower() if match else None
            if match is None and begin < 0 and gone < _MAX_TEXT:
                # The line may go on with the next bytes.
                return False
        self.skipped += gone
        del self._buffer[:gone]
        self._is_inside = begin >= 0
        self._at = 2
        return self._is_inside

    def _find_end(self) -> int | None:
        """Where the picture ends; None if that has not come, negative where another one begins."""
        buffer = self._buffer
        while match := _MARKER.search(buffer, self._at):
            marker, at = buffer[match.start() + 1], match.start()
            if marker == _EOI:
                return at + 2
            if marker == _SOI:
                return -at
            if marker < _FIRST_SEGMENT:
                # Damaged data: no such marker has a length.
                self._at = at + 2
                continue
            if at + 4 > len(buffer):
                self._at = at
                return None
            self._at = at + 2 + max(2, int.from_bytes(buffer[at + 2 : at + 4], "big"))
        # A marker may be cut in two; what a segment still lacks is not searched.
        self._at = max(self._at, len(buffer) - 1)
        return None

    def _drop(self, count: int) -> None:
        self.dropped += 1
        self.skipped += count
        del self._buffer[:count]
        self._is_inside = False
