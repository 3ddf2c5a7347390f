"""Fills the film of a cut, copied or encoded anew: what exports and clips have in common."""

from workers.exporting.copying import copy_footage
from workers.exporting.cut import Cut
from workers.exporting.encoding import encode_footage
from workers.exporting.source import reason_to_encode
from workers.ffmpeg.reencode import EncoderMissing, EncodingFailed
from workers.job_runner import JobFailed


def write_movie(cut: Cut) -> float:
    """Write the whole film; gives how long it plays, in seconds. Why it was encoded anew goes to the cut's notes.

    Raises JobFailed `ffmpeg_missing`, `encoding_failed` or `footage_damaged`, and what `cut.check` raises.
    """
    why = reason_to_encode(cut.source, cut.is_exact)
    if why:
        cut.notes.append(why)
    try:
        (encode_footage if why else copy_footage)(cut)
    except EncoderMissing as error:
        raise JobFailed("ffmpeg_missing", str(error)) from error
    except EncodingFailed as error:
        raise JobFailed("encoding_failed", f"the footage could not be encoded: {error}") from error
    if cut.film is None or not cut.film.frames:
        raise JobFailed("footage_damaged", "nothing in this range can be read")
    return cut.close()
