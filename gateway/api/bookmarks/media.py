"""Replies with the clip and the poster of a bookmark: ranges, and versions for caches."""

from collections.abc import Iterator
from threading import BoundedSemaphore
from typing import BinaryIO

from flask import Response

from gateway.api.base import services
from gateway.api.file_names import local_time, name_file, safe_name, time_zone_of
from gateway.api.file_replies import bytes_response, file_response, not_modified
from gateway.captures.bookmarks import FAILED, Bookmark
from gateway.captures.clips import clip_status
from gateway.captures.pictures import PictureUnreadable, convert_picture
from gateway.errors import Conflict, NotFound

_CHUNK = 64 << 10
#: The same URL gives another clip once it is recreated: caches must revalidate.
_REVALIDATE = "private, no-cache"
#: Limits how many pictures are scaled at the same time.
_scaling_slots = BoundedSemaphore(2)


def clip_response(bookmark: Bookmark, *, is_download: bool) -> Response:
    """The reply to the current request. Raises Conflict `clip_pending` or `clip_failed`, NotFound `file_missing`."""
    if bookmark.clip_file is None:
        raise _no_clip(bookmark)
    try:
        # Opened now: recreating the clip meanwhile does not disturb this download.
        path = services().capture_files.path(bookmark.clip_file)
        file = path.open("rb")
    except FileNotFoundError:
        raise NotFound("the file of the clip is gone: recreate the clip", reason="file_missing") from None
    response = file_response(
        lambda offset, length: _read(file, offset, length),
        file.seek(0, 2),
        etag=_etag(bookmark.clip_file),
        mimetype="video/mp4",
        cache_control=_REVALIDATE,
        path=path,
    )
    response.call_on_close(file.close)
    if response.status_code in (200, 206):
        name_file(response, safe_name(_stem(bookmark), "mp4", "clip"), is_attachment=is_download)
    return response


def poster_response(bookmark: Bookmark, width: int | None) -> Response:
    """The reply to the current request. Raises NotFound `no_picture` or `file_missing`, Conflict `picture_damaged`."""
    if bookmark.poster_file is None:
        raise NotFound("this bookmark has no picture", reason="no_picture")
    etag = f"{_etag(bookmark.poster_file)}-{width or 'whole'}"
    if (same := not_modified(etag, _REVALIDATE)) is not None:
        return same
    data = services().capture_files.read(bookmark.poster_file)
    if width is not None:
        try:
            with _scaling_slots:
                data = convert_picture(data, width=width).data
        except PictureUnreadable as error:
            raise Conflict(error.message, reason=error.reason) from error
    return bytes_response(data, etag=etag, mimetype="image/jpeg", cache_control=_REVALIDATE)


def _no_clip(bookmark: Bookmark) -> Conflict:
    status = clip_status(bookmark)
    if status.state == FAILED and status.reason is not None:
        return Conflict(f"there is no clip: {status.reason.message}", reason="clip_failed")
    return Conflict("the clip is not ready yet: try again in a few seconds", reason="clip_pending")


def _etag(key: str) -> str:
    """The name of the file, which is unique to the attempt that wrote it."""
    return key.rpartition("/")[2].rpartition(".")[0]


def _read(file: BinaryIO, offset: int, length: int) -> Iterator[bytes]:
    file.seek(offset)
    while length > 0 and (data := file.read(min(length, _CHUNK))):
        length -= len(data)
        yield data


def _stem(bookmark: Bookmark) -> str:
    """Device name, title, and the moment in the time zone of the device."""
    local = local_time(bookmark.at_ms, time_zone_of(bookmark.device_id))
    return f"{bookmark.device_name[:50]} {local} {bookmark.title[:40]}"
