"""Small fragmented MP4: real boxes around a few bytes, so that two days of it are generated in a moment."""

import struct

from gateway.media import Part

#: Ticks a second of the one video track.
TIMESCALE = 1000


def box(name: bytes, *content: bytes) -> bytes:
    data = b"".join(content)
    return struct.pack(">I4s", 8 + len(data), name) + data


def make_init(mark: bytes = b"") -> bytes:
    """An init segment with one H.264 track; `mark` tells one run's from another's."""
    header = box(b"tkhd", struct.pack(">IIIIII", 0, 0, 0, 1, 0, 0), bytes(60))
    media = box(b"mdhd", struct.pack(">IIIIII", 0, 0, 0, TIMESCALE, 0, 0))
    handler = box(b"hdlr", struct.pack(">II", 0, 0), b"vide", bytes(13))
    entry = box(b"avc1", bytes(78))
    table = box(b"minf", box(b"stbl", box(b"stsd", struct.pack(">II", 0, 1), entry)))
    track = box(b"trak", header, box(b"mdia", media, handler, table))
    extends = box(b"mvex", box(b"trex", struct.pack(">IIIIII", 0, 1, 1, 40, 0, 0)))
    return box(b"ftyp", b"iso5", mark) + box(b"moov", track, extends)


def make_part(
    sequence: int,
    start: float,
    *,
    run: int = 1,
    duration: float = 0.5,
    is_key: bool = False,
    size: int = 100,
    frames: int = 12,
    decode_ms: int | None = None,
    device_id: str = "d1",
) -> Part:
    """A part as the bus gives it; in the media it begins at `decode_ms`, by default where its sequence puts it."""
    ticks = round(duration * TIMESCALE)
    decode_ms = (sequence - 1) * ticks if decode_ms is None else decode_ms
    lengths = [ticks // frames] * (frames - 1) + [ticks - ticks // frames * (frames - 1)]
    flags = [0 if is_key and number == 0 else 0x10000 for number in range(frames)]
    samples = b"".join(struct.pack(">III", length, 1, flag) for length, flag in zip(lengths, flags, strict=True))
    run_box = box(b"trun", struct.pack(">II", 0x000701, frames), struct.pack(">i", 0), samples)
    moof = box(
        b"moof",
        box(b"mfhd", struct.pack(">II", 0, sequence)),
        box(
            b"traf",
            box(b"tfhd", struct.pack(">II", 0x020000, 1)),
            box(b"tfdt", struct.pack(">IQ", 1 << 24, decode_ms)),
            run_box,
        ),
    )
    data = moof + box(b"mdat", struct.pack(">QQ", run, sequence).ljust(size, b"."))
    return Part(device_id, run, sequence, start, duration, is_key, frames, data)
