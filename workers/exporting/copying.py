"""Copies footage into a movie, frame by frame as the camera sent it; of an exact cut, only the start is re-encoded.

A movie can only begin with a key frame. Therefore the frames from the exact start up to the next key frame are
re-encoded, with parameter set ids that the camera does not use, and the movie's one configuration contains both sets.
All other frames are copied; at the end, frames are simply omitted, because no frame depends on a later one.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from gateway.mp4.avc import parse_avc, replace_avc
from gateway.mp4.samples import Samples, TrackFormat
from gateway.storage.footage_reader import FootagePart
from workers.exporting.cut import Cut
from workers.ffmpeg.reencode import Encoder, EncoderSettings

#: Maximum size of the first group of pictures, which is in memory while its end is re-encoded.
_HEAD_BYTES = 96 << 20


@dataclass(frozen=True, slots=True)
class _Frame:
    """The wall clock of a frame, and its media time in ticks."""

    wall_ms: float
    time: int


def copy_footage(cut: Cut) -> None:
    """Copy all ranges of the cut; raises EncodingFailed."""
    source = cut.source
    cut.open_movie(source.formats[0])
    for number, footage_range in enumerate(source.ranges):
        parts = cut.reader.read(footage_range)
        if cut.is_exact and number == 0 and footage_range.start_ms < cut.from_ms:
            parts = _encode_head(cut, parts)
        cut.movie.begin()
        for part in parts:
            if part.is_break:
                cut.movie.begin()
            _add_part(cut, part)
            cut.report("copying")


def _add_part(cut: Cut, part: FootagePart) -> None:
    for samples in part.video:
        last = _count_before(part, samples, cut.until_ms) if cut.is_exact else len(samples)
        if last:
            inside = samples.cut(0, last)
            cut.movie.add_video(inside)
            cut.note_times(_wall_ms(part, inside, 0), _wall_ms(part, inside, last))
    end = cut.sound_end(part)
    for samples in part.audio:
        cut.add_sound(samples, end)


def _encode_head(cut: Cut, parts: Iterator[FootagePart]) -> Iterator[FootagePart]:
    """Re-encode the requested frames of the first group of pictures; return the parts that follow the group."""
    head, rest = _split_group(parts)
    requested = [
        _Frame(wall_ms, samples.times[index])
        for part in head
        for samples in part.video
        for index, wall_ms in enumerate(_wall_times(part, samples))
        if cut.from_ms <= wall_ms < cut.until_ms
    ]
    if not requested:
        return rest
    video = cut.video_format
    configuration = parse_avc(video.box(b"avcC"))
    settings = EncoderSettings(
        preset="fast",
        quality=18,
        parameter_id=configuration.free_id(),
        # Half a tick earlier: the encoder's filter uses floating point.
        from_seconds=(requested[0].time - 0.5) / video.timescale,
    )
    encoder = Encoder(cut.context.config, cut.context.attempt.id, settings)
    cut.context.report(0.01, "encoding")
    source = [cut.reader.read_init(cut.source.ranges[0].pieces[0]), *(part.data for part in head)]
    with closing(encoder.run(source, cut.check)) as frames:
        encoded = list(frames)
    if sum(map(len, encoded)) < len(requested):
        cut.notes.append("the first frames cannot be decoded: it begins at the key frame before them")
        return _chain(head, rest)
    joined = configuration.joined_with(parse_avc(encoder.format.box(b"avcC")))
    cut.movie.writer.video.entry = replace_avc(video.entry, joined)
    _add_head(cut, head, requested, encoded, video)
    return rest


def _add_head(
    cut: Cut, head: list[FootagePart], requested: list[_Frame], encoded: list[Samples], video: TrackFormat
) -> None:
    """Add the encoded frames with the times of their source frames: a camera's frame intervals are not even."""
    end = head[-1].video[-1].end
    number = 0
    cut.movie.begin()
    for samples in encoded:
        frames = samples.cut(0, len(requested) - number)
        if not len(frames):
            break
        times = [frame.time for frame in requested[number : number + len(frames)]]
        number += len(frames)
        following = requested[number].time if number < len(requested) else max(end, times[-1] + 1)
        durations = [later - earlier for earlier, later in zip(times, [*times[1:], following], strict=True)]
        cut.movie.add_video(Samples(video, times, durations, frames.sizes, [0] * len(frames), frames.keys, frames.data))
    cut.note_times(
        requested[0].wall_ms, min(requested[-1].wall_ms + 1000 * durations[-1] / video.timescale, cut.end_ms)
    )
    for part in head:
        for samples in part.audio:
            cut.add_sound(samples, cut.sound_end(head[0]))


def _split_group(parts: Iterator[FootagePart]) -> tuple[list[FootagePart], Iterator[FootagePart]]:
    """The parts up to the next key frame or break, and those after them; nothing before them if they are too large."""
    head: list[FootagePart] = []
    size = 0
    for part in parts:
        if head and (part.is_key or part.is_break):
            return head, _chain([part], parts)
        head.append(part)
        size += len(part.data)
        if size > _HEAD_BYTES:
            return [], _chain(head, parts)
    return head, iter(())


def _count_before(part: FootagePart, samples: Samples, until_ms: float) -> int:
    """Number of samples, which are in order, before a time."""
    return sum(wall_ms < until_ms for wall_ms in _wall_times(part, samples))


def _wall_times(part: FootagePart, samples: Samples) -> list[float]:
    return [_wall_ms(part, samples, index) for index in range(len(samples))]


def _wall_ms(part: FootagePart, samples: Samples, index: int) -> float:
    """The wall clock of a frame; for the index after the last, the end of the last."""
    time = samples.times[index] if index < len(samples) else samples.end
    return part.start_ms + (time - part.video[0].times[0]) * 1000 / samples.track.timescale


def _chain(head: list[FootagePart], rest: Iterator[FootagePart]) -> Iterator[FootagePart]:
    yield from head
    yield from rest
