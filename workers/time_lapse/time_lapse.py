"""The time-lapse job: a range of a recording, or the snapshots of a device, as one short MP4 (H.264).

Only single pictures are decoded: key frames of footage, or JPEGs. FFmpeg encodes them, each with its own time in the
movie.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from gateway.errors import JobFailed
from gateway.jobs.attempts import JobAttempt
from gateway.jobs.files import ResultFile, check_space
from gateway.mp4.movie_writer import Mp4Writer, estimate_index_bytes
from gateway.mp4.samples import Samples, TrackFormat
from gateway.mp4.still_track import build_still_part, build_stills_init
from workers.ffmpeg.reencode import Encoder, EncoderMissing, EncoderSettings, EncodingFailed
from workers.job_runner import JobContext, result_stem
from workers.time_lapse.stills import RecordingStills, SnapshotStills, Still, StillSequence

TIME_LAPSE = "time_lapse"
RECORDINGS, SNAPSHOTS = "recordings", "snapshots"

#: Shares of the progress for searching the index and for encoding.
_SEARCH_SHARE, _ENCODE_SHARE = 0.05, 0.93


def run_time_lapse(attempt: JobAttempt, context: JobContext) -> dict[str, Any]:
    """Run a job of the kind `time_lapse`; return the job's result.

    Parameters: `start_ms end_ms source step_ms speed seconds fps width name schedule_id bytes`. Raises JobFailed, and
    any exception of `context.check`.
    """
    parameters = attempt.parameters
    check_space(context.config, parameters["bytes"])
    stills_source = (SnapshotStills if parameters["source"] == SNAPSHOTS else RecordingStills)(context)
    sequences = stills_source.find()
    if not sequences:
        raise JobFailed(*stills_source.why_empty())
    name = f"{result_stem(attempt)}.mp4"
    with ResultFile(context.config.exports_dir, name) as sink:
        movie = _MovieEncoder(context, sink, sequences)
        try:
            seconds = movie.encode(stills_source.read)
        except EncoderMissing as error:
            raise JobFailed("ffmpeg_missing", str(error)) from error
        except EncodingFailed as error:
            raise JobFailed("encoding_failed", f"the pictures could not be encoded: {error}") from error
        if seconds is None:
            raise JobFailed(*stills_source.why_empty())
        stills_source.check_device()
        context.check()
        size = sink.keep()
    return {
        "file": name,
        "size": size,
        "content_type": "video/mp4",
        "name": parameters["name"],
        "start_ms": movie.first_ms,
        "end_ms": movie.last_ms,
        "duration_seconds": round(seconds, 3),
        "frames": movie.frames,
        "notes": stills_source.notes(),
    }


class _MovieEncoder:
    """Encodes sequences of stills into one MP4 in `sink`."""

    def __init__(self, context: JobContext, sink: ResultFile, sequences: list[StillSequence]) -> None:
        self._context, self._sink, self._sequences = context, sink, sequences
        self._stills = {still.time: still for sequence in sequences for still in sequence.stills}
        self._format: TrackFormat | None = None
        self._writer: Mp4Writer | None = None
        self.first_ms, self.last_ms = None, None
        self._pictures_read = 0

    @property
    def frames(self) -> int:
        return 0 if self._writer is None else len(self._writer.video)

    def encode(self, read: Callable[[Still], bytes | None]) -> float | None:
        """Encode all stills; return the movie's duration in seconds, None when no picture could be read.

        Raises EncodingFailed.
        """
        size = _frame_size(self._sequences, self._context.attempt.parameters["width"])
        for sequence in self._sequences:
            encoder = Encoder(self._context.config, self._context.attempt.id, EncoderSettings(size=size))
            self._pictures_read = 0
            try:
                with closing(encoder.run(self._encoder_input(sequence, read), self._context.check)) as encoded:
                    for samples in encoded:
                        self._add(encoder.format, samples)
            except EncodingFailed as error:
                # FFmpeg fails without a single picture to encode: that is not an encoding error.
                if self._pictures_read or isinstance(error, EncoderMissing):
                    raise
        if self._writer is None:
            return None
        self._context.report(_SEARCH_SHARE + _ENCODE_SHARE, "finishing")
        return self._writer.close()

    def _encoder_input(self, sequence: StillSequence, read: Callable[[Still], bytes | None]) -> Iterator[bytes]:
        """The encoder's input: the pictures with their times in the movie; damaged ones are left out."""
        yield build_stills_init(sequence.entry)
        for still in sequence.stills:
            data = read(still)
            if data is not None:
                self._pictures_read += 1
                yield build_still_part(self._pictures_read, still.time, still.duration, data)

    def _add(self, video: TrackFormat, samples: Samples) -> None:
        if self._writer is None:
            created = datetime.fromtimestamp(min(self._stills.values(), key=lambda one: one.time).at_ms / 1000, UTC)
            index_bytes = estimate_index_bytes(len(self._stills), len(self._stills), 0)
            self._format = video
            self._writer = Mp4Writer(self._sink, video, None, index_bytes=index_bytes, created=created)
        elif not video.fits(self._format):
            raise EncodingFailed("its pictures cannot be joined")
        shown = [self._stills.get(time) for time in samples.times]
        durations = [
            duration if still is None else still.duration
            for still, duration in zip(shown, samples.durations, strict=True)
        ]
        for still in shown:
            if still is not None:
                self.first_ms = still.at_ms if self.first_ms is None else self.first_ms
                self.last_ms = still.at_ms
        timed = Samples(
            samples.track, samples.times, durations, samples.sizes, samples.offsets, samples.keys, samples.data
        )
        self._writer.add(self._writer.video, timed, samples.times)
        self._context.report(_SEARCH_SHARE + _ENCODE_SHARE * self.frames / len(self._stills), "encoding")


def _frame_size(sequences: list[StillSequence], width: int | None) -> tuple[int, int] | None:
    """Width and height of the movie in pixels, both even; None where the pictures need no scaling."""
    largest = max((sequence.size for sequence in sequences), key=lambda size: size[0] * size[1])
    if width is None or width >= largest[0]:
        is_even = not (largest[0] % 2 or largest[1] % 2)
        if len(sequences) == 1 and sequences[0].video is not None and is_even:
            return None
        width = largest[0]
    height = round(largest[1] * width / largest[0])
    return max(2, width + width % 2), max(2, height + height % 2)
