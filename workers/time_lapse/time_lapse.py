"""Time-lapses: a range of a recording, or the snapshots of a device, as one short MP4 (H.264). The job.

Only single pictures are decoded: key frames of footage, or JPEGs. FFmpeg encodes them; each has its own time in the
film.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from gateway.jobs.attempts import JobAttempt
from gateway.jobs.files import ResultFile, check_space
from gateway.mp4.movie_writer import Mp4Writer, estimate_index_bytes
from gateway.mp4.samples import Samples, TrackFormat
from gateway.mp4.still_track import build_still_part, build_stills_init
from workers.ffmpeg.reencode import Encoder, EncoderMissing, EncoderSettings, EncodingFailed
from workers.job_runner import JobContext, JobFailed, result_stem
from workers.time_lapse.stills import RecordingStills, Reel, SnapshotStills, Still

TIME_LAPSE = "time_lapse"
RECORDINGS, SNAPSHOTS = "recordings", "snapshots"

#: The share of the progress that encoding has; before it the index is looked through.
_LOOK_SHARE, _ENCODE_SHARE = 0.05, 0.93


def run_time_lapse(attempt: JobAttempt, context: JobContext) -> dict[str, Any]:
    """Run a job of the kind `time_lapse`; gives the result of the job.

    Parameters: `start_ms end_ms source step_ms speed seconds fps width name schedule_id bytes`. Raises JobFailed, and
    what `context.check` raises.
    """
    asked = attempt.parameters
    check_space(context.config, asked["bytes"])
    maker = (SnapshotStills if asked["source"] == SNAPSHOTS else RecordingStills)(context)
    reels = maker.find()
    if not reels:
        raise JobFailed(*maker.why_empty())
    name = f"{result_stem(attempt)}.mp4"
    with ResultFile(context.config.exports_dir, name) as sink:
        film = _Movie(context, sink, reels)
        try:
            seconds = film.encode(maker.read)
        except EncoderMissing as error:
            raise JobFailed("ffmpeg_missing", str(error)) from error
        except EncodingFailed as error:
            raise JobFailed("encoding_failed", f"the pictures could not be encoded: {error}") from error
        if seconds is None:
            raise JobFailed(*maker.why_empty())
        maker.check_device()
        context.check()
        size = sink.keep()
    return {
        "file": name,
        "size": size,
        "content_type": "video/mp4",
        "name": asked["name"],
        "start_ms": film.first_ms,
        "end_ms": film.last_ms,
        "duration_seconds": round(seconds, 3),
        "frames": film.frames,
        "notes": maker.notes(),
    }


class _Movie:
    """Encodes reels into one MP4 in `sink`."""

    def __init__(self, context: JobContext, sink: ResultFile, reels: list[Reel]) -> None:
        self._context, self._sink, self._reels = context, sink, reels
        self._stills = {still.time: still for reel in reels for still in reel.stills}
        self._format: TrackFormat | None = None
        self._writer: Mp4Writer | None = None
        self.first_ms, self.last_ms = None, None
        self._fed = 0

    @property
    def frames(self) -> int:
        return 0 if self._writer is None else len(self._writer.video)

    def encode(self, read: Callable[[Still], bytes | None]) -> float | None:
        """Encode all; gives the film's length in seconds, None when no picture could be read. Raises EncodingFailed."""
        size = _frame_size(self._reels, self._context.attempt.parameters["width"])
        for reel in self._reels:
            encoder = Encoder(self._context.config.ffmpeg_bin, self._context.attempt.id, EncoderSettings(size=size))
            self._fed = 0
            try:
                with closing(encoder.run(self._feed(reel, read), self._context.check)) as encoded:
                    for samples in encoded:
                        self._add(encoder.format, samples)
            except EncodingFailed as error:
                # Without a single picture FFmpeg has nothing to begin with: that is no fault of its own.
                if self._fed or isinstance(error, EncoderMissing):
                    raise
        if self._writer is None:
            return None
        self._context.report(_LOOK_SHARE + _ENCODE_SHARE, "finishing")
        return self._writer.close()

    def _feed(self, reel: Reel, read: Callable[[Still], bytes | None]) -> Iterator[bytes]:
        """What an encoder reads: the pictures with their times in the film; damaged ones are left out."""
        yield build_stills_init(reel.entry)
        for still in reel.stills:
            data = read(still)
            if data is not None:
                self._fed += 1
                yield build_still_part(self._fed, still.time, still.duration, data)

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
        self._context.report(_LOOK_SHARE + _ENCODE_SHARE * self.frames / len(self._stills), "encoding")


def _frame_size(reels: list[Reel], width: int | None) -> tuple[int, int] | None:
    """Width and height of the film in pixels, both even; None where the pictures can stay as they are."""
    largest = max((reel.size for reel in reels), key=lambda size: size[0] * size[1])
    if width is None or width >= largest[0]:
        is_even = not (largest[0] % 2 or largest[1] % 2)
        if len(reels) == 1 and reels[0].video is not None and is_even:
            return None
        width = largest[0]
    height = round(largest[1] * width / largest[0])
    return max(2, width + width % 2), max(2, height + height % 2)
