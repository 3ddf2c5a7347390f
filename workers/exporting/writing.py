"""Writes the movie of a cut, copied or re-encoded, for exports and clips."""

from gateway.errors import JobFailed
from workers.exporting.copying import copy_footage
from workers.exporting.cut import Cut
from workers.exporting.encoding import encode_footage
from workers.exporting.source import reason_to_encode
from workers.ffmpeg.reencode import EncoderMissing, EncodingFailed


def write_movie(cut: Cut) -> float:
    """Write the whole movie and return its duration in seconds. The cut's notes get the reason for re-encoding.

    Raises JobFailed `ffmpeg_missing`, `encoding_failed` or `footage_damaged`, and any exception of `cut.check`.
    """
    reason = reason_to_encode(cut.source, cut.is_exact)
    if reason:
        cut.notes.append(reason)
    try:
        (encode_footage if reason else copy_footage)(cut)
    except EncoderMissing as error:
        raise JobFailed("ffmpeg_missing", str(error)) from error
    except EncodingFailed as error:
        raise JobFailed("encoding_failed", f"the footage could not be encoded: {error}") from error
    if cut.movie is None or not cut.movie.frames:
        raise JobFailed("footage_damaged", "nothing in this range can be read")
    return cut.close()
