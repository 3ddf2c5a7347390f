"""Parameter sets of H.265 (ITU-T H.265, 7.3.2, 7.3.3 and E.2.1), and `hvcC` (ISO/IEC 14496-15, 8.3.3)."""

from dataclasses import dataclass

from workers.rtp.bits import Bits, InvalidParameterSet, name_pixel_format, read_rate

NAL_VPS, NAL_SPS, NAL_PPS = 32, 33, 34

_PROFILE_NAMES = {1: "Main", 2: "Main 10", 3: "Main Still Picture", 4: "Rext", 6: "Multiview Main", 9: "Scc"}


@dataclass(frozen=True, slots=True)
class SequenceSet:
    """What an SPS says. `general` are the 12 bytes of its general profile, tier and level."""

    id: int
    vps_id: int
    general: bytes
    layers: int
    is_nested: bool
    profile: str | None
    width: int
    height: int
    chroma: int
    luma_depth: int
    chroma_depth: int
    order_bits: int
    has_separate_planes: bool
    pixel_format: str | None = None
    fps: float | None = None
    has_b_frames: bool | None = None


@dataclass(frozen=True, slots=True)
class PictureSet:
    """What a PPS says, as far as it is needed to read slice headers."""

    id: int
    sps_id: int
    has_output_flag: bool
    extra_bits: int


def parse_vps(nal: bytes) -> int:
    """The id of a VPS. Raises InvalidParameterSet."""
    return Bits(nal[2:16]).take(4)


def parse_pps(nal: bytes) -> PictureSet:
    """Read a PPS. Raises InvalidParameterSet."""
    bits = Bits(nal[2:34])
    number, sps_id = bits.number(63), bits.number(15)
    bits.flag()
    return PictureSet(number, sps_id, bool(bits.flag()), bits.take(3))


def parse_sps(nal: bytes) -> SequenceSet:
    """Read an SPS. Raises InvalidParameterSet. What cannot be read behind the sizes is left out."""
    bits = Bits(nal[2:])
    vps_id, sub_layers, is_nested = bits.take(4), bits.take(3), bits.flag()
    general = bits.take(96).to_bytes(12, "big")
    _skip_sub_layers(bits, sub_layers)
    number, chroma = bits.number(15), bits.number(3)
    is_separate = bits.flag() if chroma == 3 else 0
    width, height = bits.number(65535), bits.number(65535)
    window = [bits.number(65535) for _ in range(4)] if bits.flag() else [0, 0, 0, 0]
    width -= (window[0] + window[1]) * (2 if chroma in (1, 2) else 1)
    height -= (window[2] + window[3]) * (2 if chroma == 1 else 1)
    if width <= 0 or height <= 0:
        raise InvalidParameterSet("an SPS without a picture")
    depths = (8 + bits.number(8), 8 + bits.number(8))
    order_bits = bits.number(12) + 4
    reordered = 0
    for _ in range(sub_layers + 1 if bits.flag() else 1):
        bits.number()
        reordered = bits.number()
        bits.number()
    fps, is_full_range, is_rgb = _read_rest(bits, chroma, order_bits)
    return SequenceSet(
        number,
        vps_id,
        general,
        sub_layers + 1,
        bool(is_nested),
        _name_profile(general),
        width,
        height,
        chroma,
        *depths,
        order_bits,
        bool(is_separate),
        name_pixel_format(chroma, depths[0], is_full_range=is_full_range, is_rgb=is_rgb),
        fps,
        reordered > 0,
    )


def build_hvcc(parsed: SequenceSet, arrays: tuple[tuple[int, tuple[bytes, ...]], ...]) -> bytes:
    """The content of an `hvcC` box for lengths of 4 bytes; `arrays` are NAL types with their units."""
    pieces = [
        b"\1",
        parsed.general,
        b"\xf0\x00\xfc",
        bytes((0xFC | parsed.chroma, 0xF8 | parsed.luma_depth - 8, 0xF8 | parsed.chroma_depth - 8, 0, 0)),
        bytes((parsed.layers << 3 | parsed.is_nested << 2 | 3, len(arrays))),
    ]
    for kind, units in arrays:
        pieces.append(bytes((0x80 | kind,)) + len(units).to_bytes(2, "big"))
        for nal in units:
            pieces += (len(nal).to_bytes(2, "big"), nal)
    return b"".join(pieces)


def _name_profile(general: bytes) -> str | None:
    profile = general[0] & 0x1F
    if not profile:
        flags = int.from_bytes(general[1:5], "big")
        profile = next((number for number in _PROFILE_NAMES if flags >> 31 - number & 1), 0)
    return _PROFILE_NAMES.get(profile)


def _skip_sub_layers(bits: Bits, count: int) -> None:
    present = [(bits.flag(), bits.flag()) for _ in range(count)]
    if count:
        bits.skip(2 * (8 - count))
    for has_profile, has_level in present:
        bits.skip(88 * has_profile + 8 * has_level)


def _read_rest(bits: Bits, chroma: int, order_bits: int) -> tuple[float | None, bool, bool]:
    """From the block sizes to the VUI's timing: pictures a second, full range, RGB."""
    found: list[bool] = []
    try:
        for _ in range(6):
            bits.number()
        if bits.flag() and bits.flag():
            _skip_scaling_lists(bits, chroma)
        bits.skip(2)
        if bits.flag():
            bits.skip(8)
            bits.number()
            bits.number()
            bits.flag()
        _skip_reference_sets(bits, bits.number(64))
        if bits.flag():
            bits.skip(bits.number(32) * (order_bits + 1))
        bits.skip(2)
        if bits.flag():
            found += _read_colours(bits)
            return _read_timing(bits), found[0], found[1]
    except InvalidParameterSet:
        pass  # what was read before counts
    return None, *(found or (False, False))


def _read_colours(bits: Bits) -> tuple[bool, bool]:
    """Full range and RGB, from the beginning of the VUI."""
    is_full_range, is_rgb = False, False
    if bits.flag() and bits.take(8) == 255:
        bits.skip(32)
    if bits.flag():
        bits.flag()
    if bits.flag():
        bits.skip(3)
        is_full_range = bool(bits.flag())
        if bits.flag():
            bits.skip(16)
            is_rgb = bits.take(8) == 0
    return is_full_range, is_rgb


def _read_timing(bits: Bits) -> float | None:
    """Pictures a second, from behind the colours of the VUI."""
    if bits.flag():
        bits.number()
        bits.number()
    bits.skip(3)
    if bits.flag():
        for _ in range(4):
            bits.number()
    if not bits.flag():
        return None
    ticks, scale = bits.take(32), bits.take(32)
    return read_rate(ticks, scale)


def _skip_scaling_lists(bits: Bits, chroma: int) -> None:
    for size in range(4):
        for _ in range(0, 6, 3 if size == 3 else 1):
            if not bits.flag():
                bits.number()
                continue
            if size > 1:
                bits.signed()
            for _ in range(min(64, 1 << 4 + (size << 1))):
                bits.signed()


def _skip_reference_sets(bits: Bits, count: int) -> None:
    """Skip st_ref_pic_set of each index; the length of a predicted one depends on that before it."""
    entries = 0
    for index in range(count):
        if index and bits.flag():
            bits.flag()
            bits.number()
            kept = 0
            for _ in range(entries + 1):
                if bits.flag() or bits.flag():
                    kept += 1
            entries = kept
        else:
            negative, positive = bits.number(16), bits.number(16)
            for _ in range(negative + positive):
                bits.number()
                bits.flag()
            entries = negative + positive
