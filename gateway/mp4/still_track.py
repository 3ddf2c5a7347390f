"""Single pictures as fragmented MP4 with chosen times, as input for a decoder (ISO/IEC 14496-12, 8.8). Pure.

FFmpeg's own muxer (PyAV) needs 4 us less per picture, but is not exact: it moves the first picture to time 0, extends a
picture over a gap where others are left out, and writes each picture only when the next one comes.
"""

import struct

from gateway.mp4.boxes import box, full_box

#: Ticks a second of the times.
TIMESCALE = 90_000
_MATRIX = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_TRACK = 1
_DEFAULT_BASE_IS_MOOF = 0x02_0000
#: Data offset, and of each sample duration, size and flags.
_RUN_FLAGS = 0x1 | 0x100 | 0x200 | 0x400
#: The sample depends on no other one.
_KEY_FLAGS = 0x0200_0000


def build_jpeg_entry(width: int, height: int) -> bytes:
    """The QuickTime sample entry of a track of JPEGs; a picture of another size declares it in its own header."""
    return box(b"jpeg", struct.pack(">6xH16xHHIIIH32xHh", 1, width, height, 0x48_0000, 0x48_0000, 0, 1, 24, -1))


def build_stills_init(entry: bytes) -> bytes:
    """The init segment (`ftyp`+`moov`) of one track of pictures with this sample entry."""
    width, height = struct.unpack_from(">HH", entry, 32)
    mvhd = full_box(
        b"mvhd",
        0,
        0,
        struct.pack(">IIIIIH10x", 0, 0, 1000, 0, 0x10000, 0x100),
        _MATRIX,
        bytes(24),
        struct.pack(">I", _TRACK + 1),
    )
    tkhd = full_box(
        b"tkhd",
        0,
        3,
        struct.pack(">IIIIIQHHHH", 0, 0, _TRACK, 0, 0, 0, 0, 0, 0, 0),
        _MATRIX,
        struct.pack(">HHHH", width, 0, height, 0),
    )
    mdhd = full_box(b"mdhd", 0, 0, struct.pack(">IIIIHH", 0, 0, TIMESCALE, 0, 0x55C4, 0))
    hdlr = full_box(b"hdlr", 0, 0, struct.pack(">I4s12x", 0, b"vide"), b"VideoHandler\0")
    data = box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)))
    empty = [
        full_box(name, 0, 0, bytes(size)) for name, size in ((b"stts", 4), (b"stsc", 4), (b"stsz", 8), (b"stco", 4))
    ]
    table = box(b"stbl", full_box(b"stsd", 0, 0, struct.pack(">I", 1), entry), *empty)
    media = box(b"mdia", mdhd, hdlr, box(b"minf", full_box(b"vmhd", 0, 1, bytes(8)), data, table))
    extends = box(b"mvex", full_box(b"trex", 0, 0, struct.pack(">5I", _TRACK, 1, 0, 0, 0)))
    return box(b"ftyp", b"iso5", struct.pack(">I", 0x200), b"iso5isom") + box(
        b"moov", mvhd, box(b"trak", tkhd, media), extends
    )


def build_still_part(number: int, time: int, duration: int, data: bytes | memoryview) -> bytes:
    """A part (`moof`+`mdat`) with one picture: its number from 1, its time and duration in ticks of TIMESCALE."""

    def build_moof(offset: int) -> bytes:
        trun = full_box(b"trun", 0, _RUN_FLAGS, struct.pack(">IiIII", 1, offset, duration, len(data), _KEY_FLAGS))
        tfhd = full_box(b"tfhd", 0, _DEFAULT_BASE_IS_MOOF, struct.pack(">I", _TRACK))
        tfdt = full_box(b"tfdt", 1, 0, struct.pack(">Q", time))
        return box(b"moof", full_box(b"mfhd", 0, 0, struct.pack(">I", number)), box(b"traf", tfhd, tfdt, trun))

    moof = build_moof(0)
    return build_moof(len(moof) + 8) + box(b"mdat", data)
