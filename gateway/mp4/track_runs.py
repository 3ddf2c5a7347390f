"""The reader of track fragments: `tfhd`, `tfdt` and `trun` boxes (ISO/IEC 14496-12, 8.8.7, 8.8.12 and 8.8.8). Pure.

Optional fields are read when a caller asks for them: damage to a field that the caller does not use does not stop it.
Reading beyond the end of the data raises `struct.error` or IndexError; callers turn both into InvalidMedia.
"""

import struct
from typing import NamedTuple

from gateway.mp4.boxes import I32, U32, U64, InvalidMedia, find_box

#: Flags of `tfhd`: which defaults it has, and that data offsets count from the start of its `moof`.
DEFAULT_DURATION, DEFAULT_SIZE, DEFAULT_FLAGS = 0x8, 0x10, 0x20
BASE_IS_MOOF = 0x02_0000
#: Flags of `trun`: the offset of its data, the flags of its first sample, and the columns of its table.
DATA_OFFSET, FIRST_FLAGS = 0x1, 0x4
DURATION, SIZE, FLAGS, COMPOSITION = 0x100, 0x200, 0x400, 0x800
#: Flag of a sample that is no sync sample (8.8.3.1): decoding cannot begin with it.
NON_SYNC = 0x0001_0000

#: Optional fields of `tfhd` before its defaults, and all of four bytes among its fields.
_BASE_DATA_OFFSET = 0x1
_SHORT_FIELDS = 0x2 | DEFAULT_DURATION | DEFAULT_SIZE | DEFAULT_FLAGS
_COLUMNS = DURATION | SIZE | FLAGS | COMPOSITION

_TWO_U32 = struct.Struct(">2I")


class TrackFragment(NamedTuple):
    """A `traf` box, with content from `start` to `end`, and its `tfhd` box, with optional fields at `fields_at`."""

    data: bytes | memoryview
    start: int
    end: int
    flags: int
    track_id: int
    fields_at: int

    def default(self, field: int, otherwise: int) -> int:
        """A default value of the fragment's samples; `otherwise`, the track's own, where `tfhd` has none."""
        if not self.flags & field:
            return otherwise
        earlier = self.flags & (field - 1)
        at = self.fields_at + 8 * (earlier & _BASE_DATA_OFFSET) + 4 * (earlier & _SHORT_FIELDS).bit_count()
        return U32.unpack_from(self.data, at)[0]


class TrackRun(NamedTuple):
    """A `trun` box. `data_offset` is None where it has none; `table_at` is the place of its table of samples."""

    data: bytes | memoryview
    flags: int
    count: int
    data_offset: int | None
    table_at: int

    @property
    def first_flags(self) -> int | None:
        """The flags that the first sample has in place of the default; None where the box has none."""
        return U32.unpack_from(self.data, self.table_at - 4)[0] if self.flags & FIRST_FLAGS else None

    def is_within(self, max_samples: int) -> bool:
        """Whether the data holds the whole table, of at most `max_samples`.

        The limit is for a table without columns: its count alone costs no bytes.
        """
        size = 4 * (self.flags & _COLUMNS).bit_count() * self.count
        return self.count <= max_samples and self.table_at + size <= len(self.data)

    def column(self, field: int) -> tuple[int, ...] | None:
        """A column of the table; None where the box has none. Composition offsets are signed, in any version."""
        columns = self.flags & _COLUMNS
        if not columns & field:
            return None
        if not self.count:
            return ()
        width, index = columns.bit_count(), (columns & (field - 1)).bit_count()
        cells = width * (self.count - 1) + index + 1
        kind = "i" if field == COMPOSITION else "I"
        return struct.unpack_from(f">{cells}{kind}", self.data, self.table_at)[index::width]


def read_track_fragment(data: bytes | memoryview, start: int, end: int) -> TrackFragment:
    """The `traf` box with content between two offsets; raises InvalidMedia without a `tfhd` box in it."""
    header = find_box(data, start, end, b"tfhd")
    if header is None:
        raise InvalidMedia("a 'traf' box without 'tfhd'")
    flags, track_id = _TWO_U32.unpack_from(data, header[0])
    return TrackFragment(data, start, end, flags, track_id, header[0] + 8)


def read_decode_time(data: bytes | memoryview, at: int) -> int:
    """The decoding time of the first sample, from the content of a `tfdt` box, in ticks."""
    return (U64 if data[at] else U32).unpack_from(data, at + 4)[0]


def read_run(data: bytes | memoryview, at: int) -> TrackRun:
    """The `trun` box whose content begins at `at`."""
    flags, count = _TWO_U32.unpack_from(data, at)
    at += 8
    data_offset = None
    if flags & DATA_OFFSET:
        data_offset = I32.unpack_from(data, at)[0]
        at += 4
    return TrackRun(data, flags, count, data_offset, at + (4 if flags & FIRST_FLAGS else 0))
