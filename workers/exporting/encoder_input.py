"""The input of an encoder: an init segment and parts up to a break. Their audio is kept for the movie."""

import threading
from collections.abc import Iterator

from gateway.mp4.samples import Samples
from gateway.storage.footage_reader import FootagePart


class Lookahead:
    """An iterator of parts that knows the next part before it is taken."""

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
    """The input of one encoder. The encoder's thread iterates; other methods may be called from another thread."""

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
        """The audio that was read since the last call."""
        with self._lock:
            taken, self._audio = self._audio, []
        return taken

    @staticmethod
    def media_seconds(part: FootagePart, wall_ms: int) -> float:
        """The media time of a wall clock time, according to a part with a key frame."""
        return presentation_seconds(part) + (wall_ms - part.start_ms) / 1000

    def wall_ms(self, media_seconds: float) -> int:
        """The wall clock of a media time in the parts that were read."""
        with self._lock:
            known = [anchor for anchor in self._anchors if anchor[0] <= media_seconds + 0.001] or self._anchors[:1]
            self._anchors = (
                [anchor for anchor in self._anchors if anchor[0] >= known[-1][0]] if known else self._anchors
            )
        seconds, wall = known[-1]
        return round(wall + (media_seconds - seconds) * 1000)

    def _inspect(self, part: FootagePart) -> None:
        with self._lock:
            self._audio += part.audio
            if part.is_key and part.video:
                self._anchors.append((presentation_seconds(part), part.start_ms))
                if self._end_ms is not None and part.start_ms <= self._end_ms:
                    self.end_seconds = self.media_seconds(part, self._end_ms)


def presentation_seconds(part: FootagePart) -> float:
    """Presentation time of the first frame of a part, in seconds of media time."""
    samples = part.video[0]
    return (samples.times[0] + samples.offsets[0]) / samples.track.timescale
