"""The picture of a bookmark: the frame of its moment, or the one nearest to it. Moments in milliseconds since 1970,
UTC.
"""

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

#: Frames are stored before they are shown: the one of a moment may stand so much behind it.
_FRAMES_MS = 500


class ClipPoster:
    """Writes one picture to the file `key`, once."""

    def __init__(self, files: CaptureFiles, key: str, at_ms: int, check: Callable[[], None]) -> None:
        self.key = key
        self.is_made = False
        self._files, self._at_ms, self._check = files, at_ms, check

    def make_early(self, spool: BusSpool) -> bool:
        """Make it as soon as the moment was received: it need not wait for what comes after. Whether it was made
        now."""
        if self.is_made or spool.end_reached_ms is None or spool.end_reached_ms <= self._at_ms:
            return False
        stretches = join_footage([], spool.pieces(), self._at_ms, self._at_ms + _FRAMES_MS)
        return bool(stretches) and self._take(spool, stretches[0], self._at_ms)

    def make(self, spool: BusSpool, recorded: list[ContiguousRange], clip: list[ContiguousRange]) -> None:
        """Make it of the footage of the whole clip, where it was not made yet and anything can be decoded."""
        if self.is_made:
            return
        at_ms = self._at_ms
        nearest = min(clip, key=lambda one: max(one.start_ms - at_ms, at_ms + 1 - one.end_ms, 0))
        shown_ms = min(max(at_ms, nearest.start_ms), nearest.end_ms - 1)
        group = join_footage(recorded, spool.pieces(), shown_ms, shown_ms + _FRAMES_MS)
        if group:
            self._take(spool, group[0], shown_ms)

    def _take(self, spool: BusSpool, stretch: ContiguousRange, at_ms: int) -> bool:
        """Write the frame of a moment; `stretch` begins with the key frame before it. False where none can be
        decoded."""
        reader = FootageReader(spool, self._check)
        for accuracy in (EXACT, KEY_FRAME):
            try:
                init = reader.read_init(stretch.pieces[0])
                parts = [TimedPart(part.start_ms, part.data) for part in reader.read(stretch)]
                shot = decode_at(init, parts, at_ms, accuracy)
            except (PictureDamaged, InvalidMedia, NotFound, StorageUnavailable) as error:
                log.warning("no picture for '%s': %s", self.key, error)
                continue
            if shot is not None:
                self._files.write(self.key, make_picture(shot).jpeg)
                self.is_made = True
                return True
        return False
