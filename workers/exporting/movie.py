"""A film: samples of several runs joined in one MP4, with no hole where there was one, and sound kept beside its
picture.
"""

from fractions import Fraction

from gateway.mp4.movie_writer import Mp4Writer, OutputTrack
from gateway.mp4.samples import Samples

#: A camera's time stamps may jump so far without being taken as a new beginning.
_JUMP_SECONDS = 1.0
#: No frame lasts longer; what says so comes from a time stamp that jumped.
_MAX_FRAME_SECONDS = 10
#: A sample of sound lasts no longer: 1024 values of 8 kHz.
_MAX_SOUND_SECONDS = 0.13


class Movie:
    """Takes samples in order. Times of what is added are those of its own run; the film's own begin at 0 and never
    jump.
    """

    def __init__(self, writer: Mp4Writer) -> None:
        self.writer = writer
        self._begins = True
        self._source_start = Fraction(0)
        self._film_start = Fraction(0)
        self._expected = Fraction(0)

    @property
    def frames(self) -> int:
        return len(self.writer.video)

    @property
    def seconds(self) -> float:
        """Length so far."""
        return self.writer.video.end / self.writer.video.timescale

    def begin(self) -> None:
        """What comes next does not go on where the last ended: another run, or after a hole."""
        self._begins = True

    def add_video(self, samples: Samples) -> None:
        """Frames in decoding order."""
        if not len(samples):
            return
        track, scale = self.writer.video, samples.track.timescale
        first = Fraction(samples.times[0], scale)
        if self._begins or not -Fraction(1, 1000) <= first - self._expected <= _JUMP_SECONDS:
            self._source_start, self._film_start = first, Fraction(track.end, track.timescale)
            self._begins = False
        samples = _tame(samples)
        self._expected = Fraction(samples.end, scale)
        times = self._place(track, samples)
        # A rounded time may fall on the one before it.
        times[0] = max(times[0], track.last + 1)
        self.writer.add(track, _convert(samples, track.timescale), times)

    def add_audio(self, samples: Samples) -> None:
        """Sound of the run whose frames were added last; what overlaps with sound of before is left out."""
        track = self.writer.audio
        if track is None or self._begins or not len(samples):
            return
        times = self._place(track, samples)
        # FFmpeg stretches the first sample of a sound that begins later back to the beginning: its length tells
        # nothing.
        half = min(min(samples.durations) / samples.track.timescale, _MAX_SOUND_SECONDS) * track.timescale / 2
        earliest = max(track.end, int(self._film_start * track.timescale)) - half
        skipped = next((index for index, time in enumerate(times) if time >= earliest), len(times))
        rest = samples.cut(skipped, len(samples))
        if len(rest):
            times = times[skipped:]
            times[0] = max(times[0], track.last + 1)
            self.writer.add(track, _convert(rest, track.timescale), times)

    def _place(self, track: OutputTrack, samples: Samples) -> list[int]:
        """The film's times of samples in ticks of a track."""
        scale = samples.track.timescale
        offset = (self._film_start - self._source_start) * track.timescale
        if scale == track.timescale:
            shift = round(offset)
            return [time + shift for time in samples.times]
        return [round(Fraction(time * track.timescale, scale) + offset) for time in samples.times]


def _tame(samples: Samples) -> Samples:
    """Frames whose durations are absurd get the usual one of their part."""
    limit = _MAX_FRAME_SECONDS * samples.track.timescale
    if max(samples.durations) <= limit:
        return samples
    usual = sorted(samples.durations)[len(samples) // 2]
    if usual > limit:
        usual = samples.track.timescale // 25
    durations = [usual if duration > limit else duration for duration in samples.durations]
    times = [samples.times[0]]
    for duration in durations[:-1]:
        times.append(times[-1] + duration)
    return Samples(samples.track, times, durations, samples.sizes, samples.offsets, samples.keys, samples.data)


def _convert(samples: Samples, timescale: int) -> Samples:
    """Durations and offsets in another timescale."""
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
