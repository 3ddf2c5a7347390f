"""Names under which browsers save what they fetch."""

import re
from datetime import datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

from flask import Response

from gateway.api.base import current_scope, services
from gateway.errors import NotFound
from gateway.footage.recordings import Recording, find_recording

#: What a file system, a header or a shell may take amiss in a name.
_UNSAFE = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f]+')
_MAX_STEM = 120


def safe_name(stem: str, suffix: str, otherwise: str) -> str:
    """A name that any system takes; `otherwise` is the stem where nothing of the wished one is left."""
    # Neither a hidden file nor one that Windows cannot open.
    cleaned = _UNSAFE.sub("_", stem)[:_MAX_STEM].strip(" .")
    return f"{cleaned or otherwise}.{suffix}"


def time_zone_of(device_id: str) -> str:
    """The time zone of a device's recording; that of the server once the device is deleted."""
    try:
        return find_recording(current_scope(), device_id).time_zone
    except NotFound:
        return services().config.time_zone


def local_time(at_ms: int, time_zone: str) -> str:
    """A moment in a time zone, without the colons that Windows refuses in names."""
    return f"{datetime.fromtimestamp(at_ms / 1000, ZoneInfo(time_zone)):%Y-%m-%d %H.%M.%S}"


def movie_name(wished: str | None, recording: Recording, start_ms: int) -> str:
    """A name that any system takes, ending in .mp4; without a wish the device's, with the start in its time zone."""
    if wished is None:
        wished = f"{recording.device.name} {local_time(start_ms, recording.time_zone)}"
    return safe_name(re.sub(r"\.mp4$", "", wished, flags=re.IGNORECASE), "mp4", "export")


def name_file(response: Response, name: str, *, is_attachment: bool) -> Response:
    """Give a reply its file name (RFC 6266), in any script; an attachment is saved rather than shown."""
    kind = "attachment" if is_attachment else "inline"
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    disposition = f'{kind}; filename="{plain}"'
    if plain != name:
        disposition += f"; filename*=UTF-8''{quote(name, safe='')}"
    response.headers["Content-Disposition"] = disposition
    return response
