"""A cut of footage into a movie: the state that copying and encoding share."""

from datetime import UTC, datetime
from typing import Any

from gateway.mp4.movie_writer import Mp4Writer, Sink
from gateway.mp4.samples import Samples, TrackFormat
from gateway.storage.footage_reader import FootagePart, FootageReader
from workers.exporting.movie import Movie
from workers.exporting.source import Source
from workers.job_runner import JobContext

#: Times in the index are rounded to whole milliseconds.
ROUNDING_MS = 2
#: Share of a job's progress for reading; the rest is for finishing.
_READ_SHARE = 0.96


class Cut:
    """A range that is written to `sink` as a movie. Times are milliseconds since 1970, UTC; the movie's begin at 0."""

    def __init__(
        self,
        context: JobContext,
        source: Source,
        reader: FootageReader,
        sink: Sink,
        *,
        start_ms: int,
        end_ms: int,
        is_exact: bool,
        index_bytes: int,
    ) -> None:
        self.context, self.source, self.reader = context, source, reader
        self.start_ms, self.end_ms, self.is_exact = start_ms, end_ms, is_exact
        self.notes: list[str] = []
        self.movie: Movie | None = None
        self.video_format: TrackFormat | None = None
        self.first_ms: int | None = None
        self.last_ms = 0
        self._sink, self._index_bytes = sink, index_bytes
        self._total = sum(footage_range.size for footage_range in source.ranges) or 1
        self._has_lost_sound = False

    @property
    def from_ms(self) -> int:
        """Start of the frames of an exact cut."""
        return self.start_ms - ROUNDING_MS

    @property
    def until_ms(self) -> int:
        """End of the frames of an exact cut, not included."""
        return self.end_ms - ROUNDING_MS

    def open_movie(self, video: TrackFormat) -> Movie:
        """Start the movie, once its video format is known."""
        created = datetime.fromtimestamp(max(self.source.ranges[0].start_ms, self.start_ms) / 1000, UTC)
        writer = Mp4Writer(self._sink, video, self.source.sound, index_bytes=self._index_bytes, created=created)
        self.video_format, self.movie = video, Movie(writer)
        return self.movie

    def close(self) -> float:
        """Write the movie's index and return its duration in seconds."""
        self.context.report(_READ_SHARE, "finishing")
        if self._has_lost_sound:
            self.notes.append("audio in another format than most of it was left out")
        return self.movie.writer.close()

    def facts(self, seconds: float) -> dict[str, Any]:
        """The properties of the movie for the job's result."""
        return {
            "start_ms": self.first_ms,
            "end_ms": self.last_ms,
            "duration_seconds": round(seconds, 3),
            "frames": self.movie.frames,
        }

    def add_sound(self, samples: Samples, end_seconds: float | None) -> None:
        """Add the audio of the frames that were added last, up to the media time `end_seconds`."""
        if self.movie.writer.audio is None or not samples.track.fits(self.source.sound):
            self._has_lost_sound = True
            return
        if end_seconds is not None:
            limit = end_seconds * samples.track.timescale
            samples = samples.cut(0, sum(time < limit for time in samples.times))
        self.movie.add_audio(samples)

    def sound_end(self, part: FootagePart) -> float | None:
        """The media time at which audio ends, according to a part; None where it is not cut."""
        if not self.is_exact or not part.video:
            return None
        zero = part.video[0]
        return zero.times[0] / zero.track.timescale + (self.end_ms - part.start_ms) / 1000

    def note_times(self, start_ms: float, end_ms: float) -> None:
        """Note that the movie contains the frames between two times."""
        if self.first_ms is None:
            self.first_ms = round(start_ms)
        self.last_ms = max(self.last_ms, round(end_ms))

    def check(self) -> None:
        """Raise when the job must end."""
        self.context.check()

    def report(self, stage: str) -> None:
        """Report the progress according to the bytes that were read."""
        self.context.report(_READ_SHARE * min(1.0, self.reader.bytes_read / self._total), stage)
