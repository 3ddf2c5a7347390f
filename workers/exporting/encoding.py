"""Re-encodes footage into a movie where it cannot be copied: its format changed, or its frames depend on later ones."""

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
    """Encode all ranges of the cut, with one encoder for each run of parts; raises EncodingFailed."""
    for number, footage_range in enumerate(cut.source.ranges):
        parts = Lookahead(cut.reader.read(footage_range))
        is_start = cut.is_exact and number == 0
        while parts.has_more:
            _encode_run(cut, footage_range, parts, is_start=is_start)
            is_start = False


def _encode_run(cut: Cut, footage_range: ContiguousRange, parts: Lookahead, *, is_start: bool) -> None:
    """Encode the parts up to the next break."""
    encoder_input = EncoderInput(
        _read_any_init(footage_range, cut.reader), parts, cut.until_ms if cut.is_exact else None
    )
    begin = None
    if is_start and parts.first.start_ms < cut.from_ms:
        begin = encoder_input.media_seconds(parts.first, cut.from_ms)
    size = None if cut.source.is_one_format else cut.source.largest
    settings = EncoderSettings(size=size, from_seconds=begin)
    encoder = Encoder(cut.context.config, cut.context.attempt.id, settings)
    is_first = True
    with closing(encoder.run(encoder_input, cut.check)) as encoded:
        for frames in encoded:
            if is_first:
                _begin_run(cut, encoder.format)
                is_first = False
            _add(cut, encoder_input, frames)
    if not is_first:
        _add_sound(cut, encoder_input)


def _begin_run(cut: Cut, video: TrackFormat) -> None:
    if cut.movie is None:
        cut.open_movie(video)
    elif not video.fits(cut.video_format):
        raise EncodingFailed("its runs cannot be joined")
    cut.movie.begin()


def _add(cut: Cut, encoder_input: EncoderInput, frames: Samples) -> None:
    limit = encoder_input.end_seconds
    if limit is not None:
        frames = frames.cut(0, sum(time / TIMESCALE < limit for time in frames.times))
    if len(frames):
        cut.movie.add_video(frames)
        cut.note_times(
            encoder_input.wall_ms(frames.times[0] / TIMESCALE), encoder_input.wall_ms(frames.end / TIMESCALE)
        )
    _add_sound(cut, encoder_input)
    cut.report("encoding")


def _add_sound(cut: Cut, encoder_input: EncoderInput) -> None:
    end = encoder_input.end_seconds
    for samples in encoder_input.take_audio():
        cut.add_sound(samples, end)


def _read_any_init(footage_range: ContiguousRange, reader: FootageReader) -> bytes:
    """The init segment of the run, from the first of its files that can be read."""
    for piece in footage_range.pieces:
        try:
            return reader.read_init(piece)
        except (InvalidMedia, NotFound):
            continue
    raise EncodingFailed("no file of it has its init segment")
