"""File names of downloads."""

import re
from datetime import datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

from flask import Response

from gateway.api.base import current_scope, services
from gateway.errors import NotFound
from gateway.footage.recordings import Recording, find_recording

#: Characters that file systems, headers or shells reject or interpret.
_UNSAFE = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f]+')
_MAX_STEM = 120


def safe_name(stem: str, suffix: str, fallback: str) -> str:
    """A file name that is valid on every system; `fallback` replaces a stem of which nothing is left."""
    # Leading dots would hide the file, trailing ones are refused by Windows.
    cleaned = _UNSAFE.sub("_", stem)[:_MAX_STEM].strip(" .")
    return f"{cleaned or fallback}.{suffix}"


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
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    disposition = f'{kind}; filename="{plain}"'
    if plain != name:
        disposition += f"; filename*=UTF-8''{quote(name, safe='')}"
    response.headers["Content-Disposition"] = disposition
    return response
