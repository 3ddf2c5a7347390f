"""Parameter sets of H.264 (ITU-T H.264, 7.3.2.1, 7.3.2.2 and E.1.1), and `avcC` (ISO/IEC 14496-15, 5.3.3)."""

from dataclasses import dataclass

from workers.rtp.bits import Bits, InvalidParameterSet, name_pixel_format, read_rate

NAL_SPS, NAL_PPS = 7, 8

#: Profiles whose SPS describes chroma and bit depth.
_HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
#: Profiles whose `avcC` ends without chroma and bit depth.
_PLAIN_PROFILES = frozenset({66, 77, 88})
_PROFILE_NAMES = {
    66: "Baseline",
    77: "Main",
    88: "Extended",
    100: "High",
    110: "High 10",
    122: "High 4:2:2",
    144: "High 4:4:4",
    244: "High 4:4:4 Predictive",
    44: "CAVLC 4:4:4",
    118: "Multiview High",
    128: "Stereo High",
}
_INTRA_NAMES = {110: "High 10 Intra", 122: "High 4:2:2 Intra", 244: "High 4:4:4 Intra"}


@dataclass(frozen=True, slots=True)
class SequenceSet:
    """What an SPS says. `has_b_frames` is None when it does not tell."""

    id: int
    profile: str | None
    width: int
    height: int
    chroma: int
    luma_depth: int
    chroma_depth: int
    frame_number_bits: int
    is_frame_only: bool
    has_separate_planes: bool
    pixel_format: str | None = None
    fps: float | None = None
    has_b_frames: bool | None = None


@dataclass(slots=True)
class _Usability:
    """What a VUI adds."""

    is_full_range: bool = False
    is_rgb: bool = False
    fps: float | None = None
    reordered: int | None = None


def parse_sps(nal: bytes) -> SequenceSet:
    """Read an SPS. Raises InvalidParameterSet. A VUI that ends too early is left out, as FFmpeg does."""
    bits = Bits(nal[1:])
    profile, constraints, _ = bits.take(8), bits.take(8), bits.take(8)
    number = bits.number(31)
    chroma, depths, is_separate = 1, (8, 8), 0
    if profile in _HIGH_PROFILES:
        chroma = bits.number(3)
        is_separate = bits.flag() if chroma == 3 else 0
        depths = (8 + bits.number(6), 8 + bits.number(6))
        bits.flag()
        if bits.flag():
            _skip_scaling_lists(bits, 12 if chroma == 3 else 8)
    frame_number_bits = bits.number(12) + 4
    order_type = _skip_picture_order(bits)
    references = bits.number(64)
    bits.flag()
    width, map_units = bits.number(8191) + 1, bits.number(8191) + 1
    is_frame_only = bits.flag()
    if not is_frame_only:
        bits.flag()
    bits.flag()
    height = map_units * 16 * (2 - is_frame_only)
    crop = [bits.number(65535) for _ in range(4)] if bits.flag() else [0, 0, 0, 0]
    subsampled = chroma if not is_separate else 0
    unit_x, unit_y = (2 if subsampled in (1, 2) else 1), (2 if subsampled == 1 else 1) * (2 - is_frame_only)
    size = (width * 16 - (crop[0] + crop[1]) * unit_x, height - (crop[2] + crop[3]) * unit_y)
    if min(size) <= 0:
        raise InvalidParameterSet("an SPS that crops the whole picture")
    vui = _read_vui(bits) if bits.left and bits.flag() else _Usability()
    is_intra = profile == 44 or (bool(constraints & 0x10) and profile in (100, 110, 122, 244))
    has_b_frames: bool | None = None
    if vui.reordered is not None:
        has_b_frames = vui.reordered > 0
    elif profile == 66 or order_type == 2 or references == 0 or is_intra:
        has_b_frames = False
    return SequenceSet(
        number,
        _name_profile(profile, constraints),
        *size,
        chroma,
        *depths,
        frame_number_bits,
        bool(is_frame_only),
        bool(is_separate),
        # FFmpeg decodes monochrome to 4:2:0.
        name_pixel_format(chroma or 1, depths[0], is_full_range=vui.is_full_range, is_rgb=vui.is_rgb),
        vui.fps,
        has_b_frames,
    )


def parse_pps(nal: bytes) -> tuple[int, int]:
    """The ids of a PPS and of its SPS. Raises InvalidParameterSet."""
    bits = Bits(nal[1:])
    return bits.number(255), bits.number(31)


def build_avcc(sps: bytes, parsed: SequenceSet, picture_sets: tuple[bytes, ...]) -> bytes:
    """The content of an `avcC` box for lengths of 4 bytes."""
    pieces = [bytes((1, sps[1], sps[2], sps[3], 0xFF, 0xE1)), len(sps).to_bytes(2, "big"), sps]
    pieces.append(bytes((len(picture_sets),)))
    for nal in picture_sets:
        pieces += (len(nal).to_bytes(2, "big"), nal)
    if sps[1] not in _PLAIN_PROFILES:
        pieces.append(
            bytes((0xFC | parsed.chroma, 0xF8 | parsed.luma_depth - 8, 0xF8 | parsed.chroma_depth - 8, 0)),
        )
    return b"".join(pieces)


def _name_profile(profile: int, constraints: int) -> str | None:
    if profile == 66 and constraints & 0x40:
        return "Constrained Baseline"
    if constraints & 0x10 and profile in _INTRA_NAMES:
        return _INTRA_NAMES[profile]
    return _PROFILE_NAMES.get(profile)


def _skip_scaling_lists(bits: Bits, count: int) -> None:
    for number in range(count):
        if not bits.flag():
            continue
        last = following = 8
        for _ in range(16 if number < 6 else 64):
            if following:
                following = (last + bits.signed()) % 256
            last = following or last


def _skip_picture_order(bits: Bits) -> int:
    order_type = bits.number(2)
    if order_type == 0:
        bits.number(12)
    elif order_type == 1:
        bits.flag()
        bits.signed()
        bits.signed()
        for _ in range(bits.number(255)):
            bits.signed()
    return order_type


def _read_vui(bits: Bits) -> _Usability:
    vui = _Usability()
    try:
        if bits.flag() and bits.take(8) == 255:
            bits.skip(32)
        if bits.flag():
            bits.flag()
        if bits.flag():
            bits.skip(3)
            vui.is_full_range = bool(bits.flag())
            if bits.flag():
                bits.skip(16)
                vui.is_rgb = bits.take(8) == 0
        if bits.flag():
            bits.number()
            bits.number()
        if bits.flag():
            ticks, scale = bits.take(32), bits.take(32)
            bits.flag()
            vui.fps = read_rate(2 * ticks, scale)
        has_hrd = [_skip_hrd(bits) for _ in range(2) if bits.flag()]
        if has_hrd:
            bits.flag()
        bits.flag()
        if bits.flag():
            bits.flag()
            for _ in range(4):
                bits.number()
            vui.reordered = bits.number(16)
    except InvalidParameterSet:
        pass  # what was read before counts
    return vui


def _skip_hrd(bits: Bits) -> bool:
    count = bits.number(31) + 1
    bits.skip(8)
    for _ in range(count):
        bits.number()
        bits.number()
        bits.flag()
    bits.skip(20)
    return True
