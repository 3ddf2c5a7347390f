"""Resizes pictures and converts them to other formats; unreadable and oversized pictures are refused."""

import io
from typing import NamedTuple

from PIL import Image

from gateway.errors import VasError

#: Formats by the name that callers use: Pillow's name, the media type and the encoder's options.
_FORMATS: dict[str, tuple[str, str, dict[str, object]]] = {
    "jpeg": ("JPEG", "image/jpeg", {"quality": 88}),
    # Above level 3 a photograph gets hardly smaller, but encoding takes many times as long.
    "png": ("PNG", "image/png", {"compress_level": 3}),
    "webp": ("WEBP", "image/webp", {"quality": 85, "method": 2}),
}
PICTURE_FORMATS = tuple(_FORMATS)

#: Somewhat more than 8K: no camera sends more, and a file that claims more may be made to exhaust the memory.
MAX_PIXELS = 8192 * 4608


class PictureUnreadable(VasError):
    """The data is not a JPEG, is damaged, or has too many pixels."""

    reason = "picture_damaged"


class ConvertedPicture(NamedTuple):
    """A picture in the requested size and format; sizes in pixels."""

    data: bytes
    width: int
    height: int


def media_type(format_name: str) -> str:
    """The media type of one of PICTURE_FORMATS."""
    return _FORMATS[format_name][1]


def convert_picture(data: bytes, *, width: int | None = None, format_name: str = "jpeg") -> ConvertedPicture:
    """Convert a JPEG to one of PICTURE_FORMATS, at most `width` pixels wide; it is never enlarged.

    Raises PictureUnreadable.
    """
    pillow_name, _, options = _FORMATS[format_name]
    try:
        # JPEG only, the format of the snapshot worker: no other decoder is exposed to files on the disk.
        image = Image.open(io.BytesIO(data), formats=["JPEG"])
        if image.width * image.height > MAX_PIXELS:
            raise PictureUnreadable(f"the picture has {image.width} x {image.height} pixels, which is too many")
        target = fit_width(image.width, image.height, width)
        # The decoder skips detail that a smaller picture does not need: a thumbnail takes a quarter of the time.
        image.draft("RGB", target)
        small = image.convert("RGB") if image.mode != "RGB" else image
        if small.size != target:
            small = small.resize(target, Image.Resampling.BICUBIC)
        written = io.BytesIO()
        # The Exif data hold the time at which the picture was taken.
        small.save(written, pillow_name, exif=image.info.get("exif", b""), **options)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise PictureUnreadable(f"the picture cannot be read: {error}") from error
    return ConvertedPicture(written.getvalue(), *target)


def fit_width(width: int, height: int, max_width: int | None) -> tuple[int, int]:
    """The size of a picture scaled down to `max_width` with its aspect ratio; a smaller picture keeps its size."""
    if max_width is None or max_width >= width:
        return width, height
    return max_width, max(1, round(height * max_width / width))
