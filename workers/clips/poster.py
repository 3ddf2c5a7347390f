"""The picture of a bookmark: the frame of its moment, or the nearest one. Times in milliseconds since 1970, UTC."""

import logging
from collections.abc import Callable

from gateway.captures.files import CaptureFiles
from gateway.captures.queue import EXACT, KEY_FRAME
from gateway.errors import NotFound
from gateway.footage.cuts import ContiguousRange
from gateway.mp4.boxes import InvalidMedia
from gateway.storage.footage_reader import FootageReader
from gateway.storage.interface import StorageUnavailable
from workers.captures.pictures import PictureDamaged, TimedPart, decode_at, make_picture
from workers.clips.source import BusSpool, join_footage

log = logging.getLogger(__name__)

#: Frames are stored in decoding order: the frame of a moment may be stored this long after it.
_FRAMES_MS = 500


class ClipPoster:
    """Writes one picture to the file `key`, once."""

    def __init__(self, files: CaptureFiles, key: str, at_ms: int, check: Callable[[], None]) -> None:
        self.key = key
        self.is_made = False
        self._files, self._at_ms, self._check = files, at_ms, check

    def make_early(self, spool: BusSpool) -> bool:
        """Make the picture once the moment was received, without waiting for later footage; return whether it was made
        by this call."""
        if self.is_made or spool.end_reached_ms is None or spool.end_reached_ms <= self._at_ms:
            return False
        ranges = join_footage([], spool.pieces(), self._at_ms, self._at_ms + _FRAMES_MS)
        return bool(ranges) and self._write_frame(spool, ranges[0], self._at_ms)

    def make(self, spool: BusSpool, recorded: list[ContiguousRange], clip: list[ContiguousRange]) -> None:
        """Make the picture from the footage of the whole clip, if it is not made yet and a frame can be decoded."""
        if self.is_made:
            return
        at_ms = self._at_ms
        nearest = min(clip, key=lambda one: max(one.start_ms - at_ms, at_ms + 1 - one.end_ms, 0))
        shown_ms = min(max(at_ms, nearest.start_ms), nearest.end_ms - 1)
        group = join_footage(recorded, spool.pieces(), shown_ms, shown_ms + _FRAMES_MS)
        if group:
            self._write_frame(spool, group[0], shown_ms)

    def _write_frame(self, spool: BusSpool, footage_range: ContiguousRange, at_ms: int) -> bool:
        """Write the frame at a time; `footage_range` begins with the key frame before it. False where none can be
        decoded."""
        reader = FootageReader(spool, self._check)
        for accuracy in (EXACT, KEY_FRAME):
            try:
                init = reader.read_init(footage_range.pieces[0])
                parts = [TimedPart(part.start_ms, part.data) for part in reader.read(footage_range)]
                shot = decode_at(init, parts, at_ms, accuracy)
            except (PictureDamaged, InvalidMedia, NotFound, StorageUnavailable) as error:
                log.warning("no picture for '%s': %s", self.key, error)
                continue
            if shot is not None:
                self._files.write(self.key, make_picture(shot).jpeg)
                self.is_made = True
                return True
        return False
