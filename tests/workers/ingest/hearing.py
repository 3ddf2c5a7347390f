"""What a real FFmpeg hears in a stream that the ingest feeds to it."""

import subprocess

import numpy

from workers.ffmpeg.command import build_feed_arguments
from workers.ingest.matroska import TICKS_PER_SECOND, MatroskaWriter
from workers.rtp.units import MediaUnit


def to_ticks(seconds: float) -> int:
    return round(seconds * TICKS_PER_SECOND)


def as_stream(writer: MatroskaWriter, units: list[MediaUnit], *, begin: float = 0.0) -> bytes:
    """All units in their order, `begin` seconds later."""
    buffers = (buffer for unit in units for buffer in writer.unit(unit, to_ticks(begin + unit.time)))
    return writer.header() + b"".join(buffers)


def decode_sound(stream: bytes, rate: int) -> numpy.ndarray:
    """The sound that FFmpeg decodes from a stream, as samples of mono."""
    command = ["ffmpeg", "-v", "error", "-nostdin", *build_feed_arguments(), "-map", "0:a:0", "-f", "s16le"]
    done = subprocess.run(
        [*command, "-ac", "1", "-ar", str(rate), "pipe:1"], input=stream, capture_output=True, timeout=60, check=True
    )
    assert not done.stderr, done.stderr.decode()
    return numpy.frombuffer(done.stdout, "<i2").astype(float)


def pitch_of(samples: numpy.ndarray, rate: int) -> float:
    """The strongest frequency in Hz."""
    spectrum = numpy.abs(numpy.fft.rfft(samples * numpy.hanning(len(samples))))
    return float(numpy.argmax(spectrum) * rate / len(samples))
