"""Pictures that were taken, made smaller or into another format; what is no picture, or too large a one, is refused."""

import io
from typing import NamedTuple

from PIL import Image

from gateway.errors import VasError

#: Formats by the name that callers use: what Pillow calls them, their media type and how they are written.
_FORMATS: dict[str, tuple[str, str, dict[str, object]]] = {
    "jpeg": ("JPEG", "image/jpeg", {"quality": 88}),
    # Beyond level 3 a photograph gets hardly smaller, but takes many times as long.
    "png": ("PNG", "image/png", {"compress_level": 3}),
    "webp": ("WEBP", "image/webp", {"quality": 85, "method": 2}),
}
PICTURE_FORMATS = tuple(_FORMATS)

#: Somewhat more than 8K: no camera sends more, and a file that claims more is meant to fill the memory.
MAX_PIXELS = 8192 * 4608


class PictureUnreadable(VasError):
    """Data that is no picture, a damaged one, or one with too many pixels."""

    reason = "picture_damaged"


class Picture(NamedTuple):
    """An encoded picture; sizes in pixels."""

    data: bytes
    width: int
    height: int


def media_type(format_name: str) -> str:
    """The media type of one of PICTURE_FORMATS."""
    return _FORMATS[format_name][1]


def convert_picture(data: bytes, *, width: int | None = None, format_name: str = "jpeg") -> Picture:
    """The JPEG `data` as one of PICTURE_FORMATS, at most `width` pixels wide; it is never enlarged.

    Raises PictureUnreadable.
    """
    pillow_name, _, options = _FORMATS[format_name]
    try:
        # Only what the snapshot worker writes: other decoders never see what may be on the disk.
        image = Image.open(io.BytesIO(data), formats=["JPEG"])
        if image.width * image.height > MAX_PIXELS:
            raise PictureUnreadable(f"the picture has {image.width} x {image.height} pixels, which is too many")
        target = fit_width(image.width, image.height, width)
        # The decoder leaves out what a smaller picture does not need: a thumbnail takes a quarter of the time.
        image.draft("RGB", target)
        small = image.convert("RGB") if image.mode != "RGB" else image
        if small.size != target:
            small = small.resize(target, Image.Resampling.BICUBIC)
        written = io.BytesIO()
        # When it was taken stays with the picture.
        small.save(written, pillow_name, exif=image.info.get("exif", b""), **options)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise PictureUnreadable(f"the picture cannot be read: {error}") from error
    return Picture(written.getvalue(), *target)


def fit_width(width: int, height: int, wanted: int | None) -> tuple[int, int]:
    """The size of a picture that is made `wanted` wide, its shape kept; of a smaller one its own."""
    if wanted is None or wanted >= width:
        return width, height
    return wanted, max(1, round(height * wanted / width))
