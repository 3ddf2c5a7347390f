"""Replies with the picture of a snapshot: the file with ranges, or a smaller picture, or another format."""

from collections.abc import Iterator
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

from flask import Response

from gateway.api.base import services
from gateway.api.file_names import local_time, name_file, safe_name, time_zone_of
from gateway.api.file_replies import IMMUTABLE, bytes_response, file_response, not_modified
from gateway.captures.pictures import PictureUnreadable, convert_picture, media_type
from gateway.captures.snapshots import Snapshot
from gateway.errors import Conflict, NotFound

_CHUNK = 64 << 10
_SUFFIXES = {"jpeg": "jpg"}
#: Limits how many pictures are converted at the same time: a large one takes a core for a second and tens of megabytes.
_conversion_slots = BoundedSemaphore(2)


def image_response(snapshot: Snapshot, args: dict[str, Any]) -> Response:
    """The reply to the current request. Raises NotFound `file_missing`, Conflict `picture_damaged`."""
    format_name, width = args["format"], args["width"]
    if width is not None and width >= snapshot.width:
        width = None
    if format_name == "jpeg" and width is None:
        response = _send_file(snapshot)
    else:
        response = _send_converted(snapshot, format_name, width)
    if response.status_code in (200, 206):
        name = safe_name(_stem(snapshot), _SUFFIXES.get(format_name, format_name), "snapshot")
        name_file(response, name, is_attachment=bool(args["download"]))
    return response


def _send_file(snapshot: Snapshot) -> Response:
    path = services().capture_files.path(snapshot.file)
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise NotFound("the file of this snapshot is gone", reason="file_missing") from None
    return file_response(
        lambda offset, length: _read(path, offset, length),
        size,
        etag=f"{snapshot.id}-{size}",
        mimetype=media_type("jpeg"),
        cache_control=IMMUTABLE,
        path=path,
    )


def _send_converted(snapshot: Snapshot, format_name: str, width: int | None) -> Response:
    etag = f"{snapshot.id}-{format_name}-{width or snapshot.width}"
    if (same := not_modified(etag, IMMUTABLE)) is not None:
        return same
    data = services().capture_files.read(snapshot.file)
    try:
        with _conversion_slots:
            picture = convert_picture(data, width=width, format_name=format_name).data
    except PictureUnreadable as error:
        raise Conflict(error.message, reason=error.reason) from error
    return bytes_response(picture, etag=etag, mimetype=media_type(format_name), cache_control=IMMUTABLE)


def _read(path: Path, offset: int, length: int) -> Iterator[bytes]:
    with open(path, "rb") as file:
        file.seek(offset)
        while length > 0 and (data := file.read(min(length, _CHUNK))):
            length -= len(data)
            yield data


def _stem(snapshot: Snapshot) -> str:
    """Device name, and the moment in the time zone of the device."""
    return f"{snapshot.device_name} {local_time(snapshot.at_ms, time_zone_of(snapshot.device_id))}"
