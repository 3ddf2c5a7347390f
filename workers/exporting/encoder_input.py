"""What an encoder is fed with: an init segment and parts up to a break; their sound is put aside for the film."""

import threading
from collections.abc import Iterator

from gateway.mp4.samples import Samples
from gateway.storage.footage_reader import FootagePart


class Lookahead:
    """Parts of which the next is known before it is taken."""

    def __init__(self, parts: Iterator[FootagePart]) -> None:
        self._parts = parts
        self.first: FootagePart | None = next(parts, None)

    @property
    def has_more(self) -> bool:
        return self.first is not None

    def take(self) -> FootagePart:
        part = self.first
        self.first = next(self._parts, None)
        return part


class EncoderInput:
    """What an encoder reads: an init segment and the parts up to a break. Sound is put aside for the film.

    The encoder's thread iterates; all else may be asked from another.
    """

    def __init__(self, init: bytes, parts: Lookahead, end_ms: int | None) -> None:
        self._init, self._parts, self._end_ms = init, parts, end_ms
        self._audio: list[Samples] = []
        self._anchors: list[tuple[float, int]] = []
        self._lock = threading.Lock()
        self.end_seconds: float | None = None

    def __iter__(self) -> Iterator[bytes]:
        yield self._init
        is_first = True
        while self._parts.has_more and (is_first or not self._parts.first.is_break):
            is_first = False
            part = self._parts.take()
            self._inspect(part)
            yield part.data

    def take_audio(self) -> list[Samples]:
        """The sound that was read since the last call."""
        with self._lock:
            taken, self._audio = self._audio, []
        return taken

    @staticmethod
    def media_seconds(part: FootagePart, wall_ms: int) -> float:
        """The media time of a moment, seen from a part with a key frame."""
        return shown_seconds(part) + (wall_ms - part.start_ms) / 1000

    def wall_ms(self, media_seconds: float) -> int:
        """The wall clock of a media time of what was read."""
        with self._lock:
            known = [one for one in self._anchors if one[0] <= media_seconds + 0.001] or self._anchors[:1]
            self._anchors = [one for one in self._anchors if one[0] >= known[-1][0]] if known else self._anchors
        seconds, wall = known[-1]
        return round(wall + (media_seconds - seconds) * 1000)

    def _inspect(self, part: FootagePart) -> None:
        with self._lock:
            self._audio += part.audio
            if part.is_key and part.video:
                self._anchors.append((shown_seconds(part), part.start_ms))
                if self._end_ms is not None and part.start_ms <= self._end_ms:
                    self.end_seconds = self.media_seconds(part, self._end_ms)


def shown_seconds(part: FootagePart) -> float:
    """When the first frame of a part is shown, in seconds of media time."""
    samples = part.video[0]
    return (samples.times[0] + samples.offsets[0]) / samples.track.timescale
