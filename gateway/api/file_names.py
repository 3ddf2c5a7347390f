"""File names of downloads."""

import re
from datetime import datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

from flask import Response

from gateway.api.base import current_scope, services
from gateway.bidi import remove_bidi_controls
from gateway.errors import NotFound
from gateway.footage.recordings import Recording, find_recording

#: Characters that file systems, headers or shells reject or interpret; line separators and halves of surrogate pairs.
_UNSAFE = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+')
#: Names of devices on Windows, with any suffix.
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|\Z)", re.IGNORECASE)
_MAX_STEM = 120
#: File systems take names of 255 bytes; browsers add numbers to them.
_MAX_STEM_BYTES = 230


def safe_name(stem: str, suffix: str, fallback: str) -> str:
    """A file name that is valid on every system; `fallback` replaces a stem of which nothing is left."""
    # Leading dots would hide the file, trailing ones are refused by Windows.
    named = remove_bidi_controls(stem[: 2 * _MAX_STEM]).lstrip(" ./\\")
    cleaned = _UNSAFE.sub("_", named)[:_MAX_STEM].encode()[:_MAX_STEM_BYTES].decode(errors="ignore").strip(" .")
    if _DEVICES.match(cleaned):
        cleaned = f"_{cleaned}"
    return f"{cleaned if cleaned.strip('_') else fallback}.{suffix}"


def time_zone_of(device_id: str) -> str:
    """The time zone of a device's recording; that of the server once the device is deleted."""
    try:
        return find_recording(current_scope(), device_id).time_zone
    except NotFound:
        return services().config.time_zone


def local_time(at_ms: int, time_zone: str) -> str:
    """A moment in a time zone, without the colons that Windows refuses in names."""
    return f"{datetime.fromtimestamp(at_ms / 1000, ZoneInfo(time_zone)):%Y-%m-%d %H.%M.%S}"


def movie_name(requested: str | None, recording: Recording, start_ms: int) -> str:
    """A valid name that ends in .mp4: the requested one, otherwise the device's name and the start in its time zone."""
    if requested is None:
        requested = f"{recording.device.name} {local_time(start_ms, recording.time_zone)}"
    return safe_name(re.sub(r"\.mp4$", "", requested, flags=re.IGNORECASE), "mp4", "export")


def name_file(response: Response, name: str, *, is_attachment: bool) -> Response:
    """Set the file name of a reply (RFC 6266), in any script; browsers save an attachment instead of showing it."""
    kind = "attachment" if is_attachment else "inline"
    # Some clients decode percent signs in the plain name as well.
    plain = name.encode("ascii", "replace").decode().replace("?", "_").replace("%", "_")
    stem, _, suffix = plain.rpartition(".")
    if not re.search("[A-Za-z0-9]", stem):
        plain = f"file.{suffix}"
    disposition = f'{kind}; filename="{plain}"'
    if plain != name:
        disposition += f"; filename*=UTF-8''{quote(name, safe='', errors='replace')}"
    response.headers["Content-Disposition"] = disposition
    return response
