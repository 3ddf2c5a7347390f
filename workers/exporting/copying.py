"""Copies footage into a film, frame by frame as the camera sent it. Of an exact cut only its very beginning is encoded
anew.

A film can begin only with a key frame. So the frames from the exact start up to the next key frame are encoded anew,
with parameter sets whose ids the camera's do not have, and both sets stand in the film's one configuration. All the
rest stays as it is; at the end frames are simply left out, because none depends on a later one.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from gateway.mp4.avc import parse_avc, replace_avc
from gateway.mp4.samples import Samples, TrackFormat
from gateway.storage.footage_reader import FootagePart
from workers.exporting.cut import Cut
from workers.ffmpeg.reencode import Encoder, EncoderSettings

#: The first group of pictures is kept in memory while its end is encoded anew.
_HEAD_BYTES = 96 << 20


@dataclass(frozen=True, slots=True)
class _Frame:
    """When a frame was taken, and its media time in ticks."""

    wall_ms: float
    time: int


def copy_footage(cut: Cut) -> None:
    """Copy all stretches; raises EncodingFailed."""
    source = cut.source
    cut.open_movie(source.formats[0])
    for number, stretch in enumerate(source.stretches):
        parts = cut.reader.read(stretch)
        if cut.is_exact and number == 0 and stretch.start_ms < cut.from_ms:
            parts = _encode_head(cut, parts)
        cut.film.begin()
        for part in parts:
            if part.is_break:
                cut.film.begin()
            _add_part(cut, part)
            cut.report("copying")


def _add_part(cut: Cut, part: FootagePart) -> None:
    for samples in part.video:
        last = _count_before(part, samples, cut.until_ms) if cut.is_exact else len(samples)
        if last:
            inside = samples.cut(0, last)
            cut.film.add_video(inside)
            cut.note_times(_wall_ms(part, inside, 0), _wall_ms(part, inside, last))
    end = cut.sound_end(part)
    for samples in part.audio:
        cut.add_sound(samples, end)


def _encode_head(cut: Cut, parts: Iterator[FootagePart]) -> Iterator[FootagePart]:
    """Encode the wanted part of the first group of pictures anew; gives the parts that follow it."""
    head, rest = _split_group(parts)
    wanted = [
        _Frame(wall, samples.times[index])
        for part in head
        for samples in part.video
        for index, wall in enumerate(_walls(part, samples))
        if cut.from_ms <= wall < cut.until_ms
    ]
    if not wanted:
        return rest
    video = cut.video_format
    configuration = parse_avc(video.box(b"avcC"))
    settings = EncoderSettings(
        preset="fast",
        quality=18,
        parameter_id=configuration.free_id(),
        # Half a tick before: the encoder's filter counts in floating point.
        from_seconds=(wanted[0].time - 0.5) / video.timescale,
    )
    encoder = Encoder(cut.context.config.ffmpeg_bin, cut.context.attempt.id, settings)
    cut.context.report(0.01, "encoding")
    source = [cut.reader.read_init(cut.source.stretches[0].pieces[0]), *(part.data for part in head)]
    with closing(encoder.run(source, cut.check)) as frames:
        encoded = list(frames)
    if sum(map(len, encoded)) < len(wanted):
        cut.notes.append("the first pictures cannot be decoded: it begins at the key frame before them")
        return _chain(head, rest)
    joined = configuration.joined_with(parse_avc(encoder.format.box(b"avcC")))
    cut.film.writer.video.entry = replace_avc(video.entry, joined)
    _add_head(cut, head, wanted, encoded, video)
    return rest


def _add_head(
    cut: Cut, head: list[FootagePart], wanted: list[_Frame], encoded: list[Samples], video: TrackFormat
) -> None:
    """Encoded frames take the times of the frames that they were made of: a camera's clock is not even."""
    end = head[-1].video[-1].end
    number = 0
    cut.film.begin()
    for samples in encoded:
        frames = samples.cut(0, len(wanted) - number)
        if not len(frames):
            break
        times = [frame.time for frame in wanted[number : number + len(frames)]]
        number += len(frames)
        following = wanted[number].time if number < len(wanted) else max(end, times[-1] + 1)
        durations = [later - earlier for earlier, later in zip(times, [*times[1:], following], strict=True)]
        cut.film.add_video(Samples(video, times, durations, frames.sizes, [0] * len(frames), frames.keys, frames.data))
    cut.note_times(wanted[0].wall_ms, min(wanted[-1].wall_ms + 1000 * durations[-1] / video.timescale, cut.end_ms))
    for part in head:
        for samples in part.audio:
            cut.add_sound(samples, cut.sound_end(head[0]))


def _split_group(parts: Iterator[FootagePart]) -> tuple[list[FootagePart], Iterator[FootagePart]]:
    """The parts up to the next key frame or break, and those after them; a group that is too large is no group."""
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
    """How many of the samples, which are in order, were taken before a moment."""
    return sum(wall < until_ms for wall in _walls(part, samples))


def _walls(part: FootagePart, samples: Samples) -> list[float]:
    return [_wall_ms(part, samples, index) for index in range(len(samples))]


def _wall_ms(part: FootagePart, samples: Samples, index: int) -> float:
    """The wall clock of a frame; of the one after the last: its end."""
    time = samples.times[index] if index < len(samples) else samples.end
    return part.start_ms + (time - part.video[0].times[0]) * 1000 / samples.track.timescale


def _chain(head: list[FootagePart], rest: Iterator[FootagePart]) -> Iterator[FootagePart]:
    yield from head
    yield from rest
