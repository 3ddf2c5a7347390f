"""A movie: samples of several runs joined in one MP4 without gaps, with audio in sync with the video."""

from fractions import Fraction

from gateway.mp4.movie_writer import Mp4Writer, OutputTrack
from gateway.mp4.samples import Samples

#: Larger jumps of a camera's time stamps are treated as a new start.
_JUMP_SECONDS = 1.0
#: Longer durations of a frame come from a time stamp that jumped.
_MAX_FRAME_SECONDS = 10
#: Maximum duration of an audio sample: 1024 values at 8 kHz.
_MAX_SOUND_SECONDS = 0.13


class Movie:
    """Takes samples in order, with the times of their run; the times of the movie begin at 0 and do not jump."""

    def __init__(self, writer: Mp4Writer) -> None:
        self.writer = writer
        self._begins = True
        self._source_start = Fraction(0)
        self._movie_start = Fraction(0)
        self._expected = Fraction(0)

    @property
    def frames(self) -> int:
        return len(self.writer.video)

    @property
    def seconds(self) -> float:
        """Duration so far."""
        return self.writer.video.end / self.writer.video.timescale

    def begin(self) -> None:
        """Note that the next samples do not continue the last ones: they are of another run, or follow a gap."""
        self._begins = True

    def add_video(self, samples: Samples) -> None:
        """Frames in decoding order."""
        if not len(samples):
            return
        track, scale = self.writer.video, samples.track.timescale
        first = Fraction(samples.times[0], scale)
        if self._begins or not -Fraction(1, 1000) <= first - self._expected <= _JUMP_SECONDS:
            self._source_start, self._movie_start = first, Fraction(track.end, track.timescale)
            self._begins = False
        samples = _limit_durations(samples)
        self._expected = Fraction(samples.end, scale)
        times = self._place(track, samples)
        # A rounded time may fall on the one before it.
        times[0] = max(times[0], track.last + 1)
        self.writer.add(track, _convert(samples, track.timescale), times)

    def add_audio(self, samples: Samples) -> None:
        """Audio of the run whose frames were added last; samples that overlap earlier audio are left out."""
        track = self.writer.audio
        if track is None or self._begins or not len(samples):
            return
        times = self._place(track, samples)
        # FFmpeg extends the first sample of audio that begins late back to the start: its duration means nothing.
        half = min(min(samples.durations) / samples.track.timescale, _MAX_SOUND_SECONDS) * track.timescale / 2
        earliest = max(track.end, int(self._movie_start * track.timescale)) - half
        skipped = next((index for index, time in enumerate(times) if time >= earliest), len(times))
        rest = samples.cut(skipped, len(samples))
        if len(rest):
            times = times[skipped:]
            times[0] = max(times[0], track.last + 1)
            self.writer.add(track, _convert(rest, track.timescale), times)

    def _place(self, track: OutputTrack, samples: Samples) -> list[int]:
        """The times of samples in the movie, in ticks of a track."""
        scale = samples.track.timescale
        offset = (self._movie_start - self._source_start) * track.timescale
        if scale == track.timescale:
            shift = round(offset)
            return [time + shift for time in samples.times]
        return [round(Fraction(time * track.timescale, scale) + offset) for time in samples.times]


def _limit_durations(samples: Samples) -> Samples:
    """Replace implausible durations of frames by the median of their part."""
    limit = _MAX_FRAME_SECONDS * samples.track.timescale
    if max(samples.durations) <= limit:
        return samples
    median = sorted(samples.durations)[len(samples) // 2]
    if median > limit:
        median = samples.track.timescale // 25
    durations = [median if duration > limit else duration for duration in samples.durations]
    times = [samples.times[0]]
    for duration in durations[:-1]:
        times.append(times[-1] + duration)
    return Samples(samples.track, times, durations, samples.sizes, samples.offsets, samples.keys, samples.data)


def _convert(samples: Samples, timescale: int) -> Samples:
    """Convert durations and offsets to another timescale."""
    scale = samples.track.timescale
    if scale == timescale:
        return samples
    return Samples(
        samples.track,
        samples.times,
        [value * timescale // scale for value in samples.durations],
        samples.sizes,
        [value * timescale // scale for value in samples.offsets],
        samples.keys,
        samples.data,
    )
