"""Parameter sets of H.264 in MP4 (ISO/IEC 14496-15, 5.3.3; ITU-T H.264, 7.3.2), joined for two encoders in one track.

Pure.
"""

import struct
from dataclasses import dataclass

from gateway.mp4.boxes import InvalidMedia, box, walk_boxes

#: Profiles whose configuration also describes chroma and bit depth.
_HIGH_PROFILES = frozenset({100, 110, 122, 144, 244})


@dataclass(frozen=True, slots=True)
class AvcConfiguration:
    """An `avcC` box."""

    profile: int
    compatibility: int
    level: int
    length_size: int
    sequence_sets: tuple[bytes, ...]
    picture_sets: tuple[bytes, ...]
    extension: bytes

    @property
    def is_plain(self) -> bool:
        """Whether it is 8-bit 4:2:0, which any decoder reads and our encoder writes."""
        return all(_is_plain(unit) for unit in self.sequence_sets)

    def used_ids(self) -> set[int]:
        """The ids of its sequence and picture parameter sets."""
        return {_first_number(unit[4:]) for unit in self.sequence_sets} | {
            _first_number(unit[1:]) for unit in self.picture_sets
        }

    def free_id(self) -> int:
        """An unused parameter set id, for x264's `sps-id`. Raises InvalidMedia when all are used."""
        used = self.used_ids()
        for number in range(1, 32):
            if number not in used:
                return number
        raise InvalidMedia("every parameter set id is used")

    def joined_with(self, other: "AvcConfiguration") -> "AvcConfiguration":
        """One configuration for the samples of both encoders, whose parameter sets must have different ids."""
        high = max((self, other), key=lambda avc: (avc.profile, len(avc.extension)))
        return AvcConfiguration(
            high.profile,
            self.compatibility & other.compatibility,
            max(self.level, other.level),
            self.length_size,
            self.sequence_sets + other.sequence_sets,
            self.picture_sets + other.picture_sets,
            high.extension,
        )

    def pack(self) -> bytes:
        """The content of the box."""
        head = bytes((1, self.profile, self.compatibility, self.level, 0xFC | self.length_size - 1))
        sequences = bytes((0xE0 | len(self.sequence_sets),)) + b"".join(map(_with_length, self.sequence_sets))
        pictures = bytes((len(self.picture_sets),)) + b"".join(map(_with_length, self.picture_sets))
        extension = self.extension or (b"\xfd\xf8\xf8\x00" if self.profile in _HIGH_PROFILES else b"")
        return head + sequences + pictures + extension


def parse_avc(content: bytes) -> AvcConfiguration:
    """Read the content of an `avcC` box; raises InvalidMedia."""
    try:
        _, profile, compatibility, level, length = content[:5]
        at = 5
        groups = []
        for mask in (0x1F, 0xFF):
            count, at = content[at] & mask, at + 1
            units = []
            for _ in range(count):
                size = struct.unpack_from(">H", content, at)[0]
                units.append(content[at + 2 : at + 2 + size])
                at += 2 + size
            groups.append(tuple(units))
    except (struct.error, IndexError, ValueError) as error:
        raise InvalidMedia(f"an 'avcC' box that ends too early: {error}") from error
    return AvcConfiguration(profile, compatibility, level, (length & 3) + 1, *groups, content[at:])


def replace_avc(entry: bytes, configuration: AvcConfiguration) -> bytes:
    """A video sample entry whose `avcC` box is replaced by this configuration."""
    boxes = []
    for name, start, end in walk_boxes(entry, 86, len(entry)):
        content = configuration.pack() if name == b"avcC" else entry[start:end]
        boxes.append(box(name, content))
    return box(entry[4:8], entry[8:86], *boxes)


def _with_length(unit: bytes) -> bytes:
    return struct.pack(">H", len(unit)) + unit


def _is_plain(unit: bytes) -> bool:
    if unit[1] not in _HIGH_PROFILES:
        return unit[1] in (66, 77, 88)
    bits = _Bits(unit[4:])
    bits.number()
    return bits.number() == 1 and bits.number() == 0 and bits.number() == 0


def _first_number(data: bytes) -> int:
    return _Bits(data).number()


class _Bits:
    """Reads Exp-Golomb numbers (H.264, 9.1) from the start of a NAL unit, before any emulation prevention byte."""

    def __init__(self, data: bytes) -> None:
        self._bits = int.from_bytes(data[:24].ljust(24, b"\0"), "big")
        self._left = 24 * 8

    def number(self) -> int:
        zeros = 0
        while not self._take(1):
            zeros += 1
            if zeros > 31:
                raise InvalidMedia("a parameter set that cannot be read")
        return (1 << zeros) - 1 + self._take(zeros)

    def _take(self, count: int) -> int:
        self._left -= count
        return self._bits >> self._left & (1 << count) - 1
