"""Bits of parameter sets and slice headers (ITU-T H.264, 7.2 and 9.1; the same in H.265)."""


class InvalidParameterSet(Exception):
    """A parameter set that ends too early or holds impossible values."""


class Bits:
    """Reads bits and Exp-Golomb numbers of a NAL unit's content, without its emulation prevention bytes."""

    def __init__(self, content: bytes) -> None:
        if b"\0\0\3" in content:
            content = content.replace(b"\0\0\3", b"\0\0")
        self._value = int.from_bytes(content, "big")
        self.left = len(content) * 8

    def take(self, count: int) -> int:
        """The next bits as a number."""
        self.left -= count
        if self.left < 0:
            raise InvalidParameterSet("a parameter set that ends too early")
        return self._value >> self.left & (1 << count) - 1

    def flag(self) -> int:
        """The next bit."""
        return self.take(1)

    def skip(self, count: int) -> None:
        """Skip bits."""
        self.take(count)

    def number(self, most: int = 0xFFFFFFFF) -> int:
        """An unsigned Exp-Golomb number of at most `most`."""
        rest = self._value & (1 << self.left) - 1
        zeros = self.left - rest.bit_length()
        if zeros > 32 or not rest:
            raise InvalidParameterSet("a parameter set with a number that cannot be read")
        self.left -= zeros
        value = self.take(zeros + 1) - 1
        if value > most:
            raise InvalidParameterSet(f"a parameter set with {value} where at most {most} is allowed")
        return value

    def signed(self) -> int:
        """A signed Exp-Golomb number."""
        value = self.number()
        return (value + 1) // 2 if value & 1 else -(value // 2)


def read_rate(ticks: int, scale: int) -> float | None:
    """Pictures a second from the timing of a VUI: None if that is no possible rate."""
    rate = scale / ticks if ticks else 0.0
    return round(rate, 3) if 0.01 <= rate <= 1000 else None


def name_pixel_format(chroma: int, depth: int, *, is_full_range: bool, is_rgb: bool = False) -> str | None:
    """FFmpeg's name of a pixel format; None if it has none. `chroma` is chroma_format_idc."""
    if chroma > 3 or not 8 <= depth <= 16:
        return None
    if chroma == 0:
        return "gray" if depth == 8 else f"gray{depth}le"
    if chroma == 3 and is_rgb:
        return "gbrp" if depth == 8 else f"gbrp{depth}le"
    layout = ("", "420", "422", "444")[chroma]
    if depth == 8:
        return f"yuv{'j' if is_full_range else ''}{layout}p"
    return f"yuv{layout}p{depth}le"
