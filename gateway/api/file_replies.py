"""Replies with files: ranges, conditional requests, caching."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

from flask import Response, request
from werkzeug.datastructures import Range

from gateway.api.errors import error_response
from gateway.api.services import services

#: For files that never change; `private`, because each belongs to one tenant.
IMMUTABLE = "private, max-age=31536000, immutable"


def file_response(
    read: Callable[[int, int], Iterator[bytes]],
    size: int,
    *,
    etag: str | None,
    mimetype: str,
    cache_control: str,
    path: Path | None = None,
    wait_for: Callable[[int, int, Callable[[], Response]], Response] | None = None,
) -> Response:
    """The reply to the current request for a file of `size` bytes: all of it, one range, 304 or 416 (RFC 9110).

    `read(offset, length)` yields the bytes. Without `etag` the file has no version yet, and conditions are ignored.
    With `path`, the whole file is there, and the proxy sends it if SENDFILE says so. With `wait_for(offset, length,
    build)` the reply waits, without a thread, until these bytes can be read, and is built then.
    """
    if etag is not None and (same := not_modified(etag, cache_control)) is not None:
        return same
    if path is not None and (sent := sent_by_proxy(path, mimetype)) is not None:
        return _with_headers(sent, etag, cache_control)
    # If-Range names the version of which the client has a part; any other version is sent in full.
    is_same = "If-Range" not in request.headers or (etag is not None and request.if_range.etag == etag)
    wanted = request.range if is_same else None
    if wanted is None or wanted.units != "bytes" or len(wanted.ranges) != 1:
        start, length, status = 0, size, 200
    else:
        first, end = wanted.ranges[0]
        first = max(first, -size)  # a suffix longer than the file means all of it (RFC 9110, 14.1.2)
        found = Range("bytes", [(first, end)]).range_for_length(size) if size else None
        if found is None:
            response = error_response(
                416, f"'Range' must lie within the {size} bytes of the file", reason="range_not_satisfiable"
            )
            response.headers["Content-Range"] = f"bytes */{size}"
            return response
        start, length, status = found[0], found[1] - found[0], 206

    def build() -> Response:
        body = () if request.method == "HEAD" else read(start, length)
        response = Response(body, status=status, mimetype=mimetype, direct_passthrough=True)
        response.content_length = length
        response.headers["Accept-Ranges"] = "bytes"
        if status == 206:
            response.headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{size}"
        return _with_headers(response, etag, cache_control)

    return build() if wait_for is None or request.method == "HEAD" else wait_for(start, length, build)


def sent_by_proxy(path: Path, mimetype: str) -> Response | None:
    """The reply that makes the proxy send a file, with its ranges; None where this process sends it (SENDFILE)."""
    config = services().config
    if config.sendfile == "off":
        return None
    path = path.absolute()
    response = Response(mimetype=mimetype)
    # The proxy sets the length of what it sends.
    response.automatically_set_content_length = False
    if config.sendfile == "x-sendfile":
        response.headers["X-Sendfile"] = quote(str(path))
        return response
    folders = {"recordings": config.recordings_dir, "exports": config.exports_dir, "captures": config.captures_dir}
    for name, folder in folders.items():
        if path.is_relative_to(folder.absolute()):
            place = path.relative_to(folder.absolute()).as_posix()
            response.headers["X-Accel-Redirect"] = f"{config.sendfile_prefix}/{name}/{quote(place)}"
            return response
    return None


def bytes_response(data: bytes, *, etag: str, mimetype: str, cache_control: str) -> Response:
    """`file_response` for a file that is in memory."""
    return file_response(
        lambda offset, length: iter((data[offset : offset + length],)),
        len(data),
        etag=etag,
        mimetype=mimetype,
        cache_control=cache_control,
    )


def not_modified(etag: str, cache_control: str) -> Response | None:
    """304 if the client has this version already, otherwise None. Call it before the work that a 304 saves."""
    # A proxy that compresses a reply weakens its ETag, which still names the same version (RFC 9110, 13.1.2).
    if request.if_none_match.contains_weak(etag):
        return _with_headers(Response(status=304), etag, cache_control)
    return None


def _with_headers(response: Response, etag: str | None, cache_control: str) -> Response:
    if etag is not None:
        response.set_etag(etag)
    response.headers["Cache-Control"] = cache_control
    return response
