"""The clip and the poster of a bookmark as replies: by ranges, with their version for caches."""

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

_CHUNK = 256 << 10
#: The same address gives another clip once it is made again: whoever keeps one asks whether it is still the same.
_ASK_AGAIN = "private, no-cache"
#: Pictures that are made smaller at once.
_seats = BoundedSemaphore(2)


def clip_response(bookmark: Bookmark, *, is_download: bool) -> Response:
    """The answer to the present request. Raises Conflict `clip_pending` or `clip_failed`, NotFound `file_missing`."""
    if bookmark.clip_file is None:
        raise _no_clip(bookmark)
    try:
        # Opened now: a clip that is made again meanwhile takes nothing from whoever fetches this one.
        file = services().capture_files.path(bookmark.clip_file).open("rb")
    except FileNotFoundError:
        raise NotFound("the clip is gone from the disk: have it made again", reason="file_missing") from None
    response = file_response(
        lambda offset, length: _read(file, offset, length),
        file.seek(0, 2),
        etag=_etag(bookmark.clip_file),
        mimetype="video/mp4",
        cache_control=_ASK_AGAIN,
    )
    response.call_on_close(file.close)
    if response.status_code in (200, 206):
        name_file(response, safe_name(_stem(bookmark), "mp4", "clip"), is_attachment=is_download)
    return response


def poster_response(bookmark: Bookmark, width: int | None) -> Response:
    """The answer to the present request. Raises NotFound `no_picture` or `file_missing`, Conflict `picture_damaged`."""
    if bookmark.poster_file is None:
        raise NotFound("there is no picture of this bookmark", reason="no_picture")
    etag = f"{_etag(bookmark.poster_file)}-{width or 'whole'}"
    if (same := not_modified(etag, _ASK_AGAIN)) is not None:
        return same
    data = services().capture_files.read(bookmark.poster_file)
    if width is not None:
        try:
            with _seats:
                data = convert_picture(data, width=width).data
        except PictureUnreadable as error:
            raise Conflict(error.message, reason=error.reason) from error
    return bytes_response(data, etag=etag, mimetype="image/jpeg", cache_control=_ASK_AGAIN)


def _no_clip(bookmark: Bookmark) -> Conflict:
    status = clip_status(bookmark)
    if status.state == FAILED and status.reason is not None:
        return Conflict(f"there is no clip: {status.reason.message}", reason="clip_failed")
    return Conflict("the clip is not ready yet: try again in some seconds", reason="clip_pending")


def _etag(key: str) -> str:
    """The file's own name: no two attempts write the same."""
    return key.rpartition("/")[2].rpartition(".")[0]


def _read(file: BinaryIO, offset: int, length: int) -> Iterator[bytes]:
    file.seek(offset)
    while length > 0 and (data := file.read(min(length, _CHUNK))):
        length -= len(data)
        yield data


def _stem(bookmark: Bookmark) -> str:
    """The device's name, the title and the moment in the device's time zone."""
    local = local_time(bookmark.at_ms, time_zone_of(bookmark.device_id))
    return f"{bookmark.device_name[:50]} {local} {bookmark.title[:40]}"
