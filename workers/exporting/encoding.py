"""Encodes footage anew into a film, where it cannot be copied: its format changed, or its frames depend on later
ones."""

from contextlib import closing

from gateway.errors import NotFound
from gateway.footage.cuts import ContiguousRange
from gateway.mp4.boxes import InvalidMedia
from gateway.mp4.samples import Samples, TrackFormat
from gateway.storage.footage_reader import FootageReader
from workers.exporting.cut import Cut
from workers.exporting.encoder_input import EncoderInput, Lookahead
from workers.ffmpeg.reencode import TIMESCALE, Encoder, EncoderSettings, EncodingFailed


def encode_footage(cut: Cut) -> None:
    """Encode all stretches, each run of parts by an encoder of its own; raises EncodingFailed."""
    for number, stretch in enumerate(cut.source.stretches):
        parts = Lookahead(cut.reader.read(stretch))
        is_start = cut.is_exact and number == 0
        while parts.has_more:
            _encode_run(cut, stretch, parts, is_start=is_start)
            is_start = False


def _encode_run(cut: Cut, stretch: ContiguousRange, parts: Lookahead, *, is_start: bool) -> None:
    """Encode parts until the next break."""
    feed = EncoderInput(_read_any_init(stretch, cut.reader), parts, cut.until_ms if cut.is_exact else None)
    begin = None
    if is_start and parts.first.start_ms < cut.from_ms:
        begin = feed.media_seconds(parts.first, cut.from_ms)
    size = None if cut.source.is_one_format else cut.source.largest
    settings = EncoderSettings(size=size, from_seconds=begin)
    encoder = Encoder(cut.context.config.ffmpeg_bin, cut.context.attempt.id, settings)
    is_first = True
    with closing(encoder.run(feed, cut.check)) as encoded:
        for frames in encoded:
            if is_first:
                _join(cut, encoder.format)
                is_first = False
            _add(cut, feed, frames)
    if not is_first:
        _add_sound(cut, feed)


def _join(cut: Cut, video: TrackFormat) -> None:
    if cut.film is None:
        cut.open_movie(video)
    elif not video.fits(cut.video_format):
        raise EncodingFailed("its runs cannot be joined")
    cut.film.begin()


def _add(cut: Cut, feed: EncoderInput, frames: Samples) -> None:
    limit = feed.end_seconds
    if limit is not None:
        frames = frames.cut(0, sum(time / TIMESCALE < limit for time in frames.times))
    if len(frames):
        cut.film.add_video(frames)
        cut.note_times(feed.wall_ms(frames.times[0] / TIMESCALE), feed.wall_ms(frames.end / TIMESCALE))
    _add_sound(cut, feed)
    cut.report("encoding")


def _add_sound(cut: Cut, feed: EncoderInput) -> None:
    end = feed.end_seconds
    for samples in feed.take_audio():
        cut.add_sound(samples, end)


def _read_any_init(stretch: ContiguousRange, reader: FootageReader) -> bytes:
    """The init segment of the run, from whichever of its files still has it."""
    for piece in stretch.pieces:
        try:
            return reader.read_init(piece)
        except (InvalidMedia, NotFound):
            continue
    raise EncodingFailed("no file of it has its init segment")
